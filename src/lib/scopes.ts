// What a token may allow. Each route of the API names one scope.

export const SCOPES = [
  'read',
  'consume',
  'orders',
  'payments',
  'grants',
  'catalog',
  'prices',
  'events',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

export const ALL_SCOPES: ReadonlySet<Scope> = new Set(SCOPES);

/** What a customer's own token may allow, each with the scope that whoever issues it needs. */
const SCOPE_OF_ABILITY = {
  'wallet.read': 'read',
  'balance.read': 'read',
  'entries.read': 'read',
  'catalog.read': 'read',
  'quota.check': 'read',
  'orders.read': 'read',
  'orders.create': 'orders',
} as const satisfies Record<string, Scope>;

export type Ability = keyof typeof SCOPE_OF_ABILITY;

export const ABILITIES = Object.keys(SCOPE_OF_ABILITY) as [Ability, ...Ability[]];

export function isAbility(text: unknown): text is Ability {
  return typeof text === 'string' && Object.hasOwn(SCOPE_OF_ABILITY, text);
}

/** The scopes that are needed to issue a token with these abilities. */
export function scopesOf(abilities: readonly Ability[]): Scope[] {
  return [...new Set(abilities.map((ability) => SCOPE_OF_ABILITY[ability]))];
}
