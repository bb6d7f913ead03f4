// Sources of payments: put over the API, believed by their signature, and understood by their mapping.
import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { inboxOf } from '../../src/payments/inbox.js';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { ask, balanceOf, placeOrder } from '../support/parallel.js';
import { type Signed, STANDARD_SECRET, signedByHmac, signedByStandard } from '../support/payments.js';

const app = useTestApp();
const SECRET = 'a-secret-that-both-sides-know';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const mapping = {
  event_id: '/id',
  order_id: '/data/order',
  payment_id: '/data/charge',
  amount: '/data/amount',
  amount_unit: 'minor',
  currency: '/data/currency',
  status: '/status',
  statuses: { succeeded: 'paid', failed: 'failed' },
};
const hmac = { scheme: 'hmac_sha256', header: 'X-Signature', encoding: 'hex', prefix: 'sha256=' };
const put = (name: string, more: Json = {}) =>
  app.put(`/payment-sources/${name}`, { signature: hmac, secret: SECRET, mapping, ...more });
const deliver = (name: string, { body, headers }: Signed) =>
  request(app.app.server).post(`${BASE_PATH}/payments/generic/${name}`).set(headers).send(body);
const paid = (id: string, charge: string, order: string, amount = 100) =>
  JSON.stringify({ id, status: 'succeeded', data: { order, charge, amount, currency: 'usd' } });
const signed = (body: string, secret = SECRET) => signedByHmac(body, secret, 'hex', 'sha256=');

