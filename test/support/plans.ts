// What tests of plans ask for, over and over.
import type { Test } from 'supertest';
import { expect } from 'vitest';
import type { Json, TestApp } from './app.js';
import { newPayment } from './requests.js';

export const MONTH = { unit: 'months', count: 1 };

/** An item of a plan that lasts a month. */
export const monthly = (product_key: string, quantity = 1) => ({
  product_key,
  quantity,
  period_unit: 'months',
  period_value: 1,
});

/** Requests about plans; each expects that it is carried out. */
export function plansOf(app: TestApp) {
  const well = async (sent: Test) => {
    const { status, text, body } = await sent;
    expect(status, text).toBeLessThan(300);
    return body;
  };
  const put = (sku: string, price: string, items: Json[], plan: Json = {}, more: Json = {}) =>
    well(app.put(`/offers/${sku}`, { name: sku, price, currency: 'USD', recurrence: MONTH, plan, items, ...more }));
  const begin = (external_id: string, sku: string, more: Json = {}) =>
    well(app.post('/subscriptions', { external_id, sku, ...more }));
  const confirm = (orderId: unknown) => well(app.post(`/orders/${orderId}/confirm`, { payment_id: newPayment() }));
  /** Orders and pays; returns the order's id. */
  const buy = async (external_id: string, ...skus: string[]): Promise<string> => {
    const { id } = await well(app.post('/orders', { external_id, items: skus.map((sku) => ({ sku })) }));
    await confirm(id);
    return id;
  };
  const refund = (orderId: unknown, more: Json = {}) => well(app.post(`/orders/${orderId}/refund`, more));
  const show = (id: unknown) => well(app.get(`/subscriptions/${id}`));
  const own = async (external_id: string) => (await well(app.get(`/subscriptions?external_id=${external_id}`))).data[0];
  const act = (id: unknown, what: 'change' | 'cancel' | 'resume' | 'renew', body: Json = {}) =>
    well(app.post(`/subscriptions/${id}/${what}`, body));
  const balance = async (external_id: string, product = 'UNITS') =>
    (await well(app.get(`/wallet?external_id=${external_id}`))).balances[product] ?? 0;
  return { put, begin, confirm, buy, refund, show, own, act, balance };
}
