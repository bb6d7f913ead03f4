// A batch of consumes: many uses in one call, each with its own verdict. One use at a time is quota.ts.
import type { Deps } from '../deps.js';
import { runWhole } from '../engine/atomic.js';
import { resolveEach, type Selector } from '../engine/customers.js';
import { type CallKey, type CallResult, runKeyedCall, toKeyedCall } from '../engine/keyed-call.js';
import { type Outcome, type RecordedAnswer, type Render, unavailable } from '../engine/operation.js';
import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { createSlots } from '../lib/slots.js';
import {
  type Asked,
  type ConsumeCommand,
  type ConsumeResult,
  consumeQuota,
  explainerOf,
  type OperationKey,
  toConsumeOperation,
} from './quota.js';

export interface BatchItem {
  /** Or why it names nobody. */
  selector: Selector | AppError;
  command: ConsumeCommand;
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
/** Refusals of a batch that are explained at a time. */
const EXPLAINED_AT_ONCE = 4;
const CALL_NAME = 'quota.consume.batch';

/**
 * Takes units for each item as a consume would. With `continue` each stands alone, in chunks of 100; with `atomic` all of them are one
 * transaction. The call's own key covers all of it: items without a key get one from it, so that a call that was cut off goes on where it was.
 * Locks: the key, then the customers. Throws: idempotency_key_reused (the call's key), overloaded,
 * unavailable. What becomes of an item is its outcome.
 */
export async function consumeBatch(
  deps: Deps,
  batch: ConsumeBatch,
  callKey: string | undefined,
  renderItem: Render<ConsumeResult>,
  render: Render<BatchOutcome>,
): Promise<RecordedAnswer> {
  const items = batch.items.map((item, index) => ({ ...item, key: keyOf(item, index, callKey) }));
  const call = callKey === undefined ? undefined : { name: CALL_NAME, key: callKey, request: batch };
  const work = () =>
    batch.mode === 'atomic'
      ? consumeWhole(deps, items, call, renderItem, render)
      : consumeEach(deps, items, renderItem, render);
  return deps.lanes.admission.admit(async () => {
    if (call) return runKeyedCall(deps, call, work);
    return { ...(await work()).answer, replayed: false };
  });
}

interface KeyedItem extends BatchItem {
  key: OperationKey;
}

/** Derived keys have an operation name of their own, so that they never meet a caller's. */
function keyOf({ idempotencyKey }: BatchItem, index: number, callKey: string | undefined): OperationKey {
  if (idempotencyKey !== undefined || callKey === undefined) return { name: 'quota.consume', idempotencyKey };
  return { name: 'quota.consume.item', idempotencyKey: `${callKey}#${index}` };
}

async function consumeEach(
  deps: Deps,
  items: readonly KeyedItem[],
  renderItem: Render<ConsumeResult>,
  render: Render<BatchOutcome>,
): Promise<CallResult> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < items.length; at += CHUNK_ITEMS) {
    outcomes.push(...(await consumeChunk(deps, items.slice(at, at + CHUNK_ITEMS), renderItem)));
  }
  const answer = render({ isCommitted: true, outcomes });
  // What failed may succeed when the call is repeated; what was refused throughout wrote nothing.
  const hasFailed = outcomes.some((outcome) => 'refusal' in outcome && isFailure(outcome.refusal));
  return { answer, isFinal: !hasFailed && outcomes.some((outcome) => 'answer' in outcome) };
}

/** Customers are looked up first, so that items of one customer keep their order, however each names him. */
async function consumeChunk(
  deps: Deps,
  chunk: readonly KeyedItem[],
  renderItem: Render<ConsumeResult>,
): Promise<Outcome[]> {
  const selectors = chunk.flatMap(({ selector }) => (selector instanceof AppError ? [] : [selector]));
  const resolved = (await resolveOrFail(deps, selectors)).values();
  const customers = chunk.map(({ selector }) => (selector instanceof AppError ? selector : resolved.next().value));
  return Promise.all(chunk.map((item, index) => consumeItem(deps, item, customers[index], renderItem)));
}

function isFailure({ code }: AppError): boolean {
  return code === 'unavailable' || code === 'overloaded' || code === 'internal_error';
}

/** Where customers can't be looked up their items fail, and what was taken before is told. */
async function resolveOrFail(deps: Deps, selectors: readonly Selector[]): Promise<(string | AppError)[]> {
  try {
    return await resolveEach(deps, selectors);
  } catch (error) {
    deps.log.warn({ err: error }, 'customers of a batch could not be looked up');
    return selectors.map(() => unavailable(error));
  }
}

async function consumeItem(
  deps: Deps,
  { selector, command, key }: KeyedItem,
  customer: string | AppError | undefined,
  renderItem: Render<ConsumeResult>,
): Promise<Outcome> {
  try {
    if (selector instanceof AppError || customer instanceof AppError)
      throw selector instanceof AppError ? selector : customer;
    return { answer: await consumeQuota(deps, selector, command, key, renderItem, customer) };
  } catch (error) {
    if (error instanceof AppError) return { refusal: error };
    deps.log.error({ err: error }, 'an item of a batch failed');
    const detail = 'Something went wrong here; repeat the call with the same idempotency key.';
    return { refusal: new AppError('internal_error', detail, { cause: error }) };
  }
}

/** All of the items or none: a refusal of one leaves the others undone. */
async function consumeWhole(
  deps: Deps,
  items: readonly KeyedItem[],
  call: CallKey | undefined,
  renderItem: Render<ConsumeResult>,
  render: Render<BatchOutcome>,
): Promise<CallResult> {
  const uses = items.map(({ selector, command, key }) =>
    selector instanceof AppError ? selector : toConsumeOperation(selector, command, key, renderItem),
  );
  const named = uses.flatMap((use) => (use instanceof AppError ? [] : [use]));
  const { isCommitted, outcomes } = await runWhole(
    deps,
    named.map(({ operation }) => operation),
    (decided) => call && toKeyedCall(deps, call, render({ isCommitted: true, outcomes: [...decided] })),
    named.length === uses.length,
  );
  const decided = outcomes.values();
  const slots = createSlots(EXPLAINED_AT_ONCE);
  const explain = explainerOf(deps);
  const explained = async (outcome: Outcome, asked: Asked | undefined): Promise<Outcome> => {
    if (!('refusal' in outcome)) return outcome;
    const { refusal } = outcome;
    const told = await slots.take(() => explain(refusal, asked));
    return told instanceof AppError ? { refusal: told } : outcome;
  };
  const all = await Promise.all(
    uses.map((use) =>
      use instanceof AppError
        ? { refusal: use }
        : explained(required(decided.next().value, 'each use has an outcome'), use.asked()),
    ),
  );
  return { answer: render({ isCommitted, outcomes: all }), isFinal: false };
}
