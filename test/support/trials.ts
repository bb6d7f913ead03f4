// What the tests of trials share: a catalogue with one offer for each policy, and the claims that a customer left.
import type { Response } from 'supertest';
import { type Json, putOffer, putProduct, type TestApp } from './app.js';
import { ask, type Client } from './parallel.js';

/**
 * STARTER and TASTE are granted without a SKU, of scope `any` and `offer`; SAMPLE (any) and PROBE (offer) are by their policy alone;
 * PLAIN is no trial.
 */
export async function putTrialOffers(app: TestApp): Promise<void> {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  const week = [{ product_key: 'CREDITS', quantity: 10, period_unit: 'days', period_value: 7, priority: -1 }];
  const day = [{ product_key: 'ACCESS', period_unit: 'days', period_value: 1 }];
  await putOffer(app, 'STARTER', 'CREDITS', 10, { is_trial: true, items: week });
  await putOffer(app, 'TASTE', 'ACCESS', 1, { is_trial: true, trial_policy: { scope: 'offer' }, items: day });
  await putOffer(app, 'SAMPLE', 'CREDITS', 3, { trial_policy: {} });
  await putOffer(app, 'PROBE', 'CREDITS', 5, { trial_policy: { scope: 'offer' } });
  await putOffer(app, 'PLAIN', 'CREDITS', 100);
}

/** Asks for a trial; of SAMPLE unless `more` says otherwise. */
export function claimTrial(client: Client, externalId: string, more: Json = {}): Promise<Response> {
  return Promise.resolve(
    client.post('/grants', { external_id: externalId, grant_type: 'trial', sku: 'SAMPLE', ...more }),
  );
}

/** The claims of a customer's identities: scope and type, sorted. */
export async function claimsOf(app: TestApp, externalId: string): Promise<string[]> {
  const rows = await ask(
    app.url,
    `SELECT u.scope || ' ' || u.identity_type AS claim FROM trial_uses u JOIN identities i USING (customer_id)
     WHERE i.provider = 'default' AND i.external_id = $1 ORDER BY 1`,
    [externalId],
  );
  return rows.map((row) => row.claim as string);
}
