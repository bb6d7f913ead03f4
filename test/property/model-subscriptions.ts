// A naive model of one customer's subscriptions, written from the documented rules alone: time goes by in single turns, each at its instant, and nothing is skipped,
// late or looked ahead at. It shares nothing with src/; where it and the code disagree, one of them is wrong.
import { type ModelPeriod, type PlanBatch, PlanUnits } from './model-plan-units.js';
import { dayOf, endOf, isCounted } from './model-rules.js';
import type { OldUnits, PlanAnswer, PlanRequest } from './plan-requests.js';
import { type CataloguePlan, planOf } from './subscription-catalogue.js';

const DAY_MS = 24 * 3_600_000;

export interface ModelSubscription {
  place: number;
  plan: CataloguePlan;
  status: 'incomplete' | 'trialing' | 'active' | 'past_due' | 'cancelled' | 'expired';
  /** The day of the month that its periods keep. */
  day: number;
  startsAt: number;
  endsAt: number;
  isTold: boolean;
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
}

type Turn = { at: number; what: 'tell' | 'end' | 'expire' } | { at: number; what: 'late'; period: ModelPeriod };

export class SubscriptionModel {
  readonly units: PlanUnits;
  readonly subscriptions: ModelSubscription[] = [];
  readonly periods: ModelPeriod[] = [];
  readonly orders: ModelOrder[] = [];
  #hadTrial = false;

  constructor(now: number) {
    this.units = new PlanUnits(now);
  }

  get now(): number {
    return this.units.now;
  }

  /** Lets time go by: of one instant holds lapse first, then periods turn, then what is left of batches is gone. */
  moveTo(instant: number): void {
    for (;;) {
      const turn = this.#firstTurn();
      const hold = this.units.firstHold();
      const next = Math.min(turn?.at ?? Infinity, hold?.endsAt ?? Infinity);
      if (next > instant) break;
      this.units.now = Math.max(this.now, next);
      if (hold && hold.endsAt <= next) this.units.endHold(hold, 'release');
      else if (turn) this.#turn(turn.of, turn);
    }
    this.units.now = instant;
  }

  /** When something happens next by itself. */
  nextInstants(): number[] {
    const turns = this.subscriptions.flatMap((own) => this.#turnOf(own)?.at ?? []);
    const holds = this.units.holds.flatMap(({ isOpen, endsAt }) => (isOpen ? [endsAt] : []));
    return [...turns, ...holds].filter((at) => at > this.now).sort((a, b) => a - b);
  }

  #firstTurn(): (Turn & { of: ModelSubscription }) | undefined {
    const turns = this.subscriptions.flatMap((of) => {
      const turn = this.#turnOf(of);
      return turn ? [{ ...turn, of }] : [];
    });
    return turns.sort((a, b) => a.at - b.at || a.of.place - b.of.place)[0];
  }

  #turnOf(own: ModelSubscription): Turn | undefined {
    const { status, endsAt } = own;
    if (own.endedAt !== null) return undefined;
    if (status === 'incomplete') return { at: own.endsAt, what: 'expire' };
    if (status === 'past_due') {
      const period = this.#ahead(own).find((paid) => paid.endsAt > endsAt);
      return period
        ? { at: Math.max(period.startsAt, endsAt), what: 'late', period }
        : { at: expiryOf(own), what: 'expire' };
    }
    const isWorthTelling =
      status === 'trialing' || (following(own).price > 0 && !this.#ahead(own).some((paid) => paid.startsAt === endsAt));
    if (own.isTold || own.cancelsAtEnd || !isWorthTelling) return { at: endsAt, what: 'end' };
    return { at: endsAt - Math.min(7 * DAY_MS, (endsAt - own.startsAt) / 2), what: 'tell' };
  }

  #turn(own: ModelSubscription, turn: Turn): void {
    switch (turn.what) {
      case 'tell':
        own.isTold = true;
        if (following(own).price > 0 && this.#nextUnpaid(own) === own.endsAt)
          own.order = this.#order(following(own), expiryOf(own));
        return;
      case 'late':
        this.#enter(own, turn.period);
        return;
      case 'expire':
        this.#end(own, 'expired');
        return;
      case 'end':
        this.#turnPeriod(own);
    }
  }

