// Reserve, work, deduct under each framework: what is held, what is charged, and what the caller is told. Among it every defect that the middleware of an
// earlier system had.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChargeSettings, Report } from '../../clients/typescript/src/meter.js';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { clientOf, type Framework, frameworks, type Handler, serveMetered } from '../support/metered.js';
import { waitFor } from '../support/wait.js';

const ESTIMATE = 60;
const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'TOKENS', { is_currency: true });
  await putProduct(app, 'IMAGES');
  await putOffer(app, 'TOKENS_100', 'TOKENS', 100);
});

/** Somebody with so many tokens. */
async function someone(tokens: number): Promise<string> {
  const name = randomUUID();
  await app.post('/identify', { external_id: name });
  if (tokens > 0) await grantUnits(app, name, 'TOKENS', tokens);
  return name;
}

async function tokensOf(name: string) {
  const { available, held, owed } = (await app.get(`/credits/balance?external_id=${name}&product_key=TOKENS`)).body;
  return { available, held, owed };
}

/** Once nothing is held any more. */
async function settledTokensOf(name: string) {
  return waitFor('the end of the hold', async () => {
    const tokens = await tokensOf(name);
    return tokens.held === 0 ? tokens : undefined;
  });
}

const charge: ChargeSettings<never> = {
  product_key: 'TOKENS',
  estimate: ESTIMATE,
  usage: { field: 'usage.total_tokens' },
};
const answering =
  (usage: unknown, status = 200): Handler =>
  () => ({ status, json: { text: 'done', usage } });

function gate() {
  let open = () => {};
  const opened = new Promise<void>((settle) => {
    open = settle;
  });
  return { open, opened };
}

const kindsOf = (reports: readonly Report[]) => reports.map(({ kind }) => kind);

/** A test's way to serve under this framework. */
const serveUnder =
  (framework: Framework) =>
  (handler: Handler, charges: ChargeSettings<never> | ChargeSettings<never>[] = charge, skip?: string[]) =>
    serveMetered(framework, clientOf(app), { charges, handler, ...(skip && { skip }) });

