// The lanes: uses that wait at the same time run as ONE transaction (docs/performance.md). Each lane takes what waits, and has it transacted together,
// in the order of arrival. Nothing is delayed: an idle lane runs a lone request at once.
// Correctness never rests on the lanes: the customers' rows are the locks, whoever holds them.
import { isLockTimeout, isOutage } from '../db/errors.js';
import { NotBegun } from '../db/transactions.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { OPERATIONS } from '../ledger/operations.js';
import { required } from '../lib/assert.js';
import { type Asked, createGatherer } from '../lib/gather.js';
import { CustomerMoved, endOf, overloaded, persist, unavailable } from './attempts.js';
import type { ConnectionBounds } from './connections.js';
import { resolveCustomer, resolveTogether } from './customers.js';
import { CUSTOMERS_MAX, laneKeyOf } from './lane-key.js';
import { type Member, type Outcome, type ResolvedMember, resolvedAs } from './operation.js';
import type { Resolution } from './selector.js';
import { type Selector, selectorText, unknownCustomer } from './selector.js';
import { transact } from './transact.js';

export interface Lanes {
  /**
   * Runs an operation, whose customer may be known, with whatever waits beside it.
   * Throws: customer_not_found, selector_conflict, overloaded, unavailable.
   */
  run(member: Member, resolved?: ResolvedMember): Promise<Outcome>;
  /** How many wait for a transaction, and beside the lanes for the lock of a customer. */
  countWaiting(): number;
  countStrays(): number;
}

const LANES = 2;
/** Requests of one transaction at most. */
const REQUESTS_MAX = 256;
/** Requests of one lane that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 4_096;

/** A request that comes to a lane. */
interface Request {
  readonly member: Member;
  readonly resolved: ResolvedMember | undefined;
}

/** A request that waits in a lane. */
type Waiting = Asked<Request, Outcome>;

/** A request whose customer is known, on its way through a lane. */
interface Resolved extends ResolvedMember {
  /** Transactions that were begun for it and failed. */
  failures: number;
  give(outcome: Outcome): void;
  fail(error: unknown): void;
}

/** Makes the lanes of a process. */
export function createLanes(deps: Foundations, bounds: ConnectionBounds): Lanes {
  const strays = createStrays(deps, bounds);
  let waiting = 0;
  const lanes = Array.from({ length: LANES }, () =>
    createGatherer<Request, Outcome>({
      workersMax: 1,
      waitingMax: WAITING_MAX,
      countElsewhere: strays.count,
      refuse: () => {
        waiting -= 1;
        return overloaded();
      },
      countTogether: ({ length }) => Math.min(length, REQUESTS_MAX),
      answer: async (together) => {
        waiting -= together.length;
        const later = await runGroup(deps, strays, together);
        waiting += later.length;
        return later;
      },
      // a group tells each of its requests itself what failed
      isEverybodys: () => true,
      onSharedFailure: () => undefined,
    }),
  );
  return {
    run: (member, resolved) => {
      const request = toRequest(member, resolved);
      waiting += 1;
      return required(lanes[laneOf(request)], 'the lane exists')(request);
    },
    countWaiting: () => waiting,
    countStrays: strays.count,
  };
}

/** Tells whoever watches how many wait for the lanes of a process. */
export function watchLanes({ metrics }: Foundations, all: readonly Lanes[]): void {
  const sumOf = (count: (lanes: Lanes) => number) => () => all.reduce((sum, lanes) => sum + count(lanes), 0);
  metrics.watch(
    'bursar_lane_waiting_requests',
    'Requests that wait for a transaction of the lanes.',
    sumOf((lanes) => lanes.countWaiting()),
  );
  metrics.watch(
    'bursar_lane_lock_waiting_requests',
    'Requests beside the lanes that wait for the lock of a customer.',
    sumOf((lanes) => lanes.countStrays()),
  );
}

/** Whoever is seen first is looked for again: by then he may be there. */
function toRequest(member: Member, resolved: ResolvedMember | undefined): Request {
  return { member, resolved: resolved?.sight ? undefined : resolved };
}

/** Runs requests that came together; those that have to wait for the next transaction of the lane come back, in their order. */
async function runGroup(deps: Foundations, strays: Strays, together: readonly Waiting[]): Promise<Waiting[]> {
  const { now, later } = takeOfOneKey(deps, await resolveAll(deps, together));
  try {
    await runTogether(deps, strays, now);
  } catch (error) {
    giveUp(deps, now, error);
  }
  return later.map((own) => ({ question: toRequest(own.member, own), resolve: own.give, reject: own.fail }));
}

