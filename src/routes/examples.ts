// The examples of the reference: one story, told by all operations in the order of the page, which the demo catalogue plays without a refusal.
// The first example of an operation is the one that its form is filled with.
import type { Examples } from '../http/examples.js';

const alice = { external_id: 'alice' };
const CREDITS = { ...alice, product_key: 'CREDITS' };
const STARS = { ...alice, product_key: 'TEST_STAR' };

const consume: Examples[string]['requests'] = {
  product: {
    summary: 'Three credits',
    body: { ...CREDITS, amount: 3, action_type: 'predict', action_id: 'prediction-17' },
  },
  feature: {
    summary: 'Two images, at the unit cost of the feature',
    body: { ...alice, feature: 'image_generation', amount: 2 },
  },
  retried: {
    summary: 'With a key: the same call again takes nothing more',
    body: { ...CREDITS, amount: 1, idempotency_key: 'alice-use-1' },
  },
  verdict: {
    summary: 'More than there is, refused as a verdict',
    body: { ...CREDITS, amount: 1_000_000_000, on_refusal: 'verdict' },
  },
};

/** A file of the catalogue. */
const seats = {
  products: [{ product_key: 'SEATS', name: 'Seats', type: 'quantity' }],
  offers: [
    {
      sku: 'SEATS_5',
      name: 'Five seats for a year',
      price: '50.00',
      currency: 'USD',
      items: [{ product_key: 'SEATS', quantity: 5, period_unit: 'years', period_value: 1 }],
    },
  ],
};

