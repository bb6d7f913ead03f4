// Turns with a feed, meddled with: attempts by hand at once and beside the dispatcher's own, a lane that is replayed or dropped while it is left, a turn that
// breaks off, and endpoints that are changed or left alone meanwhile.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../../src/db/client.js';
import type { FeedStanding, HeldFeed } from '../../src/db/webhooks.js';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { dropEvents } from '../../src/jobs/drop-events.js';
import { createDispatcher, type Dispatcher } from '../../src/webhooks/dispatcher.js';
import { createFeedRun } from '../../src/webhooks/feed-run.js';
import { serveLane } from '../../src/webhooks/waiting-lane.js';
import { API_TOKEN, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { ask } from '../support/parallel.js';
import { type Answer, cleanUpReceivers, type Receiver, startReceiver } from '../support/receiver.js';
import { newPerson } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
cleanUpReceivers();
/** A process that may send to loopback; its turns are begun by the tests. */
let worker: Awaited<ReturnType<typeof startTestApp>>;
const dispatchers: Dispatcher[] = [];
beforeAll(async () => {
  worker = await startTestApp(app.url, app.clock, undefined, { isPrivateWebhookAllowed: true });
  await putProduct(app, 'STAR', { is_currency: true });
});
beforeEach(() => app.clock.advance({ hours: ++hours }));
afterEach(async () => {
  for (const held of holding.splice(0)) held.end();
  for (const dispatcher of dispatchers.splice(0)) await dispatcher.end();
  for (const { id } of (await call('GET', '/webhook-endpoints')).body.data as Json[])
    await call('DELETE', `/webhook-endpoints/${id}`);
});
afterAll(() => worker.close());

let hours = 0;
const HOUR_MS = 3_600_000;
/** More than are tried at once, and than have to fail. */
const PEOPLE = 40;
const FAILED_MAX = 5;
const AT_ONCE_MAX = 16;
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 25;
/** Requests that a receiver has not answered yet. */
const holding: ServerResponse[] = [];
const hold: Answer = (outgoing) => void holding.push(outgoing);
const release = (status: number) => holding.splice(0).map((outgoing) => outgoing.writeHead(status).end());

async function call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: Json) {
  const headers = { authorization: `Bearer ${API_TOKEN}` };
  const url = `${BASE_PATH}${path}`;
  const answer = await worker.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: (answer.body === '' ? {} : answer.json()) as Json };
}

function startDispatcher(deps: Deps = worker.deps): Dispatcher {
  const dispatcher = createDispatcher(deps);
  dispatchers.push(dispatcher);
  return dispatcher;
}

/** The same process, of whose statements one is meddled with. */
function meddled(query: (text: string, ask: () => Promise<Row[]>) => Promise<Row[]>): Deps {
  const { db } = worker.deps;
  const own = (text: string, parameters?: unknown[]) => query(text, () => db.query(text, parameters));
  return { ...worker.deps, db: Object.create(db, { query: { value: own } }) as Deps['db'] };
}

async function putHook({ url }: Pick<Receiver, 'url'>): Promise<void> {
  expect((await call('PUT', '/webhook-endpoints/hook', { url, types: ['batch.granted'] })).status).toBeLessThan(300);
}

async function grant(external_id: string): Promise<void> {
  const answer = await app.post('/grants', { external_id, grant_type: 'bonus', product_key: 'STAR', quantity: 1 });
  expect(answer.status, answer.text).toBe(201);
}

const deliveries = async () => (await call('GET', '/webhook-endpoints/hook/deliveries?limit=200')).body.data as Json[];
const hook = async () => (await call('GET', '/webhook-endpoints/hook')).body;
/** Has what this test's hour brought sent again. */
const replay = () => {
  const from = app.clock.now();
  return call('POST', '/webhook-endpoints/hook/replay', { from, until: new Date(from.getTime() + HOUR_MS) });
};
const hurry = () => ask(app.url, 'UPDATE webhook_deliveries SET next_at = now() WHERE next_at IS NOT NULL');
const endPause = () => ask(app.url, 'UPDATE webhook_feeds SET paused_until = NULL');

