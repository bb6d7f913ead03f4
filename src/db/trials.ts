// The claims of used trials.
import type { TrialClaim } from '../ledger/trials.js';
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
  const [row] = await tx.query<Row & { identity_type: string }>(
    `SELECT c.identity_type FROM ${CLAIMS} JOIN trial_uses u USING (scope, pepper_id, identity_hash)
     ORDER BY c.identity_type LIMIT 1`,
    [claimsJson(claims)],
  );
  return row?.identity_type;
}

/** Takes the claims, all of them; false when another transaction had one. Waits for rivals that have not ended. Precondition: sorted. */
export async function claimTrials(
  tx: Tx,
  claims: readonly TrialClaim[],
  use: { customerId: string; operationId: string; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO trial_uses (scope, pepper_id, identity_hash, identity_type, customer_id, operation_id, used_at)
     SELECT c.scope, c.pepper_id, c.identity_hash, c.identity_type, $2::uuid, $3::uuid, $4::timestamptz
     FROM ROWS FROM (json_to_recordset($1::json) AS (scope text, pepper_id text, identity_hash text, identity_type text))
       WITH ORDINALITY AS c (scope, pepper_id, identity_hash, identity_type, position)
     ORDER BY c.position
     ON CONFLICT DO NOTHING RETURNING 1`,
    [claimsJson(claims), use.customerId, use.operationId, use.now.toISOString()],
  );
  return rows.length === claims.length;
}
