// The public n8n workflow of the `billable` module, unchanged: its eight calls as its HTTP nodes make them (chat ids as text, SKUs in mixed
// case, fields that we don't know, no idempotency keys, n8n's Accept), and every member of the answers that it reads.
import request from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { API_TOKEN, useTestApp } from '../support/app.js';

const app = useTestApp();

beforeAll(async () => {
  expect(await fillEmptyCatalogue(app.deps, demoCatalogue)).toBe(true);
});

/** What n8n's HTTP Request node sends when it is to find out the response's format, as it does by default. */
const N8N_ACCEPT =
  'application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7';
/** What it sends when the response's format is set to JSON. */
const N8N_ACCEPT_JSON = 'application/json,text/*;q=0.99';

const send = (method: 'get' | 'post', path: string, accept = N8N_ACCEPT) =>
  request(app.app.server)
    [method](`${BASE_PATH}${path}`)
    .set({ authorization: `Bearer ${API_TOKEN}`, accept });

/** The eight calls. */
function workflowOf(external_id: string, accept = N8N_ACCEPT) {
  const provider = 'telegram';
  const query = `external_id=${external_id}&provider=${provider}`;
  return {
    identify: (profile: Record<string, string> = { username: 'ada', first_name: 'Ada', last_name: '' }) =>
      send('post', '/identify', accept).send({ provider, external_id, profile }),
    wallet: () => send('get', `/wallet?${query}`, accept),
    balance: () => send('get', `/balance?${query}&product_key=TEST_PREDICTION`, accept),
    order: () =>
      send('post', '/orders', accept).send({ provider, external_id, items: [{ sku: 'get_TEST_STAR', quantity: 1 }] }),
    confirm: (invoicePayload: string, payment_id: string) =>
      send('post', `/orders/${invoicePayload}/confirm`, accept).send({
        payment_id,
        payment_method: 'telegram_payments',
      }),
    exchange: () => send('post', '/exchange', accept).send({ external_id, provider, sku: 'get_TEST_PREDICTION' }),
    consume: () =>
      send('post', '/wallet/consume', accept).send({
        external_id,
        provider,
        product_key: 'TEST_PREDICTION',
        action_type: 'predict',
      }),
    trial: () =>
      send('post', '/demo/trial-grant', accept).send({
        external_id,
        provider,
        sku: 'get_TEST_STAR',
        grant_type: 'trial',
      }),
  };
}

let chats = 100_000;
/** A chat id as the workflow sends it: text. */
function newChat(): string {
  chats += 1;
  return String(chats);
}

/** The buttons that the workflow draws: members of `balances`, 0 where there is none. */
async function buttonsOf(workflow: ReturnType<typeof workflowOf>): Promise<[stars: number, predictions: number]> {
  const answer = await workflow.wallet();
  expect(answer.status).toBe(200);
  return [answer.body.balances.TEST_STAR ?? 0, answer.body.balances.TEST_PREDICTION ?? 0];
}

/** A refusal takes n8n's error output: a status that is no success, and a body that it reads as JSON. */
function expectErrorOutput(answer: request.Response, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.body).toMatchObject({ status, code, title: expect.any(String), detail: expect.any(String) });
}

