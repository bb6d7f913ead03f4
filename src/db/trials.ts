// The claims of used trials.

import type { Changes } from '../ledger/changes.js';
import type { TrialClaim } from '../ledger/customer-entities.js';
import type { ArchivedTrace } from '../ledger/trials.js';
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { claims } from './statements.js';
import { amongGiven, arraysOf, given } from './table.js';
import { archivedTrials, trialUses } from './tables.js';

const CLAIM = ['scope', 'pepperId', 'identityHash', 'identityType'] as const;
const SELECT_USED = `
SELECT given.identity_type FROM ${given(trialUses, CLAIM, { isNumbered: true })}
JOIN trial_uses u USING (scope, pepper_id, identity_hash) WHERE ${amongGiven(trialUses, ['scope', 'pepperId', 'identityHash'], 'u')}
ORDER BY given.place LIMIT 1`;
const TRACE = ['identityType', 'identityHash'] as const;
const SELECT_ARCHIVED = `
SELECT given.identity_type FROM ${given(archivedTrials, TRACE, { isNumbered: true })}
JOIN archived_trials a USING (identity_type, identity_hash) WHERE ${amongGiven(archivedTrials, TRACE, 'a')}
ORDER BY given.place LIMIT 1`;
const usesOf = claims(trialUses);

/** By what it shows that a trial was used: here, and before the customer was moved in. */
export interface TrialTraces {
  claims: readonly TrialClaim[];
  archived: readonly ArchivedTrace[];
}

/** The kind of identity of the first of these traces that there is, those of here first; undefined when there is none. */
export async function findUsedTrial(tx: Tx, wanted: TrialTraces): Promise<string | undefined> {
  if (wanted.claims.length === 0) return undefined;
  const rows = await Promise.all([
    tx.query<Row & { identity_type: string }>(SELECT_USED, arraysOf(trialUses, CLAIM, wanted.claims)),
    tx.query<Row & { identity_type: string }>(SELECT_ARCHIVED, arraysOf(archivedTrials, TRACE, wanted.archived)),
  ]);
  return rows.flat()[0]?.identity_type;
}

/** Whether any trial was used, and whether one was claimed under one of these peppers. */
export async function findTrialPeppers(
  tx: Tx,
  pepperIds: readonly string[],
): Promise<{ isAnyUsed: boolean; isOneUsed: boolean }> {
  const [row] = await tx.query<Row & { isAnyUsed: boolean; isOneUsed: boolean }>(
    `SELECT EXISTS (SELECT FROM trial_uses) AS "isAnyUsed",
            EXISTS (SELECT FROM trial_uses WHERE pepper_id = ANY ($1::text[])) AS "isOneUsed"`,
    [pepperIds],
  );
  return required(row, 'it was asked');
}

/** Claims used trials. Waits for rivals that have not ended; throws BC001 when somebody else was first. Precondition: those of one operation are sorted. */
export function claimTrials(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return usesOf(
    tx,
    customers.flatMap(({ customerId, now, changes }) =>
      changes.trialUses.map((use) => ({ ...use, customerId, usedAt: now })),
    ),
  );
}
