// Quotas: may they use it, and take this much of it, exactly once. Check and consume are one plan, once explained and once carried out.
import { loadBook } from '../db/books.js';
import { findUpgradeSkus } from '../db/catalog.js';
import { findLastExpiry, listFutureStarts } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer, type Selector } from '../engine/customers.js';
import type { RecordedAnswer, Render } from '../engine/operation.js';
import { AppError } from '../errors/app-error.js';
import type { Book, Metadata } from '../ledger/book.js';
import {
  assertProvided,
  type ConsumePlan,
  consume,
  type Provider,
  planConsume,
  type Subject,
  type SubjectAsk,
  type Taking,
} from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';

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
  allowedAt: Date | null;
}

/** The plan for a use at an instant, from what is stored now; nothing is written. */
async function planAt(
  deps: Deps,
  customerId: string,
  at: Date,
  ask: SubjectAsk,
): Promise<{ plan: ConsumePlan; providers: Provider[] }> {
  const { book, providersOf } = await loadBook(
    deps.db,
    { customer: { id: customerId, nextSeq: 1 }, now: at, asks: [ask] },
    deps.ids,
  );
  settle(book);
  const providers = providersOf(ask.subject);
  assertProvided(ask.subject, providers);
  return { plan: planConsume(book, providers, ask.amount), providers };
}

/** Why a use is refused, from when it would be allowed, and what could be bought: read after the decision, for people. */
async function explainShortage(deps: Deps, asked: Asked): Promise<Shortage> {
  const { customerId, now, providers, ask } = asked;
  const productKeys = providers.map((provider) => provider.productKey);
  const reasons: Reason[] = [{ code: 'insufficient_quota' }];
  const expiredAt = await findLastExpiry(deps.db, customerId, productKeys, now);
  if (expiredAt) reasons.push({ code: 'expired', at: expiredAt });
  const starts = await listFutureStarts(deps.db, customerId, productKeys, now, FUTURE_STARTS_MAX);
  const [soonest] = starts;
  if (soonest) reasons.push({ code: 'not_yet_valid', at: soonest });
  for (const { productKey, isActive } of providers)
    if (!isActive) reasons.push({ code: 'inactive_product', productKey });
  let allowedAt: Date | null = null;
  for (const start of starts) {
    if (!(await planAt(deps, customerId, start, ask)).plan.isAllowed) continue;
    allowedAt = start;
    break;
  }
  return { reasons, allowedAt, upgradeSkus: await findUpgradeSkus(deps.db, productKeys) };
}

/**
 * Says what a consume of the same command would do now: what it would take, or every reason against it. Writes nothing.
 * Throws: customer_not_found, selector_conflict, product_not_found, feature_not_found, quantity_too_large.
 */
export async function checkQuota(deps: Deps, selector: Selector, command: SubjectAsk): Promise<CheckResult> {
  const { customerId, now } = await requireCustomer(deps, selector);
  const { plan, providers } = await planAt(deps, customerId, now, command);
  const { isAllowed, takings, remaining } = plan;
  if (isAllowed) return { isAllowed, takings, remaining, reasons: [], upgradeSkus: [], allowedAt: now };
  return {
    isAllowed,
    takings,
    remaining,
    ...(await explainShortage(deps, { customerId, now, providers, ask: command })),
  };
}

/**
 * Takes units, all or nothing, from the batches that are used first. Creates the customer on first sight.
 * Locks: the customer. Throws: insufficient_quota (with requested, available, reasons, upgrade_skus), product_not_found, feature_not_found,
 * quantity_too_large, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function consumeQuota(
  deps: Deps,
  selector: Selector,
  command: ConsumeCommand,
  idempotencyKey: string | undefined,
  render: Render<ConsumeResult>,
): Promise<RecordedAnswer> {
  let asked: Asked | undefined;
  try {
    return await deps.lanes.run({
      name: 'quota.consume',
      selector,
      idempotencyKey,
      request: command,
      ask: command,
      decide: (book, operationId, providersOf) => {
        const providers = providersOf(command.subject);
        asked = { customerId: book.customerId, now: book.now, providers, ask: command };
        return decideConsume(book, providers, command, operationId);
      },
      render,
    });
  } catch (error) {
    throw await explainRefusal(deps, error, asked);
  }
}

/** Adds to a refusal for want of units what a caller needs beside it; any other error stays as it is. */
export async function explainRefusal(deps: Deps, error: unknown, asked: Asked | undefined): Promise<unknown> {
  if (!asked || !(error instanceof AppError) || error.code !== 'insufficient_quota') return error;
  const { reasons, upgradeSkus } = await explainShortage(deps, asked);
  return new AppError('insufficient_quota', error.message, {
    errors: error.errors,
    extensions: { ...error.extensions, reasons: reasons.map(toExtension), upgrade_skus: upgradeSkus },
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
  if (!plan.isAllowed) {
    const name = 'feature' in subject ? subject.feature : subject.productKey;
    throw new AppError('insufficient_quota', `${amount} of ${name} asked for, ${plan.available} available.`, {
      extensions: { requested: amount, available: plan.available },
    });
  }
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

/** A reason as a problem carries it. */
function toExtension({ code, productKey, at }: Reason) {
  return { code, ...(productKey !== undefined && { product_key: productKey }), ...(at && { at: at.toISOString() }) };
}
