// The coalesced write path: uses of quotas that wait at the same time run as ONE transaction (docs/performance.md). Each lane takes what
// waits, locks the customers, loads their books once, decides each request in the order of arrival, writes all of it in one statement,
// commits, and gives each request its own verdict. Nothing is delayed: an idle lane runs a lone request at once.
// Correctness never rests on the lanes: the customers' rows are the locks, whoever holds them.
import type { ProvidersOf } from '../db/books.js';
import { isConnectionLost, isLockTimeout, isOutage, isRetryable, isUnavailable } from '../db/errors.js';
import { NotBegun } from '../db/pool-transaction.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import { required } from '../lib/assert.js';
import { backOff } from '../lib/backoff.js';
import { type Admission, createAdmission, createSlots, type Slots } from '../lib/slots.js';
import { findCustomersOf, resolveCustomer, type Selector, selectorText } from './customers.js';
import {
  ATTEMPTS_MAX,
  type Decision,
  type Outcome,
  overloaded,
  type RecordedAnswer,
  type Render,
  unavailable,
} from './operation.js';
import { hashRequest } from './request-hash.js';
import { type Request, type SharedOperation, transact } from './shared-transaction.js';

/** An operation that may share its transaction with others: all it needs is the book. */
export interface LaneOperation<R> extends Omit<SharedOperation, 'answer'> {
  /** The selector's customer, where somebody looked it up before: what is about him is run in its order, however it names him. */
  customerId?: string;
  /** The validated command, without selector and key. */
  request: unknown;
  /** Decides and posts in the book. Pure; a refusal (returned or thrown) comes before the first posting. */
  decide(book: Book, operationId: string, providersOf: ProvidersOf): Decision<R>;
  render: Render<R>;
}

export interface Lanes {
  /**
   * Runs an operation with whatever waits beside it.
   * Locks: the customer. Throws: what the decision refuses, customer_not_found, selector_conflict, idempotency_key_reused, overloaded,
   * unavailable.
   */
  run<R>(operation: LaneOperation<R>): Promise<RecordedAnswer>;
  /** For what waits for locks that others may hold: it takes at most half of the connections. */
  readonly waiting: Slots;
  /** For keyed calls: each holds a connection for the lock of its key, and needs others to work. */
  readonly calls: Slots;
  /** For calls about many customers, each of which may be large. */
  readonly admission: Admission;
}

const LANES = 2;
/** Requests of one transaction at most. */
const REQUESTS_MAX = 256;
/** Requests of one lane that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 4_096;
/** Of the connections, how many may wait for locks that others hold: the rest is for whoever need not wait. */
const WAITING_SHARE = 0.5;
const CALLS_SHARE = 0.25;
const CALLS_MAX = 4;
/** Calls about many customers that are at work or wait; beyond it they are refused before memory grows. */
const CALLS_ADMITTED_MAX = 64;

/** A request on its way through a lane. */
interface Waiting extends Request {
  /** Transactions that were begun for it and failed. */
  failures: number;
  resolve(answer: RecordedAnswer): void;
  reject(error: unknown): void;
}

interface Queue {
  waiting: Waiting[];
  isRunning: boolean;
}

/** Makes the lanes of a process. */
export function createLanes(deps: Foundations): Lanes {
  const queues = Array.from({ length: LANES }, (): Queue => ({ waiting: [], isRunning: false }));
  const slots = createSlots(Math.max(1, Math.floor(deps.config.poolSize * WAITING_SHARE)));
  const strays = createStrays(deps, slots);

  async function drain(queue: Queue): Promise<void> {
    queue.isRunning = true;
    try {
      while (queue.waiting.length > 0) {
        let taken = queue.waiting.splice(0, REQUESTS_MAX);
        try {
          const { now, later } = await takeResolved(deps, taken, deps.config.laneCustomersMax);
          queue.waiting.unshift(...later);
          taken = now;
          await runTogether(deps, strays, now);
        } catch (error) {
          giveUp(deps, taken, error);
        }
      }
    } finally {
      queue.isRunning = false;
    }
  }

  return {
    waiting: slots,
    calls: createSlots(Math.max(1, Math.min(CALLS_MAX, Math.floor(deps.config.poolSize * CALLS_SHARE)))),
    admission: createAdmission(CALLS_ADMITTED_MAX, overloaded),
    run: (operation) =>
      new Promise((resolve, reject) => {
        const queue = required(queues[laneOf(operation)], 'the lane exists');
        if (queue.waiting.length + strays.count() >= WAITING_MAX) {
          reject(overloaded());
          return;
        }
        queue.waiting.push({
          ...toRequest(deps, operation),
          failures: 0,
          resolve,
          reject,
        });
        if (!queue.isRunning) void drain(queue);
      }),
  };
}

