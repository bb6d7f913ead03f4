// What answers over HTTP say, in the words of the workloads: ids become places in the order in which they were first seen. Translates; judges
// only what an answer says about itself.
import { expect } from 'vitest';
import type { Json } from '../support/app.js';
import type { Subject } from './catalogue.js';
import type { Names } from './http-requests.js';
import type {
  AfterSaleFacts,
  BatchParts,
  Facts,
  ItemResult,
  LimitTerms,
  MergeFacts,
  OrderStanding,
  OverLimit,
  Request,
  ReservationState,
  Taking,
} from './requests.js';

const OK = 200;
const CREATED = 201;
const NO_CONTENT = 204;

/** The answer of supertest as far as it is read here. */
export interface Answer {
  status: number;
  text: string;
  body: Json & { code?: string };
  headers: Record<string, string | undefined>;
}

interface WireBatch {
  id: string;
  product_key: string;
  granted: number | null;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  state: string;
  priority: number;
  valid_from: string;
  expires_at: string | null;
}

export interface WireReservation {
  id: string;
  amount: number;
  status: ReservationState['status'];
  committed_amount: number;
  expires_at: string;
  ended_at: string | null;
  legs: unknown;
}

type WireSubject = { product_key?: string; feature?: string };

type WireOverLimit = WireSubject & Omit<OverLimit, 'subject' | 'resetsAt'> & { resets_at: string | null };

interface WireItem extends Json {
  index: number;
  allowed: boolean;
  code?: string;
}

/** Ids by place, of things of customers who may be merged. */
export interface SharedIds {
  batchIds: string[];
  reservationIds: string[];
}

export class HttpFacts {
  readonly #customerId: string;
  readonly shared: SharedIds;
  readonly #orderIds: string[] = [];
  readonly #lineIds: string[][] = [];
  readonly #operationIds: string[] = [];

  constructor(customerId: string, shared: SharedIds = { batchIds: [], reservationIds: [] }) {
    this.#customerId = customerId;
    this.shared = shared;
  }

  /** What the customer's things are called on the wire, by place. */
  names(): Omit<Names, 'customer'> {
    return {
      orderIds: this.#orderIds,
      lineIds: this.#lineIds,
      reservationIds: this.shared.reservationIds,
      operationIds: this.#operationIds,
    };
  }

