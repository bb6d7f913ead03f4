// The claims of used trials.

import type { Changes } from '../ledger/changes.js';
import type { TrialClaim } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';

function claimsJson(claims: readonly TrialClaim[]): string {
  return JSON.stringify(
    claims.map(({ scope, pepperId, identityHash, identityType }) => ({
      scope,
      pepper_id: pepperId,
      identity_hash: identityHash,
      identity_type: identityType,
    })),
  );
}

const CLAIMS = 'json_to_recordset($1::json) AS c (scope text, pepper_id text, identity_hash text, identity_type text)';

/** The kind of identity under which one of these claims is taken already; undefined when all are free. */
export async function findUsedTrial(tx: Tx, claims: readonly TrialClaim[]): Promise<string | undefined> {
  if (claims.length === 0) return undefined;
  const [row] = await tx.query<Row & { identity_type: string }>(
    `SELECT c.identity_type FROM ${CLAIMS} JOIN trial_uses u USING (scope, pepper_id, identity_hash)
     ORDER BY c.identity_type LIMIT 1`,
    [claimsJson(claims)],
  );
  return row?.identity_type;
}

/** $1 uses, sorted, $2 how many. */
const CLAIM_TRIALS = `
WITH claimed AS (
  INSERT INTO trial_uses (scope, pepper_id, identity_hash, identity_type, customer_id, operation_id, used_at)
  SELECT scope, pepper_id, identity_hash, identity_type, customer_id, operation_id, used_at
  FROM ROWS FROM (json_to_recordset($1::json) AS (scope text, pepper_id text, identity_hash text, identity_type text, customer_id uuid,
                                                  operation_id uuid, used_at timestamptz))
    WITH ORDINALITY AS u (scope, pepper_id, identity_hash, identity_type, customer_id, operation_id, used_at, place)
  ORDER BY place
  ON CONFLICT DO NOTHING RETURNING 1
)
SELECT assert_claimed((SELECT count(*) FROM claimed) = $2::bigint)`;

/** Claims used trials. Waits for rivals that have not ended; throws BC001 when one is taken. Precondition: those of one operation are sorted. */
export function claimTrials(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const uses = customers.flatMap(({ customerId, now, changes }) =>
    changes.trialUses.map(({ scope, pepperId, identityHash, identityType, operationId }) => ({
      scope,
      pepper_id: pepperId,
      identity_hash: identityHash,
      identity_type: identityType,
      customer_id: customerId,
      operation_id: operationId,
      used_at: now,
    })),
  );
  return uses.length === 0 ? undefined : tx.query(CLAIM_TRIALS, [JSON.stringify(uses), uses.length]);
}
