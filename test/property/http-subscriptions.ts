// One customer of a running service, asked over HTTP in the words of the workloads of subscriptions. Translates and remembers nothing; judges nothing but statuses.
import { expect } from 'vitest';
import type { Json, TestApp } from '../support/app.js';
import type { Auditor } from '../support/audit.js';
import { newPayment } from '../support/requests.js';
import type {
  AllocatedBatch,
  PlanAnswer,
  PlanRequest,
  PlanState,
  PlanSystem,
  SubscriptionState,
} from './plan-requests.js';
import { plans } from './subscription-catalogue.js';

const OK = 200;
const CREATED = 201;
const PAGE_MAX = 200;

/** Puts the plans of the workloads into an app that has the products. */
export async function putPlans(app: TestApp): Promise<void> {
  for (const { sku, price, every, group, trial, rollover, cap, items, ...more } of plans) {
    const { grantEvery, graceDays, graceAccess } = more;
    const answer = await app.put(`/offers/${sku}`, {
      ...{ name: sku, price: String(price), currency: 'USD', recurrence: every, plan_group: group },
      plan: {
        ...{ trial_period: trial, rollover, grace_days: graceDays, grace_access: graceAccess },
        ...(cap !== null && { rollover_cap: cap }),
        ...(grantEvery !== null && { grant_every: grantEvery }),
      },
      items: items.map(({ product, quantity, unit, value }) => ({
        ...{ product_key: product, quantity, period_unit: unit, period_value: value },
      })),
    });
    expect(answer.status, answer.text).toBe(CREATED);
  }
}

interface StoredPeriod extends Record<string, unknown> {
  subscriptionId: string;
  sku: string;
  kind: string;
  startsAt: Date;
  endsAt: Date;
  count: number;
  granted: Record<string, number>;
  endedAt: Date | null;
}

type Names = { subscription: string; order: string; hold: string };

export class HttpSubscriptions implements PlanSystem {
  readonly #app: TestApp;
  readonly #auditor: Auditor;
  readonly #person: string;
  #customerId = '';

  constructor(app: TestApp, auditor: Auditor, person: string) {
    this.#app = app;
    this.#auditor = auditor;
    this.#person = person;
  }

  setClock(now: number): void {
    this.#app.clock.set(new Date(now));
  }

  async meet(): Promise<void> {
    const answer = await this.#app.post('/identify', { external_id: this.#person });
    expect(answer.status, answer.text).toBeLessThan(300);
    this.#customerId = String(answer.body.customer_id);
  }

  async run(request: PlanRequest, names: Names): Promise<PlanAnswer<string>> {
    const { path, body } = toHttp(request, this.#person, names);
    const { status, body: answer, text } = await this.#app.post(path, body);
    if (status >= 500) expect.fail(text);
    if (status >= 300) return { outcome: 'refused', code: answer.code };
    return {
      outcome: 'accepted',
      order: request.kind === 'order' ? answer.id : answer.order?.id,
      ...(request.kind === 'reserve' && { hold: String(answer.id) }),
    };
  }

  async state(): Promise<PlanState> {
    const { data } = await this.#get('/subscriptions', { limit: PAGE_MAX });
    const orders = await this.#get('/orders', { limit: PAGE_MAX, status: 'pending' });
    const pending = new Set((orders.data as Json[]).map(({ id }) => id));
    const periods = await this.#periods();
    const subscriptions = (data as Json[]).map((wire) => toState(wire, pending, periods)).reverse();
    const batches = await this.#batches();
    const { body } = await this.#app.get(`/credits/balance?external_id=${this.#person}&product_key=COIN`);
    return { subscriptions, batches, owed: Number(body.owed) > 0 ? { COIN: Number(body.owed) } : {} };
  }

  /** All of them: of one subscription only the last are shown. */
  async #periods(): Promise<StoredPeriod[]> {
    return this.#app.deps.db.query<StoredPeriod>(
      `SELECT subscription_id AS "subscriptionId", sku, kind, starts_at AS "startsAt", ends_at AS "endsAt", count::int, granted, ended_at AS "endedAt"
       FROM subscription_periods WHERE customer_id = $1::uuid ORDER BY starts_at`,
      [this.#customerId],
    );
  }

