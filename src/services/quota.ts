// Quotas: may they use it, and take this much of it, exactly once, alone or many times in one call. Check and consume are one use, once judged and once
// carried out.

import type { Call, Echo, RecordedAnswer, Render } from '../call.js';
import type { Deps } from '../deps.js';
import { BOOTSTRAP_OWNER } from '../engine/actors.js';
import type { CallResult } from '../engine/bulk-call.js';
import type { Explained, Reason } from '../engine/explainer.js';
import type { Operation, Outcome } from '../engine/operation.js';
import { type BookRead, readBookAt } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import type { Book } from '../ledger/book.js';
import type { Subject } from '../ledger/catalog-entities.js';
import { availabilityOf, consume, type Provider, type SubjectAsk, type Taking } from '../ledger/consume.js';
import type { Violation } from '../ledger/limit-entities.js';
import { InsufficientQuota, judgeUse, use } from '../ledger/use.js';
import type { Metadata } from '../lib/metadata.js';
import { createSlots } from '../lib/slots.js';

/** What says nothing about the request. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'overloaded',
  'clock_skewed',
  'internal_error',
] as const);

export interface ConsumeCommand {
  subject: Subject;
  /** In the subject's unit: feature units for a feature. */
  amount: number;
  actionType: string;
  actionId: string | undefined;
  metadata: Metadata;
}

/** `remaining` is in the subject's unit, null when uncounted; takings are in product units. */
export interface ConsumeResult {
  operationId: string;
  usageId: string;
  subject: Subject;
  amount: number;
  remaining: number | null;
  takings: Taking[];
  warnings: Violation[];
  metadata: Metadata;
}

export interface CheckResult {
  isAllowed: boolean;
  takings: Taking[];
  remaining: number | null;
  /** What stands against it, by limits among them. */
  reasons: Reason[];
  violations: Violation[];
  warnings: Violation[];
  upgradeOffers: Explained['upgradeOffers'];
  allowedAt: Date | null;
}

/**
 * Says what a consume of the same command would do now: what it would take, or every reason against it. Somebody never seen has nothing. Writes nothing.
 * Throws: customer_not_found, selector_conflict, product_not_found, feature_not_found, quantity_too_large, too_many_batches, overloaded.
 */
export async function checkQuota(deps: Deps, selector: Selector, command: SubjectAsk): Promise<CheckResult> {
  return checkIn(deps, await readFor(deps, selector, [command]), command);
}

/** Checks of one call that are explained at a time: others want the pool's connections too. */
const EXPLAINED_AT_ONCE = 4;

/**
 * Checks each of several commands of a customer by itself, as if the others were not asked, all at one instant from one read. What a check alone would throw
 * of its command stands in its place. Throws: customer_not_found, selector_conflict, overloaded.
 */
export async function checkQuotas(
  deps: Deps,
  selector: Selector,
  commands: readonly SubjectAsk[],
): Promise<(CheckResult | AppError)[]> {
  const read = await readFor(deps, selector, commands);
  const slots = createSlots(EXPLAINED_AT_ONCE);
  const checkOne = async (command: SubjectAsk): Promise<CheckResult | AppError> => {
    try {
      return await checkIn(deps, read, command);
    } catch (error) {
      if (error instanceof AppError && !isFailure(error)) return error;
      throw error;
    }
  };
  return Promise.all(commands.map((command) => slots.take(() => checkOne(command))));
}

/** Whom only an identity names comes to be by a consume; an unknown customer_id does not. */
function readFor(deps: Deps, selector: Selector, commands: readonly SubjectAsk[]): Promise<BookRead> {
  return deps.reads[selector.customerId === undefined ? 'find' : 'require'](selector, commands);
}

async function checkIn(deps: Deps, read: BookRead, command: SubjectAsk): Promise<CheckResult> {
  const verdict = judge(read, command);
  const { violations, warnings, fitsAt } = verdict.limits;
  if (verdict.plan) {
    const { takings, remaining } = verdict.plan;
    const beside = { reasons: [], violations, warnings, upgradeOffers: [] };
    return { isAllowed: true, takings, remaining, ...beside, allowedAt: read.at };
  }
  const { refusal } = verdict;
  const isShort = refusal instanceof InsufficientQuota;
  const { reasons, upgradeOffers, starts } = isShort ? await deps.engine.explain(refusal.shortage) : NOTHING_SHORT;
  const allowedAt = await findAllowedAt(deps, read.book.customerId, command, fitsAt ? [...starts, fitsAt] : starts);
  const { available: remaining } = availabilityOf(read.book, read.providersOf(command.subject));
  const against = violations.length > 0 ? [...reasons, { code: 'limit_exceeded' as const }] : reasons;
  return { isAllowed: false, takings: [], remaining, reasons: against, violations, warnings, upgradeOffers, allowedAt };
}

const NOTHING_SHORT: Explained = { reasons: [], upgradeOffers: [], starts: [] };

function judge({ book, providersOf }: BookRead, ask: SubjectAsk) {
  return judgeUse(book, ask, providersOf(ask.subject));
}

/** The first of these instants at which a use would be allowed. One of too many batches never is. */
async function findAllowedAt(
  deps: Deps,
  customerId: string,
  ask: SubjectAsk,
  starts: Explained['starts'],
): Promise<Date | null> {
  for (const start of [...starts].sort((a, b) => a.getTime() - b.getTime())) {
    const then = await readBookAt(deps, customerId, { at: start, isPast: false }, [ask]);
    try {
      if (judge(then, ask).plan) return start;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'too_many_batches')) throw error;
    }
  }
  return null;
}

