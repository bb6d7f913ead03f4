// Endpoints with a URL: what is accepted, secrets, and what is sent to a real receiver that behaves well or badly.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliverWebhooksJob } from '../../src/jobs/deliver-webhooks.js';
import { dropEvents } from '../../src/jobs/drop-events.js';
import { startJobs } from '../../src/jobs/run-jobs.js';
import { type Json, putProduct, startTestApp, type TestApp, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { ask as query } from '../support/parallel.js';
import { cleanUpReceivers, type Receiver, startReceiver } from '../support/receiver.js';
import { expectProblem, newPerson } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
cleanUpReceivers();
/** A worker beside the app, which may send to loopback. */
let worker: Awaited<ReturnType<typeof startTestApp>>;
let jobs: Awaited<ReturnType<typeof startJobs>>;
let local: TestApp;
beforeAll(async () => {
  worker = await startTestApp(app.url, app.clock, undefined, { isPrivateWebhookAllowed: true });
  jobs = await startJobs(worker.deps, [deliverWebhooksJob]);
  local = { ...app, app: worker.app, deps: worker.deps } as TestApp;
  await putProduct(app, 'STAR', { is_currency: true });
});
afterAll(async () => {
  await jobs.stop();
  await worker.close();
});
const BASE = '/api/v1/billing';
/** A request to the app that may send to loopback. */
async function call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: Json) {
  const headers = { authorization: `Bearer ${worker.deps.config.apiToken}` };
  const answer = await local.app.inject({ method, url: `${BASE}${path}`, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.body === '' ? {} : (answer.json() as Json), text: answer.body };
}

async function putHook(id: string, receiver: Receiver, more: Json = {}): Promise<string> {
  const put = await call('PUT', `/webhook-endpoints/${id}`, { url: receiver.url, types: ['batch.*'], ...more });
  expect([200, 201], put.text).toContain(put.status);
  receiver.verifyBy(String(put.body.secret));
  return String(put.body.secret);
}

async function grant(external_id: string, quantity = 1): Promise<void> {
  const answer = await app.post('/grants', { external_id, grant_type: 'bonus', product_key: 'STAR', quantity });
  expect(answer.status, answer.text).toBe(201);
}

const of = (receiver: Receiver, external_id: string) =>
  receiver.received.filter(({ body }) =>
    (body.customer as { identities: { external_id: string }[] } | null)?.identities.some(
      (identity) => identity.external_id === external_id,
    ),
  );
const numbers = (received: { body: Json }[]) => received.map(({ body }) => (body.data as Json).granted);
const arrived = (receiver: Receiver, external_id: string, count: number) =>
  waitFor(
    () => `${count} of ${external_id}, not ${of(receiver, external_id).length}; forged ${receiver.forged}`,
    () => of(receiver, external_id).length >= count || undefined,
  );
const deliveries = async (id: string, more = '') =>
  (await call('GET', `/webhook-endpoints/${id}/deliveries?limit=200${more}`)).body.data as Json[];
/** Has what waits tried at once. */
const hurry = () =>
  query(app.url, 'UPDATE webhook_deliveries SET next_at = now() WHERE next_at IS NOT NULL').then(() =>
    query(app.url, 'UPDATE webhook_feeds SET paused_until = NULL'),
  );

describe('the URL of an endpoint', () => {
  it.each([
    ['http://127.0.0.1/'],
    ['http://2130706433/'],
    ['http://0x7f.1/'],
    ['http://0177.0.0.1/'],
    ['http://127.1/'],
    ['http://[::1]/'],
    ['http://[::ffff:127.0.0.1]/'],
    ['http://[::127.0.0.1]/'],
    ['http://[::ffff:10.0.0.1]/'],
    ['http://0.0.0.0/'],
    ['http://10.1.2.3/'],
    ['http://172.16.0.1/'],
    ['http://192.168.1.1/'],
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://100.64.0.1/'],
    ['http://[fd00::1]/'],
    ['http://[fe80::1]/'],
    ['http://[64:ff9b::7f00:1]/'],
    ['http://user:password@example.org/'],
    ['https://user@example.org/'],
    ['https://example.org:22/'],
    ['https://example.org:5432/'],
    ['http://example.org:7999/'],
    ['http://example.org:10000/'],
  ])('%s is refused', async (url) => {
    expectProblem(await app.put('/webhook-endpoints/x', { url, types: ['*'] }), 400, 'address_refused', '/url');
    expect((await app.get('/webhook-endpoints/x')).status).toBe(404);
  });

  it.each([
    [{ url: 'example.org' }, '/url'],
    [{ url: 'ftp://example.org/' }, '/url'],
    [{ url: 'http://' }, '/url'],
    [{ url: '' }, '/url'],
    [{ url: 'https://example.org/', secret: 'whsec_short' }, '/secret'],
    [{ url: 'https://example.org/', secret: `whsec_${'!'.repeat(44)}` }, '/secret'],
    [{ url: 'https://example.org/', secret: Buffer.alloc(32).toString('base64') }, '/secret'],
    [{ url: 'https://example.org/', rotate_secret: 'perhaps' }, '/rotate_secret'],
  ])('%j is refused', async (body, pointer) => {
    expectProblem(await app.put('/webhook-endpoints/x', { types: ['*'], ...body }), 400, 'invalid_request', pointer);
  });

  it.each([
    'https://example.org/a?b=c',
    'http://example.org:8080/',
    'https://example.org:443/',
    'http://8.8.8.8:9999/',
  ])('%s is taken', async (url) => {
    const put = await app.put('/webhook-endpoints/taken', { types: ['*'], url, enabled: false });
    expect(put.status, put.text).toBeLessThan(300);
    expect(put.body).toMatchObject({ url, secret: expect.stringMatching(/^whsec_/) });
    await app.delete('/webhook-endpoints/taken');
  });
});

describe('the secret of an endpoint', () => {
  it('is told by every PUT, never by GET, is kept encrypted, and is in no audit record', async () => {
    const url = 'https://example.org/';
    const made = await app.put('/webhook-endpoints/keeper', { types: ['*'], url, enabled: false });
    const { secret } = made.body;
    const again = await app.put('/webhook-endpoints/keeper', {
      types: ['*'],
      url,
      enabled: false,
      description: 'same',
    });
    expect(again.body).toMatchObject({ secret, old_secret_until: null });
    const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const given = await app.put('/webhook-endpoints/keeper', { types: ['*'], url, enabled: false, secret: own });
    expect(given.body).toMatchObject({ secret: own, old_secret_until: '2026-02-01T12:00:00.000Z' });
    const rotated = await app.put('/webhook-endpoints/keeper', {
      types: ['*'],
      url,
      enabled: false,
      rotate_secret: true,
    });
    expect(rotated.body.secret).not.toBe(own);
    const told = [await app.get('/webhook-endpoints/keeper'), await app.get('/webhook-endpoints')];
    for (const answer of told) expect(answer.text).not.toMatch(/whsec_|"secret"|sealed/);
    const [row] = await query(app.url, `SELECT * FROM webhook_endpoints WHERE id = 'keeper'`);
    const trail = await query(app.url, `SELECT before, after FROM audit_records WHERE subject = 'keeper'`);
    for (const one of [secret, own, rotated.body.secret])
      expect(JSON.stringify([row, trail])).not.toContain(String(one).slice(6));
    expect(JSON.stringify(trail)).not.toMatch(/sealed|whsec/);
    const bare = await app.put('/webhook-endpoints/keeper', { types: ['*'] });
    expect(bare.body).toMatchObject({ url: null, secret: null });
    await app.delete('/webhook-endpoints/keeper');
  });

  it('that is rotated signs beside the new one for a day', async () => {
    const receiver = await startReceiver();
    const external_id = newPerson();
    const old = await putHook('rotating', receiver);
    await grant(external_id, 1);
    await arrived(receiver, external_id, 1);
    await putHook('rotating', receiver, { rotate_secret: true });
    receiver.verifyBy(old);
    await grant(external_id, 2);
    await arrived(receiver, external_id, 2);
    app.clock.advance({ days: 1, seconds: 1 });
    await putHook('rotating', receiver);
    await grant(external_id, 3);
    await arrived(receiver, external_id, 3);
    expect(of(receiver, external_id).map(({ signatures }) => signatures)).toEqual([1, 2, 1]);
    expect(receiver.forged).toEqual([]);
    await call('DELETE', '/webhook-endpoints/rotating');
  });
});

describe('events of an endpoint', () => {
  it('are sent as the feed shows them, in order, with the number of the one before', async () => {
    const receiver = await startReceiver();
    const people = Array.from({ length: 12 }, () => newPerson());
    await grant(people[0] as string, 99);
    await putHook('plain', receiver);
    for (const quantity of [1, 2, 3]) await Promise.all(people.map((person) => grant(person, quantity)));
    for (const person of people) {
      await arrived(receiver, person, 3);
      const received = of(receiver, person);
      expect(numbers(received)).toEqual([1, 2, 3]);
      await untilTold(app); // each process looks for itself how far the feed goes
      const feed = (await app.get(`/events?external_id=${person}&type=batch.granted`)).body.data as Json[];
      expect(received.map(({ body: { previous_sequence: _, ...event } }) => event)).toEqual(feed.slice(-3));
      const sequences = feed.slice(-3).map(({ sequence }) => sequence);
      expect(received.map(({ body }) => body.previous_sequence)).toEqual([null, sequences[0], sequences[1]]);
      expect(received.map(({ id }) => id)).toEqual(feed.slice(-3).map(({ id }) => id));
    }
    // What is slow is told behind its page.
    const listed = await waitFor('all to be told', async () => {
      const all = await deliveries('plain');
      return all.length === 36 && all.every(({ status }) => status === 'delivered') ? all : undefined;
    });
    expect(listed.map(({ attempts }) => attempts)).toEqual(Array(36).fill(1));
    expect(receiver.received).toHaveLength(36);
    const retried = await call('POST', `/webhook-endpoints/plain/deliveries/${listed[0]?.id}/retry`, {});
    expect(retried.body, retried.text).toMatchObject({ status: 'delivered', attempts: 2, answer_status: 204 });
    expect(receiver.received.at(-1)?.id).toBe(listed[0]?.event_id);
    await call('DELETE', '/webhook-endpoints/plain');
    expect((await call('GET', '/webhook-endpoints/plain/deliveries')).status).toBe(404);
  });

  it('that fail hold back their customer alone, and arrive in order under the same id', async () => {
    const receiver = await startReceiver();
    const [bad, good] = [newPerson(), newPerson()];
    let isBroken = true;
    receiver.answerBy((outgoing, { body }) => {
      const isBad = JSON.stringify(body.customer).includes(bad);
      outgoing.writeHead(isBad && isBroken ? 500 : 200).end('what it says');
    });
    await putHook('partly', receiver);
    for (const quantity of [1, 2, 3]) {
      await grant(bad, quantity);
      await grant(good, quantity);
    }
    await arrived(receiver, good, 3);
    await waitFor('all to be written', async () => (await deliveries('partly')).length === 6 || undefined);
    const waiting = await deliveries('partly', '&status=waiting');
    expect(waiting).toHaveLength(3);
    expect(waiting.at(-1)).toMatchObject({ answer_status: 500, answer_excerpt: 'what it says' });
    expect(new Set(numbers(of(receiver, bad)))).toEqual(new Set([1]));
    const refused = await call('POST', `/webhook-endpoints/partly/deliveries/${waiting[0]?.id}/retry`, {});
    expect(refused.body).toMatchObject({ code: 'delivery_waiting' });
    isBroken = false;
    await hurry();
    await waitFor('the rest', async () => {
      await hurry();
      return (await deliveries('partly', '&status=waiting')).length === 0 || undefined;
    });
    const sent = of(receiver, bad);
    expect(numbers(sent).filter((one, index) => numbers(sent)[index - 1] !== one)).toEqual([1, 2, 3]);
    expect(new Set(sent.filter(({ body }) => (body.data as Json).granted === 1).map(({ id }) => id)).size).toBe(1);
    expect(numbers(of(receiver, good))).toEqual([1, 2, 3]);
    await call('DELETE', '/webhook-endpoints/partly');
  });

  it.each<[string, (receiver: Receiver) => void, Json]>([
    ['is down', (receiver) => void receiver.stop(), { answer_status: null, error: 'connection_refused' }],
    [
      'resets',
      (r) => r.answerBy((o) => o.socket?.resetAndDestroy()),
      { answer_status: null, error: 'connection_reset' },
    ],
    [
      'redirects to 127.0.0.1',
      (r) => r.answerBy((o) => o.writeHead(302, { location: `http://127.0.0.1:${r.port}/other` }).end()),
      { answer_status: 302, error: null },
    ],
    ['hangs', (r) => r.answerBy(() => undefined), { answer_status: null, error: 'timeout' }],
    [
      'hangs in the middle of its answer',
      (r) => r.answerBy((o) => void o.writeHead(200).write('a')),
      { answer_status: null, error: 'timeout' },
    ],
  ])('wait for a receiver that %s', async (_what, spoil, told) => {
    const receiver = await startReceiver();
    await putHook('spoilt', receiver);
    spoil(receiver);
    const external_id = newPerson();
    await grant(external_id);
    const [delivery] = await waitFor('an attempt', async () => {
      const all = await deliveries('spoilt');
      return all[0] && Number(all[0].attempts) > 0 ? all : undefined;
    });
    expect(delivery).toMatchObject({ status: 'waiting', ...told, next_at: expect.any(String) });
    expect(receiver.received.every(({ path }) => path === '/hooks')).toBe(true);
    await call('DELETE', '/webhook-endpoints/spoilt');
  });

  it('arrive at a receiver that answers without end, of which little is read', async () => {
    const receiver = await startReceiver();
    let written = 0;
    receiver.answerBy((outgoing) => {
      outgoing.writeHead(200);
      const more = () => {
        while (!outgoing.destroyed && outgoing.write(Buffer.alloc(16_384, 'x'))) written += 16_384;
        if (!outgoing.destroyed) outgoing.once('drain', more);
      };
      more();
    });
    await putHook('endless', receiver);
    const external_id = newPerson();
    await grant(external_id);
    const delivery = await waitFor('the delivery', async () => (await deliveries('endless'))[0]);
    expect(delivery).toMatchObject({ status: 'delivered', answer_excerpt: 'x'.repeat(256) });
    await call('DELETE', '/webhook-endpoints/endless');
    expect(written).toBeLessThan(64 * 1_048_576);
  });

  it('wait as long as the receiver asks', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(503, { 'retry-after': '3600' }).end());
    await putHook('busy', receiver);
    await grant(newPerson());
    const delivery = await waitFor('the attempt', async () => (await deliveries('busy'))[0]);
    const waitMs = Date.parse(String(delivery?.next_at)) - Date.parse(String(delivery?.tried_at));
    expect(waitMs).toBe(3_600_000);
    await call('DELETE', '/webhook-endpoints/busy');
  });

  it('are given up after three days, and sent again when all that failed is replayed', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook('parking', receiver);
    const external_id = newPerson();
    await grant(external_id, 1);
    await grant(external_id, 2);
    await waitFor('both', async () => (await deliveries('parking')).length === 2 || undefined);
    await query(
      app.url,
      `UPDATE webhook_deliveries SET first_tried_at = now() - interval '3 days', next_at = now() WHERE attempts > 0 AND status = 'waiting'`,
    );
    const [parked] = await waitFor('one to be given up', async () => {
      const all = await deliveries('parking', '&status=parked');
      return all.length > 0 ? all : undefined;
    });
    expect(parked).toMatchObject({ next_at: null, answer_status: 500 });
    receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
    const replayed = await call('POST', '/webhook-endpoints/parking/replay', { failed: true });
    expect(replayed.body).toEqual({ replayed: 1, next_cursor: null });
    await waitFor('the rest', async () => {
      await hurry();
      return (await deliveries('parking', '&status=delivered')).length === 2 || undefined;
    });
    await call('DELETE', '/webhook-endpoints/parking');
  });

  it('disable an endpoint that answers 410, which is told', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(410).end());
    await putHook('leaving', receiver);
    await grant(newPerson());
    const gone = await waitFor('it to be disabled', async () => {
      const { body } = await call('GET', '/webhook-endpoints/leaving');
      return body.enabled === false ? body : undefined;
    });
    expect(gone).toMatchObject({ disabled_reason: 'gone' });
    const told = await waitFor('the event', async () => {
      const { body } = await app.get('/events?type=webhook_endpoint.disabled');
      return (body.data as Json[]).at(-1);
    });
    expect(told).toMatchObject({ customer: null, data: { endpoint_id: 'leaving', reason: 'gone' } });
    await call('DELETE', '/webhook-endpoints/leaving');
  });

  it('disable an endpoint after a day without one arrival; what it missed is replayed', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook('failing', receiver);
    const external_id = newPerson();
    await grant(external_id, 1);
    await waitFor('the attempt', async () => (await deliveries('failing'))[0]);
    await query(
      app.url,
      `UPDATE webhook_feeds SET failing_since = now() - interval '24 hours' WHERE endpoint_id = 'failing'`,
    );
    await hurry();
    await waitFor('it to be disabled', async () => {
      const { body } = await call('GET', '/webhook-endpoints/failing');
      return body.disabled_reason === 'failing' || undefined;
    });
    await grant(external_id, 2);
    receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
    await putHook('failing', receiver);
    await grant(external_id, 3);
    const from = '2026-01-01T00:00:00Z';
    const range = { from, until: '2026-02-01T00:00:00Z' };
    const replayed = await call('POST', '/webhook-endpoints/failing/replay', range);
    expect(replayed.status, replayed.text).toBe(200);
    await waitFor('all three', async () => {
      await hurry();
      const sent = new Set(numbers(of(receiver, external_id)));
      return sent.size === 3 || undefined;
    });
    await call('DELETE', '/webhook-endpoints/failing');
  });
});

