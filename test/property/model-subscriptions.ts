// A naive model of one customer's subscriptions: what he and his operator decide, beside what time does. It shares nothing with src/; where it and the code disagree,
// one of them is wrong.
import {
  DAY_MS,
  dayAt,
  expiryOf,
  following,
  graceEndOf,
  keepDay,
  type ModelOrder,
  type ModelSubscription,
  ModelTurns,
  step,
} from './model-plan-turns.js';
import { dayOf } from './model-rules.js';
import type { PlanAnswer, PlanRequest } from './plan-requests.js';
import { type CataloguePlan, planOf } from './subscription-catalogue.js';

export class SubscriptionModel extends ModelTurns {
  #hadTrial = false;

  /** Carries a request out and says what must be answered. */
  run(request: PlanRequest): PlanAnswer<ModelOrder> {
    switch (request.kind) {
      case 'subscribe':
        return this.#subscribe(planOf(request.sku));
      case 'order':
        return accepted(this.order(planOf(request.sku), this.now + DAY_MS));
      case 'pay': {
        const order = this.#orderAt(request.order);
        if (order.status === 'paid') return refused('order_already_paid');
        if (!this.isPending(order)) return refused('order_not_payable');
        this.#pay(order);
        return accepted();
      }
      case 'return':
        return this.#return(this.#orderAt(request.order), request.amount);
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
      ...{ isTold: false, begunTo: this.now, cancelsAtEnd: false, change: null, order: null, endedAt: null },
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
      this.end(current, 'expired');
    }
    const own = this.#new(plan);
    const isTrial = plan.trial !== null && !this.#hadTrial;
    if (plan.price > 0 && !isTrial) {
      own.order = this.order(plan, this.now + DAY_MS);
      return accepted(own.order);
    }
    const running = this.running(plan.group).filter(({ kind }) => kind === 'free');
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
    this.allocateDifference(own, isTrial ? 'trial' : 'free');
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
      if (change?.order === order && change.oldUnits === 'reset') this.takeOldUnits(own, plan.sku);
      own.change = null;
      this.#beginPaid(own, order);
    }
  }

  #beginPaid(own: ModelSubscription, order: ModelOrder): void {
    const { plan } = order;
    own.day = dayOf(this.now);
    const span = { startsAt: this.now, endsAt: step(own, plan, this.now) };
    const { startsAt } = this.allocate(own, plan, 'paid', span, { order });
    Object.assign(own, { plan, startsAt, endsAt: span.endsAt, cancelsAtEnd: false, order: null });
    own.begunTo = this.now;
    this.begun(own);
  }

  /** Pays the next period that nobody has paid; of one that is behind from its old end on within the grace, later from now on. */
  #payNext(own: ModelSubscription, order: ModelOrder): void {
    const { plan } = order;
    const startsAt = this.nextUnpaid(own);
    const isBehind = own.status === 'past_due';
    if (isBehind && (graceEndOf(own) <= this.now || startsAt > this.now || this.#isCutShort(own))) {
      if (plan !== own.plan) {
        if (own.change?.oldUnits === 'reset') this.takeOldUnits(own, plan.sku);
        own.change = null;
      }
      this.#beginPaid(own, order);
      return;
    }
    if (own.order === order) own.order = null;
    const period = this.allocate(own, plan, 'paid', { startsAt, endsAt: step(own, plan, startsAt) }, { order });
    if (isBehind) this.enter(own, period, true);
  }

  /** Whether its present period was given back. */
  #isCutShort({ place, startsAt }: ModelSubscription): boolean {
    return this.periods.some(
      (period) => period.subscription === place && period.startsAt === startsAt && period.isEnded,
    );
  }

  /** Money of an order goes back: its share of the units is taken; once it is all of it, access too, and the period that it paid is over. */
  #return(order: ModelOrder, amount: string | null): PlanAnswer<ModelOrder> {
    order.returned = amount === null ? 4 : order.returned + (Number(amount) * 4) / order.plan.price;
    this.units.claim(order.place, order.returned);
    if (order.returned < 4) return accepted();
    order.status = 'returned';
    const access = this.units.batches.filter((batch) => batch.order === order.place && batch.granted === null);
    for (const batch of access) this.units.revoke(batch);
    const period = this.periods.find((paid) => paid.order === order.place);
    if (!period) return accepted();
    const own = this.#at(period.subscription);
    // Of what has ended nothing more is told.
    if (own.endedAt !== null && period.endsAt <= this.now) return accepted();
    period.isEnded = true;
    const isPresent = own.plan.sku === period.sku && own.startsAt === period.startsAt;
    // What costs nothing and waited for it follows at once.
    const isOver = own.status === 'past_due' && following(own).price === 0 && this.ahead(own).length === 0;
    if (period.endsAt <= this.now || !((own.status === 'active' && isPresent) || isOver)) return accepted();
    if (own.cancelsAtEnd && this.ahead(own).length === 0) this.end(own, 'cancelled');
    else {
      own.endsAt = Math.max(this.now, isPresent ? period.startsAt + 1 : 0);
      own.status = following(own).price > 0 ? 'past_due' : 'active';
      if (own.status === 'active') own.day = dayAt(own.endsAt, own.day);
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
    const isOver = own.status === 'past_due' && plan.price === 0 && this.ahead(own).length === 0;
    if (when === 'period_end' && !isOver) {
      own.change = { plan, oldUnits, order: null };
      own.cancelsAtEnd = false;
      return accepted();
    }
    if (plan.price > 0) {
      const order = this.order(plan, this.now + DAY_MS);
      own.change = { plan, oldUnits, order };
      return accepted(order);
    }
    if (oldUnits === 'reset') this.takeOldUnits(own, plan.sku);
    Object.assign(own, { plan, change: null, cancelsAtEnd: false });
    if (own.status === 'past_due') {
      Object.assign(own, { status: 'active', day: dayOf(this.now), startsAt: this.now });
      own.endsAt = step(own, plan, this.now);
    }
    keepDay(own);
    own.begunTo = this.now;
    const isKnown = this.running(plan.group).some(
      (period) => period.subscription === own.place && period.sku === plan.sku && period.startsAt === own.startsAt,
    );
    if (!isKnown) this.allocateDifference(own, 'free');
    return accepted();
  }

  /** Whether a change at the end of the period can't be taken back, because a period of it is paid. */
  #isPaid(own: ModelSubscription): boolean {
    return following(own) !== own.plan && this.ahead(own).some(({ sku }) => sku === following(own).sku);
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
    if (isNow) this.end(own, 'cancelled');
    else Object.assign(own, { cancelsAtEnd: true, change: this.#isPaid(own) ? own.change : null });
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
    own.order = this.order(following(own), expiryOf({ ...own, endsAt: this.nextUnpaid(own) }));
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