/** A request to run an operation, with its id. */
export function toRequest<R>(
  deps: Foundations,
  { decide, render, request, customerId, ...operation }: LaneOperation<R>,
): Request {
  const isRecorded = operation.idempotencyKey !== undefined || operation.keepsAnswer === true;
  return {
    operation: {
      ...operation,
      answer: (book, id, providersOf) => {
        const decision = decide(book, id, providersOf);
        return 'result' in decision ? { ...decision, result: render(decision.result) } : decision;
      },
    },
    operationId: deps.ids.next(),
    requestHash: isRecorded ? hashRequest(request) : null,
    customerId,
  };
}

/** Requests of customers whose lock somebody else holds: they wait off the lane, together, one connection for each customer. */
interface Strays {
  has(customerId: string): boolean;
  count(): number;
  add(customerId: string, waiting: Waiting): void;
}

function createStrays(deps: Foundations, slots: Slots): Strays {
  const groups = new Map<string, Waiting[]>();
  let pending = 0;

  async function drain(customerId: string, group: Waiting[]): Promise<void> {
    while (group.length > 0) {
      await deps.turns.take(customerId, async () => {
        const together = group.splice(0, REQUESTS_MAX);
        try {
          await slots.take(async () => {
            const { again, alone } = await attemptTogether(deps, together, { skipLocked: false });
            // Still in their order, and before those who came since.
            group.unshift(...again);
            pending += again.length;
            await runEachAlone(deps, alone);
          });
        } catch (error) {
          giveUp(deps, together, error);
        }
        pending -= together.length;
      });
    }
    groups.delete(customerId);
  }

  return {
    has: (customerId) => groups.has(customerId),
    count: () => pending,
    add: (customerId, waiting) => {
      pending += 1;
      const known = groups.get(customerId);
      if (known) {
        known.push(waiting);
        return;
      }
      const group = [waiting];
      groups.set(customerId, group);
      void drain(customerId, group);
    },
  };
}

/** A defect of ours must not leave callers without an answer; those that have one keep it. */
function giveUp(deps: Foundations, taken: readonly Waiting[], error: unknown): void {
  deps.log.error({ err: error }, 'a lane failed');
  for (const { reject } of taken) reject(error);
}

/** A customer named in one way always comes to the same lane. */
function laneOf({ customerId, selector }: Pick<LaneOperation<unknown>, 'customerId' | 'selector'>): number {
  const name = customerId ?? selector.customerId ?? selectorText(selector);
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return Math.abs(hash) % LANES;
}

/**
 * Resolves the selectors, those by identity in one statement; whoever can't be resolved is refused here. Requests of more customers than a
 * transaction takes come back as `later`, in their order.
 */
async function takeResolved(
  deps: Foundations,
  taken: readonly Waiting[],
  customersMax: number,
): Promise<{ now: Waiting[]; later: Waiting[] }> {
  let known = new Map<string, string>();
  const unresolved = taken.filter(({ customerId }) => customerId === undefined);
  try {
    known = await findCustomersOf(
      deps,
      unresolved.map(({ operation }) => operation.selector),
    );
  } catch {
    // The database can't be asked: each request meets that on its own, in resolveOne.
  }
  const resolving = new Map<string, Promise<string>>();
  const resolve = (selector: Selector): Promise<string> => {
    const name = selectorText(selector);
    const resolved = resolving.get(name) ?? resolveCustomer(deps, selector);
    resolving.set(name, resolved);
    return resolved;
  };
  const resolved = await Promise.all(taken.map((waiting) => resolveOne(waiting, known, resolve)));
  const customers = new Set<string>();
  const now: Waiting[] = [];
  const later: Waiting[] = [];
  for (const waiting of resolved) {
    if (!waiting?.customerId) continue;
    if (later.length === 0 && (customers.has(waiting.customerId) || customers.size < customersMax)) {
      customers.add(waiting.customerId);
      now.push(waiting);
    } else later.push(waiting);
  }
  return { now, later };
}

async function resolveOne(
  waiting: Waiting,
  known: ReadonlyMap<string, string>,
  resolve: (selector: Selector) => Promise<string>,
): Promise<Waiting | undefined> {
  if (waiting.customerId !== undefined) return waiting;
  const { selector } = waiting.operation;
  const found = known.get(selectorText(selector));
  if (found !== undefined) return { ...waiting, customerId: found };
  try {
    return { ...waiting, customerId: await resolve(selector) };
  } catch (error) {
    waiting.reject(isUnavailable(error) ? unavailable(error) : error);
    return undefined;
  }
}

