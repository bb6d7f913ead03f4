// A connection that is lost around a COMMIT: nobody knows what became of it until the operation's id is looked for under the lock
// (DOMAIN 3.0). Units are taken once, and the answer is true.
import request from 'supertest';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { type Cut, type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { balanceOf, placeOrder } from '../support/parallel.js';

const app = useTestApp();
let proxy: CuttingProxy;
let post: (path: string, body: object, headers?: Record<string, string>) => request.Test;

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

beforeEach(async () => {
  proxy = await startCuttingProxy(app.url);
  const cutOff = await startTestApp(proxy.url, app.clock);
  onTestFinished(() => cutOff.close());
  post = (path, body, headers = {}) =>
    request(cutOff.app.server)
      .post(`${BASE_PATH}${path}`)
      .set({ authorization: `Bearer ${API_TOKEN}`, ...headers })
      .send(body);
});

const consume = (externalId: string) => ({ external_id: externalId, product_key: 'CREDITS', amount: 3 });

describe('a connection that is lost before the commit', () => {
  it('leaves a consume that took nothing, or was tried again and took units once', async () => {
    await grantUnits(app, 'before', 'CREDITS', 10);
    proxy.cutNext('before the commit');
    const { status } = await post('/quota/consume', consume('before'));
    expect(proxy.countCut()).toBe(1);
    expect([
      { status: 503, balance: 10 },
      { status: 200, balance: 7 },
    ]).toContainEqual({ status, balance: await balanceOf(app, 'before', 'CREDITS') });
  });
});

describe('a connection that is lost after the commit', () => {
  it('leaves a consume that is answered and took units once', async () => {
    await grantUnits(app, 'after', 'CREDITS', 10);
    proxy.cutNext('after the commit');
    const answer = await post('/quota/consume', consume('after'));
    expect(proxy.countCut()).toBe(1);
    expect(await balanceOf(app, 'after', 'CREDITS')).toBe(7);
    expect([answer.status, answer.body.remaining]).toEqual([200, 7]);
  });

  it('leaves a confirmation that is answered and granted once', async () => {
    const orderId = await placeOrder(app, 'paid', 'PACK');
    proxy.cutNext('after the commit');
    const answer = await post(`/orders/${orderId}/confirm`, { payment_id: 'paid' });
    expect(proxy.countCut()).toBe(1);
    expect(await balanceOf(app, 'paid', 'CREDITS')).toBe(10);
    expect([answer.status, answer.body.status]).toEqual([200, 'paid']);
  });
});

describe.each<Cut>(['before the commit', 'after the commit'])('a key whose connection was lost %s', (cut) => {
  it('may be sent again and takes units once', async () => {
    const person = `key-${cut.replaceAll(' ', '-')}`;
    await grantUnits(app, person, 'CREDITS', 10);
    proxy.cutNext(cut);
    await post('/quota/consume', consume(person), { 'idempotency-key': 'k' });
    const again = await post('/quota/consume', consume(person), { 'idempotency-key': 'k' });
    expect([again.status, again.body.remaining]).toEqual([200, 7]);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(7);
  });
});
