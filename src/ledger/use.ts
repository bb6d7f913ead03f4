// One use, whatever asks for it: a consume, a hold, the excess of a commit, the price of an exchange, a deduction, and the dry run of each. Plans it,
// refuses it with all that an explanation needs, or has it posted.
import { AppError } from '../errors/app-error.js';
import type { Book } from './book.js';
import type { Subject } from './catalog-entities.js';
import { assertProvided, type Provider, planConsume, type SubjectAsk, type UsePlan } from './consume.js';
import { planOverdraft } from './debt.js';
import type { Violation } from './limit-entities.js';
import { assertCounted, judgeLimits, LimitExceeded, type LimitVerdict, noteRefusal, recordCounts } from './limits.js';

/** What a use asks for, in the subject's unit. */
export interface UseAsk extends SubjectAsk {
  /** How a refusal says it, if not as usual; `available` is in the subject's unit. */
  refusalText?(available: number): string;
  /** What in the request says how much, where that is no amount. */
  pointer?: string;
}

/** A use that there is too little for: who asked for what, and when, and the products that could have paid. */
export interface Shortage {
  customerId: string;
  at: Date;
  subject: Subject;
  /** In the subject's unit. */
  requested: number;
  available: number;
  providers: readonly Pick<Provider, 'productKey' | 'isActive'>[];
}

/** A refusal for want of units. It carries its own shortage, from which it is explained, and says which limits stand against it beside. */
export class InsufficientQuota extends AppError {
  readonly shortage: Shortage;

  constructor(shortage: Shortage, violations: readonly Violation[], detail: string) {
    const { requested, available } = shortage;
    const extensions = { requested, available, remaining: available, ...(violations.length > 0 && { violations }) };
    super('insufficient_quota', detail, { extensions });
    this.shortage = shortage;
  }
}

/** What a use comes to: a plan that may be carried out, or the refusal; and what limits say of it. */
export type UseVerdict = { limits: LimitVerdict } & (
  | { plan: UsePlan; refusal: undefined }
  | { plan: undefined; refusal: InsufficientQuota | LimitExceeded }
);

/**
 * Says what a use would take now, or why it is refused. Posts nothing.
 * Throws: product_not_found, feature_not_found, quantity_too_large, too_many_batches.
 */
export function judgeUse(book: Book, ask: UseAsk, providers: readonly Provider[]): UseVerdict {
  const { subject, amount, isOverdraft = false } = ask;
  assertProvided(subject, providers);
  const plan =
    isOverdraft && 'productKey' in subject
      ? planOverdraft(book, subject.productKey, amount)
      : planConsume(book, providers, amount, ask.pointer);
  const limits = judgeLimits(book, ask, plan.isAllowed ? plan : undefined, providers);
  if (!plan.isAllowed)
    return { plan: undefined, refusal: shortOf(book, ask, providers, plan.available, limits), limits };
  if (limits.violations.length > 0) return { plan: undefined, refusal: new LimitExceeded(limits, book.now), limits };
  assertCounted(limits, ask.pointer ?? '/amount');
  return { plan: { ...plan, warnings: limits.warnings }, refusal: undefined, limits };
}

function shortOf(
  { customerId, now: at }: Book,
  { subject, amount, refusalText }: UseAsk,
  providers: readonly Provider[],
  available: number,
  { violations }: LimitVerdict,
): InsufficientQuota {
  const name = 'feature' in subject ? subject.feature : subject.productKey;
  const detail = refusalText?.(available) ?? `${amount} of ${name} asked for, ${available} available.`;
  return new InsufficientQuota(
    { customerId, at, subject, requested: amount, available, providers },
    violations,
    detail,
  );
}

/**
 * Uses what is asked for, all or nothing: `post` carries the plan out in the book, and may refuse before its first posting.
 * Throws: insufficient_quota (an InsufficientQuota), limit_exceeded, what `judgeUse` and `post` throw.
 */
export function use<T>(book: Book, ask: UseAsk, providers: readonly Provider[], post: (plan: UsePlan) => T): T {
  const { plan, refusal, limits } = judgeUse(book, ask, providers);
  if (refusal) {
    noteRefusal(book, limits);
    throw refusal;
  }
  const before = book.changes.entries.length;
  const result = post(plan);
  recordCounts(book, limits, ask.isOverdraft ?? false, book.changes.entries.slice(before));
  return result;
}