  #turnPeriod(own: ModelSubscription): void {
    const at = own.endsAt;
    const paid = this.#ahead(own).find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
    if (own.cancelsAtEnd) this.#end(own, 'cancelled');
    else if (paid) this.#enter(own, paid);
    else if (following(own).price === 0) {
      const before = own.plan;
      const isKept = this.#takeChange(own, following(own).sku, at);
      const endsAt = step(own, own.plan, at);
      if (isKept) this.#rollOver(own, before, at, endsAt);
      Object.assign(own, { startsAt: at, endsAt });
      this.#allocate(own, own.plan, 'free', { startsAt: at, endsAt });
      this.#begun(own);
    } else {
      own.status = 'past_due';
      if (!own.plan.graceAccess) return;
      const expiresAt = graceEndOf(own);
      const about = { subscription: own.place, validFrom: at, expiresAt, quantity: 1 };
      for (const { product } of own.plan.items) if (!isCounted(product)) this.units.add({ product, ...about });
    }
  }

  #begun(own: ModelSubscription): void {
    Object.assign(own, { status: 'active', isTold: false, order: null });
    keepDay(own);
  }

  /** A period begins that was paid. */
  #enter(own: ModelSubscription, { sku, startsAt, endsAt }: ModelPeriod, isLate = false): void {
    const before = own.plan;
    const isKept = this.#takeChange(own, sku, startsAt);
    // What ended unpaid is gone.
    if (isKept && !isLate) this.#rollOver(own, before, startsAt, endsAt);
    Object.assign(own, { startsAt, endsAt });
    this.#begun(own);
  }

  /** A change that waits for the end of the period takes effect; returns whether units of the plan before stay. */
  #takeChange(own: ModelSubscription, sku: string, at: number): boolean {
    const { change } = own;
    if (change === null || change.order !== null || change.plan.sku !== sku) return true;
    if (change.oldUnits === 'reset') this.#takeOldUnits(own);
    Object.assign(own, { plan: change.plan, change: null, day: dayAt(at, own.day) });
    return change.oldUnits === 'carry';
  }

  #takeOldUnits(own: ModelSubscription): void {
    for (const batch of this.units.batches) if (batch.subscription === own.place) this.units.revoke(batch);
  }

  /** What ends at this very instant, and is not held, goes over as far as the plan before says. */
  #rollOver({ place, plan, day }: ModelSubscription, before: CataloguePlan, startsAt: number, endsAt: number): void {
    if (before.rollover === 'none') return;
    const { now } = this.units;
    const ending = this.units.batches
      .filter((batch) => batch.subscription === place && batch.expiresAt === now && !batch.isRevoked)
      .filter(({ granted }) => granted !== null)
      .sort((a, b) => a.madeAt - b.madeAt || (this.units.ties(a) < this.units.ties(b) ? -1 : 1));
    for (const product of new Set(ending.map((batch) => batch.product))) {
      const own = ending.filter((batch) => batch.product === product);
      let room = before.rollover === 'all' ? Infinity : (before.cap ?? 0);
      room -= own.reduce((sum, { held }) => sum + held, 0);
      const items = plan.items.filter((item) => item.product === product);
      const length = items[0];
      const until = length ? endOf(startsAt, length.unit, length.value, dayAt(startsAt, day)) : endsAt;
      for (const order of new Set(own.filter(({ left }) => left > 0).map((batch) => batch.order))) {
        let quantity = 0;
        for (const batch of own.filter((one) => one.order === order)) {
          const moved = Math.max(0, Math.min(batch.left, room));
          batch.left -= moved;
          batch.moved += moved;
          room -= moved;
          quantity += moved;
        }
        const about = { product, order, subscription: place, isSuccessor: true, validFrom: startsAt };
        if (quantity > 0) this.units.add({ ...about, quantity, expiresAt: until });
      }
    }
  }

  #end(own: ModelSubscription, status: 'cancelled' | 'expired'): void {
    Object.assign(own, { status, endedAt: this.now, change: null, cancelsAtEnd: false });
  }

  #order(plan: CataloguePlan, expiresAt: number): ModelOrder {
    const order: ModelOrder = { place: this.orders.length, plan, expiresAt, status: 'pending' };
    this.orders.push(order);
    return order;
  }

  isPending(order: ModelOrder | null): order is ModelOrder {
    return order?.status === 'pending' && order.expiresAt > this.now;
  }

  /** Paid periods that begin later, of the plan or of the one that follows. */
  #ahead(own: ModelSubscription): ModelPeriod[] {
    return this.periods
      .filter(({ subscription, kind, isEnded }) => subscription === own.place && kind === 'paid' && !isEnded)
      .filter(({ sku, startsAt }) => startsAt > own.startsAt && [own.plan.sku, following(own).sku].includes(sku))
      .sort((a, b) => a.startsAt - b.startsAt);
  }

  #nextUnpaid(own: ModelSubscription): number {
    let at = own.endsAt;
    for (;;) {
      const paid = this.#ahead(own).find(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
      if (!paid) return at;
      at = paid.endsAt;
    }
  }

  /** Each item once, of which `already` was allocated before. */
  #allocate(
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
    for (const { product, quantity, unit, value } of plan.items) {
      const more = Math.max(0, quantity - (already[product] ?? 0));
      period.granted[product] = more;
      if (more === 0) continue;
      const end = endOf(startsAt, unit, value, dayAt(startsAt, own.day)) ?? Infinity;
      const expiresAt = kind === 'trial' ? Math.min(end, endsAt) : end;
      const freePeriod = kind === 'free' ? period : null;
      const validity = { validFrom: startsAt, expiresAt, freePeriod };
      this.units.add({ product, quantity: more, order: place, subscription: own.place, ...validity });
    }
    this.periods.push(period);
    return period;
  }

  /** What was allocated of a group in periods that run now. */
  #running(group: string): ModelPeriod[] {
    return this.periods.filter(
      (period) => period.group === group && !period.isEnded && period.startsAt <= this.now && this.now < period.endsAt,
    );
  }

  #allocateDifference(own: ModelSubscription, kind: 'trial' | 'free'): void {
    const already: Record<string, number> = {};
    for (const { granted } of this.#running(own.plan.group))
      for (const [product, units] of Object.entries(granted)) already[product] = (already[product] ?? 0) + units;
    this.#allocate(own, own.plan, kind, own, { already });
  }

  current(group: string): ModelSubscription | undefined {
    return this.subscriptions.find(({ endedAt, plan }) => endedAt === null && plan.group === group);
  }

  /** Carries a request out and says what must be answered. */
  run(request: PlanRequest): PlanAnswer<ModelOrder> {
    switch (request.kind) {
      case 'subscribe':
        return this.#subscribe(planOf(request.sku));
      case 'order':
        return accepted(this.#order(planOf(request.sku), this.now + DAY_MS));
      case 'pay': {
        const order = this.#orderAt(request.order);
        if (order.status === 'paid') return refused('order_already_paid');
        if (!this.isPending(order)) return refused('order_not_payable');
        this.#pay(order);
        return accepted();
      }
      case 'return':
        return this.#return(this.#orderAt(request.order));
      case 'change':
        return this.#change(this.#at(request.subscription), planOf(request.sku), request);
      case 'cancel':
        return this.#cancel(this.#at(request.subscription), request.when);
      case 'resume':
        return this.#resume(this.#at(request.subscription));
      case 'renew':
        return this.#renew(this.#at(request.subscription));
      case 'grant':
        this.units.add({ ...request, validFrom: this.now, expiresAt: request.until });
        return accepted();
      case 'consume':
        return this.units.consume(request.product, request.amount) ? accepted() : refused('insufficient_quota');
      case 'overdraw':
        this.units.overdraw('COIN', request.amount);
        return accepted();
      case 'reserve': {
        const isHeld = this.units.hold(request.product, request.amount, this.now + request.seconds * 1_000);
        return isHeld ? accepted() : refused('insufficient_quota');
      }
      case 'end hold': {
        const hold = this.units.holds[request.hold];
        if (!hold) throw new Error('the model knows no such hold');
        this.units.endHold(hold, request.as);
        return accepted();
      }
    }
  }

  #at(place: number): ModelSubscription {
    const own = this.subscriptions[place];
    if (!own) throw new Error(`the model knows no subscription ${place}`);
    return own;
  }

  #orderAt(place: number): ModelOrder {
    const order = this.orders[place];
    if (!order) throw new Error(`the model knows no order ${place}`);
    return order;
  }

  #new(plan: CataloguePlan): ModelSubscription {
    const place = this.subscriptions.length;
    const own: ModelSubscription = {
      ...{ place, plan, status: 'incomplete', day: dayOf(this.now), startsAt: this.now, endsAt: this.now + DAY_MS },
      ...{ isTold: false, cancelsAtEnd: false, change: null, order: null, endedAt: null },
    };
    this.subscriptions.push(own);
    return own;
  }

  #subscribe(plan: CataloguePlan): PlanAnswer<ModelOrder> {
    const current = this.current(plan.group);
    const isSame = current?.plan === plan;
    if (isSame && current.status !== 'incomplete') return unchanged(current.order);
    if (isSame && this.isPending(current.order)) return unchanged(current.order);
    if (current && current.status !== 'incomplete') return refused('subscription_exists');
    if (current) {
      this.#cancelOrder(current.order);
      this.#end(current, 'expired');
    }
    const own = this.#new(plan);
    const isTrial = plan.trial !== null && !this.#hadTrial;
    if (plan.price > 0 && !isTrial) {
      own.order = this.#order(plan, this.now + DAY_MS);
      return accepted(own.order);
    }
    const running = this.#running(plan.group).filter(({ kind }) => kind === 'free');
    const last = running.sort((a, b) => b.endsAt - a.endsAt)[0];
    if (isTrial) {
      this.#hadTrial = true;
      own.endsAt = this.now + (plan.trial?.count ?? 0) * 7 * DAY_MS;
      Object.assign(own, { status: 'trialing', day: dayOf(own.endsAt) });
    } else if (last) {
      const { startsAt, endsAt, subscription } = last;
      Object.assign(own, { status: 'active', startsAt, endsAt, day: this.#at(subscription).day });
    } else Object.assign(own, { status: 'active', endsAt: step(own, plan, this.now) });
    keepDay(own);
    this.#allocateDifference(own, isTrial ? 'trial' : 'free');
    return accepted();
  }

  #pay(order: ModelOrder): void {
    order.status = 'paid';
    const { plan } = order;
    const own = this.current(plan.group) ?? this.#new(plan);
    const { change } = own;
    if (own.status === 'incomplete') this.#beginPaid(own, order);
    else if (plan === own.plan || plan === following(own)) this.#payNext(own, order);
    else {
      if (change?.order === order && change.oldUnits === 'reset') this.#takeOldUnits(own);
      own.change = null;
      this.#beginPaid(own, order);
    }
  }

  #beginPaid(own: ModelSubscription, order: ModelOrder): void {
    const { plan } = order;
    own.day = dayOf(this.now);
    const span = { startsAt: this.now, endsAt: step(own, plan, this.now) };
    const { startsAt } = this.#allocate(own, plan, 'paid', span, { order });
    Object.assign(own, { plan, startsAt, endsAt: span.endsAt, cancelsAtEnd: false });
    this.#begun(own);
  }

  /** Pays the next period that nobody has paid; of one that is behind from its old end on within the grace, later from now on. */
  #payNext(own: ModelSubscription, order: ModelOrder): void {
    const { plan } = order;
    const startsAt = this.#nextUnpaid(own);
    const isBehind = own.status === 'past_due';
    if (isBehind && (graceEndOf(own) <= this.now || startsAt > this.now || this.#isCutShort(own))) {
      if (plan !== own.plan) {
        if (own.change?.oldUnits === 'reset') this.#takeOldUnits(own);
        own.change = null;
      }
      this.#beginPaid(own, order);
      return;
    }
    if (own.order === order) own.order = null;
    const period = this.#allocate(own, plan, 'paid', { startsAt, endsAt: step(own, plan, startsAt) }, { order });
    if (isBehind) this.#enter(own, period, true);
  }

  /** Whether its present period was given back. */
  #isCutShort({ place, startsAt }: ModelSubscription): boolean {
    return this.periods.some(
      (period) => period.subscription === place && period.startsAt === startsAt && period.isEnded,
    );
  }

  /** All of the money of an order went back: its units are taken, and the period that it paid is over. */
  #return(order: ModelOrder): PlanAnswer<ModelOrder> {
    order.status = 'returned';
    for (const batch of this.units.batches) if (batch.order === order.place) this.units.revoke(batch);
    const period = this.periods.find((paid) => paid.order === order.place);
    if (!period) return accepted();
    const own = this.#at(period.subscription);
    // Of what has ended nothing more is told.
    if (own.endedAt !== null && period.endsAt <= this.now) return accepted();
    period.isEnded = true;
    const isPresent = own.plan.sku === period.sku && own.startsAt === period.startsAt;
    if (period.endsAt <= this.now || own.status !== 'active' || !isPresent) return accepted();
    if (own.cancelsAtEnd) this.#end(own, 'cancelled');
    else {
      own.endsAt = Math.max(this.now, own.startsAt + 1);
      if (following(own).price > 0) own.status = 'past_due';
      else own.day = dayAt(own.endsAt, own.day);
    }
    return accepted();
  }

  #change(
    own: ModelSubscription,
    plan: CataloguePlan,
    { when, oldUnits }: Extract<PlanRequest, { kind: 'change' }>,
  ): PlanAnswer<ModelOrder> {
    const refusal = refusalOf(own);
    if (refusal) return refusal;
    const { change } = own;
    if (plan === own.plan) {
      if (!change) return refused('subscription_unchanged');
      if (this.#isPaid(own)) return refused('change_paid');
      own.change = null;
      // The order of the next period of the present plan stays.
      if (change.order === null) this.#tellAgain(own);
      else this.#cancelOrder(change.order);
      return accepted();
    }
    if (plan.group !== own.plan.group) return refused('other_plan_group');
    const isSame = change?.plan === plan && change.oldUnits === oldUnits;
    if (isSame && change.order === null && when === 'period_end') return unchanged(null);
    if (isSame && this.isPending(change.order) && when === 'now') return unchanged(change.order);
    if (this.#isPaid(own)) return refused('change_paid');
    this.#cancelOrder(change?.order ?? null);
    // Until a change is paid that waits for it, the present plan goes on.
    if (when === 'period_end' || plan.price === 0 || change?.order === null) this.#tellAgain(own);
    if (when === 'period_end') {
      own.change = { plan, oldUnits, order: null };
      own.cancelsAtEnd = false;
      return accepted();
    }
    if (plan.price > 0) {
      const order = this.#order(plan, this.now + DAY_MS);
      own.change = { plan, oldUnits, order };
      return accepted(order);
    }
    if (oldUnits === 'reset') this.#takeOldUnits(own);
    Object.assign(own, { plan, change: null, cancelsAtEnd: false });
    if (own.status === 'past_due') {
      Object.assign(own, { status: 'active', day: dayOf(this.now), startsAt: this.now });
      own.endsAt = step(own, plan, this.now);
    }
    keepDay(own);
    const isKnown = this.#running(plan.group).some(
      (period) => period.subscription === own.place && period.sku === plan.sku && period.startsAt === own.startsAt,
    );
    if (!isKnown) this.#allocateDifference(own, 'free');
    return accepted();
  }

  /** Whether a change at the end of the period can't be taken back, because a period of it is paid. */
  #isPaid(own: ModelSubscription): boolean {
    return following(own) !== own.plan && this.#ahead(own).some(({ sku }) => sku === following(own).sku);
  }

  /** Something else follows than was told. */
  #tellAgain(own: ModelSubscription): void {
    this.#cancelOrder(own.order);
    Object.assign(own, { isTold: false, order: null });
  }

  #cancelOrder(order: ModelOrder | null): void {
    if (this.isPending(order)) order.status = 'cancelled';
  }

  #cancel(own: ModelSubscription, when: 'now' | 'period_end'): PlanAnswer<ModelOrder> {
    const { status } = own;
    if (status === 'expired') return refused('subscription_ended');
    if (status === 'cancelled') return unchanged(null);
    const isNow = when === 'now' || status === 'incomplete' || status === 'past_due';
    if (!isNow && own.cancelsAtEnd) return unchanged(null);
    for (const order of [own.order, own.change?.order ?? null]) this.#cancelOrder(order);
    own.order = null;
    if (isNow) this.#end(own, 'cancelled');
    else Object.assign(own, { cancelsAtEnd: true, change: null });
    return accepted();
  }

  #resume(own: ModelSubscription): PlanAnswer<ModelOrder> {
    if (own.endedAt !== null) return refused('subscription_ended');
    if (!own.cancelsAtEnd) return unchanged(null);
    Object.assign(own, { cancelsAtEnd: false, isTold: false, order: null });
    return accepted();
  }

  #renew(own: ModelSubscription): PlanAnswer<ModelOrder> {
    const refusal = refusalOf(own);
    if (refusal) return refusal;
    if (own.cancelsAtEnd || following(own).price === 0) return refused('subscription_not_renewable');
    if (this.isPending(own.order)) return unchanged(own.order);
    own.order = this.#order(following(own), expiryOf(own));
    return accepted(own.order);
  }
}

