// What a meter promises over time: nothing is charged twice, nothing stays held, and what Bursar could not be told waits in the journal.
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type ChargeSettings,
  createMeter,
  type MeterSettings,
  type Report,
  toCharges,
} from '../../clients/typescript/src/meter.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { clientOf, type Framework, frameworks, type Handler, type Served, serveMetered } from '../support/metered.js';
import { waitFor } from '../support/wait.js';

const ESTIMATE = 60;
const app = useTestApp();
const [framework] = frameworks as [Framework];
const charge: ChargeSettings<never> = { product_key: 'TOKENS', estimate: ESTIMATE, usage: { field: 'used' } };
const using =
  (used: number): Handler =>
  () => ({ json: { used } });

beforeAll(async () => {
  await putProduct(app, 'TOKENS', { is_currency: true });
});

async function someone(tokens: number): Promise<string> {
  const name = randomUUID();
  await grantUnits(app, name, 'TOKENS', tokens);
  return name;
}

async function tokensOf(name: string) {
  const { available, held, owed } = (await app.get(`/credits/balance?external_id=${name}&product_key=TOKENS`)).body;
  return { available, held, owed };
}

const untilTokens = (name: string, available: number) =>
  waitFor('the balance', async () => ((await tokensOf(name)).available === available ? true : undefined));

/** A line to Bursar that can be cut: before a request arrives, or after it was carried out, so that its answer is lost. */
class Line {
  isCut: 'no' | 'before' | 'after' = 'no';
  readonly paths: string[] = [];
  readonly fetch: typeof fetch = async (url, init) => {
    this.paths.push(new URL(String(url)).pathname.replace(/^.*\/(?=\w)/, ''));
    if (this.isCut === 'before') throw new TypeError('fetch failed');
    const response = await fetch(url, init);
    if (this.isCut === 'no') return response;
    await response.text();
    throw new TypeError('fetch failed');
  };
}

