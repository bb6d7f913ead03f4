// The groups into which the documentation sorts the routes, in reading order: who somebody is, what is sold, how he gets it, what he does with it.

export const tags = {
  customers: 'Who somebody is: customers and their identities.',
  catalog: 'Products and the offers by which they are sold.',
  orders: 'The intent to pay, its confirmation, what it granted.',
  payments: 'What payment providers send, and what becomes of it.',
  grants: 'Rights given without payment: trials, bonuses, adjustments, migrations.',
  credits: 'Plain credits on a currency product.',
  wallet: 'What a customer owns and may use: balances, batches and ledger entries.',
  quota: 'Take units, exactly once; ask first whether it would be allowed.',
  reservations: 'Units held for work in progress.',
  limits: 'How much may be used in an hour, a day, a month, in all.',
  subscriptions: 'Plans of customers, period after period.',
  exchange: 'Spend units of a currency product on an offer.',
  referrals: 'Who brought whom, and what each side earned.',
  events: 'What happened, in order: a feed that misses nothing.',
  access: 'Who may call, and what each key allows.',
  operations: 'For operators: proofs and switches.',
  health: 'For probes; no token.',
} as const;

export type Tag = keyof typeof tags;
