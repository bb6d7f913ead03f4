// The inbox of payment providers, as people look at it: what came in, what became of it, and what somebody decided about it. How events are applied is
// src/payments/.
import type { Actor } from '../call.js';
import {
  findInboxEvent,
  type InboxAsked,
  listInbox,
  lockEvent,
  type StoredEvent,
  settleEvents,
  wakeEvents,
} from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { InboxRecord } from '../ledger/payment-entities.js';

const FINAL: ReadonlySet<InboxRecord['status']> = new Set(['applied', 'dismissed'] as const);

export function eventNotFound(id: string): AppError {
  return new AppError('payment_event_not_found', `There is no event ${id}.`, { pointer: 'path/id' });
}

/** One page of the inbox, newest first. */
export function getInbox({ db }: Pick<Deps, 'db'>, asked: InboxAsked): Promise<InboxRecord[]> {
  return listInbox(db, asked);
}

/** An event with what came in. Throws: payment_event_not_found. */
export async function getInboxEvent({ db }: Pick<Deps, 'db'>, id: string): Promise<StoredEvent> {
  const found = await findInboxEvent(db, id);
  if (!found) throw eventNotFound(id);
  return found;
}

/** Writes what became of events of which nobody has to hear; nothing where somebody else took one since. Locks: their rows. */
export async function settleInboxEvents(
  deps: Pick<Deps, 'db' | 'clock'>,
  settled: readonly InboxRecord[],
): Promise<void> {
  await settleEvents(deps.db, settled);
  await wake(deps, settled);
}

async function wake({ db, clock }: Pick<Deps, 'db' | 'clock'>, settled: readonly InboxRecord[]): Promise<void> {
  const applied = settled.filter(({ status }) => status === 'applied');
  if (applied.length > 0) await wakeEvents(db, applied, clock.now());
}

/**
 * Writes what became of an event where that is audited: it is quarantined, or somebody decided by hand; nothing where somebody else took it since. Locks: the
 * row of the event; of what is quarantined, that of the log of events, too.
 */
export async function decideInboxEvent(deps: Deps, settled: InboxRecord, actingKey: string | undefined): Promise<void> {
  await deps.engine.manage({
    opener: 'prisma',
    load: (tx) => lockEvent(tx, settled.id),
    decide: (before, at, changes) => {
      if (!before || before.attempts !== settled.attempts || FINAL.has(before.status)) return;
      const by = actingKey ?? actorOf(settled.provider).keyId;
      changes.inboxRecords.push({ before, after: { ...settled, attempts: before.attempts }, at, actingKey: by });
    },
  });
  await wake(deps, [settled]);
}

/** Who acts where a provider told something. */
export function actorOf(provider: string): Actor {
  const id = `payments:${provider}`;
  return { keyId: id, ownerId: id, scopes: new Set() };
}

/** Decides that an event is to have no effect, and why. One that is dismissed stays as it is. Throws: payment_event_not_found, payment_event_closed. */
export async function dismissInboxEvent(
  deps: Deps,
  id: string,
  reason: string,
  { keyId: actingKey }: Actor,
): Promise<StoredEvent> {
  await deps.engine.manage({
    opener: 'prisma',
    load: (tx) => lockEvent(tx, id),
    decide: (before, at, changes) => {
      if (!before) throw eventNotFound(id);
      if (before.status === 'dismissed') return;
      if (before.status === 'applied')
        throw new AppError('payment_event_closed', 'The event is applied.', { pointer: 'path/id' });
      const outcome = {
        status: 'dismissed',
        reason: 'dismissed',
        detail: reason,
        nextAt: null,
        settledAt: at,
      } as const;
      changes.inboxRecords.push({ before, after: { ...before, ...outcome }, at, actingKey });
    },
  });
  return getInboxEvent(deps, id);
}
