// What the model's customer ordered and paid. Written from the documented rules alone, like the rest of the model.
import { type CatalogueOffer, offers } from './catalogue.js';
import { isForExchange, isRetired, isTooMuch, refuse } from './model-rules.js';
import type { ModelWallet } from './model-wallet.js';
import type { BatchParts, Expected, Facts, Request } from './requests.js';

/** Money has fourteen digits before the point. */
const TOTAL_MAX = 10n ** 16n - 1n;

export interface ModelOrder {
  place: number;
  /** `batches` are those that a line granted, by place. */
  lines: { offer: CatalogueOffer; quantity: number; batches: number[] }[];
  total: bigint;
  expiresAt: number;
  /** What its payment was answered; undefined while it is not paid. */
  paid: Facts | undefined;
  /** How much of what was paid for it went back. */
  refunded: 'paid' | 'partially_refunded' | 'refunded';
}

interface ModelPayment {
  status: 'failed' | 'unmatched' | 'paid';
  order: number;
  facts: Facts | undefined;
  /** What was told of it at last, in hundredths; null when nobody told. */
  amount: number | null;
}

export class ModelOrders {
  readonly list: ModelOrder[] = [];
  readonly #payments = new Map<string, ModelPayment>();
  readonly #wallet: ModelWallet;

  constructor(wallet: ModelWallet) {
    this.#wallet = wallet;
  }

  place({ lines, lifetimeS }: Extract<Request, { kind: 'order' }>): Expected {
    const codes: string[] = [];
    const known: ModelOrder['lines'] = [];
    for (const { sku, quantity } of lines) {
      const offer = offers.find((candidate) => candidate.sku === sku);
      if (!offer) codes.push('offer_not_found');
      else known.push({ offer, quantity, batches: [] });
    }
    let total = 0n;
    for (const { offer, quantity } of known) {
      total += BigInt(offer.price) * BigInt(quantity);
      if (!offer.isActive) codes.push('offer_inactive');
      if (isForExchange(offer)) codes.push('offer_exchange_only');
      if (offer.items.some((item) => isRetired(item.product))) codes.push('product_inactive');
      if (known.some((other) => other.offer.currency !== offer.currency)) codes.push('mixed_currencies');
      if (isTooMuch(offer, quantity)) codes.push('quantity_too_large');
      for (const item of offer.items) {
        if (item.stacking === 'extend' && this.#wallet.lastEnd(item.product) === Infinity)
          codes.push('already_unlimited');
      }
    }
    if (total > TOTAL_MAX) codes.push('quantity_too_large');
    if (codes.length > 0) return refuse(...codes);
    const place = this.list.length;
    this.list.push({
      place,
      lines: known,
      total,
      expiresAt: this.#wallet.now + lifetimeS * 1_000,
      paid: undefined,
      refunded: 'paid',
    });
    return { outcome: 'accepted', facts: { order: place, total: `${(Number(total) / 100).toFixed(2)}` } };
  }

  confirm({ order: place, payment, status, amount: told }: Extract<Request, { kind: 'confirm' }>): Expected {
    const order = this.list[place ?? -1];
    if (!order) return refuse('order_not_found');
    if (payment === null) return this.#confirmWithoutPayment(order, status);
    const seen = this.#payments.get(payment);
    const amount = told ?? seen?.amount ?? null;
    const hasOtherAmount = amount !== null && BigInt(amount) !== order.total;
    if (seen?.status === 'paid') {
      if (seen.order !== order.place) return refuse('payment_already_used');
      if (status === 'failed') {
        const facts = { order: order.place, status: this.statusOf(order), batches: this.batchesOf(order) };
        return { outcome: 'accepted', facts };
      }
      if (hasOtherAmount || !seen.facts) return refuse('payment_mismatch');
      return { outcome: 'replayed', facts: seen.facts };
    }
    if (status === 'failed') {
      if (seen?.status === 'unmatched') return refuse('payment_mismatch');
      if (seen?.facts && seen.order === order.place) return { outcome: 'replayed', facts: seen.facts };
      const facts = { order: order.place, status: this.statusOf(order), batches: this.batchesOf(order) };
      this.#payments.set(payment, { status: 'failed', order: order.place, facts, amount });
      return { outcome: 'accepted', facts };
    }
    const code = this.#refusalOf(order) ?? (hasOtherAmount ? 'payment_mismatch' : undefined);
    if (code !== undefined) {
      this.#payments.set(payment, { status: 'unmatched', order: order.place, facts: undefined, amount });
      return refuse(code);
    }
    const facts = this.#pay(order);
    this.#payments.set(payment, { status: 'paid', order: order.place, facts, amount });
    return { outcome: 'accepted', facts };
  }

  #confirmWithoutPayment(order: ModelOrder, status: 'paid' | 'failed'): Expected {
    if (order.total > 0n || status === 'failed') return refuse('invalid_request');
    if (order.paid) return { outcome: 'replayed', facts: order.paid };
    const code = this.#refusalOf(order);
    return code === undefined ? { outcome: 'accepted', facts: this.#pay(order) } : refuse(code);
  }

  #refusalOf(order: ModelOrder): string | undefined {
    const status = this.statusOf(order);
    if (status === 'paid' || status === 'partially_refunded') return 'order_already_paid';
    return status === 'pending' ? undefined : 'order_not_payable';
  }

  #pay(order: ModelOrder): Facts {
    for (const line of order.lines)
      line.batches = this.#wallet.addOffer(line.offer, line.quantity).map(({ batch }) => batch);
    order.paid = { order: order.place, status: 'paid', batches: this.batchesOf(order) };
    return order.paid;
  }

  /** What it granted, and what that goes on in, also in the ledger of whom its customer leads to. */
  batchesOf(order: ModelOrder): BatchParts[] {
    const all = [...this.#wallet.batches, ...(this.#wallet.onward?.batches ?? [])];
    const own = order.lines.flatMap(({ batches }) => batches);
    for (const place of own)
      own.push(...all.filter(({ predecessor }) => predecessor === place).map((next) => next.place));
    own.sort((a, b) => a - b);
    return own.map((place) => {
      const batch = this.#wallet.batchAt(place);
      return this.#wallet.ownerOf(batch).partsOf(batch);
    });
  }

  /** A pending order can be paid before its end, not at it. */
  statusOf(order: ModelOrder): ModelOrder['refunded'] | 'pending' | 'expired' {
    if (order.paid) return order.refunded;
    return this.#wallet.now < order.expiresAt ? 'pending' : 'expired';
  }
}
