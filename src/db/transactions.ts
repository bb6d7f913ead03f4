// Transactions: one interface over the two ways of opening one, on a connection of the pool (ADR 0011) and by Prisma. It tells a refused COMMIT from one
// whose outcome is unknown. What runs in them, and which way is taken, is the engine's.

import type pg from 'pg';
import type { Opener } from '../ledger/operations.js';
import { assert } from '../lib/assert.js';
import type { Db, Row, Tx } from './client.js';
import { isUseless, sqlStateOf } from './errors.js';

/** COMMIT was sent, and the connection was lost before the answer: the transaction may or may not be committed. */
export class CommitUncertain extends Error {
  constructor(cause: unknown) {
    super('the outcome of COMMIT is unknown', { cause });
    this.name = 'CommitUncertain';
  }
}

/** There was no connection to begin on. */
export class NotBegun extends Error {
  constructor(cause: unknown) {
    super('no connection for a transaction', { cause });
    this.name = 'NotBegun';
  }
}

/** Postgres answered COMMIT with a rollback, because a statement before it had failed. */
export class RolledBack extends Error {}

/** A statement behind one that failed: Postgres says no more than that the transaction is aborted. */
const ABORTED = '25P02';

/** Keeps the first error of a transaction, and tells it of the statements behind it too: their own would say nothing. */
function createFirstError(): (error: unknown) => unknown {
  let first: unknown;
  return (error) => {
    first ??= error;
    return sqlStateOf(error) === ABORTED ? first : error;
  };
}

/** A READ COMMITTED transaction. Statements are sent in the order of the calls; their answers need not be waited for in between. */
export interface Transaction extends Tx {
  /** Resolves once BEGIN is answered; statements may be sent before, but nothing may be written. */
  begun: Promise<void>;
  /**
   * Commits, with writes that are under way: if one failed it is a rollback, and its error is thrown. The connection is given back.
   * Throws CommitUncertain, RolledBack, what a write met, or what Postgres refused.
   */
  commit(writing?: readonly Promise<unknown>[]): Promise<void>;
  /** Rolls back and gives the connection back. Never throws; does nothing once it was given back. */
  abandon(): Promise<void>;
}

/** A transaction waits this long for a connection, and may then last this long. */
const TRANSACTION_WAIT_MS = 20_000;
const TRANSACTION_MS = 30_000;

/** Begins a transaction; end it with `commit` or `abandon`. Throws NotBegun. */
export function begin(db: Db, opener: Opener): Promise<Transaction> {
  return opener === 'pool' ? beginOnPool(db) : beginByPrisma(db);
}

/** Reads with several statements from one snapshot. Those of the past wait for each other. Throws NotBegun, what the reads throw. */
export async function inSnapshot<T>(db: Db, isPast: boolean, work: (tx: Tx) => Promise<T>): Promise<T> {
  return isPast ? db.slowReads.take(() => readInSnapshot(db, work)) : readInSnapshot(db, work);
}

async function readInSnapshot<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await beginOnPool(db, db.wire.beginSnapshot);
  try {
    const [read] = await Promise.all([work(tx), tx.begun]);
    return read;
  } finally {
    await tx.abandon();
  }
}

/** Does what comes before the writes of a transaction; when it fails the transaction is abandoned. */
export async function orAbandon<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await tx.abandon();
    throw error;
  }
}

/** Lets what is sent in one turn of the event loop go to the server in one piece, instead of each statement in its own. */
function sendTogether({ connection: { stream } }: pg.PoolClient): <T>(send: () => T) => T {
  let isHeld = false;
  const release = (): void => {
    isHeld = false;
    stream.uncork();
  };
  return (send) => {
    if (!isHeld) {
      isHeld = true;
      stream.cork();
      process.nextTick(release);
    }
    return send();
  };
}

/**
 * On a connection of the pool, which sends statements without waiting for the answers of those before: what need not wait costs no round trip, COMMIT
 * goes out behind the writes.
 */
