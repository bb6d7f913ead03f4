// Quotas: may they use it, and take this much of it, exactly once. Check and consume are one plan, once explained and once carried out.
import { findUpgradeSkus } from '../db/catalog.js';
import { findLastExpiry, listFutureStarts } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import type { Selector } from '../engine/customers.js';
import type { LaneOperation } from '../engine/lanes.js';
import type { Decision, RecordedAnswer, Render } from '../engine/operation.js';
import { type BookRead, readBookAt } from '../engine/reads.js';
import { AppError } from '../errors/app-error.js';
import type { Book, Metadata, Subject } from '../ledger/book.js';
import {
  assertProvided,
  availabilityOf,
  type ConsumePlan,
  consume,
  insufficientQuota,
  type Provider,
  planConsume,
  type SubjectAsk,
  type Taking,
} from '../ledger/consume.js';
import { type GiveBack, giveBack } from '../ledger/give-back.js';
import { required } from '../lib/assert.js';

/** Future starts of validity that an explanation looks at. */
const FUTURE_STARTS_MAX = 10;

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
  metadata: Metadata;
}

/** One thing that stands against a use. */
export interface Reason {
  code: 'insufficient_quota' | 'expired' | 'not_yet_valid' | 'inactive_product';
  productKey?: string;
  /** When it expired, or when it becomes valid. */
  at?: Date;
}

export interface CheckResult {
  isAllowed: boolean;
  takings: Taking[];
  remaining: number | null;
  reasons: Reason[];
  upgradeSkus: string[];
  allowedAt: Date | null;
}

/** What was asked of whom, when, and the products that could have paid. */
export interface Asked {
  customerId: string;
  now: Date;
  providers: readonly Provider[];
  ask: SubjectAsk;
}

/** What a caller needs beside the refusal itself. */
interface Shortage {
  reasons: Reason[];
  upgradeSkus: string[];
  /** The next instants at which units become valid. */
  starts: Date[];
}

/** The plan for a use, and the products that could pay; nothing is written. */
function planFrom({ book, providersOf }: BookRead, ask: SubjectAsk): { plan: ConsumePlan; providers: Provider[] } {
  const providers = providersOf(ask.subject);
  assertProvided(ask.subject, providers);
  return { plan: planConsume(book, providers, ask.amount), providers };
}

/** Why a use is refused, and what could be bought: read after the decision, for people. */
async function explainShortage(deps: Deps, asked: Asked): Promise<Shortage> {
  const { customerId, now, providers } = asked;
  const productKeys = providers.map((provider) => provider.productKey);
  const reasons: Reason[] = [{ code: 'insufficient_quota' }];
  const expiredAt = await findLastExpiry(deps.db, customerId, productKeys, now);
  if (expiredAt) reasons.push({ code: 'expired', at: expiredAt });
  const starts = await listFutureStarts(deps.db, customerId, productKeys, now, FUTURE_STARTS_MAX);
  const [soonest] = starts;
  if (soonest) reasons.push({ code: 'not_yet_valid', at: soonest });
  for (const { productKey, isActive } of providers)
    if (!isActive) reasons.push({ code: 'inactive_product', productKey });
  return { reasons, starts, upgradeSkus: await findUpgradeSkus(deps.db, productKeys) };
}

/** The first of these instants at which a use would be allowed. */
async function findAllowedAt(deps: Deps, { customerId, ask }: Asked, starts: readonly Date[]): Promise<Date | null> {
  for (const start of starts) {
    const read = await readBookAt(deps, customerId, { at: start, isPast: false }, [ask]);
    if (planFrom(read, ask).plan.isAllowed) return start;
  }
  return null;
}

/**
 * Says what a consume of the same command would do now: what it would take, or every reason against it. Writes nothing.
 * Throws: customer_not_found, selector_conflict, product_not_found, feature_not_found, quantity_too_large, overloaded.
 */
export async function checkQuota(deps: Deps, selector: Selector, command: SubjectAsk): Promise<CheckResult> {
  const read = await deps.reads.require(selector, [command]);
  const { plan, providers } = planFrom(read, command);
  const { isAllowed, takings, remaining } = plan;
  if (isAllowed) return { isAllowed, takings, remaining, reasons: [], upgradeSkus: [], allowedAt: read.at };
  const asked = { customerId: read.book.customerId, now: read.at, providers, ask: command };
  const { reasons, upgradeSkus, starts } = await explainShortage(deps, asked);
  return { isAllowed, takings, remaining, reasons, upgradeSkus, allowedAt: await findAllowedAt(deps, asked, starts) };
}

/**
 * Takes units, all or nothing, from the batches that are used first. Creates the customer on first sight. `customerId` is the selector's, where
 * it was looked up before.
 * Locks: the customer. Throws: insufficient_quota (with requested, available, reasons, upgrade_skus), product_not_found, feature_not_found,
 * quantity_too_large, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function consumeQuota(
  deps: Deps,
  selector: Selector,
  command: ConsumeCommand,
  key: OperationKey,
  render: Render<ConsumeResult>,
  customerId?: string,
): Promise<RecordedAnswer> {
  const { operation, asked } = toConsumeOperation(selector, command, key, render);
  try {
    return await deps.lanes.run(customerId === undefined ? operation : { ...operation, customerId });
  } catch (error) {
    throw await explainRefusal(deps, error, asked());
  }
}

/** The name and the key under which a use is recorded. */
export interface OperationKey {
  name: 'quota.consume' | 'quota.consume.item';
  idempotencyKey: string | undefined;
}