  async #batches(): Promise<AllocatedBatch[]> {
    const rows = await this.#app.deps.db.query<{ id: string; goes_on: boolean; revoked: boolean }>(
      `SELECT id, predecessor_id IS NOT NULL AS goes_on, revoked_at IS NOT NULL AS revoked FROM batches WHERE customer_id = $1::uuid`,
      [this.#customerId],
    );
    const stored = new Map(rows.map((row) => [row.id, row]));
    const batches: AllocatedBatch[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await this.#get('/wallet/batches', { limit: PAGE_MAX, ...(cursor && { cursor }) });
      for (const wire of page.data as Json[]) {
        const { goes_on, revoked } = stored.get(String(wire.id)) ?? { goes_on: false, revoked: false };
        batches.push(toBatch(wire, goes_on, revoked));
      }
      if (typeof page.next_cursor !== 'string') return batches;
      cursor = page.next_cursor;
    }
  }

  async #get(path: string, query: Record<string, string | number>): Promise<Json> {
    const asked = Object.entries({ external_id: this.#person, ...query }).map(([name, value]) => `${name}=${value}`);
    const { body, status, text } = await this.#app.get(`${path}?${asked.join('&')}`);
    expect(status, text).toBe(OK);
    return body;
  }

  async audit(): Promise<void> {
    await this.#auditor.audit(this.#customerId);
  }
}

function toHttp(
  request: PlanRequest,
  external_id: string,
  { subscription, order, hold }: Names,
): { path: string; body: object } {
  switch (request.kind) {
    case 'subscribe':
      return { path: '/subscriptions', body: { external_id, sku: request.sku } };
    case 'order':
      return { path: '/orders', body: { external_id, items: [{ sku: request.sku }], expires_in: 86_400 } };
    case 'pay':
      return { path: `/orders/${order}/confirm`, body: { payment_id: newPayment() } };
    case 'return':
      return request.as === 'refund'
        ? { path: `/orders/${order}/refund`, body: request.amount === null ? {} : { amount: request.amount } }
        : { path: `/orders/${order}/dispute`, body: { dispute_id: newPayment(), status: 'lost' } };
    case 'change': {
      const { sku, when, oldUnits: old_units } = request;
      return { path: `/subscriptions/${subscription}/change`, body: { sku, when, old_units } };
    }
    case 'cancel':
      return { path: `/subscriptions/${subscription}/cancel`, body: { when: request.when } };
    case 'resume':
    case 'renew':
      return { path: `/subscriptions/${subscription}/${request.kind}`, body: {} };
    case 'grant': {
      const { product, quantity, until } = request;
      const expires_at = until === null ? null : new Date(until).toISOString();
      return {
        path: '/grants',
        body: { external_id, grant_type: 'bonus', product_key: product, quantity, expires_at },
      };
    }
    case 'consume':
      return { path: '/quota/consume', body: { external_id, product_key: request.product, amount: request.amount } };
    case 'overdraw': {
      const body = { external_id, product_key: 'COIN', amount: request.amount, allow_negative: true };
      return { path: '/credits/deduct', body };
    }
    case 'reserve': {
      const { product, amount, seconds } = request;
      const body = { external_id, product_key: product, amount, ttl_seconds: seconds };
      return { path: '/reservations', body };
    }
    case 'end hold':
      return { path: `/reservations/${hold}/${request.as}`, body: {} };
  }
}

const toMs = (at: unknown): number => new Date(String(at)).getTime();
const toMsOrNull = (at: unknown): number | null => (at === null ? null : toMs(at));

function toState(wire: Json, pending: ReadonlySet<unknown>, periods: readonly StoredPeriod[]): SubscriptionState {
  const change = wire.change as { sku: string; old_units: string; order_id: string | null } | null;
  return {
    id: String(wire.id),
    sku: String(wire.sku),
    status: String(wire.status),
    startsAt: toMsOrNull(wire.period_starts_at),
    endsAt: toMsOrNull(wire.period_ends_at),
    cancelsAtEnd: wire.cancels_at_period_end === true,
    change: change && { sku: change.sku, oldUnits: change.old_units, isOrdered: change.order_id !== null },
    order: pending.has(wire.order_id) ? String(wire.order_id) : null,
    endedAt: toMsOrNull(wire.ended_at),
    periods: periods
      .filter(({ subscriptionId }) => subscriptionId === wire.id)
      .map(({ sku, kind, startsAt, endsAt, count, granted, endedAt }) => ({
        ...{ sku, kind, startsAt: startsAt.getTime(), endsAt: endsAt.getTime(), count, granted },
        isEnded: endedAt !== null,
      })),
  };
}

function toBatch(wire: Json, isSuccessor: boolean, isRevoked: boolean): AllocatedBatch {
  return {
    ...(wire as unknown as Pick<AllocatedBatch, 'id' | 'granted' | 'available' | 'held' | 'consumed' | 'expired'>),
    ...(wire as unknown as Pick<AllocatedBatch, 'revoked' | 'transferred'>),
    product: String(wire.product_key),
    order: wire.order_id as string | null,
    subscription: wire.subscription_id as string | null,
    isSuccessor,
    isRevoked,
    madeAt: toMs(wire.created_at),
    validFrom: toMs(wire.valid_from),
    expiresAt: toMsOrNull(wire.expires_at),
  };
}