/** Has turns taken until something is so. */
const lookUntil = <T>(dispatcher: Dispatcher, what: string, probe: () => T | undefined | Promise<T | undefined>) =>
  waitFor(what, async () => {
    await dispatcher.look();
    return probe();
  });

/** Has many turns taken, if there is anything to do. */
async function lookOften(dispatcher: Dispatcher, before: () => Promise<unknown> = async () => undefined) {
  for (let look = 0; look < LOOKS; look += 1) {
    await before();
    await dispatcher.look();
    await delay(BETWEEN_LOOKS_MS);
  }
}

/** Has an event delivered; the id of its delivery. */
async function deliverOne(dispatcher: Dispatcher, external_id = newPerson()): Promise<string> {
  await grant(external_id);
  const delivered = await lookUntil(dispatcher, 'the delivery', async () =>
    (await deliveries()).find(({ status }) => status === 'delivered'),
  );
  return String(delivered.id);
}

const untilIdle = () =>
  waitFor('the turn to be over', async () => {
    const [feed] = await ask(app.url, `SELECT lease FROM webhook_feeds WHERE endpoint_id = 'hook'`);
    return feed?.lease === null || undefined;
  });

describe('attempts by hand', () => {
  it('at one delivery are made one at a time', async () => {
    const receiver = await startReceiver();
    await putHook(receiver);
    const path = `/webhook-endpoints/hook/deliveries/${await deliverOne(startDispatcher())}/retry`;
    receiver.answerBy(hold);
    const answers: number[] = [];
    const retry = async () => answers.push((await call('POST', path, {})).status);
    const first = retry();
    await waitFor('the first', () => holding.length === 1 || undefined);
    const second = retry();
    await waitFor('the second to end, or to be sent', () => answers.length === 1 || holding.length === 2 || undefined);
    expect((await call('POST', path, {})).body.code).toBe('delivery_under_way');
    release(204);
    await Promise.all([first, second]);
    expect(answers).toEqual([409, 200]);
    expect(receiver.underWayMax()).toBe(1);
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    expect((await call('POST', path, {})).body).toMatchObject({ status: 'delivered', attempts: 3, answer_status: 500 });
  });

  it('at what was given up say what became of it', async () => {
    const receiver = await startReceiver();
    await putHook(receiver);
    const id = await deliverOne(startDispatcher());
    await ask(app.url, `UPDATE webhook_deliveries SET status = 'parked' WHERE place = ${id}`);
    for (const [answered, status] of [
      [500, 'parked'],
      [302, 'parked'],
      [304, 'parked'],
      [200, 'delivered'],
    ] as const) {
      receiver.answerBy((outgoing) => outgoing.writeHead(answered).end());
      const retried = await call('POST', `/webhook-endpoints/hook/deliveries/${id}/retry`, {});
      expect(retried.body).toMatchObject({ status, next_at: null });
    }
  });

  it('are not made beside one of the dispatcher, which waits for them', async () => {
    const receiver = await startReceiver();
    await putHook(receiver);
    const dispatcher = startDispatcher();
    const person = newPerson();
    const id = await deliverOne(dispatcher, person);
    receiver.answerBy(hold);
    const byHand = call('POST', `/webhook-endpoints/hook/deliveries/${id}/retry`, {});
    await waitFor('it to be sent', () => holding.length === 1 || undefined);
    await grant(person);
    expect((await replay()).body.replayed).toBe(1);
    await lookOften(dispatcher);
    expect(holding).toHaveLength(1);
    receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
    release(204);
    expect((await byHand).body.code).toBe('delivery_waiting');
    await lookUntil(dispatcher, 'both', async () =>
      (await deliveries()).length === 2 && (await deliveries()).every(({ status }) => status === 'delivered')
        ? true
        : undefined,
    );
    expect(receiver.underWayMax()).toBe(1);
    const [first, last] = [receiver.received[0]?.id, receiver.received.at(-1)?.id];
    expect(receiver.received.map((one) => one.id)).toEqual([first, first, first, last]);
  });

  it('at what is tried by the dispatcher are refused', async () => {
    const receiver = await startReceiver();
    receiver.answerBy(hold);
    await putHook(receiver);
    await grant(newPerson());
    const [delivery] = await lookUntil(startDispatcher(), 'what goes on behind its page', async () => {
      const all = await deliveries();
      return all.length > 0 ? all : undefined;
    });
    const retried = await call('POST', `/webhook-endpoints/hook/deliveries/${delivery?.id}/retry`, {});
    expect(retried.body.code).toBe('delivery_waiting');
    release(204);
    expect(receiver.underWayMax()).toBe(1);
  });
});

