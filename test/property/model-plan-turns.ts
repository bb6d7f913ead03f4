// What time alone does to the subscriptions of the naive model, written from the documented rules alone: it goes by in single turns, each at its instant, and nothing
// is skipped, late or looked ahead at.
import { type ModelPeriod, movable, type PlanBatch, PlanUnits } from './model-plan-units.js';
import { dayOf, endOf, isCounted } from './model-rules.js';
import type { OldUnits } from './plan-requests.js';
import type { CataloguePlan } from './subscription-catalogue.js';

export const DAY_MS = 24 * 3_600_000;

export interface ModelSubscription {
  place: number;
  plan: CataloguePlan;
  status: 'incomplete' | 'trialing' | 'active' | 'past_due' | 'cancelled' | 'expired';
  /** The day of the month that its periods keep. */
  day: number;
  startsAt: number;
  endsAt: number;
  isTold: boolean;
  /** Of the allocations of its period those have begun up to here. */
  begunTo: number;
  cancelsAtEnd: boolean;
  change: { plan: CataloguePlan; oldUnits: OldUnits; order: ModelOrder | null } | null;
  order: ModelOrder | null;
  endedAt: number | null;
}

export interface ModelOrder {
  place: number;
  plan: CataloguePlan;
  expiresAt: number;
  status: 'pending' | 'paid' | 'cancelled' | 'returned';
  /** How many quarters of its price went back. */
  returned: number;
}

type Turn =
  | { at: number; what: 'tell' | 'end' | 'expire' | 'allocate' }
  | { at: number; what: 'late'; period: ModelPeriod };

export class ModelTurns {
  readonly units: PlanUnits;
  readonly subscriptions: ModelSubscription[] = [];
  readonly periods: ModelPeriod[] = [];
  readonly orders: ModelOrder[] = [];

  constructor(now: number) {
    this.units = new PlanUnits(now);
    this.units.freed = (batch, units) => this.#goOnLate(batch, units);
  }

