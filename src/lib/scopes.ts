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
