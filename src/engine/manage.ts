// Changes that are about no customer: of the catalogue, of management, the answer to a keyed call. They are written as all are (transact.ts), in one transaction.
import { writeChanges } from '../db/changes.js';
import type { Tx } from '../db/client.js';
import { guardClock } from '../db/clock.js';
import { begin, orAbandon } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import { auditOf } from '../ledger/audit.js';
import { type Changes, hasChanges, noChanges } from '../ledger/changes.js';
import { eventsOf } from '../ledger/events.js';
import type { Opener } from '../ledger/operations.js';
import { commitAndCount, writeAndCommit } from './commit.js';

/** A change that is about no customer: of the catalogue, the answer to a keyed call. */
export interface Management<L, R> {
  opener: Opener;
  /** Takes the lock under which it loads, if it needs one. */
  lock?(tx: Tx): Promise<unknown>;
  load(tx: Tx, now: Date): Promise<L>;
  /** Decides and adds to the changes. Pure; a refusal is thrown. */
  decide(loaded: L, now: Date, changes: Changes): R;
}

/** Runs a change that is about no customer. Throws what it refuses, and what rolled the transaction back. */
export async function transactManagement<L, R>(deps: Foundations, management: Management<L, R>): Promise<R> {
  await deps.clock.refresh?.(); // on a connection of its own, and so before one is kept
  const tx = await begin(deps.db, management.opener);
  const changes = noChanges();
  const result = await orAbandon(tx, async () => {
    const now = deps.clock.now();
    const locking = management.lock?.(tx);
    const [loaded] = await Promise.all([management.load(tx, now), locking, guardClock(tx, deps.clock), tx.begun]);
    return management.decide(loaded, now, changes);
  });
  await writeAndCommit(deps, tx, changes);
  return result;
}

/** A change that is about no customer, and larger than is held at once. */
export interface LongManagement<R> {
  /** Takes the lock under which it works. */
  lock(tx: Tx): Promise<unknown>;
  /**
   * Loads and decides piece by piece, and writes each; what was written is kept only if it says so in the end. `write` sends a piece and waits for the one
   * before it, so that the next is decided meanwhile. Throws what it refuses.
   */
  work(tx: Tx, now: Date, write: (changes: Partial<Changes>) => Promise<void>): Promise<{ result: R; isKept: boolean }>;
}

/**
 * Runs a change that is about no customer, in pieces of one transaction. It is on a connection of the pool, because those of Prisma end after half a
 * minute; each of its statements is bounded as all are. Throws what it refuses, and what rolled the transaction back.
 */
export async function transactInPieces<R>(deps: Foundations, { lock, work }: LongManagement<R>): Promise<R> {
  await deps.clock.refresh?.(); // on a connection of its own, and so before one is kept
  const tx = await begin(deps.db, 'pool');
  const last = noChanges();
  let writing: Promise<unknown> | undefined;
  const { result, isKept } = await orAbandon(tx, async () => {
    const now = deps.clock.now();
    await Promise.all([lock(tx), guardClock(tx, deps.clock), tx.begun]);
    const worked = await work(tx, now, async (piece) => {
      const changes = { ...noChanges(), ...piece };
      if (!hasChanges(changes, false)) return;
      changes.audit = auditOf(changes, deps.ids);
      // Told at the end: what tells of no customer holds the lock of the log until the transaction ends.
      for (const event of eventsOf(changes, deps.ids)) last.events.push({ ...event, number: last.events.length });
      const before = writing;
      writing = Promise.all(writeChanges(tx, changes));
      writing.catch(() => undefined); // it is waited for at the next piece, or at the end
      await before;
    });
    await writing;
    return worked;
  });
  if (isKept && writing) await commitAndCount(deps, tx, last, writeChanges(tx, last));
  else await tx.abandon();
  return result;
}