describe('a turn that breaks off', () => {
  it('keeps its feed until what it tries has ended', async () => {
    const receiver = await startReceiver();
    receiver.answerBy(hold);
    await putHook(receiver);
    let isBroken = false;
    let broke = 0;
    const dispatcher = startDispatcher(
      meddled((text, query) => {
        if (!isBroken || !text.startsWith('UPDATE webhook_feeds f SET lease_until')) return query();
        isBroken = false;
        broke += 1;
        return Promise.reject(new Error('the database is away'));
      }),
    );
    await grant(newPerson());
    await lookUntil(dispatcher, 'an attempt behind its page', async () => (await deliveries())[0]);
    isBroken = true;
    await waitFor('the turn to break off', () => broke === 1 || undefined);
    await lookOften(dispatcher, () => Promise.all([hurry(), endPause()]));
    expect(holding).toHaveLength(1);
    release(204);
    await untilIdle();
    await endPause();
    await lookUntil(dispatcher, 'the delivery', async () =>
      (await deliveries())[0]?.status === 'delivered' ? true : undefined,
    );
    expect(receiver.received).toHaveLength(1);
  });
});

describe('a feed whose turns break off', () => {
  it('is left alone for a while each time', async () => {
    const receiver = await startReceiver();
    await putHook(receiver);
    let taken = 0;
    const dispatcher = startDispatcher(
      meddled(async (text, query) => {
        if (text.startsWith('UPDATE webhook_feeds f SET lease_until')) throw new Error('the turn breaks off');
        const rows = await query();
        if (text.includes('FOR UPDATE OF f SKIP LOCKED')) taken += rows.length;
        return rows;
      }),
    );
    await grant(newPerson());
    await lookUntil(dispatcher, 'it to be taken', () => taken > 0 || undefined);
    await untilIdle();
    await lookOften(dispatcher);
    expect(taken).toBe(1);
  });
});

describe('a lane that is left', () => {
  const held = async (): Promise<HeldFeed & { lane: string }> => {
    const [row] = await ask(
      app.url,
      `SELECT f.id, d.lane FROM webhook_feeds f JOIN webhook_deliveries d ON d.feed_id = f.id WHERE endpoint_id = 'hook' LIMIT 1`,
    );
    return { id: String(row?.id), lane: String(row?.lane), endpointId: 'hook', lease: randomUUID() };
  };

  /** Serves the lane, and lets something happen when it has looked what waits. */
  async function leave(happens: () => Promise<unknown>): Promise<void> {
    const { lane, ...feed } = await held();
    const deps = meddled(async (text, query) => {
      const rows = await query();
      if (text.includes('AS is_old')) await happens();
      return rows;
    });
    const run = createFeedRun(deps, feed, () => false);
    run.renewed({} as FeedStanding, Number.POSITIVE_INFINITY);
    await serveLane(run, lane);
  }

  it('empty, and then replayed, is looked at', async () => {
    const receiver = await startReceiver();
    await putHook(receiver);
    const dispatcher = startDispatcher();
    await deliverOne(dispatcher);
    await untilIdle();
    await leave(replay);
    expect(await deliveries()).toMatchObject([{ status: 'waiting', next_at: expect.any(String) }]);
    await lookUntil(dispatcher, 'it to arrive', () => receiver.received.length === 2 || undefined);
  });

  it('to wait for its first, which then goes by age, is looked at', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook(receiver);
    const dispatcher = startDispatcher();
    const person = newPerson();
    await grant(person);
    await lookUntil(dispatcher, 'the first', async () => (await deliveries())[0]);
    app.clock.advance({ days: 100 });
    await grant(person);
    await lookUntil(dispatcher, 'what waits behind it', async () => (await deliveries())[1]);
    await untilIdle();
    await leave(() => dropEvents(app.deps, 90));
    expect(await deliveries()).toMatchObject([{ status: 'waiting', attempts: 0, next_at: expect.any(String) }]);
  });
});

