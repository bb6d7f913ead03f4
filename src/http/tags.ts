// The groups into which the documentation sorts the routes, in reading order.

export const tags = {
  customers: 'Who somebody is: customers and their identities.',
  wallet: 'What a customer owns and may use: balances, batches and ledger entries.',
  quota: 'Take units, exactly once; ask first whether it would be allowed.',
  catalog: 'Products and the offers by which they are sold.',
  orders: 'The intent to pay, its confirmation, what it granted.',
  grants: 'Rights given without payment: trials, bonuses, adjustments, migrations.',
  exchange: 'Spend units of a currency product on an offer.',
  referrals: 'Who brought whom, and what each side earned.',
  reservations: 'Units held for work in progress.',
  credits: 'Plain credits on a currency product.',
  operations: 'For operators: proofs and switches.',
  health: 'For probes; no token.',
} as const;

export type Tag = keyof typeof tags;