describe('a source', () => {
  it('pays orders by what it signs', async () => {
    const made = await put('shop');
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({
      name: 'shop',
      payment_method: 'shop',
      signature: { ...hmac, header: 'x-signature' },
      mapping: { ...mapping, type: null, refund_id: null },
      secret: SECRET,
    });
    const orderId = await placeOrder(app, 'ada', 'PACK');
    const answer = await deliver('shop', signed(paid('e-1', 'c-1', orderId)));
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(10);
    const [event] = (await app.get('/payments/inbox?provider=generic/shop')).body.data;
    expect(event).toMatchObject({ event_id: 'e-1', status: 'applied', order_id: orderId, amount: '1.00' });
    expect((await app.get(`/orders/${orderId}`)).body).toMatchObject({ payment_method: 'shop', payment_id: 'c-1' });
  });

  it('is not believed without its signature, and not known when it is disabled or gone', async () => {
    await put('gate');
    const body = paid('e-1', 'c-2', 'x');
    const codeOf = async (sent: Signed) => {
      const answer = await deliver('gate', sent);
      return `${answer.status} ${answer.body.code}`;
    };
    expect(await codeOf(signed(body, 'another-secret-altogether'))).toBe('401 invalid_signature');
    expect(await codeOf({ body, headers: { 'content-type': 'text/plain' } })).toBe('401 invalid_signature');
    expect(await codeOf(signed('{'))).toBe('400 malformed_json');
    expect(await codeOf(signed('{}'))).toBe('400 invalid_request');
    await put('gate', { enabled: false });
    expect(await codeOf(signed(body))).toBe('404 payment_provider_not_found');
    expect((await app.delete('/payment-sources/gate')).status).toBe(204);
    expect(await codeOf(signed(body))).toBe('404 payment_provider_not_found');
    expect((await app.delete('/payment-sources/gate')).body.code).toBe('payment_source_not_found');
    const rows = await ask(app.url, `SELECT FROM payment_inbox WHERE provider = 'generic/gate'`);
    expect(rows).toEqual([]);
  });

  it('that is gone leaves what waits for three days, and then to somebody', async () => {
    await put('gone');
    const body = paid('e-gone', 'c-gone', '01234567-0123-7123-8123-0123456789ab');
    expect((await deliver('gone', signed(body))).status).toBe(200);
    const event = async () => (await app.get('/payments/inbox?event_id=e-gone')).body.data[0];
    expect(await event()).toMatchObject({ status: 'waiting', reason: 'order_not_found' });
    expect((await app.delete('/payment-sources/gone')).status).toBe(204);
    app.clock.advance({ hours: 1 });
    await inboxOf(app.deps).applyDue(() => false);
    expect(await event()).toMatchObject({ status: 'waiting', reason: 'provider_not_configured' });
    app.clock.advance({ hours: 72 });
    await inboxOf(app.deps).applyDue(() => false);
    expect(await event()).toMatchObject({ status: 'quarantined', reason: 'provider_not_configured', next_at: null });
  });

  it('rotates its secret: the one before counts for a day more', async () => {
    await put('turn');
    const statusOf = async (id: string, secret: string) =>
      (await deliver('turn', signed(paid(id, id, 'x'), secret))).status;
    const rotated = await put('turn', { secret: 'the-secret-of-tomorrow' });
    expect(rotated.status).toBe(200);
    expect(rotated.body.old_secret_until).toBe('2026-02-01T12:00:00.000Z');
    expect([await statusOf('a', SECRET), await statusOf('b', 'the-secret-of-tomorrow')]).toEqual([200, 200]);
    app.clock.advance({ days: 1 });
    expect([await statusOf('c', SECRET), await statusOf('d', 'the-secret-of-tomorrow')]).toEqual([401, 200]);
    const kept = await put('turn', { secret: undefined });
    expect(kept.body.secret).toBe('the-secret-of-tomorrow');
  });

  it('signs by Standard Webhooks with a secret that is drawn', async () => {
    const made = await put('std', {
      signature: { scheme: 'standard_webhooks' },
      secret: undefined,
      mapping: { ...mapping, event_id: undefined },
    });
    const { secret } = made.body;
    expect(secret).toMatch(/^whsec_/);
    const orderId = await placeOrder(app, 'bea', 'PACK');
    const answer = await deliver('std', signedByStandard(paid('ignored', 'c-3', orderId), 'msg-1', { secret }));
    expect(answer.status, answer.text).toBe(200);
    expect(await balanceOf(app, 'bea', 'CREDITS')).toBe(10);
    expect((await app.get('/payments/inbox?event_id=msg-1')).body.data).toHaveLength(1);
  });

  it('signs by Standard Webhooks with an id that can be looked up, or is no event', async () => {
    const made = await put('ids', {
      signature: { scheme: 'standard_webhooks' },
      secret: undefined,
      mapping: { ...mapping, event_id: undefined },
    });
    const { secret } = made.body;
    const send = (id: string) => deliver('ids', signedByStandard(paid('ignored', 'c-4', 'none'), id, { secret }));
    expect((await send('m'.repeat(255))).status).toBe(200);
    for (const id of ['m'.repeat(256), randomBytes(4_000).toString('base64url')]) {
      const answer = await send(id);
      expect(answer.status, answer.text).toBe(400);
      expect(answer.body).toMatchObject({ code: 'invalid_request' });
    }
  });

  it('does not keep a secret that is none of how it signs from now on', async () => {
    await put('other', {});
    const standard = { signature: { scheme: 'standard_webhooks' }, mapping };
    const refused = await put('other', { ...standard, secret: undefined });
    expect(refused.status, refused.text).toBe(400);
    expect(refused.body.errors).toMatchObject([{ pointer: '/secret' }]);
    expect((await app.get('/payment-sources/other')).body.signature.scheme).toBe('hmac_sha256');
    expect((await put('other', { ...standard, secret: SECRET })).status).toBe(400);
    const made = await put('other', { ...standard, secret: STANDARD_SECRET });
    expect(made.status, made.text).toBe(200);
    expect((await deliver('other', signedByStandard(paid('e-o', 'c-o', 'none'), 'msg-o'))).status).toBe(200);
  });

  it('keeps its secret to itself: it is encrypted, shown by a PUT alone, and not audited', async () => {
    await put('quiet', { mapping: { ...mapping, statuses: { paidInFull: 'paid' } } });
    for (const path of ['/payment-sources', '/payment-sources/quiet', '/audit?subject=quiet'])
      expect((await app.get(path)).text).not.toContain(SECRET);
    const [row] = await ask(app.url, `SELECT * FROM payment_sources WHERE name = 'quiet'`);
    expect(JSON.stringify(row)).not.toContain(SECRET);
    expect((await app.get('/audit?subject=quiet')).body.data).toMatchObject([
      { action: 'payment_source.created', after: { mapping: { statuses: [{ status: 'paidInFull', kind: 'paid' }] } } },
    ]);
    expect((await app.get('/payment-sources/none')).body.code).toBe('payment_source_not_found');
  });

  it('shows what a body would become, and does nothing', async () => {
    await put('probe');
    const orderId = await placeOrder(app, 'cy', 'PACK');
    const tried = await app.post('/payment-sources/probe/try', { body: JSON.parse(paid('e-9', 'c-9', orderId)) });
    expect(tried.body).toEqual({
      event_id: 'e-9',
      type: 'succeeded',
      kind: 'paid',
      order_ref: orderId,
      order_id: orderId,
      subscription_ref: null,
      payment_id: 'c-9',
      refund_id: null,
      dispute_id: null,
      amount: '1.00',
      currency: 'USD',
    });
    const text = await app.post('/payment-sources/probe/try', { body: '{"id":"e-10"}' });
    expect(text.body).toMatchObject({ kind: 'unreadable', payment_id: null });
    expect((await app.post('/payment-sources/probe/try', { body: '{' })).status).toBe(400);
    expect((await app.post('/payment-sources/none/try', { body: {} })).status).toBe(404);
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBeUndefined();
  });

  it.each<[string, Json, string]>([
    ['a secret that Standard Webhooks have not', { signature: { scheme: 'standard_webhooks' } }, '/secret'],
    ['no id of events', { mapping: { ...mapping, event_id: undefined } }, '/mapping/event_id'],
    ['a path that is no pointer', { mapping: { ...mapping, amount: 'data.amount' } }, '/mapping/amount'],
    ['a status that means nothing', { mapping: { ...mapping, statuses: { a: 'won' } } }, '/mapping/statuses/a'],
    ['a scheme that nobody knows', { signature: { scheme: 'md5' } }, '/signature/scheme'],
    ['a secret that is short', { secret: 'short' }, '/secret'],
  ])('is refused with %s', async (_what, more, pointer) => {
    const answer = await put('bad', more);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('is one of a hundred at most', async () => {
    await ask(
      app.url,
      `INSERT INTO payment_sources SELECT 'many' || n, '', false, 'm', '{}', '{}', 's', NULL, NULL, now(), now() FROM generate_series(1, 100) n`,
    );
    const answer = await put('one-more');
    expect([answer.status, answer.body.code]).toEqual([409, 'too_many_payment_sources']);
    await ask(app.url, `DELETE FROM payment_sources WHERE name LIKE 'many%'`);
  });
});