/**
 * Takes units, all or nothing, from the batches that are used first. Creates the customer on first sight.
 * Locks: the customer. Throws: insufficient_quota (with what it says beside), product_not_found, feature_not_found,
 * quantity_too_large, too_many_batches, customer_not_found, selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function consumeQuota(
  deps: Deps,
  selector: Selector,
  command: ConsumeCommand,
  call: Call,
  render: Render<ConsumeResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run(toOperation(selector, command, { name: 'quota.consume', call }, render));
}

/** The name and the key under which a use is recorded. */
type OperationKey = Pick<Operation<ConsumeResult>, 'name' | 'call'>;

function toOperation(
  selector: Selector,
  command: ConsumeCommand,
  key: OperationKey,
  render: Render<ConsumeResult>,
): Operation<ConsumeResult> {
  return {
    ...key,
    selector,
    request: command,
    needs: { asks: [command] },
    decide: ({ book, providersOf, operationId }) => ({
      outcome: 'accepted',
      result: take(book, providersOf(command.subject), command, operationId),
    }),
    render,
  };
}

function take(book: Book, providers: readonly Provider[], command: ConsumeCommand, operationId: string): ConsumeResult {
  const { subject, amount, actionType, actionId = null, metadata } = command;
  const feature = 'feature' in subject ? subject.feature : null;
  return use(book, command, providers, (plan) => {
    const last = consume(book, plan, { operationId, feature, actionType, actionId, metadata });
    const { remaining, takings, warnings } = plan;
    return { operationId, usageId: last.id, subject, amount, remaining, takings, warnings, metadata };
  });
}

export interface BatchItem {
  /** Or why it names nobody. */
  selector: Selector | AppError;
  command: ConsumeCommand;
  /** The item's own. */
  idempotencyKey: string | undefined;
}

export interface ConsumeBatch {
  items: readonly BatchItem[];
  /** `continue` takes what can be taken, `atomic` all of it or nothing. */
  mode: 'continue' | 'atomic';
}

/** What became of the items, in their order. When it is not committed nothing was taken, whatever an outcome says. */
export interface BatchOutcome {
  isCommitted: boolean;
  outcomes: Outcome[];
}

/** Items that `continue` commits before the next ones begin. */
const CHUNK_ITEMS = 100;
const CALL_NAME = 'quota.consume.batch';

/**
 * Takes units for each item as a consume would. With `continue` each stands alone, in chunks of 100; with `atomic` all of them are one
 * transaction. The call's own key covers all of it: items without a key get one from it, so that a call that was cut off goes on where it was. What `echo` names
 * is not kept with the answer.
 * Locks: the key, then the customers. Throws: idempotency_key_reused (the call's key), overloaded,
 * unavailable. What becomes of an item is its outcome.
 */
export async function consumeBatch(
  deps: Deps,
  batch: ConsumeBatch,
  call: Call,
  renderItem: Render<ConsumeResult>,
  render: Render<BatchOutcome>,
  echo: Echo,
): Promise<RecordedAnswer> {
  const uses = batch.items.map((item, index) =>
    item.selector instanceof AppError
      ? item.selector
      : toOperation(item.selector, item.command, keyOf(item, index, call), renderItem),
  );
  const keyed = { name: CALL_NAME, call, request: { ...batch, items: batch.items.map(asHashed) }, echo };
  return deps.engine.runCall(keyed, async () => {
    if (batch.mode === 'continue') return consumeEach(deps, uses, render);
    const renderAll = (outcomes: readonly Outcome[]) => render({ isCommitted: true, outcomes: [...outcomes] });
    return { answer: render(await deps.engine.runWhole(uses, { ...keyed, render: renderAll })), isFinal: false };
  });
}

/** An item as the call's fingerprint holds it: whom it names, not by which field. */
function asHashed({ selector, ...item }: BatchItem): BatchItem {
  if (selector instanceof AppError) return { ...item, selector };
  const { userId: _, ...named } = selector;
  return { ...item, selector: named };
}

/** Derived keys have an operation name of their own, so that they never meet a caller's. */
function keyOf({ idempotencyKey: ownKey }: BatchItem, index: number, call: Call): OperationKey {
  if (ownKey !== undefined || call.idempotencyKey === undefined) {
    return { name: 'quota.consume', call: { ...call, idempotencyKey: ownKey } };
  }
  const { ownerId } = call.actor;
  // The key is its owner's, and so are those that come of it; the bootstrap token's are as they were when it was the only one.
  const owner = ownerId === BOOTSTRAP_OWNER ? '' : `${ownerId}:`;
  const idempotencyKey = `${owner}${call.idempotencyKey}#${index}`;
  return { name: 'quota.consume.item', call: { ...call, idempotencyKey } };
}

async function consumeEach(
  deps: Deps,
  uses: readonly (Operation<ConsumeResult> | AppError)[],
  render: Render<BatchOutcome>,
): Promise<CallResult> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < uses.length; at += CHUNK_ITEMS) {
    outcomes.push(...(await deps.engine.runEach(uses.slice(at, at + CHUNK_ITEMS))));
  }
  const answer = render({ isCommitted: true, outcomes });
  // What failed may succeed when the call is repeated; what was refused throughout wrote nothing.
  const hasFailed = outcomes.some((outcome) => 'refusal' in outcome && isFailure(outcome.refusal));
  return { answer, isFinal: !hasFailed && outcomes.some((outcome) => 'answer' in outcome) };
}

function isFailure({ code }: AppError): boolean {
  return FAILURES.has(code);
}
