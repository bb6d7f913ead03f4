// The test clock (DOMAIN 3.18): one instant for all processes on a database, moved forward by hand, in steps from one due instant to the next, so that what
// falls due on the way happens in its order.
import type { Actor } from '../call.js';
import { findFirstDue } from '../db/customers.js';
import { findFirstNotice } from '../db/expiring.js';
import { findFirstReward } from '../db/rewards.js';
import { findSandboxInstant, lockSandboxClock } from '../db/sandbox-clock.js';
import type { Deps } from '../deps.js';
import { notify } from '../engine/notify.js';
import { settleRewards } from '../engine/rewards.js';
import { sweep } from '../engine/sweep.js';
import { AppError } from '../errors/app-error.js';
import { StartError } from '../errors/start-error.js';
import { addDuration, type Duration } from '../ledger/periods.js';

/** Where the clock is to go. */
export type ClockCommand = { now: Date } | { advance: Duration };

export interface ClockState {
  now: Date;
  /** Whether it was set: then it stands still. */
  isSet: boolean;
}

export interface ClockMoved extends ClockState {
  /** Whether it is where it was to go; else the same call goes on. */
  isComplete: boolean;
  /** Due instants at which it stopped. */
  steps: number;
}

/** Behind it there is room for whatever lasts from then on. */
const LAST = new Date('9000-01-01T00:00:00.000Z');
const STEPS_MAX = 10_000;
/** A call ends before its deadline, and says how far it came. */
const MOVING_MS_MAX = 30_000;

/** What the clock shows. */
export async function getClock({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<ClockState> {
  const isSet = (await findSandboxInstant(db)) !== undefined;
  return { now: clock.now(), isSet };
}

/**
 * Sets the clock forward; from then on it stands still. On the way it stops at each instant at which something falls due, and settles that.
 * Calls of one process take turns; of those of several one moves it, and the others are refused.
 * Locks: the clock, customers of whom something is due. Throws: clock_backwards (also when somebody else moved it meanwhile), invalid_request (too far).
 */
export function moveClock(deps: Deps, command: ClockCommand, actor: Actor): Promise<ClockMoved> {
  return deps.turns.take('the sandbox clock', () => moveInTurn(deps, command, actor));
}

async function moveInTurn(deps: Deps, command: ClockCommand, actor: Actor): Promise<ClockMoved> {
  await deps.clock.refresh?.();
  const begin = deps.clock.now();
  let shown = await findSandboxInstant(deps.db);
  const target = targetOf(begin, command);
  const endMs = performance.now() + MOVING_MS_MAX;
  let steps = 0;
  let reached = begin;
  let last: Date | undefined;
  while (steps < STEPS_MAX && performance.now() < endMs) {
    const due = await findNext(deps, target);
    if (due === undefined || due.getTime() === last?.getTime()) break; // the second time nobody could be settled
    last = due;
    reached = due > reached ? due : reached;
    shown = await setClock(deps, reached, { isStep: true, actor, begin, shown });
    await sweep(deps);
    await notify(deps);
    await settleRewards(deps);
    steps += 1;
  }
  const isComplete = (await findNext(deps, target)) === undefined;
  const now = isComplete ? target : reached;
  await setClock(deps, now, { isStep: false, actor, begin, shown });
  return { now, isSet: true, isComplete, steps };
}

/** The first instant at which something falls due, or is to be told. */
async function findNext({ db }: Deps, until: Date): Promise<Date | undefined> {
  const found = await Promise.all([findFirstDue(db, until), findFirstNotice(db, until), findFirstReward(db, until)]);
  return found.reduce((first, at) => (first && at ? (at < first ? at : first) : (first ?? at)), undefined);
}

function targetOf(begin: Date, command: ClockCommand): Date {
  const target = 'now' in command ? command.now : addDuration(begin, command.advance);
  if (!target || target > LAST) {
    const pointer = 'now' in command ? '/now' : '/advance';
    throw new AppError('invalid_request', `The clock ends at ${LAST.toISOString()}.`, { pointer });
  }
  if (target < begin) throw backwards(begin);
  return target;
}

function backwards(now: Date): AppError {
  const detail = `The clock shows ${now.toISOString()}, and is never set back: begin with an empty database.`;
  return new AppError('clock_backwards', detail, { pointer: '/now' });
}

/** Sets the clock from what it was shown to be, and has this process go by it. A step is not audited: the call that made it is, with where it began. */
async function setClock(
  deps: Deps,
  after: Date,
  { isStep, actor, begin, shown }: { isStep: boolean; actor: Actor; begin: Date; shown: Date | undefined },
): Promise<Date> {
  let isAgain = false; // after an attempt whose outcome was not learnt
  await deps.engine.manage({
    opener: 'prisma',
    lock: lockSandboxClock,
    load: findSandboxInstant,
    decide: (present, _now, changes) => {
      const isOurs = present?.getTime() === shown?.getTime() || (isAgain && present?.getTime() === after.getTime());
      isAgain = true;
      if (present && !isOurs) throw movedBy(present);
      changes.clock.push({ before: begin, after, at: after, actingKey: actor.keyId, isStep });
    },
  });
  await deps.clock.refresh?.();
  return after;
}

function movedBy(present: Date): AppError {
  const detail = `Somebody else set the clock meanwhile, to ${present.toISOString()}: look at it, and set it again.`;
  return new AppError('clock_backwards', detail, { pointer: '/now' });
}

/** Refuses a database whose clock was set by hand, without the sandbox: what happens next would be dated before what has happened. Throws: StartError. */
export async function guardSandbox({ db, config }: Pick<Deps, 'db' | 'config'>): Promise<void> {
  if (config.isSandbox) return;
  const instant = await findSandboxInstant(db);
  if (instant === undefined) return;
  throw new StartError(
    `the clock of this database was set by hand, to ${instant.toISOString()}: it is a sandbox; set BURSAR_SANDBOX=true, or use another database`,
  );
}
