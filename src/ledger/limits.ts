// What limits say of a use (DOMAIN 3.12): which windows it would count in, what stands against it, and what is told of that. Pure; `use` asks.
import { AppError } from '../errors/app-error.js';
import type { Book } from './book.js';
import type { Subject } from './catalog-entities.js';
import type { Provider, UsePlan } from './consume.js';
import type { Entry } from './entities.js';
import type { NoticeType } from './event-types.js';
import type { CheckedLimit, Enforcement, UsageWindow, Violation } from './limit-entities.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

type LimitedWindow = UsageWindow & { limit: number };

/** A window in which a use counts, and how much. */
interface Count {
  window: LimitedWindow;
  amount: number;
}

/** What limits say of a use. */
export interface LimitVerdict {
  counts: Count[];
  /** Windows that it would take above a limit that refuses. */
  violations: Violation[];
  /** And above one that tells. */
  warnings: Violation[];
  /** When what stands against it is over; null when it never is. */
  fitsAt: Date | null;
}

/**
 * What limits say of a use. Without a plan, because there is too little, it is what they would say if there were enough. What is taken in any case, because it
 * was done already, is told where it would be refused.
 */
export function judgeLimits(
  { windows }: Pick<Book, 'windows'>,
  { subject, amount, isOverdraft = false }: { subject: Subject; amount: number; isOverdraft?: boolean },
  plan: UsePlan | undefined,
  providers: readonly Provider[],
): LimitVerdict {
  if (windows.length === 0 || amount === 0) return NO_LIMITS;
  const amounts = amountsOf(subject, amount, plan, providers);
  const counts = windows.flatMap((window): Count[] => {
    const counted = amounts.get(textOf(window.subject)) ?? 0;
    return counted > 0 && isLimited(window) ? [{ window, amount: counted }] : [];
  });
  const over = counts.filter((count) => count.window.used + count.amount > count.window.limit);
  const ofEnforcement = (enforcement: Enforcement) =>
    over.filter(({ window }) => enforcementOf(window, isOverdraft) === enforcement);
  const refusing = ofEnforcement('HARD');
  return {
    counts,
    violations: refusing.map((count) => toViolation(count, 'HARD')),
    warnings: ofEnforcement('SOFT').map((count) => toViolation(count, 'SOFT')),
    fitsAt: fitsAt(refusing),
  };
}

function isLimited(window: UsageWindow): window is LimitedWindow {
  return window.limit !== null;
}

const NO_LIMITS: LimitVerdict = { counts: [], violations: [], warnings: [], fitsAt: null };

function enforcementOf({ enforcement }: UsageWindow, isOverdraft: boolean): Enforcement {
  return isOverdraft && enforcement === 'HARD' ? 'SOFT' : enforcement;
}

/** A subject as a map's key, and as notices name it. */
export function textOf(subject: Subject): string {
  return 'feature' in subject ? `feature ${subject.feature}` : `product ${subject.productKey}`;
}

/** How much a use counts of each subject. */
function amountsOf(
  subject: Subject,
  amount: number,
  plan: UsePlan | undefined,
  providers: readonly Provider[],
): Map<string, number> {
  const amounts = new Map([[textOf(subject), amount]]);
  if (!('feature' in subject)) return amounts;
  const add = (productKey: string, units: number): void => {
    const text = textOf({ productKey });
    amounts.set(text, Math.min(QUANTITY_MAX, (amounts.get(text) ?? 0) + units));
  };
  if (plan) for (const { batch, amount: units } of plan.takings) add(batch.productKey, units);
  // Who would have paid is known only where nobody else could have.
  else if (providers.length === 1)
    for (const { productKey, unitCost } of providers) add(productKey, Math.min(QUANTITY_MAX, amount * unitCost));
  return amounts;
}

function toViolation({ window, amount }: Count, enforcement: Enforcement): Violation {
  const { subject, used: current, limit, end: resetsAt } = window;
  return { ...subject, window: window.window, current, requested: amount, limit, enforcement, resetsAt };
}

/** The end of the last of these windows; null where one has none, or what is asked for fits in none like it. */
function fitsAt(refusing: readonly Count[]): Date | null {
  let last: Date | null = null;
  for (const { window, amount } of refusing) {
    if (window.end === null || amount > window.limit) return null;
    if (last === null || window.end > last) last = window.end;
  }
  return last;
}

/**
 * Refuses a use that a window could not count: what is given back later would be missing in what was cut off.
 * Throws: quantity_too_large.
 */
export function assertCounted({ counts }: LimitVerdict, pointer: string): void {
  const beyond = counts.find(({ window, amount }) => !canAdd(window.used, amount));
  if (!beyond) return;
  const { subject, window } = beyond.window;
  const detail = `The use of ${textOf(subject)} can be counted up to ${QUANTITY_MAX} (${window}).`;
  throw new AppError('quantity_too_large', detail, { pointer });
}

/** A refusal by limits alone. It may be told: of each window once. */
export class LimitExceeded extends AppError {
  constructor({ violations, fitsAt: at }: LimitVerdict, now: Date) {
    const [first] = violations;
    const name = first?.feature ?? first?.productKey ?? '';
    const detail = `${first?.requested} of ${name} asked for, ${first?.current} of ${first?.limit} used (${first?.window}).`;
    super('limit_exceeded', detail, {
      extensions: { violations },
      ...(at && { retryAfterS: Math.max(1, Math.ceil((at.getTime() - now.getTime()) / 1_000)) }),
    });
  }
}

/** Tells that a use was refused, of each window that refused it, unless it was told of that window before. */
export function noteRefusal(book: Book, { counts }: LimitVerdict): void {
  for (const { window, amount } of counts) {
    if (window.enforcement === 'HARD' && window.used + amount > window.limit) {
      note(book, window, 'quota.limit_exceeded', amount);
    }
  }
}

/**
 * Records on the entries that a use made what it came to in each window, and tells which of them are at their limit now, or above it. Precondition: they are
 * posted, and so counted.
 */
export function recordCounts(book: Book, { counts }: LimitVerdict, isOverdraft: boolean, made: readonly Entry[]): void {
  if (counts.length === 0) return;
  const last = made.findLast(({ counted }) => counted !== null && counted >= 0);
  if (last) last.checkedLimits = counts.map(({ window }) => toChecked(window, isOverdraft));
  for (const { window, amount } of counts) {
    book.changes.changedWindows.add(window);
    if (window.enforcement === 'NONE') continue;
    if (window.used > window.limit) note(book, window, 'quota.limit_exceeded', amount);
    else if (window.used === window.limit) note(book, window, 'quota.limit_reached', amount);
  }
}

function toChecked(usage: LimitedWindow, isOverdraft: boolean): CheckedLimit {
  const { subject, window, start: windowStart, used: usedAfter, limit } = usage;
  return { subject, window, windowStart, usedAfter, limit, enforcement: enforcementOf(usage, isOverdraft) };
}

function note(book: Book, usage: LimitedWindow, type: NoticeType, requested: number): void {
  const { subject, window, start: windowStart, end: resetsAt, used, limit, enforcement, told } = usage;
  if (told.has(type)) return;
  told.add(type);
  book.changes.notices.push({
    id: book.ids.next(),
    type,
    subject: `${window} ${textOf(subject)}`,
    windowStart,
    data: { ...subject, window, used, requested, limit, enforcement, resetsAt },
  });
}