describe('an endpoint', () => {
  const spoil = async (since: string, failed: string) => {
    await untilIdle();
    await ask(
      app.url,
      `UPDATE webhook_feeds SET failing_since = now() - interval '${since}', failed_at = now() - interval '${failed}', paused_until = NULL`,
    );
  };

  it.each([
    ['25 hours', '24 hours 59 minutes', true],
    ['25 hours', '8 hours', true],
    ['25 hours', '6 hours', false],
    ['25 hours', '1 second', false],
    ['23 hours', '1 second', true],
  ])(
    'that has failed for %s, %s ago for the last time, is still enabled after another failure: %s',
    async (since, failed, isEnabled) => {
      const receiver = await startReceiver();
      receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
      await putHook(receiver);
      const dispatcher = startDispatcher();
      await grant(newPerson());
      await lookUntil(dispatcher, 'the first attempt', async () => (await deliveries())[0]);
      await spoil(since, failed);
      await hurry();
      await lookUntil(dispatcher, 'another', async () =>
        Number((await deliveries())[0]?.attempts) > 1 ? true : undefined,
      );
      await untilIdle();
      expect(await hook()).toMatchObject({ enabled: isEnabled, disabled_reason: isEnabled ? null : 'failing' });
    },
  );

  it('at which nothing arrives for five customers in a row is left alone for a while', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook(receiver);
    const dispatcher = startDispatcher();
    const people = Array.from({ length: PEOPLE }, newPerson);
    for (const person of people) await grant(person);
    await untilTold({ ...app, deps: worker.deps });
    await lookUntil(dispatcher, 'attempts', async () => (await deliveries())[0]);
    await untilIdle();
    const tried = receiver.received.length;
    expect(tried).toBeGreaterThanOrEqual(FAILED_MAX);
    expect(tried).toBeLessThan(FAILED_MAX + AT_ONCE_MAX);
    const pause = `SELECT round(extract(epoch FROM paused_until - now()))::int AS seconds FROM webhook_feeds WHERE endpoint_id = 'hook'`;
    expect([4, 5]).toContain((await ask(app.url, pause))[0]?.seconds);
    await hurry();
    await dispatcher.look();
    await untilIdle();
    expect(receiver.received).toHaveLength(tried);
    receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
    await endPause();
    await lookUntil(dispatcher, 'all to arrive', async () => {
      const all = await deliveries();
      return all.length === PEOPLE && all.every(({ status }) => status === 'delivered') ? true : undefined;
    });
    expect(receiver.received).toHaveLength(tried + PEOPLE);
  });

  it('is not disabled by what was not tried', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook(receiver);
    const dispatcher = startDispatcher();
    const person = newPerson();
    await grant(person);
    await lookUntil(dispatcher, 'the attempt', async () => (await deliveries())[0]);
    await spoil('25 hours', '1 second');
    await ask(app.url, `UPDATE webhook_deliveries SET next_at = now() + interval '1 hour' WHERE status = 'waiting'`);
    await grant(person);
    await lookUntil(dispatcher, 'what waits behind it', async () => (await deliveries())[1]);
    await untilIdle();
    expect(await hook()).toMatchObject({ enabled: true });
  });

  it('that has got another URL is not disabled for what the one before answered', async () => {
    const receiver = await startReceiver();
    receiver.answerBy(hold);
    await putHook(receiver);
    const dispatcher = startDispatcher();
    await grant(newPerson());
    await lookUntil(dispatcher, 'an attempt', () => holding[0]);
    const other = await startReceiver();
    await putHook(other);
    release(410);
    await waitFor('the answer', async () => (await deliveries())[0]?.answer_status === 410 || undefined);
    await untilIdle();
    expect(await hook()).toMatchObject({ enabled: true, disabled_reason: null });
    await hurry();
    await lookUntil(dispatcher, 'the event at the new URL', () => other.received[0]);
  });
});