function serve(
  line: Line,
  handler: Handler,
  more: Partial<MeterSettings<unknown>> = {},
  charges = charge,
): Promise<Served> {
  // one attempt is enough to find a line cut
  const bursar = clientOf(app, { fetch: line.fetch, attempts: 1 });
  return serveMetered(framework, bursar, { charges, handler, settings: more });
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const journalAt = (journal: string, resendMs = 5) => ({ fail: 'open-with-journal' as const, journal, resendMs });

describe('a hold', () => {
  it('is what the charge is taken from: nobody gets at it in between', async () => {
    const name = await someone(ESTIMATE);
    let others = 0;
    const grab = async () => {
      const { status } = await app.post('/quota/consume', { external_id: name, product_key: 'TOKENS' });
      if (status === 200) others += 1;
    };
    const line = new Line();
    const { work } = await serve(line, async () => {
      await grab();
      return { json: { used: ESTIMATE } };
    });
    const [response] = await Promise.all([work(name), ...Array.from({ length: 20 }, grab)]);
    // whoever was first took of what was not held yet, and then the request was refused
    if (response.status === 200) expect(others).toBe(0);
    expect(await tokensOf(name)).toMatchObject({ held: 0, owed: 0 });
    expect(line.paths.filter((path) => path === 'release')).toEqual([]);
  });

  it('is of this request alone, whatever key the caller sends', async () => {
    const name = await someone(100);
    const { work } = await serve(new Line(), using(35));
    for (const left of [65, 30]) {
      const response = await work(name, { headers: { 'idempotency-key': 'the same' } });
      expect(response.headers.get('x-credits-deducted')).toBe('35');
      expect(await tokensOf(name)).toEqual({ available: left, held: 0, owed: 0 });
    }
  });

  it('is extended while the work goes on', async () => {
    const name = await someone(100);
    const line = new Line();
    const { work } = await serve(
      line,
      async () => {
        await waitFor('an extension', () => (line.paths.includes('extend') ? true : undefined));
        return { json: { used: 35 } };
      },
      { ttlSeconds: 1 },
    );
    expect((await work(name)).headers.get('x-credits-deducted')).toBe('35');
    const { data } = (await app.get(`/reservations?external_id=${name}`)).body;
    expect(data).toMatchObject([{ status: 'committed', committed_amount: 35 }]);
  });

  it.each([
    ['take', 100, 35, { available: 65, owed: 0 }],
    ['refuse', 100, 90, { available: 40, owed: 0 }],
    ['owe', 0, 90, { available: 0, owed: 30 }],
  ] as const)('that lapsed meanwhile is charged without it: excess %s', async (excess, left, used, after) => {
    const name = await someone(ESTIMATE + (left === 0 ? 0 : 40));
    const settings = { ...charge, excess };
    const { work } = await serve(
      new Line(),
      () => {
        app.clock.advance({ hours: 1 });
        return { json: { used } };
      },
      {},
      settings,
    );
    await work(name);
    expect(await tokensOf(name)).toEqual({ ...after, held: 0 });
  });

  it('lapses by itself when its process is gone', async () => {
    const name = await someone(100);
    const line = new Line();
    const { work } = await serve(line, () => {
      line.isCut = 'before';
      return { json: { used: 35 } };
    });
    expect((await work(name)).status).toBe(503);
    expect(await tokensOf(name)).toEqual({ available: 40, held: ESTIMATE, owed: 0 });
    app.clock.advance({ seconds: 120 });
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });
});

describe('a limit that stands against a hold', () => {
  it('is answered 429, with what stands against it and when to come again, and the work is not begun', async () => {
    const name = await someone(200);
    await app.put('/limits', { external_id: name, product_key: 'TOKENS', windows: { hour: 100 } });
    let begun = 0;
    const bursar = clientOf(app);
    const handler = () => {
      begun += 1;
      return { json: { used: 60 } };
    };
    const { work } = await serveMetered(framework, bursar, { charges: charge, handler });
    expect((await work(name)).status).toBe(200);
    const response = await work(name);
    expect(response.status).toBe(429);
    const retryAfterS = Number(response.headers.get('retry-after'));
    expect(retryAfterS).toBeGreaterThan(0);
    const violation = { product_key: 'TOKENS', window: 'hour', current: 60, requested: ESTIMATE, limit: 100 };
    expect(await response.json()).toMatchObject({ code: 'limit_exceeded', violations: [violation] });
    expect(begun).toBe(1);
    expect(await bursar.reserve({ external_id: name, product_key: 'TOKENS', amount: ESTIMATE })).toMatchObject({
      allowed: false,
      code: 'limit_exceeded',
      violations: [violation],
      retryAfterS,
      upgrade_offers: [],
    });
  });
});

describe('what is reported', () => {
  it('does no harm when its listener fails', async () => {
    const name = await someone(100);
    const seen = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => seen.mockRestore());
    const { work } = await serve(new Line(), () => ({ json: {} }), {
      onReport: () => {
        throw new Error('a listener failed');
      },
    });
    expect((await work(name)).status).toBe(500);
    await untilTokens(name, 100);
    expect(seen.mock.calls).toEqual([[expect.stringContaining('usage_unknown'), new Error('a listener failed')]]);
  });
});

describe('while Bursar is out of reach, closed,', () => {
  it('a request is answered 503 and no work is done', async () => {
    const name = await someone(100);
    const line = new Line();
    const { work, reports } = await serve(line, () => {
      throw new Error('must not be called');
    });
    line.isCut = 'before';
    const response = await work(name);
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'metering_unavailable' }]);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(reports.map(({ kind }) => kind)).toContain('outage');
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });

  it('an answer whose charge is not known to be taken says nothing of it', async () => {
    const name = await someone(100);
    const line = new Line();
    const { work, reports } = await serve(line, () => {
      line.isCut = 'after';
      return { json: { used: 35 } };
    });
    const response = await work(name);
    expect(response.status).toBe(503);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(reports.find(({ kind }) => kind === 'unsettled')?.charge).toMatchObject({ amount: 35 });
    expect(await tokensOf(name)).toEqual({ available: 65, held: 0, owed: 0 });
  });
});

