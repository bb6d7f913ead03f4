// Runs a random workload of subscriptions against a system and the naive model, and compares all that is there after each command: states, periods, what they
// allocated, and what is owed.
import { expect } from 'vitest';
import type { PlanCommand, PlanWorkload } from './draw-subscriptions.js';
import { following, isOfPeriod, type ModelSubscription } from './model-plan-turns.js';
import type { ModelPeriod, PlanBatch } from './model-plan-units.js';
import { SubscriptionModel } from './model-subscriptions.js';
import type {
  AllocatedBatch,
  PlanAnswer,
  PlanRequest,
  PlanState,
  PlanSystem,
  SubscriptionState,
} from './plan-requests.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far beyond the last command time goes in the end. */
const AFTER_MS = 400 * DAY_MS;

/** How often each request was answered how. */
export type PlanTally = Map<string, number>;

export async function runPlans(workload: PlanWorkload, system: PlanSystem, tally: PlanTally): Promise<void> {
  const run = new PlanRun(workload.startsAt, system, tally);
  for (const command of workload.commands) await run.carryOut(command);
  await run.carryOut({ kind: 'wait', ms: AFTER_MS, isQuiet: false });
  await system.audit();
}

class PlanRun {
  readonly #system: PlanSystem;
  readonly #tally: PlanTally;
  readonly #model: SubscriptionModel;
  #now: number;
  /** As the system names them, by the places of the model. */
  #subscriptions: string[] = [];
  readonly #orders = new Map<number, string>();
  readonly #holds: string[] = [];