  /** What the answer to an accepted request says. */
  of(request: Request, { body, status }: Answer): Facts {
    const isAnothers = request.kind === 'trial' && request.who !== 'customer';
    if (body.operation_id !== undefined && !isAnothers) placeIn(this.#operationIds, body.operation_id);
    switch (request.kind) {
      case 'grant units':
      case 'grant offer':
      case 'migrate':
        return { batches: this.parts(body.batches) };
      case 'take away':
        expect(body.batches).toEqual([]);
        return { taken: this.takings(body.taken) };
      case 'trial':
        return { batches: isAnothers ? [] : this.parts(body.batches) };
      case 'exchange': {
        const { product_key, amount } = body.spent as { product_key: string; amount: number };
        const balances = body.balances as Record<string, number>;
        const warnings = toOverLimits(body.warnings);
        return { spent: { [product_key]: amount }, batches: this.parts(body.batches), balances, warnings };
      }
      case 'identify':
        expect(body.customer_id === this.#customerId).toBe(request.who === 'customer');
        return {
          profile: body.metadata as Record<string, number>,
          isTrialEligible: body.trial_eligible as boolean,
          isNew: body.created_customer as boolean,
        };
      case 'refer':
        expect(status).toBe(body.created ? CREATED : OK);
        return { isNew: body.created as boolean };
      case 'order':
        return { order: this.#orderOf(body), total: String(body.total_amount) };
      case 'confirm': {
        const batches = this.parts(body.batches ?? []);
        return { order: placeIn(this.#orderIds, body.id), status: String(body.status), batches };
      }
      case 'refund':
        return this.#afterSale(body, body.refund as Json);
      case 'dispute':
        return this.#afterSale(body, body.dispute as Json);
      case 'consume':
        return this.#use(body);
      case 'consume batch': {
        const results = (body.results as WireItem[]).map((item, index) => this.#item(item, index));
        return { isCommitted: body.committed as boolean, results };
      }
      case 'set limit':
        return { limit: toLimit(body), isNew: status === CREATED };
      case 'remove limit':
        expect(status).toBe(NO_CONTENT);
        return { limit: null };
      default:
        return this.#ofWork(request, body);
    }
  }

  #orderOf({ id, items }: Json): number {
    const order = placeIn(this.#orderIds, id);
    this.#lineIds[order] = (items as { id: string }[]).map((line) => line.id);
    return order;
  }

  #afterSale(body: Json, told: Json): AfterSaleFacts {
    const order = placeIn(this.#orderIds, body.id);
    const items = (told.items ?? []) as { id: string; quantity: number; amount: string }[];
    const lines = items.map(({ id, quantity, amount }) => ({
      line: (this.#lineIds[order] ?? []).indexOf(id),
      quantity,
      amount: BigInt(amount.replace('.', '')),
    }));
    return {
      ...{ order, ...toStanding(body), batches: this.parts(body.batches) },
      told: { status: String(told.status), amount: String(told.amount), lines },
      recovered: told.recovered as Record<string, number>,
      unrecovered: told.unrecovered as Record<string, number>,
    };
  }

  #ofWork(request: Request, body: Json): Facts {
    const remaining = body.remaining as number | null;
    const { amount, returned, expired, revoked, balance, owed, repaid } = body as Record<string, number>;
    const warnings = toOverLimits(body.warnings ?? []);
    switch (request.kind) {
      case 'reserve':
        return { reservation: this.reservation(body as unknown as WireReservation), remaining, warnings };
      case 'commit':
      case 'release': {
        const taken = this.takings(body.taken ?? []);
        return {
          reservation: this.reservation(body as unknown as WireReservation),
          ...{
            taken,
            returned: Number(returned),
            expired: Number(expired),
            revoked: Number(revoked),
            remaining,
            warnings,
          },
        };
      }
      case 'extend':
        return { reservation: this.reservation(body as unknown as WireReservation) };
      case 'give back': {
        const restored = this.takings(body.restored);
        const came = { returned: Number(returned), expired: Number(expired), revoked: Number(revoked) };
        return { amount: Number(amount), ...came, restored, remaining };
      }
      case 'add credits':
        return {
          batch: placeIn(this.shared.batchIds, body.batch_id),
          repaid: Number(repaid),
          balance: Number(balance),
        };
      case 'deduct credits':
        return { taken: this.takings(body.taken), owed: Number(owed), balance: Number(balance), warnings };
      default:
        throw new Error(`no answer to ${request.kind} is known`);
    }
  }

  #use(body: Json) {
    const warnings = toOverLimits(body.warnings);
    return { remaining: body.remaining as number | null, taken: this.takings(body.taken), warnings };
  }

  /** Of a batch that is not committed, an allowed item has no operation. */
  #item(item: WireItem, index: number): ItemResult {
    expect(item.index).toBe(index);
    if (!item.allowed) return { code: String(item.code) };
    if (item.operation_id === undefined) return 'would be allowed';
    placeIn(this.#operationIds, item.operation_id);
    return this.#use(item);
  }

  takings(takings: unknown): Taking[] {
    return (takings as { batch_id: string; amount: number }[]).map(({ batch_id, amount }) => ({
      batch: placeIn(this.shared.batchIds, batch_id),
      amount,
    }));
  }

  reservation(wire: WireReservation): ReservationState {
    return {
      place: placeIn(this.shared.reservationIds, wire.id),
      amount: wire.amount,
      status: wire.status,
      committed: wire.committed_amount,
      endsAt: Date.parse(wire.expires_at),
      endedAt: toMs(wire.ended_at),
      legs: this.takings(wire.legs),
    };
  }

  /** Of all batches of a customer: who was not seen before is numbered in the order in which they were made. */
  allParts(batches: unknown): BatchParts[] {
    const inOrder = [...(batches as WireBatch[])].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.parts(inOrder).sort((a, b) => a.batch - b.batch);
  }

  parts(batches: unknown): BatchParts[] {
    return (batches as WireBatch[]).map((batch) => ({
      batch: placeIn(this.shared.batchIds, batch.id),
      product: batch.product_key,
      granted: batch.granted,
      priority: batch.priority,
      validFrom: Date.parse(batch.valid_from),
      expiresAt: toMs(batch.expires_at),
      available: batch.available,
      held: batch.held,
      consumed: batch.consumed,
      expired: batch.expired,
      revoked: batch.revoked,
      transferred: batch.transferred,
      isRevoked: batch.granted === null && batch.state === 'revoked',
    }));
  }
}

/** What an order shows of what came of it. */
export function toStanding({ status, refunded_amount, disputed_amount }: Json): OrderStanding {
  return { status: String(status), refunded: String(refunded_amount), disputed: String(disputed_amount) };
}

function placeIn(ids: string[], id: unknown): number {
  if (!ids.includes(String(id))) ids.push(String(id));
  return ids.indexOf(String(id));
}

/** What is said of limits that a use goes beyond. */
export function toOverLimits(wire: unknown): OverLimit[] {
  return (wire as WireOverLimit[]).map(({ window, current, requested, limit, enforcement, resets_at, ...subject }) => ({
    ...{ subject: toSubject(subject), window, current, requested, limit, enforcement },
    resetsAt: toMs(resets_at),
  }));
}

function toLimit(body: Json): LimitTerms {
  const { windows, enforcement } = body as unknown as LimitTerms;
  return { subject: toSubject(body), windows, enforcement };
}

function toSubject({ product_key: product, feature }: WireSubject): Subject {
  return feature === undefined ? { product: String(product) } : { feature };
}

export function toMs(instant: unknown): number | null {
  return instant === null ? null : Date.parse(String(instant));
}

/** What a merge moved. */
export function toMergeFacts({ moved, dropped }: Json): MergeFacts {
  const told = moved as Record<string, number> & Record<'units' | 'owed', Record<string, number>>;
  return {
    batches: Number(told.batches),
    units: told.units,
    owed: told.owed,
    openOrders: Number(told.open_orders),
    openReservations: Number(told.open_reservations),
    droppedLimits: Number((dropped as Json).limits),
  };
}
