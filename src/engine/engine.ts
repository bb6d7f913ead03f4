// The engine as use cases know it: they bring operations, it gives answers. By which way an operation takes is chosen here, by its kind.
import type { RecordedAnswer, Rendered } from '../call.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { OPERATIONS } from '../ledger/operations.js';
import { required } from '../lib/assert.js';
import { CustomerMoved, persist, unavailable } from './attempts.js';
import { type BulkCall, type CallResult, runBulkCall, toKeyedAnswer } from './bulk-call.js';
import { type ConnectionBounds, createConnectionBounds } from './connections.js';
import { resolveCustomer, resolveEach } from './customers.js';
import { createExplainer, type Explainer } from './explainer.js';
import { createLanes, watchLanes } from './lanes.js';
import { type LongManagement, type Management, transactInPieces, transactManagement } from './manage.js';
import { type Member, type Operation, type Outcome, type ResolvedMember, resolvedAs, toMember } from './operation.js';
import type { Resolution } from './selector.js';
import { identityText, type Selector, unknownCustomer } from './selector.js';
import { transact } from './transact.js';
import { runWhole, type WholeOutcome } from './whole.js';

export interface Engine {
  /**
   * Runs an operation. The customer is resolved first, in a step of its own.
   * Locks: the customer and whom it names beside him, then claims. Throws: what the decision refuses (for want of units with its explanation),
   * customer_not_found, selector_conflict, idempotency_key_reused, overloaded, unavailable.
   */
  run<R, L, M>(operation: Operation<R, L, M>): Promise<RecordedAnswer>;
  /** The same in a transaction that it shares with others that come this way at the same time: for who brings many, of many customers. */
  runBeside<R, L, M>(operation: Operation<R, L, M>): Promise<RecordedAnswer>;
  /** Runs uses each on its own, those of one customer in their order, however each names him. What becomes of one is its outcome. */
  runEach<R>(operations: readonly (Operation<R> | AppError)[]): Promise<Outcome[]>;
  /** Runs uses in one transaction, all or none; `recordAs` is the call whose rendered answer is recorded with them, under its key. */
  runWhole<R>(
    operations: readonly (Operation<R> | AppError)[],
    recordAs: BulkCall & { render(outcomes: readonly Outcome[]): Rendered },
  ): Promise<WholeOutcome>;
  /**
   * Runs a call about many customers, once per key if it has one.
   * Locks: the key. Throws: idempotency_key_reused, overloaded, unavailable, what the work throws.
   */
  runCall(call: BulkCall, work: () => Promise<CallResult>): Promise<RecordedAnswer>;
  /** Runs a change that is about no customer. Throws: what it refuses, overloaded, unavailable. */
  manage<L, R>(management: Management<L, R>): Promise<R>;
  /** The same of a change that is larger than is held at once. */
  manageInPieces<R>(management: LongManagement<R>): Promise<R>;
  /** Says why there is too little for a use. */
  readonly explain: Explainer['explain'];
}

/**
 * Makes the engine of a process. With `sharesAll` whatever is about one customer shares transactions, as uses do: for who does many things of many
 * customers and waits for all of them.
 */
