// The limits of one customer in memory, and what the entries say was used in their windows, added up anew at each load as the database would. Decides
// nothing of a use.
import type { AppError } from '../../src/errors/app-error.js';
import type { Entry } from '../../src/ledger/entities.js';
import type { UsageWindow, Violation } from '../../src/ledger/limit-entities.js';
import { fromLedgerSubject, providersOf, toLedgerSubject } from './ledger-catalogue.js';
import type { LimitRequest, LimitsAgainst, LimitTerms, LimitWindow, Observed, OverLimit } from './requests.js';

const WINDOWS: readonly LimitWindow[] = ['hour', 'day', 'month', 'billing_period', 'total'];
/** How many characters of an instant of ISO 8601 tell in which window it lies, and the rest of the one in which it begins. */
const STARTS = {
  hour: [13, ':00:00.000Z'],
  day: [10, 'T00:00:00.000Z'],
  month: [7, '-01T00:00:00.000Z'],
  billing_period: [7, '-01T00:00:00.000Z'],
} as const;
/** Longer than the window, and shorter than two of it. */
const LONGER_MS = { hour: 5_400_000, day: 129_600_000, month: 2_764_800_000, billing_period: 2_764_800_000 };
const KINDS_OF_MORE = ['consume', 'hold', 'debt'];
const KINDS_OF_LESS = ['release', 'reverse', 'forgive'];

export class MemoryLimits {
  /** By subject, features first, as they are read. */
  readonly #limits = new Map<string, LimitTerms>();

  change(request: LimitRequest): Observed {
    const { subject } = request;
    const key = JSON.stringify(subject);
    const isNew = !this.#limits.has(key);
    if (request.kind === 'remove limit') {
      if (!this.#limits.delete(key)) return { outcome: 'refused', code: 'limit_not_found' };
      return { outcome: 'accepted', facts: { limit: null } };
    }
    if (providersOf(subject).length === 0) throw new Error(`the catalogue has no ${key}`);
    const { windows, enforcement } = request;
    const limit = { subject, windows, enforcement };
    this.#limits.set(key, limit);
    return { outcome: 'accepted', facts: { limit, isNew } };
  }

  /** The windows in force at an instant. */
  windowsAt(now: Date, entries: readonly Entry[]): UsageWindow[] {
    const inOrder = [...this.#limits].sort(([a], [b]) => (a < b ? -1 : 1));
    return inOrder.flatMap(([, { subject, windows, enforcement }]) =>
      WINDOWS.flatMap((window): UsageWindow[] => {
        const limit = windows[window] ?? null;
        if (limit === null) return [];
        const { start, end } = spanOf(window, now);
        const own = { subject: toLedgerSubject(subject), window, start, end };
        const used = usedOf(own, entries);
        return [
          {
            ...own,
            limit,
            enforcement,
            level: 'customer',
            used,
            held: 0,
            usedByMerged: 0,
            countedTo: null,
            told: new Set(),
          },
        ];
      }),
    );
  }
}

function spanOf(window: LimitWindow, now: Date): Pick<UsageWindow, 'start' | 'end'> {
  if (window === 'total') return { start: new Date(0), end: null };
  const start = startOf(window, now);
  return { start, end: startOf(window, new Date(start.getTime() + LONGER_MS[window])) };
}

function startOf(window: keyof typeof STARTS, instant: Date): Date {
  const [length, rest] = STARTS[window];
  return new Date(instant.toISOString().slice(0, length) + rest);
}

/** What the entries count of a subject whose counting instants lie in the window. */
function usedOf(
  { subject, start, end }: Pick<UsageWindow, 'subject' | 'start' | 'end'>,
  entries: readonly Entry[],
): number {
  let used = 0;
  for (const { kind, productKey, feature, amount, counted, countedAt } of entries) {
    if (countedAt === null || countedAt < start || (end !== null && countedAt >= end)) continue;
    if ('feature' in subject) used += feature === subject.feature ? (counted ?? 0) : 0;
    else if (productKey !== subject.productKey) continue;
    else if (KINDS_OF_MORE.includes(kind)) used += amount;
    else if (KINDS_OF_LESS.includes(kind)) used -= amount;
  }
  return used;
}

/** What is said of limits that a use goes beyond. */
export function toOverLimits(over: readonly Violation[]): OverLimit[] {
  return over.map(({ productKey = '', feature, window, current, requested, limit, enforcement, resetsAt }) => ({
    subject: fromLedgerSubject(feature === undefined ? { productKey } : { feature }),
    ...{ window, current, requested, limit, enforcement },
    resetsAt: resetsAt?.getTime() ?? null,
  }));
}

/** What a refusal says of limits beside. */
export function limitsAgainst({ code, extensions, retryAfterS }: AppError): LimitsAgainst {
  const violations = toOverLimits((extensions.violations ?? []) as Violation[]);
  return { violations, ...(code === 'limit_exceeded' && { retryAfterS: retryAfterS ?? null }) };
}
