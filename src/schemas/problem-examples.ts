// What a problem of each code may say: the detail, and the places at fault where it names some. The members that a code adds have their examples in
// their schema.
import type { FieldError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';

interface ProblemExample {
  detail: string;
  /** Pointers at fault, each with the code and the detail of the problem. */
  at?: readonly string[];
  /** Faults of their own. */
  errors?: readonly FieldError[];
}

export const problemExamples: Readonly<Record<ErrorCode, ProblemExample>> = {
  invalid_request: {
    detail: '/items: is required (and 1 more, see errors)',
    errors: [
      { pointer: '/items', code: 'required', message: 'is required' },
      { pointer: '/customer_id', code: 'required', message: 'name the customer: send customer_id, or external_id' },
    ],
  },
  invalid_catalog: {
    detail: 'line 3, price: 19.99 XTR is a price with its currency (and 1 more, see errors); nothing was imported.',
    errors: [
      {
        pointer: 'record/2/price',
        code: 'invalid',
        message: 'has its currency in it: write 19.99, and XTR in the column currency',
        line: 3,
        record: 2,
        column: 'price',
      },
    ],
  },
  malformed_json: {
    detail: 'The body is not well-formed JSON at line 3, column 12: a value is expected there.',
  },
  malformed_url: { detail: 'The path is not percent-encoded UTF-8.' },
  mixed_currencies: { detail: 'The items are priced in USD and EUR.' },
  unauthenticated: { detail: 'The request carries no token: send `Authorization: Bearer <token>`.' },
  invalid_signature: { detail: 'This is not signed by a secret that counts, or not recently.' },
  insufficient_quota: { detail: '5 of CREDITS asked for, 2 available.' },
  reservation_exceeded: { detail: '12 asked for, the reservation holds 10.', at: ['/amount'] },
  forbidden: { detail: 'The token lacks the scope `consume`.' },
  path_not_allowed: { detail: 'The path is not the plain path of a file.' },
  route_not_found: { detail: 'There is no GET on this path.' },
  customer_not_found: { detail: 'There is no such customer.', at: ['/customer_id'] },
  product_not_found: { detail: 'There is no product TOKENS.', at: ['/product_key'] },
  feature_not_found: { detail: 'No product provides the feature translation.', at: ['/feature'] },
  offer_not_found: { detail: 'There is no offer TOKENS_1000.', at: ['/sku'] },
  identity_not_found: { detail: 'The customer has no such identity.', at: ['path/external_id'] },
  operation_not_found: { detail: 'There is no such operation.', at: ['/operation_id'] },
  reservation_not_found: { detail: 'There is no such reservation.', at: ['path/id'] },
  order_not_found: { detail: 'There is no such order.', at: ['path/id'] },
  endpoint_not_found: { detail: 'There is no endpoint analytics.', at: ['path/id'] },
  address_refused: { detail: 'The URL must not lead to 127.0.0.1, which is private or local.', at: ['/url'] },
  delivery_not_found: { detail: 'There is no such delivery of analytics.', at: ['path/delivery_id'] },
  payment_provider_not_found: { detail: 'The provider stripe is not configured.', at: ['path/provider'] },
  payment_event_not_found: { detail: 'There is no such event.', at: ['path/id'] },
  payment_source_not_found: { detail: 'There is no source shop.', at: ['path/name'] },
  payment_event_closed: { detail: 'The event is dismissed.', at: ['path/id'] },
  referral_program_not_found: { detail: 'There is no referral programme friends.', at: ['path/key'] },
  too_many_referral_programs: {
    detail: 'There are 100 programmes, which is as many as there may be.',
    at: ['path/key'],
  },
  reward_not_found: { detail: 'There is no such reward.', at: ['path/id'] },
  reward_not_held: { detail: 'The reward is granted: only one that is held is released or refused.', at: ['path/id'] },
  too_many_payment_sources: { detail: 'There are 100 sources, which is as many as there may be.', at: ['path/name'] },
  checkout_unavailable: { detail: 'Nothing is to be paid.', at: ['path/id'] },
  checkout_differs: { detail: 'The order has a page that leads elsewhere afterwards.', at: ['/success_url'] },
  provider_refused: { detail: 'Stripe refused: Amount must be at least $0.50 usd' },
  endpoint_without_url: { detail: 'The endpoint analytics has no URL.', at: ['path/id'] },
  delivery_under_way: { detail: 'An attempt at the delivery is under way.', at: ['path/delivery_id'] },
  delivery_waiting: { detail: 'The delivery waits for its next attempt.', at: ['path/delivery_id'] },
  limit_exceeded: { detail: '1 of CREDITS asked for, 10 of 10 used (hour).' },
  limit_not_found: { detail: 'There is no such limit.', at: ['path/id'] },
  not_metered: {
    detail: 'Only what is metered is given back by its name: name the operation that used it.',
    at: ['/product_key'],
  },
  product_metered: { detail: 'SEATS is metered: it is used without being granted.', at: ['/product_key'] },
  feature_metered: { detail: 'seat is provided by SEATS, which is metered.', at: ['/features'] },
  limit_source_refused: { detail: 'It shares the limits of another customer itself.', at: ['/source_customer_id'] },
  too_many_followers: { detail: 'At most 1000 customers share the limits of one.', at: ['/source_customer_id'] },
  too_many_limits: { detail: 'A customer has at most 1000 limits of his own.' },
  too_many_endpoints: { detail: 'There are 100 endpoints, which is as many as there may be.', at: ['path/id'] },
  clock_backwards: {
    detail: 'The clock shows 2026-11-28T12:00:00.000Z, and is never set back: begin with an empty database.',
    at: ['/now'],
  },
  api_key_not_found: { detail: 'There is no such API key.', at: ['path/id'] },
  method_not_allowed: { detail: 'This path takes GET, HEAD, not PUT.' },
  cursor_expired: {
    detail: 'Events behind the cursor were dropped by age.',
    at: ['query/cursor'],
  },
  selector_conflict: { detail: 'customer_id and external_id name different customers.' },
  name_taken: { detail: 'CREDITS is the key of a product.', at: ['path/sku'] },
  name_reserved: { detail: 'EXPORT is the name of a route, and reserved.', at: ['path/sku'] },
  product_in_use: { detail: 'The type of a product is fixed once it exists.', at: ['/type'] },
  product_inactive: { detail: 'The product AI_POOL is not active.' },
  offer_inactive: { detail: 'The offer CREDITS_100 is not active.' },
  offer_exchange_only: { detail: 'GET_TEST_PREDICTION is priced in TEST_STAR.' },
  offer_not_exchangeable: { detail: 'CREDITS_100 is priced in USD, which is no currency product.', at: ['/sku'] },
  offer_not_plan: { detail: 'The offer CREDITS_100 does not recur.', at: ['/sku'] },
  subscription_not_found: { detail: 'There is no such subscription.', at: ['path/id'] },
  subscription_exists: { detail: 'The customer has PRO_MONTHLY of the group default: change it.', at: ['/sku'] },
  subscription_incomplete: { detail: 'Nothing of the subscription is paid yet: pay its order, or cancel it.' },
  subscription_current: {
    detail: 'The source has PRO_MONTHLY, which has not ended.',
    at: ['/source_customer_id'],
  },
  subscription_ended: { detail: 'The subscription is cancelled.' },
  subscription_unchanged: { detail: 'The subscription is of PRO_MONTHLY already.', at: ['/sku'] },
  change_paid: {
    detail: 'The next period is paid, as TEAM_MONTHLY: refund its order to change otherwise.',
  },
  plan_is_free: {
    detail: 'The plan FREE_MONTHLY costs nothing: it is subscribed to, not ordered.',
    at: ['/items/0/sku'],
  },
  subscription_not_renewable: { detail: 'FREE_MONTHLY costs nothing.' },
  other_plan_group: { detail: 'STORAGE is of the group storage, the subscription of default.', at: ['/sku'] },
  offer_not_trial: { detail: 'CREDITS_100 is no trial.', at: ['/sku'] },
  trial_already_used: { detail: 'A trial was used by this telegram identity.' },
  identity_taken: { detail: 'The identity belongs to another customer.', at: ['/external_id'] },
  merge_with_itself: { detail: 'Source and target are one customer.', at: ['/source_customer_id'] },
  customer_merged: {
    detail: 'The customer was merged, and leads to 01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d.',
    at: ['/source_customer_id'],
  },
  too_many_merged: { detail: 'At most 100 customers can be merged into one.' },
  self_referral: { detail: 'Referrer and referee are one customer.' },
  already_referred: { detail: 'The referee has another referrer.' },
  referral_cycle: { detail: 'The referee brought the referrer, directly or over others.' },
  already_unlimited: { detail: 'The customer has LIFETIME_ACCESS for ever.' },
  quantity_too_large: { detail: 'The total would be above 2^53-1.' },
  too_many_batches: { detail: 'The order comes to 1,200 batches; at most 1,000 are granted at once.' },
  too_many_open_orders: { detail: '100 orders of this customer wait for a payment, the most that may.' },
  order_already_paid: { detail: 'Another payment paid this order.', at: ['/payment_id'] },
  order_not_cancellable: { detail: 'The order is paid: only one that waits for a payment is cancelled.' },
  offer_limit_reached: { detail: 'A customer has at most 1 of WELCOME, this one has 1.', at: ['/items/0/quantity'] },
  batch_not_found: { detail: 'The customer has no batch 01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d.', at: ['path/id'] },
  order_not_paid: { detail: 'The order is pending: no money came for it.' },
  refund_exceeds_paid: { detail: '7.50 USD are left of what was paid.', at: ['/amount'] },
  refund_id_required: {
    detail: 'The provider tells its refunds here too: name its id of this one, or that it is pending there.',
    at: ['/refund_id'],
  },
  refund_pending: { detail: 'A refund of 2.50 USD waits for the provider’s id, and this may be it.', at: ['/amount'] },
  refund_mismatch: { detail: 'This refund was told of 2.50 USD.', at: ['/amount'] },
  dispute_not_found: { detail: 'No dispute of this order has this id.', at: ['/dispute_id'] },
  dispute_mismatch: { detail: 'This dispute was told of another order.', at: ['/dispute_id'] },
  dispute_closed: { detail: 'The dispute was lost.', at: ['/status'] },
  too_many_reports: { detail: 'An order has at most 1000 refunds and disputes.' },
  order_not_payable: { detail: 'The order is expired.' },
  payment_already_used: { detail: 'This payment paid another order.', at: ['/payment_id'] },
  payment_mismatch: { detail: 'The order comes to 9.99 USD, not 9.00 USD.', at: ['/amount'] },
  product_not_currency: { detail: 'AI_POOL is no currency product.', at: ['/product_key'] },
  reservation_closed: { detail: 'The reservation is released.' },
  reservation_expired: { detail: 'The reservation has expired.' },
  reservation_too_long: { detail: 'It would end more than 7 days after it was made.', at: ['/ttl_seconds'] },
  not_reversible: { detail: 'The operation is a grant.', at: ['/operation_id'] },
  release_exceeds_usage: { detail: '5 asked for, 3 can still be given back.', at: ['/amount'] },
  api_key_ended: { detail: 'The key was revoked: create another.', at: ['path/id'] },
  too_large: { detail: 'There are more than 50,000 entries.' },
  precondition_failed: { detail: 'The file is another one than the conditional headers name.' },
  payload_too_large: { detail: 'The body is larger than 1048576 bytes.' },
  unsupported_media_type: { detail: 'The body must be JSON in UTF-8: send `Content-Type: application/json`.' },
  range_not_satisfiable: { detail: 'The file has no such range of bytes.' },
  idempotency_key_reused: { detail: 'The key belongs to a request with another body.' },
  rate_limited: { detail: 'More than 600 requests a minute came from this API key.' },
  internal_error: { detail: 'Something went wrong here. Report the request id in `instance`.' },
  clock_skewed: { detail: 'The clocks of this process and of the database are 75 s apart.' },
  overloaded: { detail: 'Too many requests are waiting.' },
  unavailable: { detail: 'The database does not answer.' },
};

/** The faulty places of the example of this code. */
export function exampleErrorsOf(code: ErrorCode): FieldError[] {
  const { detail, at = [], errors = [] } = problemExamples[code];
  return [...errors, ...at.map((pointer) => ({ pointer, code, message: detail }))];
}
