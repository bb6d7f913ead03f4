// Identities that are one but for their spelling: composed or decomposed letters; of e-mail addresses also case, of ASCII letters. All spellings of one have
// one form, in which new ones are stored, so that the first of several at once is the only one. The second look, after nobody was found under the exact
// spelling: most are stored in their form, the others (from before) are found by an index of it.

import type { Identity, IdentityKey } from '../ledger/customer-entities.js';
import type { Metadata } from '../lib/metadata.js';
import type { Row, Tx } from './client.js';

/** The provider whose ids are the same in upper and lower case. */
const CASELESS_PROVIDER = 'email';

/** The form of all spellings of an identity. */
export function formOf({ provider, externalId }: IdentityKey): string {
  const composed = externalId.normalize('NFC');
  return provider === CASELESS_PROVIDER ? composed.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : composed;
}

/** An identity as it is stored when it is new: of several spellings at once one claims it. */
export function inForm({ provider, externalId }: IdentityKey): IdentityKey {
  return { provider, externalId: formOf({ provider, externalId }) };
}

/** The form in SQL, as the indexes of identities have it. */
const FORM = `CASE WHEN provider = '${CASELESS_PROVIDER}' THEN lower(normalize(external_id, NFC) COLLATE "C") ELSE normalize(external_id, NFC) END`;

/** Selects rows of a table of identities in any spelling of the form `s.form`. */
export const alikeIn = (table: 'identities' | 'former_identities', columns: string): string => `
  SELECT ${columns} FROM ${table} WHERE provider = s.provider AND external_id = s.form
  UNION ALL
  SELECT ${columns} FROM ${table} WHERE provider = s.provider AND ${FORM} = s.form AND external_id <> ${FORM}`;

interface AlikeRow extends Row {
  position: number;
  provider: string;
  external_id: string;
  id: string;
  customer_id: string;
  profile: Metadata;
}

const FIND_ALIKE = `
SELECT DISTINCT ON (s.position) s.position, i.provider, i.external_id, i.id, i.customer_id, i.profile
FROM unnest($1::integer[], $2::text[], $3::text[]) AS s (position, provider, form)
CROSS JOIN LATERAL (${alikeIn('identities', 'provider, external_id, id, customer_id, profile, created_at')}) i
ORDER BY s.position, i.created_at, i.id`;

/** The identities that are stored in another spelling than that of `keys`, by the places of these; of several the oldest. */
export async function findAlike(tx: Tx, keys: readonly IdentityKey[]): Promise<Map<number, Identity>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<AlikeRow>(FIND_ALIKE, [
    keys.map((_, position) => position),
    keys.map(({ provider }) => provider),
    keys.map(formOf),
  ]);
  return new Map(
    rows.map(({ position, provider, external_id, id, customer_id, profile }) => [
      position,
      { provider, externalId: external_id, id, customerId: customer_id, profile },
    ]),
  );
}

/** Customers who have one identity in several spellings, the oldest first: to be merged. */
export interface AlikeCustomers {
  provider: string;
  customerIds: string[];
}

const LISTED_MAX = 100;

/** Groups of customers whose identities differ in spelling only, at most 100; with `customerId` those of one customer. Reads all identities. */
export async function listAlikeIdentities(
  tx: Tx,
  { customerId }: { customerId?: string | undefined },
): Promise<AlikeCustomers[]> {
  const rows = await tx.query<Row & { provider: string; customer_ids: string[] }>(
    `SELECT provider, customer_ids
     FROM (
       SELECT provider, array_agg(customer_id::text ORDER BY created_at, id) AS customer_ids
       FROM (
         SELECT DISTINCT ON (provider, form, customer_id) provider, form, customer_id, created_at, id
         FROM identities, LATERAL (SELECT ${FORM} AS form) f
         ORDER BY provider, form, customer_id, created_at, id
       ) one
       GROUP BY provider, form HAVING count(*) > 1
     ) alike
     WHERE $1::text IS NULL OR $1::text = ANY (customer_ids)
     ORDER BY provider, customer_ids LIMIT $2::int`,
    [customerId ?? null, LISTED_MAX],
  );
  return rows.map(({ provider, customer_ids }) => ({ provider, customerIds: customer_ids }));
}