describe('a test message', () => {
  it('is one shot, of an endpoint that is disabled, too, and tells what was answered', async () => {
    const receiver = await startReceiver();
    await putHook('tested', receiver, { enabled: false });
    receiver.answerBy((outgoing) => outgoing.writeHead(200).end('hello'));
    const good = await call('POST', '/webhook-endpoints/tested/test', {});
    expect(good.body).toMatchObject({ delivered: true, answer_status: 200, answer_excerpt: 'hello', error: null });
    expect(receiver.received[0]?.body).toMatchObject({ type: 'webhook_endpoint.test', customer: null });
    expect(receiver.received[0]?.id).toBe(good.body.message_id);
    await receiver.stop();
    const bad = await call('POST', '/webhook-endpoints/tested/test', {});
    expect(bad.body).toMatchObject({ delivered: false, answer_status: null, error: 'connection_refused' });
    expect(await deliveries('tested')).toEqual([]);
    await call('DELETE', '/webhook-endpoints/tested');
  });
});

describe('what is asked of deliveries', () => {
  it('is refused where it can not be', async () => {
    await app.put('/webhook-endpoints/feed', { types: ['*'] });
    const one = '/webhook-endpoints/feed/deliveries/1/retry';
    expectProblem(await app.post('/webhook-endpoints/none/test', {}), 404, 'endpoint_not_found', 'path/id');
    expectProblem(await app.post('/webhook-endpoints/feed/test', {}), 409, 'endpoint_without_url', 'path/id');
    expectProblem(await app.post(one, {}), 409, 'endpoint_without_url', 'path/id');
    await app.put('/webhook-endpoints/feed', { types: ['*'], url: 'https://example.org/', enabled: false });
    expectProblem(await app.post(one, {}), 404, 'delivery_not_found', 'path/delivery_id');
    const odd = '/webhook-endpoints/feed/deliveries/x/retry';
    expectProblem(await app.post(odd, {}), 400, 'invalid_request', 'path/delivery_id');
    const replay = (body: Json) => app.post('/webhook-endpoints/feed/replay', body);
    const [from, until] = ['2026-01-01', '2026-01-02'];
    expectProblem(await replay({}), 400, 'invalid_request', '/from');
    expectProblem(await replay({ from }), 400, 'invalid_request', '/until');
    expectProblem(await replay({ from: until, until: from }), 400, 'invalid_request', '/until');
    expectProblem(await replay({ from, until: '2029-01-01' }), 400, 'invalid_request', '/until');
    expectProblem(await replay({ from, until, failed: true }), 400, 'invalid_request', '/failed');
    expectProblem(await replay({ from, until, cursor: 'x' }), 400, 'invalid_request', '/cursor');
    expectProblem(await app.get('/webhook-endpoints/none/deliveries'), 404, 'endpoint_not_found', 'path/id');
    expectProblem(
      await app.get('/webhook-endpoints/feed/deliveries?status=lost'),
      400,
      'invalid_request',
      'query/status',
    );
    await app.delete('/webhook-endpoints/feed');
  });
});

describe('deliveries', () => {
  it('go with their events by age, and leave what waits behind one to be sent', async () => {
    const receiver = await startReceiver();
    receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
    await putHook('aging', receiver);
    const external_id = newPerson();
    await grant(external_id, 1);
    await waitFor('the attempt', async () => (await deliveries('aging'))[0]);
    app.clock.advance({ days: 100 });
    await grant(external_id, 2);
    await waitFor('what waits behind it', async () => {
      const all = await deliveries('aging');
      return (all.length === 2 && all[0]?.next_at === null) || undefined;
    });
    receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
    await dropEvents(app.deps, 90);
    await waitFor('the second to arrive', async () => {
      const all = await deliveries('aging');
      return (all.length === 1 && all[0]?.status === 'delivered') || undefined;
    });
    await call('DELETE', '/webhook-endpoints/aging');
    // What a turn still has under way when its endpoint goes is left to the next round.
    await waitFor('nothing to be left', async () => {
      await dropEvents(app.deps, 90);
      const left = await query(
        app.url,
        'SELECT feed_id FROM webhook_deliveries UNION ALL SELECT id FROM webhook_feeds',
      );
      return left.length === 0 || undefined;
    });
  });
});