  constructor(startsAt: string, system: PlanSystem, tally: PlanTally) {
    this.#now = new Date(startsAt).getTime();
    this.#system = system;
    this.#tally = tally;
    this.#model = new SubscriptionModel(this.#now);
    system.setClock(this.#now);
  }

  async carryOut(command: PlanCommand): Promise<void> {
    if (command.kind === 'wait' || command.kind === 'wait for') {
      const next = this.#model.nextInstants();
      const instant =
        command.kind === 'wait'
          ? this.#now + command.ms
          : (next[command.next] ?? next.at(-1) ?? this.#now) + command.offsetMs;
      this.#now = Math.max(this.#now, instant);
      this.#system.setClock(this.#now);
      if (!command.isQuiet) this.#compare(await this.#system.state());
      return;
    }
    for (const request of this.#resolve(command)) await this.#ask(request());
  }

  async #ask(request: PlanRequest | undefined): Promise<void> {
    if (!request) return;
    const names = {
      subscription: ('subscription' in request && this.#subscriptions[request.subscription]) || '',
      order: ('order' in request && this.#orders.get(request.order)) || '',
      hold: ('hold' in request && this.#holds[request.hold]) || '',
    };
    const answer = await this.#system.run(request, names);
    const state = await this.#system.state();
    this.#model.units.ties = this.#tiesIn(state);
    this.#model.moveTo(this.#now);
    const expected = isGone(request, this.#model) ?? this.#model.run(request);
    this.#model.moveTo(this.#now);
    const { code } = answer;
    expect(code, JSON.stringify(request)).toBe(expected.code);
    if (expected.order && answer.order !== undefined) this.#orders.set(expected.order.place, answer.order);
    if (answer.hold !== undefined) this.#holds.push(answer.hold);
    const isPart = request.kind === 'return' && request.amount !== null;
    const name = `${request.kind}${isPart ? ' part' : ''}: ${code ?? expected.outcome}`;
    this.#tally.set(name, (this.#tally.get(name) ?? 0) + 1);
    this.#compare(state);
  }

  /** The requests that a command comes to, each once those before it are answered. */
  #resolve(command: Exclude<PlanCommand, { kind: 'wait' | 'wait for' }>): (() => PlanRequest | undefined)[] {
    const model = this.#model;
    const fromLast = <T>(list: readonly T[], last: number): T | undefined => list[list.length - 1 - last];
    switch (command.kind) {
      case 'subscribe':
        return [() => command];
      case 'buy': {
        const sku = command.sku === 'the same' ? priced(model.subscriptions.at(-1)) : command.sku;
        if (sku === undefined) return [];
        return [() => ({ kind: 'order', sku }), () => ({ kind: 'pay', order: model.orders.length - 1 })];
      }
      case 'pay': {
        const waited = model.subscriptions
          .filter(({ endedAt }) => endedAt === null)
          .flatMap(({ order, change }) => [order, change?.order])
          .filter((order) => order && order.status === 'pending' && this.#orders.has(order.place));
        const order = fromLast(waited, command.last);
        return order ? [() => ({ kind: 'pay', order: order.place })] : [];
      }
      case 'return': {
        const paid = model.orders.filter(({ status }) => status === 'paid');
        const order = fromLast(paid, command.last);
        if (!order) return [];
        const isPart = command.as === 'refund' && command.quarters < 4 - order.returned;
        const amount = isPart ? ((order.plan.price * command.quarters) / 4).toFixed(2) : null;
        return [() => ({ kind: 'return', order: order.place, as: command.as, amount })];
      }
      case 'change':
      case 'cancel':
      case 'resume':
      case 'renew': {
        const subscription = model.subscriptions.length - 1 - command.last;
        return subscription < 0 ? [] : [() => ({ ...command, subscription })];
      }
      case 'grant': {
        const until = command.days === null ? null : this.#now + command.days * DAY_MS;
        return [() => ({ kind: 'grant', product: 'COIN', quantity: command.quantity, until })];
      }
      case 'consume': {
        const amount = command.amount === 'all' ? model.units.available(command.product) : command.amount;
        return amount > 0 ? [() => ({ ...command, amount })] : [];
      }
      case 'overdraw':
        return [() => command];
      case 'reserve':
        return [() => ({ ...command, seconds: command.hours * 3_600 })];
      case 'end hold': {
        const open = [...model.units.holds.keys()].filter((place) => model.units.holds[place]?.isOpen);
        const hold = fromLast(open, command.last);
        return hold === undefined ? [] : [() => ({ kind: 'end hold', hold, as: command.as })];
      }
    }
  }

  #compare(state: PlanState): void {
    this.#subscriptions = state.subscriptions.map(({ id }) => id);
    this.#model.units.ties = this.#tiesIn(state);
    this.#model.moveTo(this.#now);
    const skipped = new Set<ModelPeriod>();
    expect(state.subscriptions.length).toBe(this.#model.subscriptions.length);
    for (const [place, found] of state.subscriptions.entries()) {
      const own = this.#model.subscriptions[place];
      if (!own) continue;
      if (found.order !== null && this.#model.isPending(own.order)) this.#orders.set(own.order.place, found.order);
      expect({ ...found, periods: [] }).toEqual(this.#shown(own, found.id));
      const periods = this.#model.periods.filter(({ subscription }) => subscription === place);
      for (const period of skippedOf(found, periods)) skipped.add(period);
      const others = found.periods.filter(({ kind }) => kind !== 'skipped').sort(byStart);
      const expected = periods
        .filter((period) => !skipped.has(period))
        .sort(byStart)
        .map(({ sku, kind, startsAt, endsAt, granted, isEnded }) => ({
          ...{ sku, kind, startsAt, endsAt, count: 1, granted, isEnded },
        }));
      expectSame(others, expected);
    }
    this.#compareBatches(state, skipped);
    const owed = Object.entries(this.#model.units.owed).filter(([, units]) => units > 0);
    expect(state.owed).toEqual(Object.fromEntries(owed));
  }

  #shown(own: ModelSubscription, id: string): SubscriptionState {
    const { plan, status, startsAt, endsAt, cancelsAtEnd, change, order, endedAt } = own;
    const hasBegun = this.#model.periods.some(({ subscription }) => subscription === own.place);
    return {
      ...{ id, sku: plan.sku, status, cancelsAtEnd, endedAt, periods: [] },
      ...(hasBegun ? { startsAt, endsAt } : { startsAt: null, endsAt: null }),
      change: change && { sku: change.plan.sku, oldUnits: change.oldUnits, isOrdered: change.order !== null },
      order: this.#model.isPending(order) ? (this.#orders.get(order.place) ?? 'an order') : null,
    };
  }

  #compareBatches(state: PlanState, skipped: ReadonlySet<ModelPeriod>): void {
    const { units } = this.#model;
    for (const batch of units.batches) {
      if (isOfPeriod(batch, skipped)) continue;
      const { used, held, revoked, moved } = batch;
      if (used + held + revoked + moved > 0 || !units.isOver(batch))
        expect.fail('what was skipped was worth something');
    }
    const expected = units.batches.filter((batch) => isOfPeriod(batch, skipped)).map((batch) => this.#partsOf(batch));
    expectSame(state.batches.map(partsOf).sort(byKey), expected.sort(byKey));
  }

  #partsOf(batch: PlanBatch): Parts {
    const { granted, left, held, used, revoked, moved, isRevoked } = batch;
    const isOver = this.#model.units.isOver(batch);
    const parts = { available: isOver ? 0 : left, held, consumed: used, expired: isOver ? left : 0, revoked };
    const key = this.#keyOf(batch);
    if (granted === null) return { key, granted, isRevoked };
    return { key, granted, isRevoked, ...parts, transferred: moved };
  }

  /** What distinguishes a batch, in the words of the system. */
  #keyOf({ product, granted, order, subscription, isSuccessor, madeAt, validFrom, expiresAt }: PlanBatch): string {
    return keyOf({
      ...{ product, granted, isSuccessor, madeAt, validFrom, expiresAt },
      order: order === null ? null : (this.#orders.get(order) ?? 'an order'),
      subscription: subscription === null ? null : (this.#subscriptions[subscription] ?? 'a subscription'),
    });
  }

  /** What nothing else distinguishes comes in the order of its ids: those of what has one key were made in this order. */
  #tiesIn(state: PlanState): (batch: PlanBatch) => string {
    this.#subscriptions = state.subscriptions.map(({ id }) => id);
    const ids = new Map<string, string[]>();
    for (const batch of state.batches) ids.set(keyOf(batch), [...(ids.get(keyOf(batch)) ?? []), batch.id].sort());
    const { batches } = this.#model.units;
    return (batch) => {
      const key = this.#keyOf(batch);
      const [first = '', ...others] = ids.get(key) ?? [];
      if (others.length === 0) return first;
      const same = batches.filter((other) => this.#keyOf(other) === key);
      return [first, ...others][same.indexOf(batch)] ?? '';
    };
  }
}

type Key = Pick<
  AllocatedBatch,
  'product' | 'granted' | 'order' | 'subscription' | 'isSuccessor' | 'madeAt' | 'validFrom' | 'expiresAt'
>;
type Parts = { key: string } & Pick<AllocatedBatch, 'granted'> & Partial<Omit<AllocatedBatch, keyof Key | 'id'>>;

function keyOf({ product, granted, order, subscription, isSuccessor, madeAt, validFrom, expiresAt }: Key): string {
  return `${granted} ${product} ${isSuccessor ? 'that goes on' : ''} of ${order} in ${subscription}, ${madeAt}: ${validFrom} to ${expiresAt}`;
}

function partsOf(batch: AllocatedBatch): Parts {
  const { granted, isRevoked, available, held, consumed, expired, revoked, transferred } = batch;
  const key = keyOf(batch);
  if (granted === null) return { key, granted, isRevoked };
  return { key, granted, isRevoked: false, available, held, consumed, expired, revoked, transferred };
}

function byKey(a: Parts, b: Parts): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Lists are long and mostly the same: compared with care only where they are not. */
function expectSame(found: readonly object[], expected: readonly object[]): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
}

function byStart(a: { startsAt: number; sku: string }, b: { startsAt: number; sku: string }): number {
  return a.startsAt - b.startsAt || (a.sku < b.sku ? -1 : 1);
}

/** The periods that were skipped, of which there are as many as is told. */
function skippedOf({ periods }: SubscriptionState, known: readonly ModelPeriod[]): ModelPeriod[] {
  return periods
    .filter(({ kind }) => kind === 'skipped')
    .flatMap(({ sku, startsAt, endsAt, count }) => {
      const within = known.filter(
        (period) =>
          period.kind === 'free' && period.sku === sku && startsAt <= period.startsAt && period.startsAt < endsAt,
      );
      expect(within.length, 'how many were skipped').toBe(count);
      return within;
    });
}

/** What a plan is bought again of: one that costs something. */
function priced(own: ModelSubscription | undefined): string | undefined {
  return own && following(own).price > 0 ? following(own).sku : undefined;
}

/** A hold that has lapsed since it was looked for. */
function isGone(request: PlanRequest, model: SubscriptionModel): PlanAnswer<never> | undefined {
  if (request.kind !== 'end hold' || model.units.holds[request.hold]?.isOpen) return undefined;
  return { outcome: 'refused', code: 'reservation_expired' };
}