  /** Units that were held beyond the end of their batch go on in what began then, within what its cap leaves, and as long as the others. */
  #goOnLate(batch: PlanBatch, units: number): void {
    const own = batch.subscription === null ? undefined : this.subscriptions[batch.subscription];
    const { product, order, subscription, expiresAt: ended } = batch;
    if (own?.status !== 'active' || own.plan.sku !== batch.sku || own.plan.rollover === 'none' || ended === null)
      return;
    if (!this.allocations(own).includes(ended)) return;
    const gone = this.units.batches.filter(
      (one) =>
        one.isSuccessor && one.subscription === subscription && one.product === product && one.validFrom === ended,
    );
    const room = own.plan.rollover === 'all' ? Infinity : (own.plan.cap ?? 0);
    const moved = Math.min(units, room - gone.reduce((sum, { granted }) => sum + (granted ?? 0), 0));
    const expiresAt = this.endOfSuccessor(own, product, ended, own.endsAt);
    if (moved <= 0 || expiresAt <= this.now) return;
    batch.left -= moved;
    batch.moved += moved;
    const sku = order === null ? own.plan.sku : (this.orders[order]?.plan.sku ?? null);
    this.units.add({
      product,
      order,
      subscription,
      sku,
      root: batch.root ?? batch,
      isSuccessor: true,
      validFrom: ended,
      quantity: moved,
      expiresAt,
    });
  }

  /** As long as what the plan gives of the product then, or the period. */
  protected endOfSuccessor(
    { plan, day }: ModelSubscription,
    product: string,
    startsAt: number,
    endsAt: number,
  ): number {
    const item = plan.items.find((one) => one.product === product);
    return item ? (endOf(startsAt, item.unit, item.value, dayAt(startsAt, day)) ?? Infinity) : endsAt;
  }

  /** The instants within the present period at which it allocates. */
  protected allocations({ plan, startsAt, endsAt, day }: ModelSubscription): number[] {
    const starts = [startsAt];
    if (plan.grantEvery === null) return starts;
    const { unit, count } = plan.grantEvery;
    for (let number = 1; ; number += 1) {
      const at =
        unit === 'weeks'
          ? startsAt + number * count * 7 * DAY_MS
          : endOf(startsAt, unit, number * count, dayAt(startsAt, day));
      if (at === null || at >= endsAt) return starts;
      starts.push(at);
    }
  }

  get now(): number {
    return this.units.now;
  }

  /** Lets time go by: of one instant holds lapse first, then periods turn, then what is left of batches is gone. */
  moveTo(instant: number): void {
    for (;;) {
      const turn = this.firstTurn();
      const hold = this.units.firstHold();
      const next = Math.min(turn?.at ?? Infinity, hold?.endsAt ?? Infinity);
      if (next > instant) break;
      this.units.now = Math.max(this.now, next);
      if (hold && hold.endsAt <= next) this.units.endHold(hold, 'release');
      else if (turn) this.turn(turn.of, turn);
    }
    this.units.now = instant;
  }

  /** When something happens next by itself. */
  nextInstants(): number[] {
    const turns = this.subscriptions.flatMap((own) => this.turnOf(own)?.at ?? []);
    const holds = this.units.holds.flatMap(({ isOpen, endsAt }) => (isOpen ? [endsAt] : []));
    return [...turns, ...holds].filter((at) => at > this.now).sort((a, b) => a - b);
  }

  protected firstTurn(): (Turn & { of: ModelSubscription }) | undefined {
    const turns = this.subscriptions.flatMap((of) => {
      const turn = this.turnOf(of);
      return turn ? [{ ...turn, of }] : [];
    });
    return turns.sort((a, b) => a.at - b.at || a.of.place - b.of.place)[0];
  }

  protected turnOf(own: ModelSubscription): Turn | undefined {
    const { status, endsAt } = own;
    if (own.endedAt !== null) return undefined;
    if (status === 'incomplete') return { at: own.endsAt, what: 'expire' };
    if (status === 'past_due') {
      const period = this.ahead(own).find((paid) => paid.endsAt > endsAt);
      return period
        ? { at: Math.max(period.startsAt, endsAt), what: 'late', period }
        : { at: expiryOf(own), what: 'expire' };
    }
    const allocation = this.allocations(own).find((at) => at > own.begunTo);
    const turn = this.#endOrTelling(own);
    return allocation !== undefined && allocation <= turn.at ? { at: allocation, what: 'allocate' } : turn;
  }

  #endOrTelling(own: ModelSubscription): Turn {
    const { status, endsAt } = own;
    const isWorthTelling =
      status === 'trialing' || (following(own).price > 0 && !this.ahead(own).some((paid) => paid.startsAt === endsAt));
    if (own.isTold || own.cancelsAtEnd || !isWorthTelling) return { at: endsAt, what: 'end' };
    return { at: Math.floor(endsAt - Math.min(7 * DAY_MS, (endsAt - own.startsAt) / 2)), what: 'tell' };
  }

  protected turn(own: ModelSubscription, turn: Turn): void {
    switch (turn.what) {
      case 'tell':
        own.isTold = true;
        if (following(own).price > 0 && this.nextUnpaid(own) === own.endsAt) this.orderRenewal(own);
        return;
      case 'allocate':
        own.begunTo = turn.at;
        this.rollOver(own, own.plan, turn.at, own.endsAt);
        return;
      case 'late':
        this.enter(own, turn.period);
        return;
      case 'expire':
        this.end(own, 'expired');
        return;
      case 'end':
        this.turnPeriod(own);
    }
  }

  /** One order pays the next period; one that waits for that stays, if it can be paid as long. */
  protected orderRenewal(own: ModelSubscription): void {
    const expiresAt = expiryOf(own);
    if (this.isPending(own.order)) {
      if (own.order.expiresAt >= expiresAt) return;
      own.order.status = 'cancelled';
    }
    own.order = this.order(following(own), expiresAt);
  }

  protected turnPeriod(own: ModelSubscription): void {
    const at = own.endsAt;
    const paid = this.ahead(own).find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
    if (paid) this.enter(own, paid);
    else if (own.cancelsAtEnd) this.end(own, 'cancelled');
    else if (following(own).price === 0) {
      const before = own.plan;
      const isKept = this.takeChange(own, following(own).sku, at);
      const endsAt = step(own, own.plan, at);
      if (isKept) this.rollOver(own, before, at, endsAt);
      Object.assign(own, { startsAt: at, endsAt, begunTo: at });
      this.allocate(own, own.plan, 'free', { startsAt: at, endsAt });
      this.begun(own);
    } else {
      own.status = 'past_due';
      if (!own.plan.graceAccess) return;
      const expiresAt = graceEndOf(own);
      const about = { subscription: own.place, validFrom: at, expiresAt, quantity: 1 };
      for (const { product } of own.plan.items) if (!isCounted(product)) this.units.add({ product, ...about });
    }
  }

  protected begun(own: ModelSubscription): void {
    Object.assign(own, { status: 'active', isTold: false });
    keepDay(own);
  }

  /** A period begins that was paid. */
  protected enter(own: ModelSubscription, { sku, startsAt, endsAt }: ModelPeriod, isLate = false): void {
    const before = own.plan;
    const ended = own.endsAt;
    const isKept = this.takeChange(own, sku, startsAt);
    // Paid within its grace it takes over what ended with the one before, as if it had been paid on time.
    if (isKept) this.rollOver(own, before, startsAt, endsAt, isLate ? ended : this.now);
    Object.assign(own, { startsAt, endsAt, begunTo: isLate ? this.now : startsAt });
    this.begun(own);
  }

  /** A change that waits for the end of the period takes effect; returns whether units of the plan before stay. */
  protected takeChange(own: ModelSubscription, sku: string, at: number): boolean {
    const { change } = own;
    if (change === null || change.order !== null || change.plan.sku !== sku) return true;
    if (change.oldUnits === 'reset') this.takeOldUnits(own, change.plan.sku, at);
    Object.assign(own, { plan: change.plan, change: null, day: dayAt(at, own.day) });
    return change.oldUnits === 'carry';
  }

  /** What was paid ahead of the plan that follows, from an instant on, stays. */
  protected takeOldUnits(own: ModelSubscription, plan: string, until = this.now): void {
    const following = this.periods.filter(
      ({ subscription, sku, kind, startsAt }) =>
        subscription === own.place && kind === 'paid' && sku === plan && startsAt >= until,
    );
    for (const batch of this.units.batches) {
      const isAhead = following.some(({ order }) => order === batch.order) && batch.validFrom >= until;
      if (batch.subscription === own.place && !isAhead) this.units.revoke(batch);
    }
  }

  /** What ends at an instant, and is not held, goes over as far as the plan before says. */
  protected rollOver(
    subscription: ModelSubscription,
    before: CataloguePlan,
    startsAt: number,
    endsAt: number,
    ended = this.now,
  ): void {
    if (before.rollover === 'none') return;
    const { place, plan } = subscription;
    const ending = this.units.batches
      .filter((batch) => batch.subscription === place && batch.expiresAt === ended && !batch.isRevoked)
      .filter(({ granted }) => granted !== null)
      .sort((a, b) => a.madeAt - b.madeAt || (this.units.ties(a) < this.units.ties(b) ? -1 : 1));
    for (const product of new Set(ending.map((batch) => batch.product))) {
      const own = ending.filter((batch) => batch.product === product);
      let room = before.rollover === 'all' ? Infinity : (before.cap ?? 0);
      room -= own.reduce((sum, { held }) => sum + held, 0);
      const until = this.endOfSuccessor(subscription, product, startsAt, endsAt);
      const paid = own.filter(({ order }) => order !== null).map((batch) => [batch]);
      // What nobody paid goes on in one batch.
      for (const together of [own.filter(({ order }) => order === null), ...paid].sort(byFirst(own))) {
        const order = together[0]?.order ?? null;
        let quantity = 0;
        for (const batch of together) {
          const moved = Math.max(0, Math.min(movable(batch), room));
          batch.left -= moved;
          batch.moved += moved;
          room -= moved;
          quantity += moved;
        }
        const sku = order === null ? plan.sku : (this.orders[order]?.plan.sku ?? null);
        const root = together[0]?.root ?? together[0] ?? null;
        const about = { product, order, sku, root, subscription: place, isSuccessor: true, validFrom: startsAt };
        if (quantity > 0) this.units.add({ ...about, quantity, expiresAt: until });
      }
    }
  }

  protected end(own: ModelSubscription, status: 'cancelled' | 'expired'): void {
    Object.assign(own, { status, endedAt: this.now, change: null, cancelsAtEnd: false });
  }

  protected order(plan: CataloguePlan, expiresAt: number): ModelOrder {
    const order: ModelOrder = { place: this.orders.length, plan, expiresAt, status: 'pending', returned: 0 };
    this.orders.push(order);
    return order;
  }

  isPending(order: ModelOrder | null): order is ModelOrder {
    return order?.status === 'pending' && order.expiresAt > this.now;
  }

  /** Paid periods that begin later, of the plan or of the one that follows. */
  protected ahead(own: ModelSubscription): ModelPeriod[] {
    return this.periods
      .filter(({ subscription, kind, isEnded }) => subscription === own.place && kind === 'paid' && !isEnded)
      .filter(({ sku, startsAt }) => startsAt > own.startsAt && [own.plan.sku, following(own).sku].includes(sku))
      .sort((a, b) => a.startsAt - b.startsAt);
  }

  protected nextUnpaid(own: ModelSubscription): number {
    let at = own.endsAt;
    for (;;) {
      const paid = this.ahead(own).find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
      if (!paid) return at;
      at = paid.endsAt;
    }
  }

  /** Each item once, of which `already` was allocated before. */
  protected allocate(
    own: ModelSubscription,
    plan: CataloguePlan,
    kind: ModelPeriod['kind'],
    { startsAt, endsAt }: { startsAt: number; endsAt: number },
    { order = null, already = {} }: { order?: ModelOrder | null; already?: Record<string, number> } = {},
  ): ModelPeriod {
    const about = { subscription: own.place, group: plan.group, sku: plan.sku, kind, endsAt };
    let from = startsAt;
    // One that is allocated again is recorded just before.
    const isTaken = (period: ModelPeriod) =>
      period.subscription === own.place && period.sku === plan.sku && period.startsAt === from;
    while (this.periods.some(isTaken)) from -= 1;
    const place = order?.place ?? null;
    const period: ModelPeriod = { ...about, startsAt: from, granted: {}, order: place, isEnded: false };
    const starts = this.allocations({ ...own, plan, startsAt, endsAt });
    // What was given before counts against each allocation evenly: what is left over, against the last ones.
    const counted = (units: number, number: number) => Math.floor((units * number) / starts.length);
    for (const [number, validFrom] of starts.entries()) {
      const given: Record<string, number> = {};
      for (const [product, units] of Object.entries(already))
        given[product] = isCounted(product) ? counted(units, number + 1) - counted(units, number) : units;
      for (const { product, quantity, unit, value } of plan.items) {
        if (number > 0 && !isCounted(product)) continue;
        const before = Math.min(quantity, given[product] ?? 0);
        given[product] = (given[product] ?? 0) - before;
        const more = quantity - before;
        period.granted[product] = (period.granted[product] ?? 0) + more;
        if (more === 0) continue;
        const end = endOf(validFrom, unit, value, dayAt(validFrom, own.day)) ?? Infinity;
        const expiresAt = kind === 'trial' ? Math.min(end, endsAt) : end;
        const freePeriod = kind === 'free' ? period : null;
        const whose = { order: place, subscription: own.place, sku: plan.sku };
        this.units.add({ product, quantity: more, ...whose, validFrom, expiresAt, freePeriod });
      }
    }
    this.periods.push(period);
    return period;
  }

  /** What was allocated of a group in periods that run now. */
  protected running(group: string): ModelPeriod[] {
    return this.periods.filter(
      (period) => period.group === group && !period.isEnded && period.startsAt <= this.now && this.now < period.endsAt,
    );
  }

  protected allocateDifference(own: ModelSubscription, kind: 'trial' | 'free'): void {
    const already: Record<string, number> = {};
    for (const { granted } of this.running(own.plan.group))
      for (const [product, units] of Object.entries(granted)) already[product] = (already[product] ?? 0) + units;
    this.allocate(own, own.plan, kind, own, { already });
  }

  current(group: string): ModelSubscription | undefined {
    return this.subscriptions.find(({ endedAt, plan }) => endedAt === null && plan.group === group);
  }
}

