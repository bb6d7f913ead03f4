// Subscriptions, asked for anything in any order over years: nothing fails, and the invariants hold after each walk.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const STEPS = Number(process.env.WALK_STEPS ?? 60);
const SEEDS = Array.from(
  { length: Number(process.env.WALKS ?? 6) },
  (_, index) => index + Number(process.env.WALK_FROM ?? 1),
);
const SKUS = ['free', 'more', 'cap', 'pro', 'team', 'tried', 'yearly', 'other'];
const per = (unit: string, count: number) => ({ recurrence: { unit, count } });

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await putProduct(app, 'CLUB', { type: 'period', features: [{ feature: 'club', unit_cost: 1 }] });
  const weekly = { ...monthly('UNITS', 10), period_unit: 'days', period_value: 7 };
  await plans.put('FREE', '0', [monthly('UNITS', 100)]);
  await plans.put('MORE', '0', [monthly('UNITS', 150), monthly('CLUB')]);
  await plans.put('CAP', '0', [weekly], { rollover: 'cap', rollover_cap: 5 }, per('weeks', 1));
  await plans.put('PRO', '10', [monthly('UNITS', 1_000), monthly('CLUB')], {
    grace_days: 3,
    grace_access: true,
    rollover: 'all',
  });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)], { rollover: 'cap', rollover_cap: 2_000 });
  await plans.put('TRIED', '10', [monthly('UNITS', 700)], { trial_period: { unit: 'weeks', count: 2 }, grace_days: 1 });
  await plans.put(
    'YEARLY',
    '90',
    [{ ...monthly('UNITS', 9_000), period_unit: 'years' }],
    { rollover: 'all' },
    per('years', 1),
  );
  await plans.put('OTHER', '5', [monthly('UNITS', 3), monthly('CLUB')], { rollover: 'all' }, { plan_group: 'other' });
});

/** Numbers that follow from a seed. */
function dice(seed: number) {
  let state = seed * 2_654_435_761;
  return (below: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

describe('any walk', () => {
  it.each(SEEDS)(
    '%i',
    async (seed) => {
      const roll = dice(seed);
      const pick = <T>(of: readonly T[]): T => of[roll(of.length)] as T;
      const person = newPerson();
      const log: string[] = [];
      const orders: string[] = [];
      const reservations: string[] = [];
      const subscriptions = async (): Promise<Json[]> => {
        const { body } = await app.get(`/subscriptions?external_id=${person}`);
        return body.data ?? [];
      };
      const on = async (what: string, body: () => object) => {
        const known = await subscriptions();
        return known.length === 0
          ? undefined
          : app.post(`/subscriptions/${pick(known.slice(0, 3)).id}/${what}`, body());
      };
      const when = () => pick(['now', 'period_end']);
      const acts: Record<string, () => Promise<{ status: number; text: string; body: Json } | undefined>> = {
        subscribe: async () => app.post('/subscriptions', { external_id: person, sku: pick(SKUS) }),
        order: async () =>
          app.post('/orders', {
            external_id: person,
            items: pick([[{ sku: pick(SKUS) }], [{ sku: pick(SKUS) }, { sku: 'other' }]]),
          }),
        pay: async () =>
          orders.length === 0
            ? undefined
            : app.post(`/orders/${pick(orders.slice(-2))}/confirm`, { payment_id: newPayment() }),
        buy: async () => {
          const known = await subscriptions();
          const sku = roll(2) === 0 && known[0] ? String(known[0].sku) : pick(SKUS);
          const made = await app.post('/orders', { external_id: person, items: [{ sku }] });
          orders.push(made.body.id);
          return app.post(`/orders/${made.body.id}/confirm`, { payment_id: newPayment() });
        },
        refund: async () =>
          orders.length === 0
            ? undefined
            : app.post(`/orders/${pick(orders.slice(-4))}/refund`, roll(3) === 0 ? { amount: '2.50' } : {}),
        'refund that fails': async () => {
          const order = orders.length === 0 ? undefined : pick(orders.slice(-3));
          const refund_id = newPayment();
          const done = order === undefined ? undefined : await app.post(`/orders/${order}/refund`, { refund_id });
          if (done?.status !== 200) return done;
          if (roll(2) === 0) app.clock.advance({ days: roll(20) });
          return app.post(`/orders/${order}/refund`, { refund_id, status: 'failed' });
        },
        dispute: async () =>
          orders.length === 0
            ? undefined
            : app.post(`/orders/${pick(orders.slice(-3))}/dispute`, {
                dispute_id: `d${roll(4)} ${orders[0]}`,
                status: pick(['opened', 'won', 'lost']),
              }),
        'cancel the order': async () =>
          orders.length === 0 ? undefined : app.post(`/orders/${pick(orders)}/cancel`, { reason: 'no' }),
        change: () => on('change', () => ({ sku: pick(SKUS), when: when(), old_units: pick(['carry', 'reset']) })),
        cancel: () => on('cancel', () => ({ when: when() })),
        resume: () => on('resume', () => ({})),
        renew: () => on('renew', () => ({})),
        consume: async () =>
          app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 1 + roll(200) }),
        reserve: async () =>
          app.post('/reservations', {
            external_id: person,
            product_key: 'UNITS',
            amount: 1 + roll(60),
            ttl_seconds: 60 + roll(86_000),
          }),
        commit: async () =>
          reservations.length === 0
            ? undefined
            : app.post(`/reservations/${pick(reservations)}/${pick(['commit', 'release'])}`, {}),
        look: async () => app.get(`/wallet?external_id=${person}`),
      };
      for (let step = 0; step < STEPS; step += 1) {
        if (roll(3) === 0)
          app.clock.advance({
            days: pick([0, 0, 1, 1, 3, 5, 7, 20, roll(6) === 0 ? 400 : 2]),
            hours: roll(24),
            ms: roll(2),
          });
        const known = await subscriptions();
        const turning = pick([...known, {}]).current_period_end ?? pick([...known, {}]).period_ends_at;
        if (roll(4) === 0 && typeof turning === 'string' && new Date(turning) > app.clock.now()) app.clock.set(turning);
        const name = pick([...Object.keys(acts), 'buy', 'buy', 'buy', 'pay', 'pay', 'change', 'renew']);
        const answer = await acts[name]?.();
        const order =
          (answer?.body as { order?: Json } | undefined)?.order?.id ?? (name === 'order' ? answer?.body.id : undefined);
        if (typeof order === 'string') orders.push(order);
        if (name === 'reserve' && answer?.status === 201)
          reservations.push(String(answer.body.id ?? answer.body.reservation_id));
        for (const { order_id } of known)
          if (typeof order_id === 'string' && !orders.includes(order_id)) orders.push(order_id);
        log.push(`${app.clock.now().toISOString()} ${name} ${answer?.status}`);
        if (answer && answer.status >= 500) expect.fail(`${answer.text}\n${log.join('\n')}`);
      }
      app.clock.advance({ days: 800 });
      for (const { id } of await subscriptions()) await plans.show(id);
      const { status, text } = await app.get(
        `/wallet?external_id=${person}&as_of=${new Date(app.clock.now().getTime() - 86_400_000 * 700).toISOString()}`,
      );
      expect(status, text).toBe(200);
      await plans.balance(person);
    },
    120_000,
  );
});
