// Generated from openapi/openapi.json by `npm run client`.
import type { Call, CallShape } from '../call.js';

/** Every call of Bursar. Each throws BursarProblem, BursarUnreachable, or the reason of an aborted signal. */
export interface Calls {
  /** Is the process alive? `GET /health/live` */
  getLiveness: Call<'getLiveness'>;
  /** Can requests be served? `GET /health/ready`: Asks the database, for at most 2000 ms, whether it takes writes, and compares the clocks. Says beside it, within 500 ms, what is late: that is no reason to send requests elsewhere. */
  getReadiness: Call<'getReadiness'>;
  /** Which build is it? `GET /version` */
  getVersion: Call<'getVersion'>;
  /** Find or create the customer behind an identity. `POST /api/v1/billing/identify`: Call it whenever somebody appears. A profile is merged into what is known; leaving it out changes nothing. */
  identify: Call<'identify'>;
  /** List customers, newest first, or find one by an identity. `GET /api/v1/billing/customers`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listCustomers: Call<'listCustomers'>;
  /** Get a customer with its identities. `GET /api/v1/billing/customers/{id}` */
  getCustomer: Call<'getCustomer'>;
  /** Replace a customer’s metadata. `PATCH /api/v1/billing/customers/{id}` */
  updateCustomer: Call<'updateCustomer'>;
  /** Erase a customer. `DELETE /api/v1/billing/customers/{id}`: With all that were merged into it. What is open is cancelled, what is left is revoked, identities go, and what is personal is blanked; numbers and the hashes of used trials stay. It can’t be undone. Again it is answered as it was. */
  eraseCustomer: Call<'eraseCustomer'>;
  /** Give a customer another identity. `POST /api/v1/billing/customers/{id}/identities` */
  linkIdentity: Call<'linkIdentity'>;
  /** Take an identity from a customer. `DELETE /api/v1/billing/customers/{id}/identities/{provider}/{external_id}`: What the customer owns stays; the person behind the identity is unknown afterwards. */
  unlinkIdentity: Call<'unlinkIdentity'>;
  /** Merge one customer into another. `POST /api/v1/billing/customers/merge`: The source’s id and identities lead to the target from then on, for ever. The same pair again is answered as it was. With `dry_run` it is told what would move, and what would be dropped and why. */
  mergeCustomers: Call<'mergeCustomers'>;
  /** All that is held about a customer. `GET /api/v1/billing/customers/{id}/export`: With all that were merged into it: profiles, orders, payments, the ledger, answers, events, the audit trail, and what was moved in, each record as it is held. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  exportCustomer: Call<'exportCustomer'>;
  /** List what is for sale, by SKU. `GET /api/v1/billing/catalog`: Customers’ own tokens are taken too, with `catalog.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listOffers: Call<'listOffers'>;
  /** Get an offer that is for sale. `GET /api/v1/billing/catalog/{sku}`: One that is not active is 404 here; `GET /offers/{sku}` has it. Customers’ own tokens are taken too, with `catalog.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getOffer: Call<'getOffer'>;
  /** Get the catalogue as a file. `GET /api/v1/billing/catalog/export`: JSON is one document. CSV is two tables, in two calls: `of=products`, and `of=offers` with a row for each item. Inactive ones are in it. An import of these bytes into an empty database exports them again; cells are as the catalogue says, also where a spreadsheet would take one for a formula. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  exportCatalog: Call<'exportCatalog'>;
  /** List the products, by key. `GET /api/v1/billing/products`: Customers’ own tokens are taken too, with `catalog.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listProducts: Call<'listProducts'>;
  /** Get a product, active or not. `GET /api/v1/billing/products/{key}`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getProduct: Call<'getProduct'>;
  /** Create or replace a product. `PUT /api/v1/billing/products/{key}`: Fields left out take their defaults. The type is fixed once the product exists. */
  putProduct: Call<'putProduct'>;
  /** Retire a product. `DELETE /api/v1/billing/products/{key}`: It is not sold or granted any more. What customers have of it stays and can be used; a PUT brings it back. One that is retired is answered as it is. */
  retireProduct: Call<'retireProduct'>;
  /** Get an offer, active or not. `GET /api/v1/billing/offers/{sku}`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getAnyOffer: Call<'getAnyOffer'>;
  /** Create or replace an offer. `PUT /api/v1/billing/offers/{sku}`: Fields left out take their defaults: begin with what `GET /offers/{sku}` answers. What was sold keeps the terms of its moment. `warnings` say why it could not be sold. */
  putOffer: Call<'putOffer'>;
  /** Retire an offer. `DELETE /api/v1/billing/offers/{sku}`: It is not sold or granted any more. What was sold, and orders that wait for a payment, keep their terms; a PUT brings it back. One that is retired is answered as it is. */
  retireOffer: Call<'retireOffer'>;
  /** List orders, newest first. `GET /api/v1/billing/orders`: Customers’ own tokens are taken too, with `orders.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listOrders: Call<'listOrders'>;
  /** Place an order. `POST /api/v1/billing/orders`: Prices and terms are those of the offers at this moment; another price of a line needs the scope `prices`, and says why. Put the order’s id into the payment provider’s invoice. Customers’ own tokens are taken too, with `orders.create`. */
  placeOrder: Call<'placeOrder'>;
  /** Get an order. `GET /api/v1/billing/orders/{id}`: Customers’ own tokens are taken too, with `orders.read`. */
  getOrder: Call<'getOrder'>;
  /** Confirm the payment of an order. `POST /api/v1/billing/orders/{id}/confirm`: Grants what the order bought, once: the same payment gets the first answer again, with or without a key. A payment that can’t be matched is kept. */
  confirmOrder: Call<'confirmOrder'>;
  /** Cancel an order that nobody has paid. `POST /api/v1/billing/orders/{id}/cancel`: A payment that comes later is kept as unmatched. An order that is cancelled is answered as it is. */
  cancelOrder: Call<'cancelOrder'>;
  /** List what was told of payments, newest first. `GET /api/v1/billing/payments`: `unmatched` are those that somebody has to look at: money that came and bought nothing. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listPayments: Call<'listPayments'>;
  /** Refund a paid order, or a part of it. `POST /api/v1/billing/orders/{id}/refund`: Wholly, by lines, or by an amount. What it bought is taken back by the share of each line that was refunded so far; access ends once its line is wholly refunded. Told again under its `refund_id`, with or without a key, it is answered as the first time. */
  refundOrder: Call<'refundOrder'>;
  /** Tell of a dispute of a paid order. `POST /api/v1/billing/orders/{id}/dispute`: Opened, it takes back what it contests as a refund would; won, all that comes back; lost, nothing changes any more. It never changes the status of the order. */
  disputeOrder: Call<'disputeOrder'>;
  /** Have Stripe make a page on which an order is paid. `POST /api/v1/billing/orders/{id}/checkout`: A Checkout Session with the lines of the order, once for each order and day: the same call again answers the same page. What is paid there comes in as a webhook. Needs `BURSAR_STRIPE_SECRET_KEY`. */
  checkoutOrder: Call<'checkoutOrder'>;
  /** List what payment providers told, newest first. `GET /api/v1/billing/payments/inbox`: `status=quarantined` are those that somebody has to look at. */
  listPaymentEvents: Call<'listPaymentEvents'>;
  /** Get an event of a payment provider, with what came in. `GET /api/v1/billing/payments/inbox/{id}` */
  getPaymentEvent: Call<'getPaymentEvent'>;
  /** Try an event again. `POST /api/v1/billing/payments/inbox/{id}/replay`: What is applied is answered as it is; nothing happens twice. */
  replayPaymentEvent: Call<'replayPaymentEvent'>;
  /** Decide that an event is to have no effect. `POST /api/v1/billing/payments/inbox/{id}/dismiss`: For good, and with a reason. One that is dismissed is answered as it is. */
  dismissPaymentEvent: Call<'dismissPaymentEvent'>;
  /** List sources of payments. `GET /api/v1/billing/payment-sources` */
  listPaymentSources: Call<'listPaymentSources'>;
  /** Get a source of payments. `GET /api/v1/billing/payment-sources/{name}` */
  getPaymentSource: Call<'getPaymentSource'>;
  /** Take payments of a provider that has no file of its own. `PUT /api/v1/billing/payment-sources/{name}`: It sends to `POST /payments/generic/{name}`, signed by Standard Webhooks or HMAC-SHA-256. `POST /payment-sources/{name}/try` shows what a body would become. */
  putPaymentSource: Call<'putPaymentSource'>;
  /** Take payments of a source no longer. `DELETE /api/v1/billing/payment-sources/{name}`: What came from it stays. */
  deletePaymentSource: Call<'deletePaymentSource'>;
  /** See what a body of a source would become. `POST /api/v1/billing/payment-sources/{name}/try`: Nothing is stored or applied. */
  tryPaymentSource: Call<'tryPaymentSource'>;
  /** List what a customer was given without payment, newest first. `GET /api/v1/billing/grants`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listGrants: Call<'listGrants'>;
  /** Give an offer or a quantity without payment. `POST /api/v1/billing/grants`: A trial (once per identity), a bonus, an adjustment (in either direction, with a reason), or a migration (once per source id). */
  grant: Call<'grant'>;
  /** Add credits. `POST /api/v1/billing/credits/add`: As one batch of a currency product. What the customer owes of it is repaid at once. */
  addCredits: Call<'addCredits'>;
  /** Take credits. `POST /api/v1/billing/credits/deduct`: All or nothing. With `allow_negative`, for work that is done already, what is lacking is owed and the next credits repay it. */
  deduct: Call<'deductCredits'>;
  /** Get a balance of credits. `GET /api/v1/billing/credits/balance` */
  getCreditsBalance: Call<'getCreditsBalance'>;
  /** List credits that are about to end, soonest first. `GET /api/v1/billing/credits/expiring`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listExpiringCredits: Call<'listExpiringCredits'>;
  /** Ask whether a customer can use a product or feature. `GET /api/v1/billing/balance`: Somebody never seen is answered too: `can_use` is false. Customers’ own tokens are taken too, with `balance.read`. With `as_of` the answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getBalance: Call<'getBalance'>;
  /** Get everything that a customer holds. `GET /api/v1/billing/wallet`: Customers’ own tokens are taken too, with `wallet.read`. With `as_of` the answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getWallet: Call<'getWallet'>;
  /** List a customer’s batches, newest first. `GET /api/v1/billing/wallet/batches`: Customers’ own tokens are taken too, with `wallet.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listBatches: Call<'listBatches'>;
  /** List a customer’s ledger, newest first. `GET /api/v1/billing/wallet/entries`: Customers’ own tokens are taken too, with `entries.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listEntries: Call<'listEntries'>;
  /** Ask whether a use would be allowed. `POST /api/v1/billing/quota/check`: A dry run of consume by the same code: what it would take, or every reason against it. Writes nothing. Customers’ own tokens are taken too, with `quota.check`. */
  check: Call<'checkQuota'>;
  /** Ask of several uses whether each would be allowed. `POST /api/v1/billing/quota/check/batch`: Each by itself, as if the others were not asked: two that are allowed need not both fit. All are said at one instant. Writes nothing. Customers’ own tokens are taken too, with `quota.check`. */
  checkQuotaBatch: Call<'checkQuotaBatch'>;
  /** Take units, all or nothing. `POST /api/v1/billing/quota/consume`: From the batches that are used first. Send an idempotency key: a repeated call then takes nothing and gets the first answer again. */
  consume: Call<'consumeQuota'>;
  /** Take units many times in one call. `POST /api/v1/billing/quota/consume/batch`: Each item is a consume with a key and a verdict of its own; the key of the call covers all of it. Always answers 200: look at `committed` and at each `allowed`. */
  consumeBatch: Call<'consumeQuotaBatch'>;
  /** Give back what a use took. `POST /api/v1/billing/quota/release`: All that is left of it, or an amount, in reverse order of use. Units of a batch that has ended meanwhile expire at once. What is metered may be given back by its name, as seats are. */
  giveBack: Call<'giveBackQuota'>;
  /** See what an operation did. `GET /api/v1/billing/operations/{id}`: Who asked for it and when, what was answered, what it did in the ledger and what it told: a receipt. */
  getOperation: Call<'getOperation'>;
  /** Get a batch, and what was done to it. `GET /api/v1/billing/wallet/batches/{id}`: Customers’ own tokens are taken too, with `entries.read`. */
  getBatch: Call<'getBatch'>;
  /** See what became of a product. `GET /api/v1/billing/products/{key}/report`: Sums over all customers, as of now. It reads all that was ever granted of the product. */
  getProductReport: Call<'getProductReport'>;
  /** Get where a customer stands with his limits. `GET /api/v1/billing/quota/status`: Each product and feature that he has a limit for, used, or holds; one of them where it is named. In the windows of limits stands what decides the next use. Without a limit, use is added up from all of his entries, which takes longer the more he has. Customers’ own tokens are taken too, with `balance.read`. */
  getQuotaStatus: Call<'getQuotaStatus'>;
  /** Get what was used over time. `GET /api/v1/billing/quota/usage`: By windows of the calendar, fit for a plot: those without use are 0. Without a customer it is that of all customers, which needs the scope `admin`, and takes longer the more was recorded since `from`. Customers’ own tokens are taken too, with `entries.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getQuotaUsage: Call<'getQuotaUsage'>;
  /** List uses, newest first. `GET /api/v1/billing/quota/events`: The entries that take, hold, commit, owe or give back, with how much each counts and the limits that were looked at. Without a customer those of all customers, of 31 days at most, which needs the scope `admin`. Customers’ own tokens are taken too, with `entries.read`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listQuotaEvents: Call<'listQuotaEvents'>;
  /** List a customer’s reservations, newest first. `GET /api/v1/billing/reservations`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listReservations: Call<'listReservations'>;
  /** Hold units for work in progress. `POST /api/v1/billing/reservations`: All or nothing. Commit what was used, release the rest; what is left alone ends by itself and gives its units back. */
  reserve: Call<'createReservation'>;
  /** Get a reservation. `GET /api/v1/billing/reservations/{id}` */
  getReservation: Call<'getReservation'>;
  /** Use what is held. `POST /api/v1/billing/reservations/{id}/commit`: All of it or `amount`; the rest is given back. A commit of 0 is a release. The same commit again gets the first answer, with or without a key. */
  commit: Call<'commitReservation'>;
  /** Give back what is held. `POST /api/v1/billing/reservations/{id}/release`: The same release again gets the first answer, with or without a key. */
  release: Call<'releaseReservation'>;
  /** Let a reservation end later. `POST /api/v1/billing/reservations/{id}/extend`: So many seconds from now, at most 7 days after it was made; it never ends sooner than before. */
  extend: Call<'extendReservation'>;
  /** List limits. `GET /api/v1/billing/limits`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listLimits: Call<'listLimits'>;
  /** Set a limit. `PUT /api/v1/billing/limits`: Of a customer, a plan, or, without either, of all customers; on a product or a feature; in place of the limit there is. What was used in a window stays used, and the new limit holds at once. By the calendar of UTC: around the end of a window twice the limit may be used. */
  putLimit: Call<'putLimit'>;
  /** Change members of a limit. `PATCH /api/v1/billing/limits` */
  patchLimit: Call<'patchLimit'>;
  /** Remove a limit. `DELETE /api/v1/billing/limits`: What is farther away holds then. Without a customer and `plan_sku` it is the limit of all customers. */
  deleteLimit: Call<'deleteLimit'>;
  /** Get a limit. `GET /api/v1/billing/limits/{id}` */
  getLimit: Call<'getLimit'>;
  /** Get whose limits a customer shares. `GET /api/v1/billing/limits/source` */
  getLimitSource: Call<'getLimitSource'>;
  /** Share the limits of another customer. `PUT /api/v1/billing/limits/source`: His own limits, copied: below the customer’s own and above those of a plan. What is used is each one’s own. A source shares no limits itself. */
  putLimitSource: Call<'putLimitSource'>;
  /** Share no limits any longer. `DELETE /api/v1/billing/limits/source` */
  deleteLimitSource: Call<'deleteLimitSource'>;
  /** Spend units of a currency product on an offer. `POST /api/v1/billing/exchange`: Takes the price and grants the offer in one operation, or does neither. */
  exchange: Call<'exchange'>;
  /** List referral programmes. `GET /api/v1/billing/referral-programs` */
  listReferralPrograms: Call<'listReferralPrograms'>;
  /** Get a referral programme. `GET /api/v1/billing/referral-programs/{key}` */
  getReferralProgram: Call<'getReferralProgram'>;
  /** Promise something to who brings somebody, and to who is brought. `PUT /api/v1/billing/referral-programs/{key}`: Of several programmes with one trigger the first by key counts. What was earned before keeps the terms that it was earned on. */
  putReferralProgram: Call<'putReferralProgram'>;
  /** Promise nothing more. `DELETE /api/v1/billing/referral-programs/{key}`: What was earned before is granted in its time. */
  deleteReferralProgram: Call<'deleteReferralProgram'>;
  /** List whom a customer brought, or who brought him, newest first. `GET /api/v1/billing/referrals`: The selector names the referrer, `referee_id` or `referee_external_id` the referee: one row at most, who brought him. Both together must fit. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listReferrals: Call<'listReferrals'>;
  /** Say who brought whom. `POST /api/v1/billing/referrals`: Both must be known. A referee has one referrer; the same pair again changes nothing. */
  attachReferral: Call<'attachReferral'>;
  /** Count whom a customer brought. `GET /api/v1/billing/referrals/stats`: The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  getReferralStats: Call<'getReferralStats'>;
  /** List subscriptions, newest first. `GET /api/v1/billing/subscriptions`: Of a customer who is named as they are now; of everybody as they were when they turned last. */
  listSubscriptions: Call<'listSubscriptions'>;
  /** Subscribe to a plan. `POST /api/v1/billing/subscriptions`: With its trial, or free of charge, it begins at once. Else it is `incomplete`, and begins when its `order` is paid. A customer has one subscription of a group that has not ended; who has this plan already is answered as he is. */
  subscribe: Call<'subscribe'>;
  /** Get a subscription, with its periods and what became of it. `GET /api/v1/billing/subscriptions/{id}` */
  getSubscription: Call<'getSubscription'>;
  /** Change to another plan of the group. `POST /api/v1/billing/subscriptions/{id}/change`: What costs nothing takes effect at once, or at the end of the period; what has a price as soon as its `order` is paid, or with the renewal. The present plan takes a scheduled change back. */
  changeSubscription: Call<'changeSubscription'>;
  /** Take a scheduled cancellation back. `POST /api/v1/billing/subscriptions/{id}/resume` */
  resumeSubscription: Call<'resumeSubscription'>;
  /** Order the next period. `POST /api/v1/billing/subscriptions/{id}/renew`: Answers the order that pays it; one that waits for its payment is answered again. */
  renewSubscription: Call<'renewSubscription'>;
  /** Cancel a subscription, now or with its period. `POST /api/v1/billing/subscriptions/{id}/cancel`: What it allocated lasts as long as it was to last; to take it back, refund its order. One that is cancelled is answered as it is. */
  cancelSubscription: Call<'cancelSubscription'>;
  /** List what referrals earned, newest first. `GET /api/v1/billing/referrals/rewards`: A selector names who gets them. `status=held` are those that wait for an operator, or for a dispute. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listRewards: Call<'listRewards'>;
  /** Let a reward be granted that is held. `POST /api/v1/billing/referrals/rewards/{id}/release`: In its time, or at once where that has come. */
  releaseReward: Call<'releaseReward'>;
  /** Refuse a reward that is held, for good. `POST /api/v1/billing/referrals/rewards/{id}/refuse` */
  refuseReward: Call<'refuseReward'>;
  /** Follow what happened, in order. `GET /api/v1/billing/events`: A feed: send `next_cursor` back as `cursor`, again and again. Whoever does misses nothing and is told nothing twice; of each customer the order is that of `sequence`, of different customers it is none. Events are kept for `BURSAR_EVENTS_KEEP_DAYS`; an older cursor is 410. */
  followEvents: Call<'followEvents'>;
  /** List who asks for events. `GET /api/v1/billing/webhook-endpoints` */
  listEndpoints: Call<'listEndpoints'>;
  /** Get an endpoint. `GET /api/v1/billing/webhook-endpoints/{id}` */
  getEndpoint: Call<'getEndpoint'>;
  /** Ask for types of events. `PUT /api/v1/billing/webhook-endpoints/{id}`: With a URL it is sent its events, signed by Standard Webhooks: at least once, in order for each customer, again for three days where they do not arrive. Without one it is for whoever follows the feed: most events are there in any case, `quota.consumed` only of uses that begin while an enabled endpoint asks for it. */
  putEndpoint: Call<'putEndpoint'>;
  /** Ask no longer. `DELETE /api/v1/billing/webhook-endpoints/{id}` */
  deleteEndpoint: Call<'deleteEndpoint'>;
  /** Send a test message. `POST /api/v1/billing/webhook-endpoints/{id}/test`: A single attempt, whose outcome is the answer: it counts nowhere, so an idempotency key is without effect. Its type is `webhook_endpoint.test`. */
  testEndpoint: Call<'testEndpoint'>;
  /** List what was sent to an endpoint. `GET /api/v1/billing/webhook-endpoints/{id}/deliveries`: As long as the events are kept. */
  listDeliveries: Call<'listDeliveries'>;
  /** Send one again, now. `POST /api/v1/billing/webhook-endpoints/{id}/deliveries/{delivery_id}/retry`: A single attempt, whose outcome is the answer: it counts nowhere, so an idempotency key is without effect. Of what was delivered or given up; what waits is tried by itself. Of a delivery there is one attempt at a time. */
  retryDelivery: Call<'retryDelivery'>;
  /** Have events sent again. `POST /api/v1/billing/webhook-endpoints/{id}/replay`: Of a range of time, what the endpoint missed among it; or all that was given up. In the order of each customer, before what waits already and is newer. Repeating the call sends nothing twice that still waits. */
  replayDeliveries: Call<'replayDeliveries'>;
  /** List what management changed. `GET /api/v1/billing/audit`: The catalogue, endpoints, identities and metadata of customers, adjustments, trials granted over a refusal: by which key, when, from what to what. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  listAudit: Call<'listAudit'>;
  /** Issue a token for a customer’s browser. `POST /api/v1/billing/customers/{id}/tokens`: With it the customer is meant by himself: routes that take it need no selector, and answer 403 or 404 where another customer is named. It can’t be revoked by itself; it ends with the API key that issued it, whose expiry it never outlives, and when that is revoked. Nothing is stored of it, and an idempotency key is without effect. */
  issueCustomerToken: Call<'issueCustomerToken'>;
  /** List API keys, newest first. `GET /api/v1/billing/api-keys`: Those that have ended too. Never a key itself. */
  listApiKeys: Call<'listApiKeys'>;
  /** Make an API key. `POST /api/v1/billing/api-keys`: The answer has the key itself, which is told nowhere else; so it is not recorded, and an idempotency key is without effect. */
  createApiKey: Call<'createApiKey'>;
  /** Get an API key, without the key itself. `GET /api/v1/billing/api-keys/{id}` */
  getApiKey: Call<'getApiKey'>;
  /** Revoke an API key. `DELETE /api/v1/billing/api-keys/{id}`: It counts no longer: in the process that answers at once, in others within 5 seconds. */
  revokeApiKey: Call<'revokeApiKey'>;
  /** Replace an API key by a new one. `POST /api/v1/billing/api-keys/{id}/rotate`: The new one has the owner, name, scopes and expiry of the old, which counts for a while beside it. The answer has the key itself, which is told nowhere else; so it is not recorded, and an idempotency key is without effect. */
  rotateApiKey: Call<'rotateApiKey'>;
  /** Recompute the invariants from the data. `GET /api/v1/billing/invariants`: For one customer, or for all, while there are at most 50,000 entries of them; beyond that run `npm run verify`. The answer may be some seconds old where the installation has a replica; `Bursar-Position` says how new it must be. */
  proveInvariants: Call<'proveInvariants'>;
  /** Read the test clock. `GET /api/v1/billing/sandbox/clock`: With `BURSAR_SANDBOX=true` only. */
  getClock: Call<'getClock'>;
  /** Set the test clock forward. `PUT /api/v1/billing/sandbox/clock`: With `BURSAR_SANDBOX=true` only. From then on it stands still, for all processes on the database. On the way it stops wherever something falls due, at most 10,000 times a call. */
  putClock: Call<'putClock'>;
  /** How the background work stands. `GET /api/v1/billing/jobs`: Of all processes on this database. No answer depends on a job for being right, only for how soon the ledger says it. `/health/ready` names the late ones. */
  listJobs: Call<'listJobs'>;
  /** Create and replace products and offers by a file. `POST /api/v1/billing/catalog/import`: Takes what `GET /catalog/export` answers, as JSON or as one of the two tables, at most 32 MiB and 100,000 records. All or nothing: each fault of each record is told with its line, record and column. What is so already is neither written nor audited, so that it may be repeated. What a file doesn’t say stays. */
  importCatalog: Call<'importCatalog'>;
  /** Take a webhook of a payment provider. `POST /api/v1/billing/payments/{provider}`: For the provider, which signs it: no token. The answer says that the event is stored; it is applied once, however often it comes. What does not fit is kept for somebody to look at. */
  receivePayment: Call<'receivePayment'>;
  /** Take a webhook of a source of payments. `POST /api/v1/billing/payments/generic/{name}`: For the source, which signs it: no token. What it means its mapping says. */
  receiveGenericPayment: Call<'receiveGenericPayment'>;
  /** Hold a provider’s list of charges against what is known here. `POST /api/v1/billing/payments/reconcile`: Tells what is missing on either side and what differs, and changes nothing; with `apply=true` what is missing here comes in as if the provider had told it, once however often it is sent. */
  reconcilePayments: Call<'reconcilePayments'>;
}

