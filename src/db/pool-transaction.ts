// A transaction on a connection of the pool, without Prisma between: for the coalesced path alone, whose figures are in ADR 0011.
// It tells a refused COMMIT from one whose outcome is unknown.
import type pg from 'pg';
import { assert } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { sqlStateOf } from './errors.js';
import { statementName } from './statement-names.js';

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

export interface PoolTransaction extends Tx {
  /** Settled once BEGIN is answered; statements may be sent before, but nothing may be written. */
  begun: Promise<void>;
  /** Throws CommitUncertain, RolledBack, or what Postgres refused. The connection is given back. */
  commit(): Promise<void>;
  /** Gives the connection back, after ROLLBACK or, if that fails, closed. Never throws; does nothing once it was given back. */
  abandon(): Promise<void>;
}

/** The server forgot a prepared statement (`DEALLOCATE ALL`, a pooler between): the connection is of no more use. */
const STATEMENT_FORGOTTEN = '26000';

/** Does what comes before the writes of a transaction; when it fails the transaction is abandoned. */
export async function orAbandon<T>(tx: PoolTransaction, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await tx.abandon();
    throw error;
  }
}

/**
 * Begins a READ COMMITTED transaction on a connection of the pool; end it with `commit` or `abandon`. Connections of the pool send statements
 * without waiting for the answers of those before, so what need not wait costs no round trip. Throws NotBegun.
 */
export async function beginOnPool(pool: pg.Pool): Promise<PoolTransaction> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new NotBegun(error);
  });
  const begun = client.query('BEGIN').then(() => undefined);
  begun.catch(() => undefined); // whoever writes or holds a lock looks at it: without a BEGIN each statement is a transaction of its own
  let isGivenBack = false;
  let isForgetful = false;
  const giveBack = (isBroken: boolean): void => {
    isGivenBack = true; // from now on the connection may be somebody else's
    client.release(isBroken || isForgetful);
  };
  return {
    begun,
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) => {
      try {
        return (await client.query<T>({ name: statementName(sql), text: sql, values: [...parameters] })).rows;
      } catch (error) {
        isForgetful ||= sqlStateOf(error) === STATEMENT_FORGOTTEN;
        throw error;
      }
    },
    commit: async () => {
      assert(!isGivenBack, 'a transaction ends once');
      let command: string;
      try {
        command = (await client.query('COMMIT')).command;
      } catch (error) {
        giveBack(true);
        const isRefused = sqlStateOf(error) !== undefined && !/^(?:08|57P)/.test(sqlStateOf(error) ?? '');
        throw isRefused ? error : new CommitUncertain(error);
      }
      giveBack(false);
      if (command !== 'COMMIT') throw new RolledBack('the transaction had failed before COMMIT');
    },
    abandon: async () => {
      if (isGivenBack) return;
      try {
        await client.query('ROLLBACK');
        giveBack(false);
      } catch {
        giveBack(true); // closing the connection rolls back too
      }
    },
  };
}