describe('while Bursar is out of reach, with a journal,', () => {
  it('the work is done, its charge waits on the disk, and is taken once', async () => {
    const name = await someone(100);
    const journal = join(newFolder(), 'journal');
    const line = new Line();
    const { work, reports } = await serve(line, using(35), journalAt(journal));
    line.isCut = 'before';
    const response = await work(name);
    expect([response.status, await response.json()]).toEqual([200, { used: 35 }]);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(JSON.parse(readFileSync(journal, 'utf8')).charge).toMatchObject({
      amount: 35,
      selector: { external_id: name },
    });
    expect(statSync(journal).mode & 0o777).toBe(0o600);
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    line.isCut = 'after'; // what is sent is carried out, but nobody hears of it
    await untilTokens(name, 100 - ESTIMATE);
    line.isCut = 'no';
    await waitFor('the journal to be sent', () => reports.find(({ kind }) => kind === 'journal_sent'));
    expect(await tokensOf(name)).toEqual({ available: 65, held: 0, owed: 0 });
  });

  it('a hold of which no answer came is found again, and charged', async () => {
    const name = await someone(ESTIMATE);
    const line = new Line();
    const handler = () => {
      line.isCut = 'no';
      return { json: { used: 35 } };
    };
    const { work, reports } = await serve(line, handler, journalAt(join(newFolder(), 'journal')));
    line.isCut = 'after';
    expect((await work(name)).status).toBe(200);
    expect(line.paths).toContain('reservations');
    await waitFor('the journal to be sent', () => reports.find(({ kind }) => kind === 'journal_sent'));
    expect(await tokensOf(name)).toEqual({ available: ESTIMATE - 35, held: 0, owed: 0 });
  });

  it.each(['before', 'after'] as const)('a commit that failed (cut %s it) is taken from its hold', async (cut) => {
    const name = await someone(100);
    const line = new Line();
    const { work, reports } = await serve(
      line,
      () => {
        line.isCut = cut;
        return { json: { used: 35 } };
      },
      journalAt(join(newFolder(), 'journal')),
    );
    expect((await work(name)).status).toBe(200);
    line.isCut = 'no';
    await waitFor('the journal to be sent', () => reports.find(({ kind }) => kind === 'journal_sent'));
    expect(await tokensOf(name)).toEqual({ available: 65, held: 0, owed: 0 });
    const { data } = (await app.get(`/reservations?external_id=${name}`)).body;
    expect(data).toMatchObject([{ status: 'committed', committed_amount: 35 }]);
  });

  it('what waits is taken by the next process, also after its hold lapsed, and a line cut off by a crash does not hinder', async () => {
    const name = await someone(100);
    const journal = join(newFolder(), 'journal');
    const line = new Line();
    const first = await serve(
      line,
      () => {
        line.isCut = 'before';
        return { json: { used: 35 } };
      },
      journalAt(journal),
    );
    await first.work(name);
    await first.close();
    appendFileSync(journal, '{"charge":{"key":"half');
    app.clock.advance({ hours: 1 });
    line.isCut = 'no';
    const second = await serve(line, using(5), journalAt(journal));
    await untilTokens(name, 65);
    await waitFor('the journal to be sent', () => second.reports.find(({ kind }) => kind === 'journal_sent'));
    expect(second.reports.filter(({ kind }) => kind === 'journal_failed')).toMatchObject([
      { detail: expect.stringContaining('half') },
    ]);
    await second.close();
    const third = await serve(line, using(5), journalAt(journal));
    expect(readFileSync(journal, 'utf8')).toBe('');
    expect((await third.work(name)).headers.get('x-credits-deducted')).toBe('5');
    expect(await tokensOf(name)).toEqual({ available: 60, held: 0, owed: 0 });
  });

  it('what can never be taken is reported, and does not hold up the rest', async () => {
    const name = await someone(100);
    const journal = join(newFolder(), 'journal');
    const charges = [
      { key: 'k1', selector: { external_id: name }, subject: { product_key: 'NONE' }, amount: 5, excess: 'take' },
      { key: 'k2', selector: { external_id: name }, subject: { product_key: 'TOKENS' }, amount: 5, excess: 'take' },
      { key: 'k3', selector: { external_id: name }, subject: { product_key: 'TOKENS' }, amount: 500, excess: 'take' },
    ];
    writeFileSync(journal, charges.map((each) => `${JSON.stringify({ charge: each })}\n`).join(''));
    const { reports } = await serve(new Line(), using(5), journalAt(journal));
    await waitFor('the last to be sent', () =>
      reports.find(({ kind, charge: { key } = {} }) => kind === 'journal_sent' && key === 'k3'),
    );
    expect(reports.map(({ kind, charge: { key } = {} }) => [kind, key])).toEqual([
      ['journal_failed', 'k1'],
      ['journal_sent', 'k2'],
      ['uncharged', 'k3'],
      ['journal_sent', 'k3'],
    ]);
    expect(await tokensOf(name)).toMatchObject({ available: 95 });
  });

  it('what was taken without a hold, and nobody heard of it, is not taken again', async () => {
    const name = await someone(100);
    const journal = join(newFolder(), 'journal');
    const waiting = {
      key: 'k',
      selector: { external_id: name },
      subject: { product_key: 'TOKENS' },
      amount: 5,
      excess: 'take',
    };
    writeFileSync(journal, `${JSON.stringify({ charge: waiting })}\n`);
    const line = new Line();
    line.isCut = 'after';
    const { work, reports } = await serve(line, using(35), journalAt(journal));
    await untilTokens(name, 95);
    line.isCut = 'no';
    const isSent = ({ kind }: Report) => kind === 'journal_sent';
    await waitFor('the journal to be sent', () => reports.find(isSent));
    await work(name);
    expect(reports.filter(isSent)).toHaveLength(1);
    await untilTokens(name, 60);
  });

  it('a full journal answers 503', async () => {
    const name = await someone(100);
    const journal = join(newFolder(), 'journal');
    const line = new Line();
    const { work } = await serve(line, using(35), { ...journalAt(journal), journalBytesMax: 10 });
    line.isCut = 'before';
    expect((await work(name)).status).toBe(503);
    expect(readFileSync(journal, 'utf8')).toBe('');
  });

  it('a journal belongs to one process, and is free again when it ended', async () => {
    const journal = join(newFolder(), 'journal');
    const first = await serve(new Line(), using(1), journalAt(journal));
    await expect(serve(new Line(), using(1), journalAt(journal))).rejects.toThrow('belongs to process');
    await first.close();
    expect(existsSync(`${journal}.lock`)).toBe(false);
    writeFileSync(`${journal}.lock`, `${process.pid} an-earlier-process\n`);
    await serve(new Line(), using(1), journalAt(journal));
  });
});

