// Identities that are one but for their spelling: composed or decomposed letters; of e-mail addresses also case, of ASCII letters. The second look,
// after nobody was found under the exact spelling: most ids have no other, and are not looked for again.

import type { Identity, IdentityKey, Metadata } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';

/** The provider whose ids are the same in upper and lower case. */
const CASELESS_PROVIDER = 'email';

/** The spellings under which an identity may be stored, beside its own. */
export function otherSpellings({ provider, externalId }: IdentityKey): string[] {
  const lower =
    provider === CASELESS_PROVIDER ? externalId.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : externalId;
  const spellings = new Set([externalId, lower].flatMap((text) => [text.normalize('NFC'), text.normalize('NFD')]));
  spellings.add(lower);
  spellings.delete(externalId);
  return [...spellings];
}

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
FROM unnest($1::integer[], $2::text[], $3::text[]) AS s (position, provider, external_id) JOIN identities i USING (provider, external_id)
ORDER BY s.position, i.created_at, i.id`;

/** The identities that are stored in another spelling than that of `keys`, by the places of these; of several the oldest. */
export async function findAlike(tx: Tx, keys: readonly IdentityKey[]): Promise<Map<number, Identity>> {
  const spellings = keys.flatMap((key, position) =>
    otherSpellings(key).map((externalId) => ({ position, provider: key.provider, externalId })),
  );
  if (spellings.length === 0) return new Map();
  const rows = await tx.query<AlikeRow>(FIND_ALIKE, [
    spellings.map(({ position }) => position),
    spellings.map(({ provider }) => provider),
    spellings.map(({ externalId }) => externalId),
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
         FROM identities, normalize(external_id, NFC) AS composed,
              LATERAL (SELECT CASE WHEN provider = $1 THEN lower(composed COLLATE "C") ELSE composed END AS form) f
         ORDER BY provider, form, customer_id, created_at, id
       ) one
       GROUP BY provider, form HAVING count(*) > 1
     ) alike
     WHERE $2::text IS NULL OR $2::text = ANY (customer_ids)
     ORDER BY provider, customer_ids LIMIT $3::int`,
    [CASELESS_PROVIDER, customerId ?? null, LISTED_MAX],
  );
  return rows.map(({ provider, customer_ids }) => ({ provider, customerIds: customer_ids }));
}