/** By operation. An id that only an earlier answer knows is named with the operation that gives it. */
export const examples: Examples = {
  identify: {
    requests: {
      alice: { summary: 'An account of your own', body: { ...alice, profile: { name: 'Alice' } } },
      telegram: {
        summary: 'A user of Telegram, by his number',
        body: { provider: 'telegram', external_id: 4711, profile: { username: 'ada' } },
      },
      bob: { summary: 'Somebody whom Alice brought', body: { external_id: 'bob' } },
    },
  },
  listCustomers: { requests: { alice: { summary: 'By an identity', query: { ...alice } } } },
  getCustomer: { ids: { id: 'identify#/customer_id' }, requests: { alice: { summary: 'Alice' } } },
  updateCustomer: {
    ids: { id: 'identify#/customer_id' },
    requests: { gold: { summary: 'A tier', body: { metadata: { tier: 'gold' } } } },
  },
  linkIdentity: {
    ids: { id: 'identify#/customer_id' },
    requests: {
      email: { summary: 'An e-mail address', body: { provider: 'email', external_id: 'alice@example.org' } },
    },
  },
  unlinkIdentity: {
    ids: { id: 'identify#/customer_id' },
    requests: {
      email: { summary: 'The e-mail address again', path: { provider: 'email', external_id: 'alice@example.org' } },
    },
  },
  mergeCustomers: {
    ids: { target_customer_id: 'identify#/customer_id', source_customer_id: 'attachReferral#/referee_id' },
    requests: {
      tried: {
        summary: 'What would move, with nothing written',
        body: {
          target_customer_id: '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d',
          source_customer_id: '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4e',
          dry_run: true,
        },
      },
    },
  },
  eraseCustomer: { requests: {} },
  exportCustomer: {
    ids: { id: 'identify#/customer_id' },
    requests: { first: { summary: 'The first hundred records about Alice', query: { limit: 100 } } },
  },
  listOffers: { requests: { two: { summary: 'Two offers', query: { sku: ['CREDITS_100', 'VIP_MONTH'] } } } },
  getOffer: { requests: { credits: { summary: 'A pack of credits', path: { sku: 'CREDITS_100' } } } },
  getAnyOffer: { requests: { credits: { summary: 'A pack of credits', path: { sku: 'CREDITS_100' } } } },
  exportCatalog: { requests: { document: { summary: 'All of it, as one document', query: { format: 'json' } } } },
  importCatalog: {
    requests: {
      tried: { summary: 'A file that is only tried', query: { dry_run: true }, body: seats },
      imported: { summary: 'The same, imported', query: { dry_run: false }, body: seats },
    },
  },
  listProducts: { requests: { first: { summary: 'The first twenty', query: { limit: 20 } } } },
  getProduct: { requests: { credits: { summary: 'Credits', path: { key: 'CREDITS' } } } },
  getProductReport: { requests: { credits: { summary: 'All credits', path: { key: 'CREDITS' } } } },
  putProduct: {
    requests: {
      counted: {
        summary: 'Counted units that a feature uses',
        path: { key: 'TOKENS' },
        body: { name: 'Tokens', type: 'quantity', features: [{ feature: 'translation', unit_cost: 2 }] },
      },
    },
  },
  putOffer: {
    requests: {
      pack: {
        summary: 'A pack that ends after a year',
        path: { sku: 'TOKENS_1000' },
        body: {
          name: '1,000 tokens',
          price: '19.90',
          currency: 'USD',
          items: [{ product_key: 'TOKENS', quantity: 1_000, period_unit: 'years', period_value: 1 }],
        },
      },
      plan: {
        summary:
          'A plan, by the month: two weeks free at first, half of the units at most go over, three days to pay late',
        path: { sku: 'TOKENS_MONTHLY' },
        body: {
          name: 'Tokens, monthly',
          price: '9.90',
          currency: 'USD',
          recurrence: { unit: 'months', count: 1 },
          plan: { trial_period: { unit: 'weeks', count: 2 }, rollover: 'cap', rollover_cap: 250, grace_days: 3 },
          items: [{ product_key: 'TOKENS', quantity: 500, period_unit: 'months', period_value: 1 }],
        },
      },
    },
  },
  placeOrder: {
    requests: {
      credits: {
        summary: 'A pack, with a key: the same call again gives the same order',
        body: { ...alice, items: [{ sku: 'CREDITS_100' }], idempotency_key: 'alice-order-1' },
      },
      several: {
        summary: 'Several things, to be paid within an hour',
        body: {
          ...alice,
          items: [{ sku: 'CREDITS_100', quantity: 2 }, { sku: 'VIP_MONTH' }],
          metadata: { cart: 'c-17' },
          expires_in: 3_600,
        },
      },
      priced: {
        summary: 'At a price that was agreed on, by a key with the scope `prices`',
        body: { ...alice, items: [{ sku: 'CREDITS_100', price: '7.50', price_reason: 'agreed with sales' }] },
      },
    },
  },
  getOrder: { ids: { id: 'placeOrder#/id' }, requests: { credits: { summary: 'The order of the credits' } } },
  listOrders: { requests: { alice: { summary: 'What Alice ordered', query: { ...alice, limit: 20 } } } },
  cancelOrder: {
    ids: { id: 'placeOrder#/id' },
    requests: {
      paid: {
        summary: 'One that is paid, refused as a verdict',
        body: { reason: 'changed his mind', on_refusal: 'verdict' },
      },
    },
  },
  listPayments: { requests: { unmatched: { summary: 'Money that bought nothing', query: { status: 'unmatched' } } } },
  confirmOrder: {
    ids: { id: 'placeOrder#/id' },
    requests: {
      paid: {
        summary: 'The charge succeeded',
        body: { payment_method: 'stripe', payment_id: 'ch_alice_1', amount: '9.99', currency: 'USD' },
      },
      failed: {
        summary: 'Another charge failed',
        body: { status: 'failed', payment_method: 'stripe', payment_id: 'ch_alice_0' },
      },
    },
  },
  refundOrder: {
    ids: { id: 'placeOrder#/id' },
    requests: {
      amount: {
        summary: 'A part of the money went back',
        body: { amount: '2.50', payment_method: 'stripe', refund_id: 're_alice_1', reason: 'a late delivery' },
      },
    },
  },
  disputeOrder: {
    ids: { id: 'placeOrder#/id' },
    requests: {
      opened: {
        summary: 'The customer contests the payment',
        body: { dispute_id: 'dp_alice_1', status: 'opened', payment_method: 'stripe' },
      },
      won: {
        summary: 'The dispute is won, and what it took comes back',
        body: { dispute_id: 'dp_alice_1', status: 'won', payment_method: 'stripe' },
      },
    },
  },
  grant: {
    requests: {
      bonus: { summary: 'A gift', body: { ...CREDITS, grant_type: 'bonus', quantity: 50, reason: 'welcome' } },
      trial: {
        summary: 'A trial, once to each person',
        body: { external_id: 'bob', grant_type: 'trial', sku: 'TRIAL_10', idempotency_key: 'bob-trial' },
      },
      adjustment: {
        summary: 'Units taken away, with a reason',
        body: { ...CREDITS, grant_type: 'adjustment', direction: 'debit', quantity: 5, reason: 'counted twice' },
      },
      migration: {
        summary: 'What another system knew, once',
        body: { ...alice, product_key: 'AI_POOL', grant_type: 'migration', quantity: 500, source_id: 'old-batch-17' },
      },
    },
  },
  grantTrial: {
    requests: {
      trial: {
        summary: 'A trial that a device has once',
        body: {
          external_id: 'carol',
          sku: 'TRIAL_10',
          identities: { device: 'a1b2c3' },
          idempotency_key: 'carol-trial',
        },
      },
    },
  },
  listGrants: { requests: { alice: { summary: 'What Alice was given', query: { ...alice } } } },
  addCredits: {
    requests: {
      gift: { summary: 'Stars as a gift', body: { ...STARS, amount: 10, description: 'welcome gift' } },
      ending: {
        summary: 'Stars that end',
        body: { ...STARS, amount: 5, expires_at: '2099-12-31T00:00:00Z', description: 'campaign' },
      },
    },
  },
  deductCredits: {
    requests: {
      use: { summary: 'Two stars', body: { ...STARS, amount: 2, description: 'a reading' } },
      overdraft: {
        summary: 'Work that is done already: what is lacking is owed',
        body: { external_id: 'bob', product_key: 'TEST_STAR', amount: 3, allow_negative: true },
      },
    },
  },
  getCreditsBalance: { requests: { stars: { summary: 'Stars of Alice', query: { ...STARS } } } },
  listExpiringCredits: { requests: { stars: { summary: 'Within a week', query: { ...STARS, within: 604_800 } } } },
  getBalance: { requests: { credits: { summary: 'Credits of Alice', query: { ...CREDITS } } } },
  getWallet: { requests: { alice: { summary: 'All that Alice holds', query: { ...alice } } } },
  listBatches: { requests: { active: { summary: 'What she can spend', query: { ...alice, state: 'active' } } } },
  listEntries: {
    requests: { credits: { summary: 'The last twenty of her credits', query: { ...CREDITS, limit: 20 } } },
  },
  checkQuota: {
    requests: {
      product: { summary: 'Three credits', body: { ...CREDITS, amount: 3 } },
      feature: { summary: 'Two images', body: { ...alice, feature: 'image_generation', amount: 2 } },
      lacking: { summary: 'More than there is: what would help?', body: { ...CREDITS, amount: 1_000_000 } },
    },
  },
  checkQuotaBatch: {
    requests: {
      several: {
        summary: 'What of a page’s buttons can be pressed',
        body: {
          ...alice,
          items: [
            { product_key: 'CREDITS', amount: 3 },
            { feature: 'image_generation', amount: 2 },
          ],
        },
      },
    },
  },
  getQuotaStatus: {
    requests: {
      alice: { summary: 'All that Alice may use', query: { ...alice } },
    },
  },
  getQuotaUsage: {
    requests: {
      days: { summary: 'Her credits, by day', query: { ...CREDITS, window: 'day' } },
    },
  },
  listQuotaEvents: {
    requests: { credits: { summary: 'The last twenty uses of her credits', query: { ...CREDITS, limit: 20 } } },
  },
  consumeQuota: { requests: consume },
  consumeWallet: { requests: consume },
  consumeQuotaBatch: {
    requests: {
      continue: {
        summary: 'Each item by itself',
        body: {
          items: [
            { ...CREDITS, amount: 1, action_id: 'line-1' },
            { ...alice, feature: 'image_generation', amount: 1, action_id: 'line-2' },
          ],
        },
      },
      atomic: {
        summary: 'All of them or nothing',
        body: {
          mode: 'atomic',
          items: [
            { ...CREDITS, amount: 1 },
            { ...CREDITS, amount: 2 },
          ],
        },
      },
    },
  },
  giveBackQuota: {
    ids: { operation_id: 'consumeQuota#/operation_id' },
    requests: {
      part: { summary: 'One of the units', body: { operation_id: '', amount: 1 } },
      all: { summary: 'All that is left of the use', body: { operation_id: '' } },
    },
  },
  createReservation: {
    requests: {
      product: { summary: 'Five credits, for ten minutes', body: { ...CREDITS, amount: 5, ttl_seconds: 600 } },
      feature: { summary: 'An image, for a quarter of an hour', body: { ...alice, feature: 'image_generation' } },
    },
  },
  listReservations: { requests: { held: { summary: 'What is held', query: { ...alice, status: 'held' } } } },
  getOperation: {
    ids: { id: 'consumeQuota#/operation_id' },
    requests: { used: { summary: 'What a use did', query: { ...alice } } },
  },
  getBatch: {
    ids: { id: 'consumeQuota#/taken/0/batch_id' },
    requests: { used: { summary: 'Of what it took', query: { ...alice, limit: 20 } } },
  },
  getReservation: { ids: { id: 'createReservation#/id' }, requests: { made: { summary: 'As it is now' } } },
  commitReservation: {
    ids: { id: 'createReservation#/id' },
    requests: {
      part: { summary: 'Three were used', body: { amount: 3 } },
      excess: { summary: 'More was used than was held', body: { amount: 7, allow_excess: true } },
      all: { summary: 'All that is held', body: {} },
    },
  },
  releaseReservation: {
    ids: { id: 'createReservation#/id' },
    requests: { all: { summary: 'Nothing was used', body: {} } },
  },
  extendReservation: {
    ids: { id: 'createReservation#/id' },
    requests: { longer: { summary: 'Half an hour from now', body: { ttl_seconds: 1_800 } } },
  },
  exchange: {
    requests: { prediction: { summary: 'A star for a prediction', body: { ...alice, sku: 'GET_TEST_PREDICTION' } } },
  },
  putLimit: {
    requests: {
      alice: {
        summary: 'A million credits an hour, ten a month',
        body: { ...CREDITS, windows: { hour: 1_000_000, month: 10_000_000 }, owner_tag: 'support' },
      },
      all: {
        summary: 'Whoever else: a warning beyond it',
        body: { feature: 'image_generation', windows: { day: 50_000 }, enforcement: 'SOFT' },
      },
    },
  },
  patchLimit: {
    requests: { alice: { summary: 'More in an hour', body: { ...CREDITS, windows: { hour: 2_000_000 } } } },
  },
  listLimits: { requests: { alice: { summary: 'Those of Alice', query: { ...alice } } } },
  getLimit: { ids: { id: 'putLimit#/id' }, requests: { made: { summary: 'As it is now' } } },
  putLimitSource: {
    ids: { source_customer_id: 'identify#/customer_id' },
    requests: {
      bob: { summary: 'Bob shares the limits of Alice', body: { external_id: 'bob', source_customer_id: '' } },
    },
  },
  getLimitSource: { requests: { alice: { summary: 'Whose limits Alice shares', query: { ...alice } } } },
  deleteLimitSource: { requests: { alice: { summary: 'Her own only', query: { ...alice } } } },
  deleteLimit: { requests: { alice: { summary: 'As much as she likes', query: { ...CREDITS } } } },
  listReferralPrograms: { requests: { all: { summary: 'All programmes' } } },
  putReferralProgram: {
    requests: {
      friends: {
        summary: 'Credits for both sides, two weeks after the first order that is paid',
        path: { key: 'friends' },
        body: {
          trigger: 'on_first_paid_order',
          referrer: { sku: 'CREDITS_100' },
          referee: { sku: 'TRIAL_10', quantity: 2 },
          hold_days: 14,
          max_rewards_per_referrer: 10,
        },
      },
    },
  },
  getReferralProgram: { ids: { key: 'putReferralProgram#/key' }, requests: { friends: { summary: 'One of them' } } },
  deleteReferralProgram: {
    ids: { key: 'putReferralProgram#/key' },
    requests: { friends: { summary: 'No longer' } },
  },
  attachReferral: {
    requests: {
      bob: {
        summary: 'Alice brought Bob',
        body: { referrer_external_id: 'alice', referee_external_id: 'bob', metadata: { campaign: 'spring' } },
      },
    },
  },
  listReferrals: { requests: { alice: { summary: 'Whom Alice brought', query: { ...alice } } } },
  getReferralStats: { requests: { alice: { summary: 'How many Alice brought', query: { ...alice } } } },
  listRewards: { requests: { alice: { summary: 'What Alice earned', query: { ...alice } } } },
  releaseReward: { requests: {} },
  refuseReward: { requests: {} },
  subscribe: {
    requests: { alice: { summary: 'A plan that costs nothing', body: { ...alice, sku: 'FREE_MONTHLY' } } },
  },
  listSubscriptions: {
    requests: { alice: { summary: 'Alice’s plans', query: { ...alice, sku: 'FREE_MONTHLY', plan_group: 'default' } } },
  },
  getSubscription: {
    ids: { id: 'subscribe#/id' },
    requests: { alice: { summary: 'With its periods', query: { ...alice } } },
  },
  changeSubscription: {
    ids: { id: 'subscribe#/id' },
    requests: { pro: { summary: 'To the pro plan, with the next period', body: { sku: 'PRO_MONTHLY' } } },
  },
  resumeSubscription: { ids: { id: 'subscribe#/id' }, requests: { alice: { summary: 'She stays', body: {} } } },
  renewSubscription: {
    ids: { id: 'subscribe#/id' },
    requests: { alice: { summary: 'The order of the next period', body: {} } },
  },
  cancelSubscription: {
    ids: { id: 'subscribe#/id' },
    requests: { now: { summary: 'At once', body: { when: 'now' } } },
  },
  followEvents: { requests: { alice: { summary: 'What happened to Alice', query: { ...alice, limit: 20 } } } },
  getEndpoint: { ids: { id: 'putEndpoint#/id' }, requests: { analytics: { summary: 'One that follows the feed' } } },
  putEndpoint: {
    requests: {
      analytics: {
        summary: 'Be told of uses',
        path: { id: 'analytics' },
        body: { url: 'https://shop.example/hooks', types: ['quota.consumed', 'order.*'] },
      },
    },
  },
  testEndpoint: {
    ids: { id: 'putEndpoint#/id' },
    requests: { hook: { summary: 'Does it arrive?', body: {} } },
  },
  listDeliveries: {
    ids: { id: 'putEndpoint#/id' },
    requests: { parked: { summary: 'What was given up', query: { status: 'parked' } } },
  },
  retryDelivery: { requests: {} },
  receivePayment: { requests: {} },
  listPaymentEvents: {
    requests: { quarantined: { summary: 'What somebody has to look at', query: { status: 'quarantined' } } },
  },
  checkoutOrder: { requests: {} },
  getPaymentEvent: { requests: {} },
  replayPaymentEvent: { requests: {} },
  dismissPaymentEvent: { requests: {} },
  reconcilePayments: {
    requests: {
      week: {
        summary: 'What the provider has of a week',
        query: { payment_method: 'stripe', from: '2026-01-01T00:00:00.000Z', until: '2026-01-08T00:00:00.000Z' },
        body: { charges: [{ payment_id: 'pi_3Qx1', amount: '9.99', currency: 'USD', status: 'paid' }] },
      },
    },
  },
  receiveGenericPayment: { requests: {} },
  putPaymentSource: {
    requests: {
      shop: {
        summary: 'A provider that signs by HMAC',
        path: { name: 'shop' },
        body: {
          signature: { scheme: 'hmac_sha256', header: 'x-signature', encoding: 'hex', prefix: 'sha256=' },
          secret: 'a-secret-that-both-sides-know',
          mapping: {
            event_id: '/id',
            order_id: '/data/order',
            payment_id: '/data/charge',
            amount: '/data/amount',
            currency: '/data/currency',
            status: '/status',
            statuses: { succeeded: 'paid', failed: 'failed' },
          },
        },
      },
    },
  },
  getPaymentSource: { ids: { name: 'putPaymentSource#/name' }, requests: { shop: { summary: 'As it is now' } } },
  tryPaymentSource: {
    ids: { name: 'putPaymentSource#/name' },
    requests: {
      paid: {
        summary: 'A charge',
        body: {
          body: { id: 'e-1', status: 'succeeded', data: { charge: 'c-1', amount: '9.99', currency: 'USD' } },
        },
      },
    },
  },
  deletePaymentSource: { ids: { name: 'putPaymentSource#/name' }, requests: { shop: { summary: 'No longer' } } },
  replayDeliveries: {
    ids: { id: 'putEndpoint#/id' },
    requests: { parked: { summary: 'All that was given up', body: { failed: true } } },
  },
  retireOffer: { requests: { pack: { summary: 'No longer sold', path: { sku: 'TOKENS_1000' } } } },
  retireProduct: { requests: { tokens: { summary: 'No longer sold or granted', path: { key: 'TOKENS' } } } },
  deleteEndpoint: { ids: { id: 'putEndpoint#/id' }, requests: { analytics: { summary: 'No longer' } } },
  listAudit: { requests: { alice: { summary: 'What was changed of Alice', query: { ...alice, limit: 20 } } } },
  putClock: { requests: { month: { summary: 'A month later', body: { advance: 'P1M' } } } },
  issueCustomerToken: {
    ids: { id: 'identify#/customer_id' },
    requests: {
      shop: {
        summary: 'For a page that shows a wallet and sells',
        body: { abilities: ['wallet.read', 'catalog.read', 'orders.create'], ttl_seconds: 900 },
      },
    },
  },
  createApiKey: {
    requests: {
      shop: { summary: 'For a shop that sells and asks', body: { name: 'shop', scopes: ['read', 'orders'] } },
      admin: { summary: 'For a month', body: { name: 'audit', scopes: ['read'], expires_at: '2099-01-31' } },
    },
  },
  listApiKeys: { requests: { first: { summary: 'The first twenty', query: { limit: 20 } } } },
  getApiKey: { ids: { id: 'createApiKey#/id' }, requests: { made: { summary: 'As it is now' } } },
  rotateApiKey: {
    ids: { id: 'createApiKey#/id' },
    requests: { hour: { summary: 'The old one for an hour more', body: { overlap_seconds: 3_600 } } },
  },
  revokeApiKey: { ids: { id: 'createApiKey#/id' }, requests: { made: { summary: 'It counts no longer' } } },
  proveInvariants: { requests: { alice: { summary: 'The books of Alice', query: { ...alice } } } },
};