/** Runs requests as one transaction; those whose customer is busy or locked elsewhere join the strays. */
async function runTogether(deps: Foundations, strays: Strays, requests: readonly Waiting[]): Promise<void> {
  const together: Waiting[] = [];
  for (const waiting of requests) {
    const customerId = required(waiting.customerId, 'the customer is resolved');
    // Whoever came earlier goes first, also when he waits for a lock that is free again.
    if (strays.has(customerId) || deps.turns.isTaken(customerId)) strays.add(customerId, waiting);
    else together.push(waiting);
  }
  if (together.length === 0) return;
  const { again, alone } = await attemptTogether(deps, together, { skipLocked: true });
  for (const waiting of [...again, ...alone]) {
    strays.add(required(waiting.customerId, 'the customer is resolved'), waiting);
  }
}

/** Requests that have no verdict yet. */
interface Left {
  /** The lock that all of them need did not come in time: they wait for it together once more. */
  again: Waiting[];
  /** To be run alone: their customer was not locked, or their identity moved, or the transaction failed with others in it. */
  alone: Waiting[];
}

/** Runs requests as one transaction and gives each its verdict. Nobody is answered from a failed transaction but a lone request. */
async function attemptTogether(
  deps: Foundations,
  together: readonly Waiting[],
  lock: { skipLocked: boolean },
): Promise<Left> {
  try {
    const verdicts = await transact(deps, together, lock);
    const left: Waiting[] = [];
    for (const waiting of together) {
      const verdict = verdicts.get(waiting);
      if (verdict === undefined || verdict === 'again') left.push(waiting);
      else give(waiting, verdict);
    }
    return { again: [], alone: left };
  } catch (error) {
    if (error instanceof NotBegun) {
      // Nothing was sent, and each alone would wait as long for a connection.
      rejectAll(together, unavailable(error));
      return NOBODY_LEFT;
    }
    if (isLockTimeout(error)) return { again: together.filter((waiting) => mayRepeat(waiting, error)), alone: [] };
    if (together.length > 1 && !(error instanceof AppError)) {
      for (const waiting of together) waiting.failures += 1;
      deps.log.warn({ err: error, requests: together.length }, 'a shared transaction failed; its requests run alone');
      return { again: [], alone: [...together] };
    }
    return { again: [], alone: together.filter((waiting) => mayRepeat(waiting, error)) };
  }
}

const NOBODY_LEFT: Left = { again: [], alone: [] };

function rejectAll(requests: readonly Waiting[], error: unknown): void {
  for (const { reject } of requests) reject(error);
}

function give({ resolve, reject }: Waiting, verdict: Outcome): void {
  if ('answer' in verdict) resolve(verdict.answer);
  else reject(verdict.refusal);
}

/** Runs requests one after another. When one is given up because there is no database, the others are spared the wait for it. */
async function runEachAlone(deps: Foundations, requests: readonly Waiting[]): Promise<void> {
  for (const [at, waiting] of requests.entries()) {
    const failure = await runAlone(deps, waiting);
    if (failure !== undefined && (failure instanceof NotBegun || isOutage(failure))) {
      rejectAll(requests.slice(at), unavailable(failure));
      return;
    }
  }
}

/** Runs one request in its own transaction, waiting for its lock, until it is answered. Returns why it was given up, if it was. */
async function runAlone(deps: Foundations, waiting: Waiting): Promise<unknown> {
  for (;;) {
    if (waiting.failures > 0) await backOff(waiting.failures);
    try {
      const customerId = await resolveCustomer(deps, waiting.operation.selector);
      const [verdict] = (await transact(deps, [{ ...waiting, customerId }], { skipLocked: false })).values();
      if (verdict !== undefined && verdict !== 'again') {
        give(waiting, verdict);
        return undefined;
      }
      if (!mayRepeat(waiting, new CustomerChanged())) return undefined;
    } catch (error) {
      if (!mayRepeat(waiting, error)) return error;
    }
  }
}

/** Between the look-up and the lock the customer that is meant became another. */
class CustomerChanged extends Error {}

/** Counts a failed attempt and says whether another may be made; if not, the request is answered. */
function mayRepeat(waiting: Waiting, error: unknown): boolean {
  waiting.failures += 1;
  if (error instanceof AppError) {
    waiting.reject(error);
    return false;
  }
  const isPassing = error instanceof CustomerChanged || isRetryable(error) || isConnectionLost(error);
  if (isPassing && waiting.failures < ATTEMPTS_MAX) return true;
  waiting.reject(isPassing || isUnavailable(error) ? unavailable(error) : error);
  return false;
}
