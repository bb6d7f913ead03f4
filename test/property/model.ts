// A naive model of one customer, written from the documented rules alone: plain lists and loops that take one unit at a time. It shares nothing with
// src/, is slow on purpose, and knows no way to be clever; where it and the code disagree, one of them is wrong.
import { offers, products } from './catalogue.js';
import { ModelAfterSale } from './model-after-sale.js';
import { ModelCredits } from './model-credits.js';
import { ModelOperations } from './model-give-back.js';
import { judgeLimits, refuseUse, removeLimit, setLimit } from './model-limits.js';
import { ModelOrders } from './model-orders.js';
import { ModelPeople, meaningOf } from './model-people.js';
import { holdingsOf } from './model-readers.js';
import { ModelReservations } from './model-reservations.js';
import { isCounted, isForExchange, isKnown, isRetired, isTooMuch, refuse } from './model-rules.js';
import { ModelWallet } from './model-wallet.js';
import type {
  BatchParts,
  ConsumeRequest,
  Expected,
  Facts,
  ItemResult,
  Request,
  TrialRequest,
  Units,
} from './requests.js';

interface Remembered {
  request: string;
  facts: Facts;
}

export class Model {
  readonly wallet: ModelWallet;
  readonly orders: ModelOrders;
  readonly afterSale: ModelAfterSale;
  readonly operations: ModelOperations;
  readonly #reservations: ModelReservations;
  readonly #credits: ModelCredits;
  readonly #people = new ModelPeople();
  /** By operation, person and key. */
  #keys = new Map<string, Remembered>();
  /** By source id. */
  readonly #migrations = new Map<string, Remembered>();

  /** What of it may be merged with that of `other` is numbered with his. */
  constructor(now: number, other?: Model) {
    this.wallet = new ModelWallet(now, other?.wallet.places);
    this.orders = new ModelOrders(this.wallet);
    this.afterSale = new ModelAfterSale(this.wallet, this.orders);
    this.operations = new ModelOperations(this.wallet);
    this.#reservations = new ModelReservations(this.wallet);
    this.#credits = new ModelCredits(this.wallet);
  }

  /** Carries a request out and says what must be answered. */
  run(request: Request): Expected {
    const code = this.#unknownCode(request);
    if (code !== undefined) return refuse(code);
    const name = nameOf(request);
    const text = fingerprintOf(request);
    const known = request.key === null ? undefined : this.#keys.get(name);
    if (known?.request === text) return { outcome: 'replayed', facts: known.facts };
    if (known) return refuse('idempotency_key_reused');
    const answer = this.#decide(request);
    if (answer.outcome === 'unchanged') return { outcome: 'accepted', facts: answer.facts };
    if (answer.outcome !== 'accepted') return answer;
    if (request.key !== null && isKept(answer.facts)) this.#keys.set(name, { request: text, facts: answer.facts });
    this.#noteOperation(request, answer.facts);
    return answer;
  }

  /** Whether a request is known by its key, as it is. */
  remembers(request: Request): boolean {
    return this.#keys.get(nameOf(request))?.request === fingerprintOf(request);
  }

  /** What is named by its own id is looked for before anything else. */
  #unknownCode(request: Request): string | undefined {
    if ('order' in request && request.order === null) return 'order_not_found';
    if ('reservation' in request && !this.#reservations.find(request.reservation)) return 'reservation_not_found';
    const isNobodys = request.kind === 'give back' && !this.operations.list[request.operation ?? -1];
    return isNobodys ? 'operation_not_found' : undefined;
  }

