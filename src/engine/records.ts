// What was answered to the keys of operations (DOMAIN 3.6): looked up under the lock, and replayed.
import type { Tx } from '../db/client.js';
import { findFormerOwners, type LockedCustomer } from '../db/customers.js';
import { findRecords, type RecordKey } from '../db/idempotency.js';
import type { RecordedRequest } from '../ledger/entities.js';
import { groupBy } from '../lib/group-by.js';
import { type Outcome, type ResolvedMember, replayByKey } from './operation.js';
import { identityText } from './selector.js';

/** By identity, the customers from whom it was unlinked. */
type FormerOwners = ReadonlyMap<string, readonly string[]>;

/** What is recorded under the keys of members. */
export interface Recorded {
  readonly records: Map<string, RecordedRequest>;
  readonly former: FormerOwners;
  /** By customer the others of the family, of those who are not alone. */
  readonly families: Map<string, readonly string[]>;
}

/** Where a record is, as a map's key. */
export function recordText({ customerId, name, kind, key }: RecordKey): string {
  return JSON.stringify([customerId, name, kind, key]);
}

/** Where the answer to a member's key is kept; undefined when it has none. */
function clientKeyOf({ customerId, member: { name, call } }: ResolvedMember): RecordKey | undefined {
  const { idempotencyKey } = call;
  return idempotencyKey === undefined ? undefined : { customerId, name, kind: 'client', key: idempotencyKey };
}

/** Where the answer to a member's key may be kept: with its customer, another one of the family, or with whoever had the identity before. */
function keysOf(resolved: ResolvedMember, { former: formerOwners, families }: Omit<Recorded, 'records'>): RecordKey[] {
  const key = clientKeyOf(resolved);
  if (!key) return [];
  const { identity } = resolved.member.selector;
  const family = families.get(resolved.customerId) ?? [];
  const former = (identity && formerOwners.get(identityText(identity))) ?? [];
  return [key, ...[...family, ...former].map((customerId) => ({ ...key, customerId }))];
}

/** Who had the identities before by which keyed members name their customers. */
async function findFormer(tx: Tx, members: readonly ResolvedMember[]): Promise<FormerOwners> {
  const keyed = members.filter(({ member }) => member.call.idempotencyKey !== undefined);
  const found = await findFormerOwners(
    tx,
    keyed.flatMap(({ member }) => member.selector.identity ?? []),
  );
  return new Map(
    [...groupBy(found, (owner) => identityText(owner))].map(([text, own]) => [text, own.map((one) => one.customerId)]),
  );
}

/** What is recorded under the members' keys. A predecessor in the same transaction counts too, and is added when it is decided. */
export async function findRecorded(tx: Tx, members: readonly ResolvedMember[]): Promise<Recorded> {
  const own = members.flatMap((resolved) => clientKeyOf(resolved) ?? []);
  const [found, former] = await Promise.all([findRecords(tx, own), findFormer(tx, members)]);
  const families = new Map<string, readonly string[]>();
  const theirs = members.flatMap((resolved) => keysOf(resolved, { former, families }).slice(1));
  const all = [...found, ...(await findRecords(tx, theirs))];
  return { former, families, records: new Map(all.map((record) => [recordText(record), record] as const)) };
}

/** Adds what is recorded under the members' keys of others of their families, as the locks say who they are. Nothing is asked where all are alone. */
export async function addOfFamilies(
  tx: Tx,
  members: readonly ResolvedMember[],
  customers: ReadonlyMap<string, Pick<LockedCustomer, 'id' | 'mergedIds'>>,
  recorded: Recorded,
): Promise<void> {
  for (const { customerId, finalId } of members) {
    const final = customers.get(finalId ?? customerId);
    if (!final || final.mergedIds.length === 0) continue;
    const others = [final.id, ...final.mergedIds].filter((id) => id !== customerId);
    recorded.families.set(customerId, others);
  }
  if (recorded.families.size === 0) return;
  const theirs = members.flatMap((resolved) => keysOf(resolved, recorded).slice(1));
  for (const record of await findRecords(tx, theirs)) recorded.records.set(recordText(record), record);
}

/** What a member gets whose key is recorded; nothing is settled for it. */
export function replayOf(resolved: ResolvedMember, recorded: Recorded): Outcome | undefined {
  const earlier = keysOf(resolved, recorded).flatMap((key) => recorded.records.get(recordText(key)) ?? []);
  return earlier.length === 0 ? undefined : replayByKey(earlier, resolved.member.requestHash());
}