/** Requests of customers whose lock somebody else holds: they wait off the lane, together, one connection for each customer. */
interface Strays {
  has(customerId: string): boolean;
  count(): number;
  add(waiting: Resolved): void;
}

function createStrays(deps: Foundations, { lockWaits }: ConnectionBounds): Strays {
  const groups = new Map<string, Resolved[]>();
  let pending = 0;

  async function drain(customerId: string, group: Resolved[]): Promise<void> {
    while (group.length > 0) {
      await deps.turns.take(customerId, async () => {
        const { now: together, later } = splitConflicting(group.splice(0, REQUESTS_MAX));
        group.unshift(...later);
        try {
          await lockWaits.take(async () => {
            const { stillWaiting, alone } = await attemptTogether(deps, together, { skipLocked: false });
            // Still in their order, and before those who came since.
            group.unshift(...stillWaiting);
            pending += stillWaiting.length;
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
    add: (waiting) => {
      const { customerId } = waiting;
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
function giveUp(deps: Foundations, group: readonly Resolved[], error: unknown): void {
  deps.log.error({ err: error }, 'a lane failed');
  for (const { fail } of group) fail(error);
}

/** A customer named in one way always comes to the same lane. */
function laneOf({ member: { selector }, resolved }: Request): number {
  const name = resolved?.customerId ?? selector.customerId ?? selectorText(selector);
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return Math.abs(hash) % LANES;
}

/** Resolves the selectors, those by identity in one statement; whoever can't be resolved is refused here. */
async function resolveAll(deps: Foundations, group: readonly Waiting[]): Promise<Resolved[]> {
  let known: ReadonlyMap<string, Resolution> = new Map();
  const unresolved = group.filter(({ question }) => !question.resolved);
  try {
    known = await resolveTogether(
      deps,
      unresolved.map(({ question }) => question.member.selector),
    );
  } catch {
    // The database can't be asked: each request meets that on its own, in resolveOne.
  }
  const resolving = new Map<string, Promise<Resolution>>();
  const resolve = (selector: Selector): Promise<Resolution> => {
    const name = selectorText(selector);
    const resolved = resolving.get(name) ?? resolveCustomer(deps, selector);
    resolving.set(name, resolved);
    return resolved;
  };
  const all = await Promise.all(group.map((waiting) => resolveOne(deps, waiting, known, resolve)));
  return all.filter((resolved) => resolved !== undefined);
}

/** The requests of as many customers of the first one's lane key as a transaction takes, and the others as `later`, each in their order. */
function takeOfOneKey(deps: Foundations, requests: readonly Resolved[]): { now: Resolved[]; later: Resolved[] } {
  const keyOf = ({ customerId }: Resolved) => laneKeyOf(deps, customerId);
  const customers = new Set<string>();
  const now: Resolved[] = [];
  const others: Resolved[] = [];
  for (const waiting of requests) {
    const hasRoom = customers.has(waiting.customerId) || customers.size < CUSTOMERS_MAX;
    if (hasRoom && keyOf(waiting) === keyOf(now[0] ?? waiting)) {
      customers.add(waiting.customerId);
      now.push(waiting);
    } else others.push(waiting);
  }
  const split = splitConflicting(now);
  return { now: split.now, later: [...split.later, ...others] };
}

/**
 * Leaves out what must not see a customer as he is loaded for all: what decides on more than its book (an order, a payment) has to load what another of its
 * customer's wrote of that. So a transaction has one of these for each customer, and whatever of his came after a second one waits with it.
 */
function splitConflicting(requests: readonly Resolved[]): { now: Resolved[]; later: Resolved[] } {
  const [loading, held] = [new Set<string>(), new Set<string>()];
  const now: Resolved[] = [];
  const later: Resolved[] = [];
  for (const waiting of requests) {
    const { customerId, finalId = customerId, member } = waiting;
    const own = [customerId, finalId];
    const isOfBook = member.load === undefined || OPERATIONS[member.name].opener === 'pool';
    if (own.some((id) => held.has(id) || (!isOfBook && loading.has(id)))) {
      for (const id of own) held.add(id);
      later.push(waiting);
      continue;
    }
    if (!isOfBook) for (const id of own) loading.add(id);
    now.push(waiting);
  }
  return { now, later };
}

async function resolveOne(
  deps: Foundations,
  { question, resolve: give, reject: fail }: Waiting,
  known: ReadonlyMap<string, Resolution>,
  resolve: (selector: Selector) => Promise<Resolution>,
): Promise<Resolved | undefined> {
  const { member, resolved } = question;
  try {
    const own = resolved ?? known.get(selectorText(member.selector)) ?? (await resolve(member.selector));
    const { customerId, finalId, sight, operationId } = resolvedAs(deps, member, own, resolved);
    return { member, customerId, finalId, sight, operationId, failures: 0, give, fail };
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** Runs requests as one transaction; those whose customer is busy or locked elsewhere join the strays. */
async function runTogether(deps: Foundations, strays: Strays, requests: readonly Resolved[]): Promise<void> {
  const together: Resolved[] = [];
  for (const waiting of requests) {
    const { customerId } = waiting;
    // Whoever came earlier goes first, also when he waits for a lock that is free again.
    if (strays.has(customerId) || deps.turns.isBusy(customerId)) strays.add(waiting);
    else together.push(waiting);
  }
  if (together.length === 0) return;
  const { stillWaiting, alone } = await attemptTogether(deps, together, { skipLocked: true });
  for (const waiting of [...stillWaiting, ...alone]) strays.add(waiting);
}

/** Requests that have no verdict yet. */
interface Left {
  /** The lock that all of them need did not come in time: they wait for it together once more. */
  stillWaiting: Resolved[];
  /** To be run alone: their customer was not locked, or their identity moved, or the transaction failed with others in it. */
  alone: Resolved[];
}

/** Runs requests as one transaction and gives each its verdict. Nobody is answered from a failed transaction but a lone request. */
async function attemptTogether(
  deps: Foundations,
  together: readonly Resolved[],
  { skipLocked }: { skipLocked: boolean },
): Promise<Left> {
  try {
    deps.metrics.observeBatch(together.length);
    const { verdicts } = await transact(deps, together, { opener: 'pool', skipLocked });
    const alone: Resolved[] = [];
    for (const waiting of together) {
      const verdict = verdicts.get(waiting);
      if (verdict === undefined || verdict === 'moved') alone.push(waiting);
      else waiting.give(verdict);
    }
    return { stillWaiting: [], alone };
  } catch (error) {
    if (error instanceof NotBegun) {
      // Nothing was sent, and each alone would wait as long for a connection.
      failAll(together, unavailable(error));
      return NOBODY_LEFT;
    }
    if (isLockTimeout(error)) return { stillWaiting: leftAfter(together, error), alone: [] };
    if (together.length > 1 && !(error instanceof AppError)) {
      for (const waiting of together) waiting.failures += 1;
      deps.log.warn({ err: error, requests: together.length }, 'a shared transaction failed; its requests run alone');
      return { stillWaiting: [], alone: [...together] };
    }
    return { stillWaiting: [], alone: leftAfter(together, error) };
  }
}

const NOBODY_LEFT: Left = { stillWaiting: [], alone: [] };

/** Counts a failed attempt of each; those that may make another. The others are answered. */
function leftAfter(requests: readonly Resolved[], error: unknown): Resolved[] {
  return requests.filter((waiting) => {
    waiting.failures += 1;
    const end = endOf(error, waiting.failures);
    if (end) waiting.fail(end.error);
    return end === undefined;
  });
}

function failAll(requests: readonly Resolved[], error: unknown): void {
  for (const { fail } of requests) fail(error);
}

/** Runs requests one after another. When one is given up because there is no database, the others are spared the wait for it. */
async function runEachAlone(deps: Foundations, requests: readonly Resolved[]): Promise<void> {
  for (const [at, waiting] of requests.entries()) {
    try {
      const { member } = waiting;
      let latest: ResolvedMember = waiting;
      const attempt = async (): Promise<Outcome> => {
        latest = resolvedAs(deps, member, await resolveCustomer(deps, member.selector), latest);
        return attemptAlone(deps, latest);
      };
      waiting.give(await persist(attempt, { failures: waiting.failures }));
    } catch (error) {
      waiting.fail(error);
      const cause = error instanceof AppError ? error.cause : error;
      if (cause instanceof NotBegun || isOutage(cause)) {
        failAll(requests.slice(at + 1), unavailable(cause));
        return;
      }
    }
  }
}

/** Runs one request in a transaction of its own, waiting for its lock. Throws CustomerMoved. */
async function attemptAlone(deps: Foundations, member: ResolvedMember): Promise<Outcome> {
  const { verdicts } = await transact(deps, [member], { opener: 'pool', skipLocked: false });
  const verdict = verdicts.get(member);
  if (verdict === 'moved') throw new CustomerMoved();
  return verdict ?? { refusal: unknownCustomer(member.member.selector) };
}
