// What all steps of moving in share: the two databases, what was found and counted, and steps that may be refused.
import { findIdentityOwners } from '../../src/db/customers.js';
import { AppError } from '../../src/errors/app-error.js';
import type { FindingKind, Findings } from './findings.js';
import type { Progress } from './progress.js';
import type { Source } from './source.js';
import type { Target } from './target.js';

/** By what a customer is known here who had a number there: as `user_id` of requests is read. */
export const USER_ID = 'user_id';

export interface Moving {
  source: Source;
  target: Target;
  isDry: boolean;
  findings: Findings;
  progress: Progress;
  /** How many of each thing were moved in by this run. */
  moved: Map<string, number>;
}

export function count({ moved }: Moving, what: string, by = 1): void {
  moved.set(what, (moved.get(what) ?? 0) + by);
}

/** What is a matter of the row that is moved; anything else ends the run. */
const EXPECTED: ReadonlySet<string> = new Set<AppError['code']>([
  ...(['invalid_request', 'name_taken', 'name_reserved', 'product_not_found', 'product_in_use'] as const),
  ...(['identity_taken', 'idempotency_key_reused', 'payment_already_used', 'quantity_too_large'] as const),
  ...(['already_referred', 'referral_cycle', 'self_referral'] as const),
]);

/** Runs a step that the service may refuse; what it refuses is noted. Returns whether it was done. */
export async function attempt(
  moving: Moving,
  id: string,
  kindOf: (error: AppError) => FindingKind,
  step: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || !EXPECTED.has(error.code)) throw error;
    moving.findings.add(kindOf(error), id, error.message);
    return false;
  }
}

/** Whether something was moved in before with other contents. */
export const isChanged = (error: AppError): boolean => error.code === 'idempotency_key_reused';

/** The customers of users, by the users' ids; whoever is not there is left out. */
export async function customersOf(
  { target }: Pick<Moving, 'target'>,
  userIds: readonly string[],
): Promise<Map<string, string>> {
  const names = userIds.map((externalId) => ({ provider: USER_ID, externalId }));
  const owners = names.length === 0 ? [] : await findIdentityOwners(target.deps.db, names);
  return new Map(owners.map(({ externalId, customerId }) => [externalId, customerId]));
}