export const calls: Readonly<Record<keyof Calls, CallShape>> = {
  getLiveness: {"method":"GET","path":"/health/live","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getReadiness: {"method":"GET","path":"/health/ready","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getVersion: {"method":"GET","path":"/version","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  identify: {"method":"POST","path":"/api/v1/billing/identify","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":false},
  listCustomers: {"method":"GET","path":"/api/v1/billing/customers","query":["limit","cursor","provider","external_id"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getCustomer: {"method":"GET","path":"/api/v1/billing/customers/{id}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  updateCustomer: {"method":"PATCH","path":"/api/v1/billing/customers/{id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  eraseCustomer: {"method":"DELETE","path":"/api/v1/billing/customers/{id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  linkIdentity: {"method":"POST","path":"/api/v1/billing/customers/{id}/identities","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  unlinkIdentity: {"method":"DELETE","path":"/api/v1/billing/customers/{id}/identities/{provider}/{external_id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  mergeCustomers: {"method":"POST","path":"/api/v1/billing/customers/merge","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  exportCustomer: {"method":"GET","path":"/api/v1/billing/customers/{id}/export","query":["limit","cursor"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listOffers: {"method":"GET","path":"/api/v1/billing/catalog","query":["limit","cursor","include_inactive","sku"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getOffer: {"method":"GET","path":"/api/v1/billing/catalog/{sku}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  exportCatalog: {"method":"GET","path":"/api/v1/billing/catalog/export","query":["format","of"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listProducts: {"method":"GET","path":"/api/v1/billing/products","query":["limit","cursor","include_inactive"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getProduct: {"method":"GET","path":"/api/v1/billing/products/{key}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putProduct: {"method":"PUT","path":"/api/v1/billing/products/{key}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  retireProduct: {"method":"DELETE","path":"/api/v1/billing/products/{key}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  getAnyOffer: {"method":"GET","path":"/api/v1/billing/offers/{sku}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putOffer: {"method":"PUT","path":"/api/v1/billing/offers/{sku}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  retireOffer: {"method":"DELETE","path":"/api/v1/billing/offers/{sku}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  listOrders: {"method":"GET","path":"/api/v1/billing/orders","query":["customer_id","user_id","external_id","provider","limit","cursor","payment_id","payment_method","status","sku","from","until"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  placeOrder: {"method":"POST","path":"/api/v1/billing/orders","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getOrder: {"method":"GET","path":"/api/v1/billing/orders/{id}","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  confirmOrder: {"method":"POST","path":"/api/v1/billing/orders/{id}/confirm","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  cancelOrder: {"method":"POST","path":"/api/v1/billing/orders/{id}/cancel","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  listPayments: {"method":"GET","path":"/api/v1/billing/payments","query":["customer_id","user_id","external_id","provider","limit","cursor","payment_id","payment_method","status","order_id"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  refundOrder: {"method":"POST","path":"/api/v1/billing/orders/{id}/refund","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  disputeOrder: {"method":"POST","path":"/api/v1/billing/orders/{id}/dispute","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  checkoutOrder: {"method":"POST","path":"/api/v1/billing/orders/{id}/checkout","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  listPaymentEvents: {"method":"GET","path":"/api/v1/billing/payments/inbox","query":["limit","cursor","status","provider","kind","order_id","payment_id","event_id","from","until"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getPaymentEvent: {"method":"GET","path":"/api/v1/billing/payments/inbox/{id}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  replayPaymentEvent: {"method":"POST","path":"/api/v1/billing/payments/inbox/{id}/replay","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  dismissPaymentEvent: {"method":"POST","path":"/api/v1/billing/payments/inbox/{id}/dismiss","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  listPaymentSources: {"method":"GET","path":"/api/v1/billing/payment-sources","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getPaymentSource: {"method":"GET","path":"/api/v1/billing/payment-sources/{name}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putPaymentSource: {"method":"PUT","path":"/api/v1/billing/payment-sources/{name}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  deletePaymentSource: {"method":"DELETE","path":"/api/v1/billing/payment-sources/{name}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  tryPaymentSource: {"method":"POST","path":"/api/v1/billing/payment-sources/{name}/try","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":false},
  listGrants: {"method":"GET","path":"/api/v1/billing/grants","query":["customer_id","user_id","external_id","provider","limit","cursor"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  grant: {"method":"POST","path":"/api/v1/billing/grants","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  addCredits: {"method":"POST","path":"/api/v1/billing/credits/add","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  deduct: {"method":"POST","path":"/api/v1/billing/credits/deduct","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getCreditsBalance: {"method":"GET","path":"/api/v1/billing/credits/balance","query":["customer_id","user_id","external_id","provider","product_key"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listExpiringCredits: {"method":"GET","path":"/api/v1/billing/credits/expiring","query":["customer_id","user_id","external_id","provider","limit","cursor","product_key","within"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getBalance: {"method":"GET","path":"/api/v1/billing/balance","query":["customer_id","user_id","external_id","provider","product_key","feature","as_of"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getWallet: {"method":"GET","path":"/api/v1/billing/wallet","query":["customer_id","user_id","external_id","provider","as_of"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listBatches: {"method":"GET","path":"/api/v1/billing/wallet/batches","query":["customer_id","user_id","external_id","provider","limit","cursor","as_of","product_key","feature","order_id","state","expiring_within"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listEntries: {"method":"GET","path":"/api/v1/billing/wallet/entries","query":["customer_id","user_id","external_id","provider","limit","cursor","product_key","kind","action_type","operation_id","from","to"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  check: {"method":"POST","path":"/api/v1/billing/quota/check","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  checkQuotaBatch: {"method":"POST","path":"/api/v1/billing/quota/check/batch","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  consume: {"method":"POST","path":"/api/v1/billing/quota/consume","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  consumeBatch: {"method":"POST","path":"/api/v1/billing/quota/consume/batch","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":false},
  giveBack: {"method":"POST","path":"/api/v1/billing/quota/release","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getOperation: {"method":"GET","path":"/api/v1/billing/operations/{id}","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getBatch: {"method":"GET","path":"/api/v1/billing/wallet/batches/{id}","query":["customer_id","user_id","external_id","provider","limit","cursor"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getProductReport: {"method":"GET","path":"/api/v1/billing/products/{key}/report","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getQuotaStatus: {"method":"GET","path":"/api/v1/billing/quota/status","query":["customer_id","user_id","external_id","provider","product_key","feature"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getQuotaUsage: {"method":"GET","path":"/api/v1/billing/quota/usage","query":["customer_id","user_id","external_id","provider","product_key","feature","window","from","to"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listQuotaEvents: {"method":"GET","path":"/api/v1/billing/quota/events","query":["customer_id","user_id","external_id","provider","limit","cursor","product_key","feature","kind","action_type","from","to"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listReservations: {"method":"GET","path":"/api/v1/billing/reservations","query":["customer_id","user_id","external_id","provider","limit","cursor","status"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  reserve: {"method":"POST","path":"/api/v1/billing/reservations","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getReservation: {"method":"GET","path":"/api/v1/billing/reservations/{id}","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  commit: {"method":"POST","path":"/api/v1/billing/reservations/{id}/commit","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  release: {"method":"POST","path":"/api/v1/billing/reservations/{id}/release","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  extend: {"method":"POST","path":"/api/v1/billing/reservations/{id}/extend","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  listLimits: {"method":"GET","path":"/api/v1/billing/limits","query":["customer_id","user_id","external_id","provider","limit","cursor","plan_sku","product_key","feature","scope","owner_tag"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putLimit: {"method":"PUT","path":"/api/v1/billing/limits","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  patchLimit: {"method":"PATCH","path":"/api/v1/billing/limits","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  deleteLimit: {"method":"DELETE","path":"/api/v1/billing/limits","query":["customer_id","user_id","external_id","provider","plan_sku","product_key","feature"],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  getLimit: {"method":"GET","path":"/api/v1/billing/limits/{id}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getLimitSource: {"method":"GET","path":"/api/v1/billing/limits/source","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putLimitSource: {"method":"PUT","path":"/api/v1/billing/limits/source","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  deleteLimitSource: {"method":"DELETE","path":"/api/v1/billing/limits/source","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  exchange: {"method":"POST","path":"/api/v1/billing/exchange","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  listReferralPrograms: {"method":"GET","path":"/api/v1/billing/referral-programs","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getReferralProgram: {"method":"GET","path":"/api/v1/billing/referral-programs/{key}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putReferralProgram: {"method":"PUT","path":"/api/v1/billing/referral-programs/{key}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  deleteReferralProgram: {"method":"DELETE","path":"/api/v1/billing/referral-programs/{key}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  listReferrals: {"method":"GET","path":"/api/v1/billing/referrals","query":["limit","cursor","customer_id","user_id","external_id","provider","referee_id","referee_external_id"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  attachReferral: {"method":"POST","path":"/api/v1/billing/referrals","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getReferralStats: {"method":"GET","path":"/api/v1/billing/referrals/stats","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listSubscriptions: {"method":"GET","path":"/api/v1/billing/subscriptions","query":["customer_id","user_id","external_id","provider","limit","cursor","status","sku","plan_group"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  subscribe: {"method":"POST","path":"/api/v1/billing/subscriptions","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  getSubscription: {"method":"GET","path":"/api/v1/billing/subscriptions/{id}","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  changeSubscription: {"method":"POST","path":"/api/v1/billing/subscriptions/{id}/change","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  resumeSubscription: {"method":"POST","path":"/api/v1/billing/subscriptions/{id}/resume","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  renewSubscription: {"method":"POST","path":"/api/v1/billing/subscriptions/{id}/renew","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  cancelSubscription: {"method":"POST","path":"/api/v1/billing/subscriptions/{id}/cancel","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  listRewards: {"method":"GET","path":"/api/v1/billing/referrals/rewards","query":["customer_id","user_id","external_id","provider","limit","cursor","status","side","program_key","referral_id","order_id"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  releaseReward: {"method":"POST","path":"/api/v1/billing/referrals/rewards/{id}/release","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  refuseReward: {"method":"POST","path":"/api/v1/billing/referrals/rewards/{id}/refuse","query":[],"isKeyed":true,"isRepeatable":true,"isRefusable":true},
  followEvents: {"method":"GET","path":"/api/v1/billing/events","query":["customer_id","user_id","external_id","provider","limit","cursor","type","wait_s"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  listEndpoints: {"method":"GET","path":"/api/v1/billing/webhook-endpoints","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getEndpoint: {"method":"GET","path":"/api/v1/billing/webhook-endpoints/{id}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putEndpoint: {"method":"PUT","path":"/api/v1/billing/webhook-endpoints/{id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  deleteEndpoint: {"method":"DELETE","path":"/api/v1/billing/webhook-endpoints/{id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  testEndpoint: {"method":"POST","path":"/api/v1/billing/webhook-endpoints/{id}/test","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  listDeliveries: {"method":"GET","path":"/api/v1/billing/webhook-endpoints/{id}/deliveries","query":["limit","cursor","status"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  retryDelivery: {"method":"POST","path":"/api/v1/billing/webhook-endpoints/{id}/deliveries/{delivery_id}/retry","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  replayDeliveries: {"method":"POST","path":"/api/v1/billing/webhook-endpoints/{id}/replay","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  listAudit: {"method":"GET","path":"/api/v1/billing/audit","query":["customer_id","user_id","external_id","provider","limit","cursor","action","subject","key","from","until"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  issueCustomerToken: {"method":"POST","path":"/api/v1/billing/customers/{id}/tokens","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  listApiKeys: {"method":"GET","path":"/api/v1/billing/api-keys","query":["limit","cursor"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  createApiKey: {"method":"POST","path":"/api/v1/billing/api-keys","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":false},
  getApiKey: {"method":"GET","path":"/api/v1/billing/api-keys/{id}","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  revokeApiKey: {"method":"DELETE","path":"/api/v1/billing/api-keys/{id}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  rotateApiKey: {"method":"POST","path":"/api/v1/billing/api-keys/{id}/rotate","query":[],"isKeyed":true,"isRepeatable":false,"isRefusable":true},
  proveInvariants: {"method":"GET","path":"/api/v1/billing/invariants","query":["customer_id","user_id","external_id","provider"],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  getClock: {"method":"GET","path":"/api/v1/billing/sandbox/clock","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  putClock: {"method":"PUT","path":"/api/v1/billing/sandbox/clock","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  listJobs: {"method":"GET","path":"/api/v1/billing/jobs","query":[],"isKeyed":false,"isRepeatable":true,"isRefusable":false},
  importCatalog: {"method":"POST","path":"/api/v1/billing/catalog/import","query":["dry_run","force"],"isKeyed":true,"isRepeatable":false,"isRefusable":false},
  receivePayment: {"method":"POST","path":"/api/v1/billing/payments/{provider}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  receiveGenericPayment: {"method":"POST","path":"/api/v1/billing/payments/generic/{name}","query":[],"isKeyed":false,"isRepeatable":false,"isRefusable":false},
  reconcilePayments: {"method":"POST","path":"/api/v1/billing/payments/reconcile","query":["payment_method","from","until","apply"],"isKeyed":true,"isRepeatable":false,"isRefusable":false},
};