export function createEngine(deps: Foundations, { sharesAll = false } = {}): Engine {
  const bounds = createConnectionBounds(deps);
  const lanes = createLanes(deps, bounds);
  // Of their own, so that no use waits for what takes longer.
  const besides = createLanes(deps, bounds);
  watchLanes(deps, [lanes, besides]);
  const explainer = createExplainer(deps);
  const isShared = ({ name, alsoLocks }: Member) =>
    OPERATIONS[name].opener === 'pool' || (sharesAll && alsoLocks === undefined);
  const runMember = (member: Member, resolved?: ResolvedMember): Promise<Outcome> =>
    counted(deps, member, isShared(member) ? lanes.run(member, resolved) : runLone(deps, bounds, member));
  const explained = async (outcome: Outcome): Promise<Outcome> =>
    'refusal' in outcome ? { refusal: await explainer.complete(outcome.refusal) } : outcome;
  const answered = async (running: Promise<Outcome>): Promise<RecordedAnswer> => {
    const outcome = await explained(await running);
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome.answer;
  };

  return {
    run: (operation) => answered(runMember(toMember(operation))),
    runBeside: (operation) => {
      const member = toMember(operation);
      const isLone = member.alsoLocks !== undefined || member.isDryRun;
      return answered(counted(deps, member, isLone ? runLone(deps, bounds, member) : besides.run(member)));
    },
    runEach: async (operations) => {
      const selectors = operations.flatMap((operation) => (operation instanceof AppError ? [] : [operation.selector]));
      const resolved = (await resolveOrFail(deps, selectors)).values();
      const members = operations.map((operation): ResolvedMember | AppError => {
        if (operation instanceof AppError) return operation;
        const customer = required(resolved.next().value, 'each was resolved');
        return customer instanceof AppError ? customer : resolvedAs(deps, toMember(operation), customer);
      });
      return Promise.all(
        members.map((member) =>
          member instanceof AppError
            ? { refusal: member }
            : asOutcome(deps, answered(runMember(member.member, member))),
        ),
      );
    },
    runWhole: async (operations, recordAs) => {
      const members = operations.flatMap((operation) => (operation instanceof AppError ? [] : [toMember(operation)]));
      const { isCommitted, outcomes } = await runWhole(
        deps,
        bounds,
        members,
        (decided) => toKeyedAnswer(deps, recordAs, recordAs.render(decided)),
        members.length === operations.length,
      );
      for (const [at, member] of members.entries()) {
        const outcome = required(outcomes[at], 'each has an outcome');
        if (isCommitted || 'refusal' in outcome) deps.metrics.verdicts.add(member.name, verdictOf(outcome));
      }
      const decided = (await Promise.all(outcomes.map(explained))).values();
      const all = operations.map((operation): Outcome => {
        if (operation instanceof AppError) return { refusal: operation };
        return decided.next().value as Outcome;
      });
      return { isCommitted, outcomes: all };
    },
    runCall: (call, work) => bounds.bulkCalls.admit(() => runBulkCall(deps, bounds, call, work)),
    manage: (management) => {
      const run = () => transactManagement(deps, management);
      return persist(() => (management.lock ? bounds.managements.take(run) : run()));
    },
    manageInPieces: (management) => persist(() => bounds.managements.take(() => transactInPieces(deps, management))),
    explain: explainer.explain,
  };
}

/** Counts what becomes of an operation. Throws what it throws. */
async function counted({ metrics }: Foundations, { name }: Member, running: Promise<Outcome>): Promise<Outcome> {
  try {
    const outcome = await running;
    metrics.verdicts.add(name, verdictOf(outcome));
    return outcome;
  } catch (error) {
    metrics.verdicts.add(name, error instanceof AppError ? error.code : 'internal_error');
    throw error;
  }
}

function verdictOf(outcome: Outcome): string {
  if ('refusal' in outcome) return outcome.refusal.code;
  return outcome.answer.replayed ? 'replayed' : 'accepted';
}

/** Of what is only decided. */
const DECIDED = { mayCommit: false, recordOf: () => undefined };

/** Runs an operation in a transaction of its own, after those of its customer that came before it. */
async function runLone(deps: Foundations, { lone }: ConnectionBounds, member: Member): Promise<Outcome> {
  const { opener } = OPERATIONS[member.name];
  let latest: ResolvedMember | undefined;
  return persist(async () => {
    const own = resolvedAs(deps, member, await resolveCustomer(deps, member.selector), latest);
    latest = own;
    const turn = own.sight ? identityText(own.sight) : own.customerId;
    const { verdicts } = await deps.turns.take(turn, () =>
      lone.take(() => transact(deps, [own], { opener, skipLocked: false, ...(member.isDryRun && { whole: DECIDED }) })),
    );
    const verdict = verdicts.get(own);
    if (verdict === 'moved') throw new CustomerMoved();
    return verdict ?? { refusal: unknownCustomer(member.selector) };
  });
}

/** Where customers can't be looked up their operations fail, and what was done before is told. */
async function resolveOrFail(deps: Foundations, selectors: readonly Selector[]): Promise<(Resolution | AppError)[]> {
  try {
    return await resolveEach(deps, selectors);
  } catch (error) {
    deps.log.warn({ err: error }, 'customers of a call could not be looked up');
    return selectors.map(() => unavailable(error));
  }
}

async function asOutcome(deps: Foundations, answering: Promise<RecordedAnswer>): Promise<Outcome> {
  try {
    return { answer: await answering };
  } catch (error) {
    if (error instanceof AppError) return { refusal: error };
    deps.log.error({ err: error }, 'an operation of a call failed');
    const detail = 'Something went wrong here; repeat the call with the same idempotency key.';
    return { refusal: new AppError('internal_error', detail, { cause: error }) };
  }
}
