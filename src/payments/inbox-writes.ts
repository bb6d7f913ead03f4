// The writes of an inbox that many events share: what comes in at the same moment is stored by one statement, and what became of events is written by one.
import { isOutage } from '../db/errors.js';
import { type StoredEvent, storeEvents } from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { overloaded } from '../engine/attempts.js';
import type { InboxRecord } from '../ledger/payment-entities.js';
import { createGatherer } from '../lib/gather.js';
import { settleInboxEvents } from '../services/payment-inbox.js';

/** Statements of each kind at a time in a process. */
const WRITERS = 2;
/** Events of one statement at most: their bodies are sent with it. */
const TOGETHER_MAX = 64;
/** Writes that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 2_000;

export interface InboxWrites {
  /** Stores events that came together; the ids of those that are new. Throws: overloaded; what the database could not do. */
  store(records: readonly StoredEvent[]): Promise<ReadonlySet<string>>;
  /** Writes what became of an event of which nobody has to hear. Throws: overloaded; what the database could not do. */
  settle(record: InboxRecord): Promise<void>;
}

export function createInboxWrites(deps: Deps): InboxWrites {
  const shared = {
    workersMax: WRITERS,
    waitingMax: WAITING_MAX,
    refuse: overloaded,
    countTogether: (waiting: readonly unknown[]) => Math.min(TOGETHER_MAX, waiting.length),
    isEverybodys: isOutage,
    onSharedFailure: (error: unknown, writes: number) =>
      deps.log.warn({ err: error, writes }, 'a shared write of the inbox failed; its events are written alone'),
  };
  return {
    store: createGatherer<readonly StoredEvent[], ReadonlySet<string>>({
      ...shared,
      answer: async (together) => {
        const fresh = await storeEvents(
          deps.db,
          together.flatMap(({ question }) => question),
        );
        for (const { resolve } of together) resolve(fresh);
        return [];
      },
    }),
    settle: createGatherer<InboxRecord, void>({
      ...shared,
      answer: async (together) => {
        await settleInboxEvents(
          deps,
          together.map(({ question }) => question),
        );
        for (const { resolve } of together) resolve();
        return [];
      },
    }),
  };
}
