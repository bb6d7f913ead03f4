// What the tests of holds and debts read over HTTP: the wallet, the ledger and the parts of a batch. It reads; it decides nothing.
import { expect } from 'vitest';
import type { Json, TestApp } from './app.js';

interface Wallet {
  balances: Record<string, number>;
  held: Record<string, number>;
  features: Record<string, { can_use: boolean; remaining: number | null }>;
}

export async function walletOf(app: TestApp, externalId: string): Promise<Wallet> {
  const answer = await app.get(`/wallet?external_id=${externalId}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

/** The customer's ledger, oldest first. */
export async function entriesOf(app: TestApp, externalId: string, filter = ''): Promise<Json[]> {
  const answer = await app.get(`/wallet/entries?external_id=${externalId}&limit=200${filter}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data.reverse();
}

/** The ledger in short, oldest first: kind, amount and balance afterwards of each entry. */
export async function ledgerOf(app: TestApp, externalId: string): Promise<unknown[]> {
  return (await entriesOf(app, externalId)).map(({ kind, amount, balance_after }) => [kind, amount, balance_after]);
}

/** One batch of a customer as he sees it. */
export async function batchOf(app: TestApp, externalId: string, batchId: string): Promise<Json> {
  const answer = await app.get(`/wallet/batches?external_id=${externalId}&limit=200`);
  expect(answer.status, answer.text).toBe(200);
  const batch = answer.body.data.find(({ id }: Json) => id === batchId);
  expect(batch, `batch ${batchId}`).toBeDefined();
  return batch;
}

/** Holds units of a product and returns the reservation as it was answered; `more` overrides. */
export async function hold(
  app: TestApp,
  externalId: string,
  productKey: string,
  amount: number,
  more: Json = {},
): Promise<Json & { id: string }> {
  const answer = await app.post('/reservations', {
    external_id: externalId,
    product_key: productKey,
    amount,
    ...more,
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}
