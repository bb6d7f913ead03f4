// The requests of the workloads as HTTP: path and body. Translates, sends nothing.
import type { Json } from '../support/app.js';
import { type Person, type Subject, spellings, toPrice } from './catalogue.js';
import type { ConsumeRequest, Request, Units } from './requests.js';

const NOBODYS_ORDER_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const REASON = 'counted';

/** What names the customer and its orders on the wire. */
interface Names {
  customer: string;
  orderIds: readonly string[];
}

/** The request as it is sent. */
export function toHttp(request: Request, { customer, orderIds }: Names): { path: string; body: Json } {
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
      const id = orderIds[order ?? -1] ?? NOBODYS_ORDER_ID;
      const body = {
        status,
        payment_method: 'card',
        ...(payment !== null && { payment_id: `${customer}/${payment}` }),
        ...(amount !== null && { amount: toPrice(amount, 'USD'), currency: 'USD' }),
      };
      return { path: `/orders/${id}/confirm`, body };
    }
    case 'consume':
      return { path: '/quota/consume', body: toConsumeBody(request, customer) };
  }
}

export function toConsumeBody({ subject, amount }: ConsumeRequest, customer: string): Json {
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