describe('the workflow written for billable', () => {
  it('plays a whole conversation', async () => {
    const bot = workflowOf(newChat());
    const identified = await bot.identify();
    expect(identified.status).toBe(200);
    expect(identified.body).toMatchObject({
      created_customer: true,
      trial_eligible: true,
      metadata: { username: 'ada', first_name: 'Ada', last_name: '' },
    });
    expect(await buttonsOf(bot)).toEqual([0, 0]);

    expect((await bot.trial()).status).toBe(201);
    expect(await buttonsOf(bot)).toEqual([1, 0]);
    expectErrorOutput(await bot.trial(), 409, 'trial_already_used');

    expect((await bot.exchange()).status).toBe(200);
    expect(await buttonsOf(bot)).toEqual([0, 1]);

    expect((await bot.balance()).body).toMatchObject({ can_use: true, remaining: 1 });
    expect((await bot.consume()).status).toBe(200);
    expect((await bot.balance()).body).toMatchObject({ can_use: false, remaining: 0 });
    expect(await buttonsOf(bot)).toEqual([0, 0]);
    expectErrorOutput(await bot.exchange(), 402, 'insufficient_quota');

    const order = await bot.order();
    expect(order.status).toBe(201);
    expect((await bot.confirm(order.body.id, 'charge-conversation')).status).toBe(200);
    expect(await buttonsOf(bot)).toEqual([1, 0]);
    expect((await bot.exchange()).status).toBe(200);
    expect((await bot.consume()).status).toBe(200);
    expect(await buttonsOf(bot)).toEqual([0, 0]);
  });

  it('finds the same person at every message, whatever the name became', async () => {
    const bot = workflowOf(newChat());
    const first = await bot.identify();
    const again = await bot.identify({ username: 'ada', first_name: 'Ada', last_name: 'Lovelace' });
    expect(again.body).toMatchObject({
      customer_id: first.body.customer_id,
      created_customer: false,
      created_identity: false,
      metadata: { last_name: 'Lovelace' },
    });
  });

  it('orders in whole stars and reads the order id at the top level', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    const { body } = await bot.order();
    expect(body).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'pending',
      currency: 'XTR',
      total_amount: '1',
      items: [{ sku: 'GET_TEST_STAR', quantity: 1, price: '1' }],
    });
    expect(body.id.length).toBeLessThanOrEqual(128); // Telegram's bound of an invoice payload, in bytes
  });

  it('credits a payment once that Telegram reports twice, one after the other', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    const order = await bot.order();
    const first = await bot.confirm(order.body.id, 'charge-twice');
    const again = await bot.confirm(order.body.id, 'charge-twice');
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.text).toBe(first.text);
    expect(await buttonsOf(bot)).toEqual([1, 0]);
  });

  it('credits a payment once that Telegram reports twice at once', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    const order = await bot.order();
    const answers = await Promise.all([1, 2].map(() => bot.confirm(order.body.id, 'charge-at-once')));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(await buttonsOf(bot)).toEqual([1, 0]);
  });

  it('takes a charge id of Telegram’s length', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    const order = await bot.order();
    const confirmed = await bot.confirm(order.body.id, `stx${'A1b2-_'.repeat(40)}`);
    expect(confirmed.body).toMatchObject({ status: 'paid', batches: [{ product_key: 'TEST_STAR', granted: 1 }] });
  });

  it('gives one free star when the button is pressed twice at once', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    const answers = await Promise.all([1, 2].map(() => bot.trial()));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409]);
    expect(await buttonsOf(bot)).toEqual([1, 0]);
  });

  it('says in the balance of a stranger that nothing can be used', async () => {
    const answer = await workflowOf(newChat()).balance();
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ can_use: false, remaining: 0 });
  });

  it('takes the error output for a prediction that nobody paid', async () => {
    const bot = workflowOf(newChat());
    await bot.identify();
    expectErrorOutput(await bot.consume(), 402, 'insufficient_quota');
  });

  it('takes the error output for an order that nobody made', async () => {
    const answer = await workflowOf(newChat()).confirm('01900000-0000-7000-8000-000000000000', 'charge-nobody');
    expectErrorOutput(answer, 404, 'order_not_found');
  });

  it('takes the error output when a quote in a name breaks the body', async () => {
    const answer = await send('post', '/identify')
      .set('content-type', 'application/json')
      .send('{"provider":"telegram","external_id":"1","profile":{"first_name":"A"da"}}');
    expectErrorOutput(answer, 400, 'malformed_json');
  });

  it('reads refusals as JSON too when the format of the response is set', async () => {
    const bot = workflowOf(newChat(), N8N_ACCEPT_JSON);
    await bot.identify();
    expectErrorOutput(await bot.exchange(), 402, 'insufficient_quota');
  });
});