describe.each(frameworks)('under $name, a metered route', (framework) => {
  const serve = serveUnder(framework);

  it('holds the estimate while it works, and charges what the answer says', async () => {
    const name = await someone(100);
    let during: unknown;
    const { work } = await serve(async (metering) => {
      during = await tokensOf(name);
      expect(metering.held()).toBe(ESTIMATE);
      return { json: { usage: { total_tokens: 35 } } };
    });
    const response = await work(name);
    expect(during).toEqual({ available: 40, held: ESTIMATE, owed: 0 });
    expect(response.headers.get('x-credits-deducted')).toBe('35');
    expect(await response.json()).toEqual({ usage: { total_tokens: 35 } });
    expect(await tokensOf(name)).toEqual({ available: 65, held: 0, owed: 0 });
  });

  it('charges what the handler told in the middle of its work', async () => {
    const name = await someone(100);
    const { work } = await serve(
      async (metering) => {
        await new Promise((settle) => setImmediate(settle));
        metering.setUsage(42);
        return { json: {} };
      },
      { ...charge, usage: 'handler' },
    );
    expect((await work(name)).headers.get('x-credits-deducted')).toBe('42');
    expect(await tokensOf(name)).toEqual({ available: 58, held: 0, owed: 0 });
  });

  it('releases when the handler throws', async () => {
    const name = await someone(100);
    const { work } = await serve(() => {
      throw new Error('the model failed');
    });
    const response = await work(name);
    expect(response.status).toBe(500);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });

  it.each([500, 503])('does not charge a %i answer that names its usage', async (status) => {
    const name = await someone(100);
    const { work } = await serve(answering({ total_tokens: 42 }, status));
    const response = await work(name);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });

  it('passes an error of the caller on, and releases', async () => {
    const name = await someone(100);
    const { work, reports } = await serve(() => ({ status: 404, json: { message: 'no such text' } }));
    const response = await work(name);
    expect([response.status, await response.json()]).toEqual([404, { message: 'no such text' }]);
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    expect(reports).toEqual([]);
  });

  it('answers 500 and releases where the usage is missing: it is not taken for 0', async () => {
    const name = await someone(100);
    const { work, reports } = await serve(answering({}));
    const response = await work(name);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect([response.status, await response.json()]).toMatchObject([500, { code: 'metering_failed', status: 500 }]);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    expect(kindsOf(reports)).toEqual(['usage_unknown']);
  });

  it('answers 401 to nobody, and trusts no header by itself', async () => {
    const name = await someone(100);
    const { work } = await serve(() => {
      throw new Error('must not be called');
    });
    const response = await work(undefined, { headers: { 'x-user-id': name, 'x-customer-id': name } });
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'unauthenticated', status: 401 }]);
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });

  it('answers 402 with what would help, and does no work', async () => {
    const name = await someone(10);
    const { work } = await serve(() => {
      throw new Error('must not be called');
    });
    const response = await work(name);
    expect(response.status).toBe(402);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({
      code: 'insufficient_quota',
      requested: ESTIMATE,
      available: 10,
      upgrade_offers: [{ sku: 'TOKENS_100', price: '1.00', currency: 'USD' }],
    });
  });

  it('streams without buffering, and charges at the end', async () => {
    const name = await someone(100);
    const rest = gate();
    const { work } = await serve(
      (metering) => ({
        stream: (async function* () {
          yield 'one ';
          await rest.opened;
          metering.setUsage(30);
          yield 'two';
        })(),
      }),
      { ...charge, usage: 'handler' },
    );
    const response = await work(name);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    expect(new TextDecoder().decode(first.value)).toBe('one ');
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(await tokensOf(name)).toMatchObject({ held: ESTIMATE });
    rest.open();
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += new TextDecoder().decode(part.value);
    expect(text).toBe('two');
    expect(await settledTokensOf(name)).toEqual({ available: 70, held: 0, owed: 0 });
  });

  it('charges the estimate of a stream that does not say what it used, and reports it', async () => {
    const name = await someone(100);
    const { work, reports } = await serve(
      () => ({
        stream: (async function* () {
          yield 'text';
        })(),
      }),
      { ...charge, usage: 'handler' },
    );
    await (await work(name)).text();
    expect(await settledTokensOf(name)).toEqual({ available: 40, held: 0, owed: 0 });
    expect(kindsOf(reports)).toEqual(['usage_unknown']);
  });

  it('releases when the client hangs up before the answer, and tells the handler', async () => {
    const name = await someone(100);
    const begun = gate();
    let isAborted = false;
    const { work } = await serve(async (metering) => {
      begun.open();
      await new Promise<void>((settle) => metering.signal.addEventListener('abort', () => settle()));
      isAborted = metering.signal.aborted;
      return { json: { usage: { total_tokens: 35 } } };
    });
    const hangUp = new AbortController();
    const answer = work(name, { signal: hangUp.signal });
    await begun.opened;
    hangUp.abort();
    await expect(answer).rejects.toThrow();
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    expect(isAborted).toBe(true);
  });

  it('releases when the client hangs up in the middle of a stream', async () => {
    const name = await someone(100);
    const { work } = await serve(
      (metering) => ({
        stream: (async function* () {
          yield 'one ';
          await new Promise<void>((settle) => metering.signal.addEventListener('abort', () => settle()));
        })(),
      }),
      { ...charge, usage: 'handler' },
    );
    const hangUp = new AbortController();
    const response = await work(name, { signal: hangUp.signal });
    await (response.body as ReadableStream<Uint8Array>).getReader().read();
    hangUp.abort();
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });

  it('charges several products, all or none of them held', async () => {
    const name = await someone(100);
    const charges: ChargeSettings<never>[] = [
      charge,
      { product_key: 'IMAGES', estimate: 2, usage: { field: 'images' } },
    ];
    const { work } = await serve(() => ({ json: { images: 1, usage: { total_tokens: 35 } } }), charges);
    const refused = await work(name);
    expect([refused.status, await refused.json()]).toMatchObject([402, { requested: 2, available: 0 }]);
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    await grantUnits(app, name, 'IMAGES', 5);
    expect((await work(name)).headers.get('x-credits-deducted')).toBe('TOKENS=35, IMAGES=1');
    expect(await tokensOf(name)).toEqual({ available: 65, held: 0, owed: 0 });
    expect((await app.get(`/balance?external_id=${name}&product_key=IMAGES`)).body).toMatchObject({ remaining: 4 });
  });

  it('charges nothing on paths to skip', async () => {
    const name = await someone(100);
    const { work } = await serve(() => ({ json: { free: true } }), charge, ['/free/*']);
    const response = await work(name, { path: '/free/work' });
    expect([response.status, await response.json()]).toEqual([200, { free: true }]);
    expect(response.headers.get('x-credits-deducted')).toBeNull();
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
  });
});

