// Puts the catalogue of the workloads into an app over HTTP. What is inactive is active until all that needs it is there.
import { expect } from 'vitest';
import type { TestApp } from '../support/app.js';
import { offers, products, toPrice } from './catalogue.js';

const OK = 200;
const CREATED = 201;

/** Puts the catalogue of the workloads into the app. */
export async function putCatalogue(app: TestApp): Promise<void> {
  for (const { key, type, isCurrency = false, costs } of products) {
    const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
    const answer = await app.put(`/products/${key}`, { name: key, type, is_currency: isCurrency, features });
    expect(answer.status, answer.text).toBe(CREATED);
  }
  for (const { sku, price, currency, isActive, items, trial } of offers) {
    const answer = await app.put(`/offers/${sku}`, {
      is_trial: trial?.isDefault === true,
      trial_policy: trial ? { scope: trial.scope } : null,
      name: sku,
      price: toPrice(price, currency),
      currency,
      is_active: isActive,
      items: items.map(({ product, quantity, unit, value, priority, stacking }) => ({
        product_key: product,
        quantity,
        period_unit: unit,
        period_value: value,
        priority,
        stacking,
      })),
    });
    expect(answer.status, answer.text).toBe(CREATED);
  }
  for (const { key, type, isActive, isCurrency = false, costs } of products) {
    if (isActive) continue;
    const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
    const body = { name: key, type, is_currency: isCurrency, features, is_active: false };
    const answer = await app.put(`/products/${key}`, body);
    expect(answer.status, answer.text).toBe(OK);
  }
}