  /** Of every answer that names its operation. */
  #noteOperation(request: Request, facts: Facts): void {
    switch (request.kind) {
      case 'consume':
        if ('taken' in facts) this.operations.noteUse(request.subject, facts.taken);
        return;
      case 'commit': {
        const reservation = this.#reservations.find(request.reservation);
        if (!reservation || !('taken' in facts)) return;
        const { subject, takingsHeld: held, madeAt: heldAt } = reservation;
        // What is used beyond the hold of who was merged is of another ledger.
        const taken = this.wallet.onward ? facts.taken.slice(0, held) : facts.taken;
        this.operations.noteUse(subject, taken, { held, heldAt });
        return;
      }
      case 'deduct credits':
        if ('owed' in facts) {
          const debt = facts.owed > 0 ? this.wallet.debts.length - 1 : null;
          this.operations.noteUse({ product: request.product }, facts.taken, { debt });
        }
        return;
      case 'trial':
        if (request.who === 'customer') this.operations.noteOther();
        return;
      case 'identify':
      case 'refer':
      case 'order':
      case 'confirm':
      case 'refund':
      case 'dispute':
      case 'consume batch':
      case 'set limit':
      case 'remove limit':
        return;
      default:
        this.operations.noteOther();
    }
  }

  #decide(request: Request): Expected | { outcome: 'unchanged'; facts: Facts } {
    switch (request.kind) {
      case 'grant units':
        return this.#grantUnits(request, Math.max(this.wallet.now, request.validFrom ?? this.wallet.now));
      case 'grant offer':
        return this.#grantOffer(request.sku, request.times);
      case 'take away':
        return this.#takeAway(request.product, request.quantity);
      case 'migrate':
        return this.#migrate(request);
      case 'trial':
        return this.#giveTrial(request);
      case 'exchange':
        return this.#exchange(request.sku);
      case 'identify':
        return this.#people.identify(request);
      case 'refer':
        return this.#people.refer(request);
      case 'order':
        return this.orders.place(request);
      case 'confirm':
        return this.orders.confirm(request);
      case 'refund':
        return this.afterSale.refund(request);
      case 'dispute':
        return this.afterSale.dispute(request);
      case 'consume':
        return this.#consume(request);
      case 'consume batch':
        return this.#consumeBatch(request);
      case 'reserve':
        return this.#reservations.reserve(request);
      case 'commit':
        return this.#reservations.commit(request);
      case 'release':
        return this.#reservations.release(request);
      case 'extend':
        return this.#reservations.extend(request);
      case 'give back':
        return this.operations.giveBack(request);
      case 'add credits':
        return this.#credits.add(request);
      case 'deduct credits':
        return this.#credits.deduct(request);
      case 'set limit':
        return setLimit(this.wallet, request);
      case 'remove limit':
        return removeLimit(this.wallet, request);
    }
  }

  #grantUnits(units: Units, validFrom: number, endsAfter = this.wallet.now): Expected {
    const code = refusalOf(units);
    // What is brought from elsewhere may be of a product that is neither sold nor granted any more.
    const isMigrated = 'source' in units;
    if (code !== undefined && !(isMigrated && code === 'product_inactive')) return refuse(code);
    const { product, quantity, expiresAt, priority } = units;
    if (expiresAt !== null && expiresAt <= Math.max(validFrom, endsAfter)) return refuse('invalid_request');
    const batch = this.wallet.addBatch(product, quantity, { validFrom, expiresAt }, priority);
    return { outcome: 'accepted', facts: { batches: [batch] } };
  }

  #grantOffer(sku: string, times: number): Expected {
    const offer = offers.find((known) => known.sku === sku);
    if (!offer) return refuse('offer_not_found');
    if (!offer.isActive) return refuse('offer_inactive');
    if (offer.items.some((item) => isRetired(item.product))) return refuse('product_inactive');
    if (isTooMuch(offer, times)) return refuse('quantity_too_large');
    return { outcome: 'accepted', facts: { batches: this.wallet.addOffer(offer, times) } };
  }

  #takeAway(product: string, quantity: number): Expected {
    if (!products.some(({ key }) => key === product)) return refuse('product_not_found');
    if (!isCounted(product)) return refuse('invalid_request');
    const plan = this.wallet.plan({ product }, quantity, this.wallet.now);
    if (!plan.allowed) return refuse('insufficient_quota');
    this.wallet.take(plan, 'takenAway');
    return { outcome: 'accepted', facts: { taken: plan.taken } };
  }

  /** Once per source id, whatever the keys are; what is migrated may have begun, and ended, before. */
  #migrate(request: Extract<Request, { kind: 'migrate' }>): Expected {
    const text = fingerprintOf({ ...request, key: null });
    const known = this.#migrations.get(request.source);
    if (known?.request === text) return { outcome: 'replayed', facts: known.facts };
    if (known) return refuse('idempotency_key_reused');
    const { now } = this.wallet;
    const { expiresAt } = request;
    const begins = expiresAt !== null && expiresAt <= now ? expiresAt - 1 : now;
    const answer = this.#grantUnits(request, request.validFrom ?? begins, -Infinity);
    if (answer.outcome === 'accepted') this.#migrations.set(request.source, { request: text, facts: answer.facts });
    return answer;
  }

  /** What others are given is not looked at. */
  #giveTrial(request: TrialRequest): Expected {
    const claimed = this.#people.claimTrial(request);
    if ('outcome' in claimed) return claimed;
    const batches: BatchParts[] = [];
    if (request.who === 'customer') for (const offer of claimed) batches.push(...this.wallet.addOffer(offer, 1));
    return { outcome: 'accepted', facts: { batches } };
  }

  #exchange(sku: string): Expected {
    const offer = offers.find((known) => known.sku === sku);
    if (!offer) return refuse('offer_not_found');
    const codes: string[] = [];
    if (!offer.isActive) codes.push('offer_inactive');
    if (!isForExchange(offer) || offer.price < 1 || offer.items.length === 0) codes.push('offer_not_exchangeable');
    if (offer.items.some((item) => isRetired(item.product))) codes.push('product_inactive');
    if (
      offer.items.some(({ product, stacking }) => stacking === 'extend' && this.wallet.lastEnd(product) === Infinity)
    ) {
      codes.push('already_unlimited');
    }
    if (codes.length > 0) return refuse(...codes);
    const currency = { product: offer.currency };
    const price = this.wallet.plan(currency, offer.price, this.wallet.now);
    const verdict = judgeLimits(this.wallet, currency, offer.price, price);
    const refusal = refuseUse(this.wallet, price, verdict);
    if (refusal) return refusal;
    this.wallet.take(price, 'used');
    const batches = this.wallet.addOffer(offer, 1);
    const balances: Record<string, number> = {};
    for (const key of [offer.currency, ...offer.items.map((item) => item.product)]) {
      if (isCounted(key)) balances[key] = holdingsOf(this.wallet).balances[key] ?? 0;
    }
    const { warnings } = verdict;
    return { outcome: 'accepted', facts: { spent: { [offer.currency]: offer.price }, batches, balances, warnings } };
  }

  #consume({ subject, amount }: ConsumeRequest): Expected {
    if (!isKnown(subject)) return refuse('feature' in subject ? 'feature_not_found' : 'product_not_found');
    const plan = this.wallet.plan(subject, amount, this.wallet.now);
    const verdict = judgeLimits(this.wallet, subject, amount, plan);
    const refusal = refuseUse(this.wallet, plan, verdict);
    if (refusal) return refusal;
    this.wallet.take(plan, 'used');
    this.wallet.countCall(subject, amount);
    const { remaining, taken } = plan;
    return { outcome: 'accepted', facts: { remaining, taken, warnings: verdict.warnings } };
  }

  /** One use after the other; when they belong together and one is refused, nothing has happened. */
  #consumeBatch({ mode, items }: Extract<Request, { kind: 'consume batch' }>): Expected {
    const [before, keys, operations] = [this.wallet.copy(), new Map(this.#keys), this.operations.list.length];
    const results = items.map((item): ItemResult => {
      const answer = this.run(item);
      if (answer.outcome === 'refused') return { code: answer.codes.join(' or ') };
      return answer.facts as Exclude<ItemResult, string>;
    });
    if (mode === 'continue' || !results.some(isRefused)) {
      return { outcome: 'accepted', facts: { isCommitted: true, results } };
    }
    this.wallet.restore(before);
    this.#keys = keys;
    this.operations.list.length = operations;
    const allowed = results.map((result) => (isRefused(result) ? result : 'would be allowed'));
    return { outcome: 'accepted', facts: { isCommitted: false, results: allowed } };
  }
}