describe('under any framework, a metered route', () => {
  const serve = serveUnder(frameworks[0] as Framework);

  it('charges what a function says of the answer', async () => {
    const name = await someone(100);
    const usage = (answer: unknown) => (answer as { parts: number[] }).parts.length * 7;
    const { work } = await serve(() => ({ json: { parts: [1, 2, 3] } }), { ...charge, usage });
    expect((await work(name)).headers.get('x-credits-deducted')).toBe('21');
    expect(await tokensOf(name)).toMatchObject({ available: 79, held: 0 });
  });

  it('takes nothing where nothing was used, and says so', async () => {
    const name = await someone(100);
    const { work, reports } = await serve(answering({ total_tokens: 0 }));
    expect((await work(name)).headers.get('x-credits-deducted')).toBe('0');
    expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    expect(reports).toEqual([]);
  });

  it.each([
    ['textual', { total_tokens: '42' }, '"42"'],
    ['fractional', { total_tokens: 41.5 }, '41.5'],
    ['negative', { total_tokens: -1 }, '-1'],
    ['huge', { total_tokens: 2 ** 53 }, '9007199254740992'],
    ['empty', { total_tokens: null }, 'null'],
  ])('answers 500 and releases where the usage is %s: it is not taken for 0', async (_what, usage, shown) => {
    const name = await someone(100);
    const { work, reports } = await serve(answering(usage));
    const response = await work(name);
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'metering_failed', status: 500 });
    expect(await settledTokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    expect(kindsOf(reports)).toEqual(['usage_unknown']);
    expect(reports[0]?.detail).toContain(`usage.total_tokens of the answer has ${shown}`);
  });

  it.each([
    ['50', 50],
    ['5', 20],
    [undefined, 30],
  ])('holds by the header %s: %i', async (sent, held) => {
    const name = await someone(100);
    const estimate = { header: 'X-Estimated-Tokens', min: 20, max: 80, otherwise: 30 };
    let seen = 0;
    const { work } = await serve(
      (metering) => {
        seen = metering.held();
        return { json: { usage: { total_tokens: 1 } } };
      },
      { ...charge, estimate },
    );
    const response = await work(name, { headers: sent === undefined ? {} : { 'x-estimated-tokens': sent } });
    expect([response.status, seen]).toEqual([200, held]);
  });

  it.each(['many', '-5', '0', '1.5', '1e1', '81', '99999999999999999999', ''])(
    'answers 400 to the estimate "%s"',
    async (sent) => {
      const name = await someone(100);
      const estimate = { header: 'X-Estimated-Tokens', min: 20, max: 80, otherwise: 30 };
      const { work } = await serve(
        () => {
          throw new Error('must not be called');
        },
        { ...charge, estimate },
      );
      const response = await work(name, { headers: { 'x-estimated-tokens': sent } });
      expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_estimate' }]);
      expect(await tokensOf(name)).toEqual({ available: 100, held: 0, owed: 0 });
    },
  );

  it.each([Number.NaN, -1, 0, 1.5, 2 ** 53])('answers 500 to an estimate of its own function of %d', async (amount) => {
    const name = await someone(100);
    const { work, reports } = await serve(answering({ total_tokens: 1 }), { ...charge, estimate: () => amount });
    expect((await work(name)).status).toBe(500);
    expect(kindsOf(reports)).toEqual(['misconfigured']);
  });

  it.each([
    ['refuse', 100, 90, { available: 40, owed: 0 }, '60', ['uncharged']],
    ['take', 100, 90, { available: 10, owed: 0 }, '90', []],
    ['take', 61, 90, { available: 1, owed: 0 }, '60', ['uncharged']],
    ['owe', 61, 90, { available: 0, owed: 29 }, '90', []],
  ] as const)('with excess %s: of %i, used %i', async (excess, tokens, used, left, header, reported) => {
    const name = await someone(tokens);
    const { work, reports } = await serve(answering({ total_tokens: used }), { ...charge, excess });
    expect((await work(name)).headers.get('x-credits-deducted')).toBe(header);
    expect(await tokensOf(name)).toEqual({ ...left, held: 0 });
    expect(kindsOf(reports)).toEqual(reported);
  });
});