/** A use as the engine runs it; `asked` is, once it was decided, what its refusal is explained by. */
export function toConsumeOperation(
  selector: Selector,
  command: ConsumeCommand,
  key: OperationKey,
  render: Render<ConsumeResult>,
): { operation: LaneOperation<ConsumeResult>; asked(): Asked | undefined } {
  let asked: Asked | undefined;
  return {
    operation: {
      ...key,
      selector,
      request: command,
      needs: { asks: [command] },
      decide: (book, operationId, providersOf) => {
        const providers = providersOf(command.subject);
        asked = { customerId: book.customerId, now: book.now, providers, ask: command };
        return { outcome: 'accepted', result: decideConsume(book, providers, command, operationId) };
      },
      render,
    },
    asked: () => asked,
  };
}

/**
 * Adds to a refusal for want of units what a caller needs beside it; any other error stays as it is. A refusal that can't be explained is one
 * all the same.
 */
export function explainRefusal(deps: Deps, error: unknown, asked: Asked | undefined): Promise<unknown> {
  return explainerOf(deps)(error, asked);
}

/** Explains many refusals of one decision like `explainRefusal`, looking once at each customer and subject. */
export function explainerOf(deps: Deps): (error: unknown, asked: Asked | undefined) => Promise<unknown> {
  const known = new Map<string, Promise<Shortage>>();
  const find = (asked: Asked): Promise<Shortage> => {
    const name = JSON.stringify([asked.customerId, asked.ask.subject]);
    const found = known.get(name) ?? explainOrAdmit(deps, asked);
    known.set(name, found);
    return found;
  };
  return async (error, asked) => {
    if (!asked || !(error instanceof AppError) || error.code !== 'insufficient_quota') return error;
    const { reasons, upgradeSkus } = await find(asked);
    return new AppError('insufficient_quota', error.message, {
      errors: error.errors,
      extensions: { ...error.extensions, reasons: reasons.map(toExtension), upgrade_skus: upgradeSkus },
    });
  };
}

function explainOrAdmit(deps: Deps, asked: Asked): Promise<Shortage> {
  return explainShortage(deps, asked).catch((failure: unknown): Shortage => {
    deps.log.warn({ err: failure }, 'a refusal could not be explained');
    return { reasons: [{ code: 'insufficient_quota' }], upgradeSkus: [], starts: [] };
  });
}

function decideConsume(
  book: Book,
  providers: readonly Provider[],
  command: ConsumeCommand,
  operationId: string,
): ConsumeResult {
  const { subject, amount } = command;
  assertProvided(subject, providers);
  const plan = planConsume(book, providers, amount);
  if (!plan.isAllowed) throw insufficientQuota(subject, amount, plan);
  const last = consume(book, plan, {
    operationId,
    feature: 'feature' in subject ? subject.feature : null,
    actionType: command.actionType,
    actionId: command.actionId ?? null,
    metadata: command.metadata,
  });
  const { remaining, takings } = plan;
  return { operationId, usageId: last.id, subject, amount, remaining, takings, metadata: command.metadata };
}

export interface GiveBackCommand {
  /** The use of which something is given back. */
  operationId: string;
  /** In the unit of the use; all that is left of it when left out. */
  amount: number | undefined;
  metadata: Metadata;
}

/** `remaining` is in the unit of the use, null when uncounted. */
export interface GiveBackResult extends GiveBack {
  operationId: string;
  remaining: number | null;
  metadata: Metadata;
}

/**
 * Gives back what a use took, or a part of it, in reverse order of use. A selector is not needed; the use must be of whom it names.
 * Locks: the customer. Throws: operation_not_found, not_reversible, release_exceeds_usage, quantity_too_large, customer_not_found, selector_conflict,
 * idempotency_key_reused, overloaded, unavailable.
 */
export async function giveBackQuota(
  deps: Deps,
  selector: Selector,
  command: GiveBackCommand,
  idempotencyKey: string | undefined,
  render: Render<GiveBackResult>,
): Promise<RecordedAnswer> {
  const { operationId: takenBy, amount, metadata } = command;
  return deps.lanes.run({
    name: 'quota.release',
    selector: { ...selector, owned: { kind: 'operation', id: takenBy } },
    idempotencyKey,
    request: command,
    needs: { asks: [], takenBy },
    decide: (book, operationId, providersOf): Decision<GiveBackResult> => {
      const taken = required(book.taken.get(takenBy), 'the operation is loaded');
      const back = giveBack(book, taken, amount, { operationId, metadata });
      const { available } = availabilityOf(book, providersOf(back.subject));
      return { outcome: 'accepted', result: { ...back, operationId, remaining: available, metadata } };
    },
    render,
  });
}

/** A reason as a problem carries it. */
function toExtension({ code, productKey, at }: Reason) {
  return { code, ...(productKey !== undefined && { product_key: productKey }), ...(at && { at: at.toISOString() }) };
}