function accepted(order?: ModelOrder): PlanAnswer<ModelOrder> {
  return { outcome: 'accepted', order };
}

function unchanged(order: ModelOrder | null): PlanAnswer<ModelOrder> {
  return { outcome: 'unchanged', order: order ?? undefined };
}

function refused(code: string): PlanAnswer<ModelOrder> {
  return { outcome: 'refused', code };
}

function refusalOf({ status, endedAt }: ModelSubscription): PlanAnswer<ModelOrder> | undefined {
  if (endedAt !== null) return refused('subscription_ended');
  return status === 'incomplete' ? refused('subscription_incomplete') : undefined;
}

/** The plan of the next period. */
export function following({ plan, change }: ModelSubscription): CataloguePlan {
  return change && change.order === null ? change.plan : plan;
}

function graceEndOf({ endsAt, plan }: ModelSubscription): number {
  return endsAt + plan.graceDays * DAY_MS;
}

function expiryOf(own: ModelSubscription): number {
  return graceEndOf(own) + 30 * DAY_MS;
}

/** Where the period ends that begins at an instant: on the day that the subscription keeps. */
function step({ day }: Pick<ModelSubscription, 'day'>, { every }: CataloguePlan, at: number): number {
  const kept = dayAt(at, day);
  const end = every.unit === 'weeks' ? endOf(at, 'days', every.count * 7) : endOf(at, every.unit, every.count, kept);
  return end ?? Infinity;
}

/** The day that the next period keeps: weeks keep none. */
function keepDay(own: ModelSubscription): void {
  own.day = own.plan.every.unit === 'weeks' ? dayOf(own.endsAt) : dayAt(own.endsAt, own.day);
}

/** The day that goes on from an instant: the one that is kept, if it is there on it or on the last of a shorter month, else its own. */
function dayAt(at: number, day: number): number {
  const isLast = dayOf(at + DAY_MS) === 1;
  return dayOf(at) === day || (isLast && day > dayOf(at)) ? day : dayOf(at);
}

/** What of batches can be compared: those of periods that were not skipped. */
export function isOfPeriod({ freePeriod }: PlanBatch, skipped: ReadonlySet<ModelPeriod>): boolean {
  return freePeriod === null || !skipped.has(freePeriod);
}