describe('a start', () => {
  const settings = () => ({ bursar: clientOf(app), customer: () => undefined, fail: 'closed' as const });

  it('fails with a wrong token, also with a journal', async () => {
    const bursar = clientOf(app, { token: 'wrong' });
    await expect(createMeter({ ...settings(), bursar })).rejects.toMatchObject({ code: 'unauthenticated' });
    const journal = join(newFolder(), 'journal');
    await expect(createMeter({ ...settings(), bursar, ...journalAt(journal) })).rejects.toMatchObject({ status: 401 });
  });

  it('fails where there is no Bursar, but with a journal goes on', async () => {
    const bursar = clientOf(app, { url: 'http://127.0.0.1:1', attempts: 1 });
    const more = { bursar, onReport: () => {} };
    await expect(createMeter({ ...settings(), ...more })).rejects.toMatchObject({ name: 'BursarUnreachable' });
    const meter = await createMeter({ ...settings(), ...more, ...journalAt(join(newFolder(), 'journal')) });
    await meter.close();
  });

  it.each([
    [{ fail: 'open' }, "fail is 'closed' or 'open-with-journal'"],
    [{ fail: 'open-with-journal' }, 'needs the path of a journal'],
    [{ ttlSeconds: 0 }, 'ttlSeconds must be a whole number'],
    [{ ttlSeconds: 7 * 24 * 3_600 + 1 }, 'ttlSeconds must be a whole number'],
    [{ customer: undefined }, 'customer must be a function'],
    [{ bursar: undefined }, 'needs a client'],
  ])('fails with the settings %j', async (more, message) => {
    await expect(createMeter({ ...settings(), ...more } as MeterSettings<unknown>)).rejects.toThrow(message);
  });

  it.each([
    [[], 'at least one charge'],
    [{ ...charge, product_key: undefined }, 'a product_key or a feature'],
    [{ ...charge, feature: 'images' }, 'a product_key or a feature'],
    [{ ...charge, estimate: 0 }, 'must be a whole number from 1'],
    [{ ...charge, estimate: -5 }, 'must be a whole number from 1'],
    [{ ...charge, estimate: 1.5 }, 'must be a whole number from 1'],
    [{ ...charge, estimate: '5' }, 'must be a whole number from 1'],
    [{ ...charge, estimate: 2 ** 53 }, 'must be a whole number from 1'],
    [{ ...charge, estimate: { header: 'x', min: 1 } }, 'whole numbers from 1'],
    [{ ...charge, estimate: { header: 'x', min: 5, max: 4 } }, 'min <= otherwise <= max'],
    [{ ...charge, usage: 'total' }, "usage is { field }, a function or 'handler'"],
    [{ ...charge, usage: undefined }, "usage is { field }, a function or 'handler'"],
    [{ ...charge, excess: 'give' }, 'excess is refuse, take or owe'],
    [{ feature: 'images', estimate: 1, usage: 'handler', excess: 'owe' }, 'only a currency product can be owed'],
    [[charge, charge], 'charged twice'],
  ])('fails with the charges %j', (charges, message) => {
    expect(() => toCharges(charges as never)).toThrow(message);
  });
});