async function beginOnPool(
  { pool, wire: { begin, nameOf } }: Pick<Db, 'pool' | 'wire'>,
  how = begin,
): Promise<Transaction> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new NotBegun(error);
  });
  const send = sendTogether(client);
  const begun = send(() => client.query(how)).then(() => undefined);
  begun.catch(() => undefined); // whoever writes or holds a lock looks at it: without a BEGIN each statement is a transaction of its own
  let isGivenBack = false;
  let isUsedUp = false;
  const causeOf = createFirstError();
  const giveBack = (isBroken: boolean): void => {
    isGivenBack = true; // from now on the connection may be somebody else's
    client.release(isBroken || isUsedUp);
  };
  const abandon = async (): Promise<void> => {
    if (isGivenBack) return;
    try {
      await client.query('ROLLBACK');
      giveBack(false);
    } catch {
      giveBack(true); // closing the connection rolls back too
    }
  };
  const sendCommit = async (): Promise<void> => {
    let command: string;
    try {
      command = (await send(() => client.query('COMMIT'))).command;
    } catch (error) {
      giveBack(true);
      throw isRefused(error) ? error : new CommitUncertain(error);
    }
    giveBack(false);
    if (command !== 'COMMIT') throw new RolledBack('the transaction had failed before COMMIT');
  };
  return {
    begun,
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) => {
      try {
        const values = [...parameters];
        return (await send(() => client.query<T>({ name: nameOf(sql), text: sql, values }))).rows;
      } catch (error) {
        isUsedUp ||= isUseless(error);
        throw causeOf(error);
      }
    },
    commit: async (writing = []) => {
      assert(!isGivenBack, 'a transaction ends once');
      const unsent = await firstUnsent(writing);
      if (unsent) {
        await abandon();
        throw unsent.reason;
      }
      const [committed, ...written] = await Promise.allSettled([sendCommit(), ...writing]);
      const failed = written.find((write) => write.status === 'rejected');
      if (committed.status === 'rejected') {
        throw committed.reason instanceof RolledBack && failed ? failed.reason : committed.reason;
      }
      assert(!failed, 'what was sent and failed makes COMMIT a rollback');
    },
    abandon,
  };
}

/**
 * The first write that failed by now: one that the driver could not send, of which the server knows nothing, so that a COMMIT would keep the others. The
 * driver says so at once; this waits until it has.
 */
async function firstUnsent(writing: readonly Promise<unknown>[]): Promise<{ reason: unknown } | undefined> {
  let unsent: { reason: unknown } | undefined;
  for (const write of writing) {
    write.catch((reason: unknown) => {
      unsent ??= { reason };
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
  return unsent;
}

/** Whether Postgres itself refused, so that nothing is uncertain. */
function isRefused(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !/^(?:08|57P)/.test(state);
}

/** Why Prisma rolls back when we say so. */
const ABANDONED = new Error('abandoned');

/**
 * An interactive transaction of Prisma, turned inside out: its callback lasts until it is committed or abandoned. Prisma begins, bounds and ends it;
 * statements go straight to the connection that it borrowed, because Prisma would take several times their processor time, and send one after another.
 */
async function beginByPrisma({ prisma, lending, wire: { begin, nameOf } }: Db): Promise<Transaction> {
  let isBroken = false;
  const causeOf = createFirstError();
  let end: { commit(): void; abandon(): void } | undefined;
  let ended: Promise<void> = Promise.resolve();
  // Prisma sends BEGIN, and later, when we or its clock say so, COMMIT or ROLLBACK. What we would send behind that would be no part of the
  // transaction, and after the release the connection may be somebody else's.
  let send: pg.PoolClient['query'] | undefined;
  const borrow = (lent: pg.PoolClient): void => {
    const { query, release } = lent;
    const together = sendTogether(lent);
    const own = query.bind(lent);
    send = ((...given: Parameters<typeof own>) => together(() => own(...given))) as typeof own;
    const sendAsPrisma = (...given: [{ text?: string }]) => {
      if (given[0]?.text === 'BEGIN') given[0].text = begin;
      else send = undefined;
      const sending = Reflect.apply(query, lent, given) as Promise<unknown>;
      sending.catch((error: unknown) => {
        isBroken ||= sqlStateOf(error) === undefined;
      });
      return sending;
    };
    const giveBack: typeof release = (error) => {
      send = undefined;
      Object.assign(lent, { query, release });
      release(error ?? isBroken);
    };
    Object.assign(lent, { query: sendAsPrisma, release: giveBack });
  };
  await new Promise<void>((resolve, reject) => {
    const run = () =>
      prisma.$transaction(
        () =>
          new Promise<void>((commit, refuse) => {
            end = { commit, abandon: () => refuse(ABANDONED) };
            resolve();
          }),
        { maxWait: TRANSACTION_WAIT_MS, timeout: TRANSACTION_MS },
      );
    ended = lending.run(borrow, run);
    ended.catch((error: unknown) => reject(new NotBegun(error)));
  });
  const takeEnd = () => {
    const open = end;
    end = undefined;
    return open;
  };
  return {
    begun: Promise.resolve(),
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) => {
      if (!send) throw new RolledBack('the transaction took too long and was rolled back');
      try {
        return (await send<T>({ name: nameOf(sql), text: sql, values: [...parameters] })).rows;
      } catch (error) {
        isBroken ||= sqlStateOf(error) === undefined || isUseless(error);
        throw causeOf(error);
      }
    },
    commit: async (writing = []) => {
      const open = takeEnd();
      assert(open, 'a transaction ends once');
      const failed = (await Promise.allSettled(writing)).find((write) => write.status === 'rejected');
      if (failed) {
        open.abandon();
        await ended.catch(() => undefined);
        throw failed.reason;
      }
      open.commit();
      await ended.catch((error: unknown) => {
        throw isRefused(error) ? error : new CommitUncertain(error);
      });
    },
    abandon: async () => {
      takeEnd()?.abandon();
      await ended.catch(() => undefined); // what keeps Prisma from rolling back ends the connection, and so the transaction
    },
  };
}
