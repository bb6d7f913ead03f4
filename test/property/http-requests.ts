// The requests of the workloads as HTTP: path and body. Translates, sends nothing.
import type { Json } from '../support/app.js';
import { type Person, type Subject, spellings, toPrice } from './catalogue.js';
import type { ConsumeRequest, Request, Units } from './requests.js';

const NOBODYS_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const REASON = 'counted';

/** What names the customer, and what is his by its place, on the wire. */
export interface Names {
  customer: string;
  orderIds: readonly string[];
  /** Ids of the lines of each order. */
  lineIds: readonly (readonly string[])[];
  reservationIds: readonly string[];
  operationIds: readonly string[];
}

/** A POST, unless it says otherwise. */
export interface HttpRequest {
  method?: 'put' | 'delete';
  path: string;
  body: Json;
}

/** The request as it is sent. */
export function toHttp(request: Request, names: Names): HttpRequest {
  const { customer, orderIds } = names;
  const selector = { external_id: customer };
  switch (request.kind) {
    case 'grant units':
      return { path: '/grants', body: { ...selector, ...toGrantType(request.as), ...toUnitFields(request) } };
    case 'grant offer': {
      const { as, sku, times } = request;
      return { path: '/grants', body: { ...selector, ...toGrantType(as), sku, quantity: times } };
    }
    case 'take away': {
      const { product, quantity } = request;
      const body = { ...selector, ...toGrantType('adjustment'), direction: 'debit', product_key: product, quantity };
      return { path: '/grants', body };
    }
    case 'migrate': {
      const { source } = request;
      const body = { ...selector, grant_type: 'migration', source_id: source, ...toUnitFields(request) };
      return { path: '/grants', body };
    }
    case 'trial': {
      const { who, sku, identities, override } = request;
      const passed = identities.map((spelling) => spellings[spelling]).filter((spelling) => spelling !== undefined);
      const body = {
        external_id: nameOf(who, customer),
        grant_type: 'trial',
        ...(sku !== null && { sku }),
        identities: Object.fromEntries(passed.map(({ type, value }) => [type, value.replace('#', customer)])),
        ...(override && { override, reason: REASON }),
      };
      return { path: '/grants', body };
    }
    case 'exchange':
      return { path: '/exchange', body: { ...selector, sku: request.sku } };
    case 'identify':
      return { path: '/identify', body: { external_id: nameOf(request.who, customer), profile: request.profile } };
    case 'refer': {
      const { referrer, referee } = request;
      const [referrer_external_id, referee_external_id] = [nameOf(referrer, customer), nameOf(referee, customer)];
      return { path: '/referrals', body: { referrer_external_id, referee_external_id } };
    }
    case 'order':
      return { path: '/orders', body: { ...selector, items: request.lines, expires_in: request.lifetimeS } };
    case 'confirm': {
      const { order, status, payment, amount } = request;
      const id = idAt(orderIds, order);
      const body = {
        status,
        payment_method: 'card',
        ...(payment !== null && { payment_id: `${customer}/${payment}` }),
        ...(amount !== null && { amount: toPrice(amount, 'USD'), currency: 'USD' }),
      };
      return { path: `/orders/${id}/confirm`, body };
    }
    case 'refund': {
      const { order, id, status, what, dispute, policy } = request;
      const lines = typeof what === 'object' && 'lines' in what ? what.lines : undefined;
      const body = {
        ...{ status, unrecovered_policy: policy },
        ...(id !== null && { refund_id: `${customer}/${id}` }),
        ...(dispute !== null && { dispute_id: `${customer}/${dispute}` }),
        ...(typeof what === 'object' && 'amount' in what && { amount: toPrice(what.amount, 'USD') }),
        ...(lines && {
          items: lines.map(({ line, quantity }) => ({
            id: names.lineIds[order ?? -1]?.[line] ?? `${NOBODYS_ID.slice(0, -1)}${line}`,
            ...(quantity !== null && { quantity }),
          })),
        }),
      };
      return { path: `/orders/${idAt(orderIds, order)}/refund`, body };
    }
    case 'dispute': {
      const { order, id, status, amount, policy } = request;
      const told = amount !== null && { amount: toPrice(amount, 'USD') };
      const body = { dispute_id: `${customer}/${id}`, status, unrecovered_policy: policy, ...told };
      return { path: `/orders/${idAt(orderIds, order)}/dispute`, body };
    }
    case 'consume':
      return { path: '/quota/consume', body: toConsumeBody(request, customer) };
    case 'set limit': {
      const { subject, windows, enforcement } = request;
      const body = { ...selector, ...toSubjectFields(subject), windows, enforcement };
      return { method: 'put', path: '/limits', body };
    }
    case 'remove limit': {
      const query = new URLSearchParams({ ...selector, ...toSubjectFields(request.subject) });
      return { method: 'delete', path: `/limits?${query}`, body: {} };
    }
    default:
      return toWorkHttp(request, names);
  }
}