function isRefused(result: ItemResult): boolean {
  return typeof result === 'object' && 'code' in result;
}

/** Whether something was done that a repeated request must not do again: a batch of refusals did nothing. */
function isKept(facts: Facts): boolean {
  return !('results' in facts) || (facts.isCommitted && !facts.results.every(isRefused));
}

function nameOf(request: Request): string {
  return `${operationOf(request)} of ${'who' in request ? request.who : 'customer'}: ${request.key}`;
}

/** Requests that share their keys. */
function operationOf({ kind }: Request): string {
  return ['grant units', 'grant offer', 'take away', 'migrate', 'trial'].includes(kind) ? 'grant' : kind;
}

/** Tells a repeated request from another one; an identity is the same however it is written, and whether it is written twice. */
function fingerprintOf(request: Request): string {
  if (request.kind !== 'trial') return JSON.stringify(request);
  return JSON.stringify({ ...request, identities: [...new Set(request.identities.map(meaningOf))].sort() });
}

/** Why units of a product can't be granted at all. */
function refusalOf({ product: key, quantity }: Units): string | undefined {
  const product = products.find((known) => known.key === key);
  if (!product) return 'product_not_found';
  if (!product.isActive) return 'product_inactive';
  return product.type !== 'quantity' && quantity !== 1 ? 'invalid_request' : undefined;
}