/** In the order in which the first of each that has something left stands in a list. */
function byFirst(list: readonly PlanBatch[]): (a: PlanBatch[], b: PlanBatch[]) => number {
  const placeOf = (group: PlanBatch[]) => list.findIndex((batch) => movable(batch) > 0 && group.includes(batch));
  return (a, b) => placeOf(a) - placeOf(b);
}

/** The plan of the next period. */
export function following({ plan, change }: ModelSubscription): CataloguePlan {
  return change && change.order === null ? change.plan : plan;
}

export function graceEndOf({ endsAt, plan }: ModelSubscription): number {
  return endsAt + plan.graceDays * DAY_MS;
}

export function expiryOf(own: ModelSubscription): number {
  return graceEndOf(own) + 30 * DAY_MS;
}

/** Where the period ends that begins at an instant: on the day that the subscription keeps. */
export function step({ day }: Pick<ModelSubscription, 'day'>, { every }: CataloguePlan, at: number): number {
  const kept = dayAt(at, day);
  const end = every.unit === 'weeks' ? endOf(at, 'days', every.count * 7) : endOf(at, every.unit, every.count, kept);
  return end ?? Infinity;
}

/** The day that the next period keeps: weeks keep none. */
export function keepDay(own: ModelSubscription): void {
  own.day = own.plan.every.unit === 'weeks' ? dayOf(own.endsAt) : dayAt(own.endsAt, own.day);
}

/** The day that goes on from an instant: the one that is kept, if it is there on it or on the last of a shorter month, else its own. */
export function dayAt(at: number, day: number): number {
  const isLast = dayOf(at + DAY_MS) === 1;
  return dayOf(at) === day || (isLast && day > dayOf(at)) ? day : dayOf(at);
}

/** What of batches can be compared: those of periods that were not skipped. */
export function isOfPeriod({ freePeriod }: PlanBatch, skipped: ReadonlySet<ModelPeriod>): boolean {
  return freePeriod === null || !skipped.has(freePeriod);
}