function toWorkHttp(
  request: Extract<
    Request,
    {
      kind:
        | 'consume batch'
        | 'reserve'
        | 'commit'
        | 'release'
        | 'extend'
        | 'give back'
        | 'add credits'
        | 'deduct credits';
    }
  >,
  { customer, reservationIds, operationIds }: Names,
): HttpRequest {
  const selector = { external_id: customer };
  const reservationPath = 'reservation' in request && `/reservations/${idAt(reservationIds, request.reservation)}`;
  switch (request.kind) {
    case 'consume batch': {
      const { mode, items } = request;
      const bodies = items.map((item) => ({
        ...toConsumeBody(item, customer),
        ...(item.key !== null && { idempotency_key: item.key }),
      }));
      return { path: '/quota/consume/batch', body: { mode, items: bodies } };
    }
    case 'reserve': {
      const { lifetime } = request;
      const end =
        lifetime && ('until' in lifetime ? { expires_at: toInstant(lifetime.until) } : toTtl(lifetime.seconds));
      return { path: '/reservations', body: { ...toConsumeBody(request, customer), ...end } };
    }
    case 'commit': {
      const { amount, allowExcess } = request;
      const body = { ...(amount !== null && { amount }), allow_excess: allowExcess };
      return { path: `${reservationPath}/commit`, body };
    }
    case 'release':
      return { path: `${reservationPath}/release`, body: {} };
    case 'extend':
      return { path: `${reservationPath}/extend`, body: toTtl(request.lifetimeS) };
    case 'give back': {
      const { operation, amount } = request;
      const body = { operation_id: idAt(operationIds, operation), ...(amount !== null && { amount }) };
      // Every second operation's customer is named, who need not be.
      return { path: '/quota/release', body: (operation ?? 0) % 2 === 0 ? body : { ...selector, ...body } };
    }
    case 'add credits': {
      const { product, amount, expiresAt } = request;
      const end = expiresAt !== null && { expires_at: toInstant(expiresAt) };
      return { path: '/credits/add', body: { ...selector, product_key: product, amount, ...end } };
    }
    case 'deduct credits': {
      const { product, amount, allowNegative } = request;
      const body = { ...selector, product_key: product, amount, allow_negative: allowNegative };
      return { path: '/credits/deduct', body };
    }
  }
}

function idAt(ids: readonly string[], place: number | null): string {
  return ids[place ?? -1] ?? NOBODYS_ID;
}

function toTtl(seconds: number): Json {
  return { ttl_seconds: seconds };
}

/** A use, a dry run of one, or units to hold. */
export function toConsumeBody({ subject, amount }: Pick<ConsumeRequest, 'subject' | 'amount'>, customer: string): Json {
  return { external_id: customer, ...toSubjectFields(subject), amount };
}

export function toSubjectFields(subject: Subject): Record<string, string> {
  return 'feature' in subject ? { feature: subject.feature } : { product_key: subject.product };
}

/** The external id of somebody in the sequence of a customer. */
export function nameOf(who: Person, customer: string): string {
  return who === 'customer' ? customer : `${customer}/${who}`;
}

function toGrantType(as: 'bonus' | 'adjustment'): Json {
  return { grant_type: as, ...(as === 'adjustment' && { reason: REASON }) };
}

function toUnitFields({ product, quantity, priority, validFrom, expiresAt }: Units): Json {
  return {
    product_key: product,
    quantity,
    priority,
    expires_at: expiresAt === null ? null : toInstant(expiresAt),
    ...(validFrom !== null && { valid_from: toInstant(validFrom) }),
  };
}

function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
