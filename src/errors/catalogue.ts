// Every problem code with its HTTP status, title and remedy: the single source for the error handler, OpenAPI and docs/errors.md.

interface CatalogueEntry {
  status: number;
  title: string;
  /** What a caller does about it; shown in docs/errors.md. */
  remedy: string;
}

const entries = {
  invalid_request: { status: 400, title: 'The request is not valid', remedy: 'Mend the fields named in `errors`.' },
  invalid_catalog: {
    status: 400,
    title: 'The file of the catalogue has faults',
    remedy:
      'Mend every place that `errors` names, by line, record and column, and send the file again: nothing of it was imported. `dry_run=true` tries it.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not valid JSON',
    remedy: 'Look at `line` and `column`; build JSON with a serializer.',
  },
  malformed_url: {
    status: 400,
    title: 'The URL is not valid',
    remedy: 'Percent-encode the path and keep parameters short.',
  },
  mixed_currencies: {
    status: 400,
    title: 'The items have different currencies',
    remedy: 'Make one order per currency.',
  },
  address_refused: {
    status: 400,
    title: 'The URL leads where nothing is sent',
    remedy:
      'Use a public address on port 80, 443 or 8000 to 9999; `BURSAR_WEBHOOK_ALLOW_PRIVATE=true` allows every other one.',
  },
  unauthenticated: { status: 401, title: 'No valid token', remedy: 'Send `Authorization: Bearer <token>`.' },
  invalid_signature: {
    status: 401,
    title: 'The sender is not who may send this',
    remedy: 'Sign the bytes of the body with the secret that is configured, and send it within five minutes.',
  },
  insufficient_quota: {
    status: 402,
    title: 'Not enough quota',
    remedy: 'Offer one of `upgrade_offers`, or lower the amount.',
  },
  reservation_exceeded: {
    status: 402,
    title: 'More than the reservation holds',
    remedy: 'Commit at most what is held, or send `allow_excess: true`.',
  },
  forbidden: {
    status: 403,
    title: 'The token does not allow this',
    remedy: 'Use a token that has the scope, and is not bound to somebody else.',
  },
  path_not_allowed: {
    status: 403,
    title: 'The path is not allowed',
    remedy: 'Ask for the files of /docs by the paths that its page links.',
  },
  route_not_found: { status: 404, title: 'No such route', remedy: 'Check the path against the API reference.' },
  customer_not_found: { status: 404, title: 'No such customer', remedy: 'Identify the customer first.' },
  product_not_found: { status: 404, title: 'No such product', remedy: 'Check the product key.' },
  feature_not_found: { status: 404, title: 'No such feature', remedy: 'Check the feature; a product must provide it.' },
  offer_not_found: { status: 404, title: 'No such offer', remedy: 'Check the SKU.' },
  identity_not_found: {
    status: 404,
    title: 'No such identity',
    remedy: 'Check provider and external id of the customer.',
  },
  operation_not_found: {
    status: 404,
    title: 'No such operation',
    remedy: 'Send the `operation_id` of a use of this customer.',
  },
  reservation_not_found: { status: 404, title: 'No such reservation', remedy: 'Check the reservation id.' },
  dispute_not_found: {
    status: 404,
    title: 'No such dispute',
    remedy: 'Tell the dispute first (`POST /orders/{id}/dispute`).',
  },
  batch_not_found: { status: 404, title: 'No such batch', remedy: 'List them with `GET /wallet/batches`.' },
  order_not_found: { status: 404, title: 'No such order', remedy: 'Check the order id.' },
  subscription_not_found: {
    status: 404,
    title: 'No such subscription',
    remedy: 'List them with `GET /subscriptions`.',
  },
  limit_not_found: { status: 404, title: 'No such limit', remedy: 'List them with `GET /limits`.' },
  endpoint_not_found: {
    status: 404,
    title: 'No such endpoint',
    remedy: 'Check the id; `GET /webhook-endpoints` lists all.',
  },
  delivery_not_found: {
    status: 404,
    title: 'No such delivery',
    remedy: 'Check the id; `GET /webhook-endpoints/{id}/deliveries` lists all that are kept.',
  },
  payment_provider_not_found: {
    status: 404,
    title: 'No such payment provider',
    remedy: 'Configure it, or check its name in the path.',
  },
  payment_event_not_found: {
    status: 404,
    title: 'No such event of a payment provider',
    remedy: 'Check the id; `GET /payments/inbox` lists all.',
  },
  payment_source_not_found: {
    status: 404,
    title: 'No such source of payments',
    remedy: 'Check the name; `GET /payment-sources` lists all.',
  },
  payment_event_closed: {
    status: 409,
    title: 'The event is done with',
    remedy: 'Nothing: what was applied or dismissed stays so.',
  },
  referral_program_not_found: {
    status: 404,
    title: 'No such referral programme',
    remedy: 'Check the key; `GET /referral-programs` lists all.',
  },
  too_many_referral_programs: {
    status: 409,
    title: 'There are as many referral programmes as there may be',
    remedy: 'Remove one that nobody uses.',
  },
  reward_not_found: {
    status: 404,
    title: 'No such reward',
    remedy: 'Check the id; `GET /referrals/rewards` lists all.',
  },
  reward_not_held: {
    status: 409,
    title: 'The reward does not wait for an operator',
    remedy: 'Look at its status: it was decided, granted or cancelled, or waits for its time or a dispute.',
  },
  too_many_payment_sources: {
    status: 409,
    title: 'There are as many sources of payments as there may be',
    remedy: 'Remove one that nobody uses.',
  },
  checkout_unavailable: {
    status: 409,
    title: 'The order can’t be paid by a page of the provider',
    remedy: 'Look at `detail`; have it paid otherwise, and confirm it.',
  },
  checkout_differs: {
    status: 409,
    title: 'The order has such a page with other addresses',
    remedy: 'Use the page that there is, or send the same addresses again.',
  },
  provider_refused: {
    status: 502,
    title: 'The payment provider refused',
    remedy: 'Look at `detail`, which is the provider’s, and mend the order or the configuration.',
  },
  endpoint_without_url: {
    status: 409,
    title: 'The endpoint has no URL',
    remedy: 'Give it one: without a URL it follows the feed, and nothing is sent.',
  },
  delivery_waiting: {
    status: 409,
    title: 'The delivery is tried by itself',
    remedy: 'Wait for `next_at`: what is retried by hand is what was delivered or given up.',
  },
  delivery_under_way: {
    status: 409,
    title: 'The delivery is being tried',
    remedy: 'Look at it when the attempt has ended, 10 seconds later at most.',
  },
  api_key_not_found: { status: 404, title: 'No such API key', remedy: 'Check the id of the key.' },
  method_not_allowed: {
    status: 405,
    title: 'The path takes other methods',
    remedy: 'Use one of the methods that the header `Allow` lists.',
  },
  not_metered: { status: 409, title: 'It is not metered', remedy: 'Give it back by `operation_id`.' },
  product_metered: {
    status: 409,
    title: 'A metered product is neither sold nor granted',
    remedy: 'It is used as it is; set limits for it.',
  },
  feature_metered: {
    status: 409,
    title: 'A feature of a metered product has no other provider',
    remedy: 'Name the feature otherwise, or remove it from the other product.',
  },
  limit_source_refused: {
    status: 409,
    title: 'The limits of this customer can’t be shared',
    remedy: 'Name a customer that shares no limits itself; a source has no source.',
  },
  too_many_followers: {
    status: 409,
    title: 'Too many customers share these limits',
    remedy: 'Set a limit of all customers, or of a plan.',
  },
  too_many_limits: { status: 409, title: 'There are too many limits', remedy: 'Remove limits that nobody needs.' },
  too_many_endpoints: {
    status: 409,
    title: 'There are as many endpoints as there may be',
    remedy: 'Delete one that nobody needs any more.',
  },
  clock_backwards: {
    status: 409,
    title: 'The clock is never set back',
    remedy: 'Send an instant that is not before what `GET /sandbox/clock` shows.',
  },
  cursor_expired: {
    status: 410,
    title: 'What the cursor names was dropped',
    remedy: 'Go on from `oldest_cursor`, and read what you follow anew: events are kept for a while only.',
  },
  selector_conflict: {
    status: 409,
    title: 'The selectors name different customers',
    remedy: 'Send one selector, or two that agree.',
  },
  name_taken: {
    status: 409,
    title: 'The name is taken',
    remedy: 'Product keys and SKUs share one namespace: choose another name.',
  },
  name_reserved: {
    status: 409,
    title: 'The name is reserved',
    remedy: 'It is the name of a route: choose another SKU.',
  },
  product_in_use: {
    status: 409,
    title: 'The product is in use',
    remedy: 'Make a new product, or send `force: true` where the detail says so.',
  },
  product_inactive: { status: 409, title: 'The product is not active', remedy: 'Activate it, or use another one.' },
  offer_inactive: { status: 409, title: 'The offer is not active', remedy: 'Choose an offer of the catalogue.' },
  offer_exchange_only: { status: 409, title: 'The offer is not sold for money', remedy: 'Use POST /exchange.' },
  offer_not_exchangeable: {
    status: 409,
    title: 'The offer can’t be exchanged',
    remedy: 'Exchange is for offers with items that cost at least 1 unit of a currency product.',
  },
  offer_not_plan: {
    status: 409,
    title: 'The offer is no plan',
    remedy: 'Give the offer a `recurrence`, or order it.',
  },
  subscription_exists: {
    status: 409,
    title: 'There is a subscription of this group',
    remedy: 'Change the subscription that `subscription_id` names, or cancel it.',
  },
  subscription_incomplete: {
    status: 409,
    title: 'Nothing of the subscription is paid yet',
    remedy: 'Pay its order, or cancel it and subscribe again.',
  },
  subscription_ended: {
    status: 409,
    title: 'The subscription has ended',
    remedy: 'Subscribe again.',
  },
  subscription_unchanged: {
    status: 409,
    title: 'The subscription is of this plan already',
    remedy: 'Name another plan of its group.',
  },
  change_paid: {
    status: 409,
    title: 'The change is paid',
    remedy:
      'Refund the order that `order_id` names, which pays the next period as the other plan; then change otherwise.',
  },
  plan_is_free: {
    status: 409,
    title: 'The plan costs nothing',
    remedy: 'Subscribe to it: `POST /subscriptions`.',
  },
  subscription_not_renewable: {
    status: 409,
    title: 'There is nothing to pay',
    remedy: 'Only a plan with a price is renewed by a payment, and only while it is not to be cancelled.',
  },
  other_plan_group: {
    status: 409,
    title: 'The plan is of another group',
    remedy: 'Change to a plan of the group of the subscription, or subscribe to it beside.',
  },
  offer_not_trial: {
    status: 409,
    title: 'The offer is no trial',
    remedy:
      'Mark the offer with `is_trial`, give it a `trial_policy`, or say `trial_eligible: true`; where that is false an operator may override with a reason.',
  },
  trial_already_used: {
    status: 409,
    title: 'The trial was used already',
    remedy: 'Sell an offer; an operator may override with a reason.',
  },
  identity_taken: {
    status: 409,
    title: 'The identity belongs to another customer',
    remedy: 'Unlink it there first, or merge the two customers.',
  },
  merge_with_itself: { status: 400, title: 'A customer can’t be merged into itself', remedy: 'Name two customers.' },
  customer_merged: {
    status: 409,
    title: 'The customer was merged into another one',
    remedy: 'Use `final_customer_id`.',
  },
  customer_erased: {
    status: 409,
    title: 'The customer was erased',
    remedy: 'Nothing is written of whoever was erased. The same person is a new customer, by any identity.',
  },
  too_many_merged: {
    status: 409,
    title: 'Too many customers would lead to this one',
    remedy: 'At most 100 can be merged into one.',
  },
  self_referral: { status: 409, title: 'Nobody refers himself', remedy: 'Name two customers.' },
  already_referred: {
    status: 409,
    title: 'The referee has another referrer',
    remedy: 'A referee has one referrer; the first one stays.',
  },
  referral_cycle: {
    status: 409,
    title: 'The referral would close a cycle',
    remedy: 'The referee brought the referrer, directly or over others.',
  },
  already_unlimited: {
    status: 409,
    title: 'The customer has this access for ever',
    remedy: 'Nothing needs to be bought.',
  },
  quantity_too_large: {
    status: 409,
    title: 'The quantity is too large',
    remedy: 'A total stays within 2^53-1; lower the amount.',
  },
  too_many_batches: {
    status: 409,
    title: 'It comes to too many batches',
    remedy: 'Ask for less at once, or send less metadata where `errors` points at it.',
  },
  too_many_open_orders: {
    status: 409,
    title: 'Too many orders wait for a payment',
    remedy: 'Pay one that is open, or wait until one expires; `BURSAR_OPEN_ORDERS_MAX` says how many there may be.',
  },
  order_already_paid: {
    status: 409,
    title: 'The order is paid by another payment',
    remedy: 'Refund the second payment at the provider.',
  },
  order_not_paid: {
    status: 409,
    title: 'The order was not paid',
    remedy: 'Only what was paid is refunded or disputed; see `order_status`.',
  },
  refund_exceeds_paid: {
    status: 409,
    title: 'More than was paid, and is not refunded yet',
    remedy: 'Read what is left: `total_amount` less `refunded_amount`, and the lines of `refunds`.',
  },
  refund_id_required: {
    status: 409,
    title: 'The provider tells this refund too, under an id that is missing here',
    remedy: 'Send its `refund_id`, or `pending_provider: true` where it has none yet.',
  },
  refund_pending: {
    status: 409,
    title: 'Another refund of this order waits for its id',
    remedy:
      'Send the amount that waits if it is the same money; tell the one that waits as `failed`, by its own id, if it never came.',
  },
  refund_mismatch: {
    status: 409,
    title: 'The refund was told otherwise before',
    remedy: 'A refund id belongs to one order, and to one amount or the same lines: check both.',
  },
  dispute_mismatch: {
    status: 409,
    title: 'The dispute was told otherwise before',
    remedy: 'A dispute id belongs to one order and one amount: check both.',
  },
  dispute_closed: {
    status: 409,
    title: 'The dispute has ended otherwise',
    remedy: 'Look at `disputes` of the order: what was won or lost stays so.',
  },
  offer_limit_reached: {
    status: 409,
    title: 'The customer has as many of this offer as he may',
    remedy: 'See `used` and `limit`; another offer, or a refund of one that he has, makes it possible.',
  },
  too_many_reports: {
    status: 409,
    title: 'The order has as many refunds and disputes as it may have',
    remedy: 'Refund what is left at once.',
  },
  order_not_cancellable: {
    status: 409,
    title: 'The order can’t be cancelled',
    remedy: 'Only an order that waits for a payment is cancelled; see `order_status`.',
  },
  order_not_payable: {
    status: 409,
    title: 'The order can no longer be paid',
    remedy: 'Make a new order; refund the payment at the provider.',
  },
  payment_already_used: {
    status: 409,
    title: 'The payment paid another order',
    remedy: 'Send the id of the payment made for this order.',
  },
  payment_mismatch: {
    status: 409,
    title: 'The payment does not match the order',
    remedy: 'Compare amount and currency with the order.',
  },
  product_not_currency: {
    status: 409,
    title: 'The product is no currency',
    remedy: 'Credits are units of a product with `is_currency: true`.',
  },
  reservation_closed: {
    status: 409,
    title: 'The reservation has ended otherwise',
    remedy: 'One ending wins: read the reservation to see which.',
  },
  reservation_expired: {
    status: 409,
    title: 'The reservation has expired',
    remedy: 'Reserve again; extend in time what takes longer.',
  },
  reservation_too_long: {
    status: 409,
    title: 'The reservation would end too late',
    remedy: 'A reservation ends at most 7 days after it was made: commit, release, or reserve anew.',
  },
  not_reversible: {
    status: 409,
    title: 'This is not undone by a give-back',
    remedy: 'Only uses are given back, not exchanges, purchases, grants or repaid debt.',
  },
  release_exceeds_usage: {
    status: 409,
    title: 'More than was taken',
    remedy: 'Give back at most what is left of the use: `available`.',
  },
  api_key_ended: {
    status: 409,
    title: 'The API key has ended',
    remedy: 'Make a new key: one that was revoked or has expired is not rotated.',
  },
  too_large: {
    status: 409,
    title: 'Too much to check in one request',
    remedy: 'Name one customer, or run `npm run verify`.',
  },
  precondition_failed: {
    status: 412,
    title: 'The file has changed',
    remedy: 'Ask without `If-Match` and `If-Unmodified-Since`.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send at most 1 MiB; a file of the catalogue has at most 32 MiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type is not supported',
    remedy: 'Send `Content-Type: application/json`; a file of the catalogue may be `text/csv`.',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'The file has no such range',
    remedy: 'Ask for the whole file, without `Range`.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key belongs to another request',
    remedy: 'Use a new key for a new request.',
  },
  limit_exceeded: {
    status: 429,
    title: 'A usage limit stands against it',
    remedy:
      'Look at `violations`; try again after `Retry-After` seconds, where it is sent, with the same idempotency key, or ask for less.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    remedy:
      'Try again after `Retry-After` seconds, with the same idempotency key. Nothing was done, and no limit of the customer was reached.',
  },
  internal_error: { status: 500, title: 'Something went wrong here', remedy: 'Report the request id in `instance`.' },
  clock_skewed: {
    status: 503,
    title: 'The clock is wrong',
    remedy:
      'Try again after `Retry-After` seconds, with the same idempotency key; who runs Bursar sets the clock right.',
  },
  overloaded: {
    status: 503,
    title: 'Too many requests are waiting',
    remedy: 'Try again after `Retry-After` seconds, with the same idempotency key.',
  },
  unavailable: {
    status: 503,
    title: 'Not available at the moment',
    remedy: 'Try again after `Retry-After` seconds, with the same idempotency key.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof entries;

export const catalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = entries;
