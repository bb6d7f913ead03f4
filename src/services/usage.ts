// What was used, and how much may still be: the windows of limits as decisions see them, use over time, and the uses themselves. Reads only; those that go
// through many entries share the connections of slow reads.
import type { LedgerPosition } from '../db/ledger-position.js';
import { findLimitSource } from '../db/limit-sources.js';
import { isKnownSubject } from '../db/limits.js';
import {
  listNamedSubjects,
  listUses,
  listUsesOfAll,
  sumUseByWindow,
  sumUsedUnits,
  type UsedSum,
  type UsedUnits,
  type UseEvent,
  type UsePosition,
  type UsesAsked,
} from '../db/usage.js';
import type { Deps } from '../deps.js';
import { type Reader, requireCustomer } from '../engine/customers.js';
import type { BookRead } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Subject } from '../ledger/catalog-entities.js';
import { assertProvided, availabilityOf } from '../ledger/consume.js';
import { BEGINNING, countIn } from '../ledger/counting.js';
import type { Enforcement, LimitLevel, LimitWindow, UsageWindow } from '../ledger/limit-entities.js';
import { textOf } from '../ledger/limits.js';
import { type CalendarWindow, startOfWindow, stepWindows, windowEdges } from '../lib/calendar-windows.js';

/** Subjects that are told of at most. */
const SUBJECTS_MAX = 500;

/** A window of a subject: what was used in it, in the subject's unit, and how much may be. What is null has no limit. */
export interface WindowStatus {
  window: LimitWindow;
  current: number;
  limit: number | null;
  remaining: number | null;
  enforcement: Enforcement | null;
  /** How near the limit was set. */
  level: LimitLevel | null;
  status: 'no_limit' | 'within_limit' | 'at_limit' | 'over_limit';
  resetsAt: Date | null;
  /** The window that counts in its place, where there is none of its own. */
  fallsBackTo: 'month' | null;
}

export interface SubjectStatus {
  subject: Subject;
  /** What can be used of it now, in its unit; null when uncounted. */
  balance: number | null;
  windows: WindowStatus[];
}

export interface QuotaStatus {
  customerId: string;
  /** Products first, by name. */
  subjects: SubjectStatus[];
  /** Whether there are more than are told. */
  hasMore: boolean;
  /** As of when the limits that he shares were copied; null when he shares none. */
  limitsAsOf: Date | null;
}

/**
 * Where a customer stands with one subject, or with each that he has a limit for, used or holds. Windows in force are those by which a use would be decided
 * now; where a subject has none, what was used of it is added up from the ledger.
 * Throws: customer_not_found, selector_conflict, product_not_found, feature_not_found, overloaded.
 */
export async function getQuotaStatus(deps: Deps, selector: Selector, asked: Subject | undefined): Promise<QuotaStatus> {
  const reader = await requireCustomer(deps, selector);
  const { customerId } = reader;
  const [told, source] = await Promise.all([
    asked ? statusOfOne(deps, reader, asked) : statusOfAll(deps, reader),
    findLimitSource(deps.db, customerId),
  ]);
  return { customerId, ...told, limitsAsOf: source?.copiedAt ?? null };
}

type ToldSubjects = Pick<QuotaStatus, 'subjects' | 'hasMore'>;

async function statusOfAll(deps: Deps, reader: Reader): Promise<ToldSubjects> {
  const { subjects, used } = await deps.db.slowReads.take(() => findSubjects(deps, reader));
  const told = subjects.slice(0, SUBJECTS_MAX);
  // Read behind what was added up: what settles in between is missing there, never counted twice.
  const read = await readBook(deps, reader, told);
  return {
    subjects: told.map((subject) => statusOf(read, reader, subject, used)),
    hasMore: subjects.length > told.length,
  };
}

async function statusOfOne(deps: Deps, reader: Reader, subject: Subject): Promise<ToldSubjects> {
  const toldBy = (read: BookRead, used: Used) => ({
    subjects: [statusOf(read, reader, subject, used)],
    hasMore: false,
  });
  const read = await readBook(deps, reader, [subject]);
  if (windowsOf(read, subject).length > 0) return toldBy(read, new Map());
  const sums = await deps.db.slowReads.take(() => sumUsedUnits(deps.db, reader.familyIds, monthOf(reader), subject));
  if (sums.length === 0) assertProvided(subject, read.providersOf(subject));
  return toldBy(await readBook(deps, reader, [subject]), usedBySubject(sums));
}

/** Asks for one unit of each: a use of them would be decided by what is read. */
function readBook(deps: Deps, { customerId }: Reader, subjects: readonly Subject[]): Promise<BookRead> {
  return deps.reads.require(
    { customerId },
    subjects.map((subject) => ({ subject, amount: 1 })),
  );
}

/** What was used of subjects this month and in all, in their units, by their texts. */
type Used = Map<string, UsedUnits & { subject: Subject }>;

async function findSubjects(deps: Deps, reader: Reader): Promise<{ subjects: Subject[]; used: Used }> {
  const [named, sums] = await Promise.all([
    listNamedSubjects(deps.db, reader.familyIds, reader.now),
    sumUsedUnits(deps.db, reader.familyIds, monthOf(reader), undefined),
  ]);
  const used = usedBySubject(sums);
  const known = new Map(
    [...named, ...[...used.values()].map(({ subject }) => subject)].map((one) => [textOf(one), one]),
  );
  return { subjects: [...known.values()].sort(compareSubjects), used };
}

function compareSubjects(a: Subject, b: Subject): number {
  const [textA, textB] = [textOf(a), textOf(b)];
  return Number('feature' in a) - Number('feature' in b) || (textA < textB ? -1 : 1);
}

function usedBySubject(sums: readonly UsedSum[]): Used {
  const used: Used = new Map();
  const add = (subject: Subject, { inSpan, inAll }: UsedUnits): void => {
    const before = used.get(textOf(subject)) ?? { inSpan: 0, inAll: 0 };
    used.set(textOf(subject), { subject, inSpan: before.inSpan + inSpan, inAll: before.inAll + inAll });
  };
  for (const { productKey, feature, productUnits, featureUnits } of sums) {
    add({ productKey }, productUnits);
    if (feature !== null) add({ feature }, featureUnits);
  }
  return used;
}

function monthOf({ now }: Reader): { start: Date; end: Date } {
  const start = startOfWindow('month', now);
  return { start, end: stepWindows('month', start, 1) };
}

function windowsOf({ book }: BookRead, subject: Subject): UsageWindow[] {
  return book.windows.filter((window) => window.limit !== null && textOf(window.subject) === textOf(subject));
}

function statusOf(read: BookRead, reader: Reader, subject: Subject, used: Used): SubjectStatus {
  const { available: balance } = availabilityOf(read.book, read.providersOf(subject));
  const inForce = windowsOf(read, subject);
  const windows = inForce.length > 0 ? inForce : unlimitedWindows(read, reader, subject, used);
  return { subject, balance, windows: windows.map(toWindowStatus) };
}

/** The windows of a subject that has no limit in force, with what was used in them. What is due, but not in the ledger yet, counts as in a decision. */
function unlimitedWindows({ book }: BookRead, reader: Reader, subject: Subject, used: Used): UsageWindow[] {
  const { inSpan, inAll } = used.get(textOf(subject)) ?? { inSpan: 0, inAll: 0 };
  const unlimited = {
    subject,
    limit: null,
    enforcement: 'NONE',
    level: 'default',
    held: 0,
    usedByMerged: 0,
    countedTo: null,
  } as const;
  const windows: UsageWindow[] = [
    { ...unlimited, window: 'month', ...monthOf(reader), used: inSpan, told: new Set() },
    { ...unlimited, window: 'total', start: BEGINNING, end: null, used: inAll, told: new Set() },
  ];
  for (const entry of book.changes.entries) countIn(windows, entry);
  return windows;
}

function toWindowStatus({ window, used, limit, enforcement, level, end, isOfPlan }: UsageWindow): WindowStatus {
  const told = {
    window,
    current: used,
    resetsAt: end,
    fallsBackTo: window === 'billing_period' && !isOfPlan ? ('month' as const) : null,
  };
  if (limit === null)
    return { ...told, limit: null, remaining: null, enforcement: null, level: null, status: 'no_limit' };
  const status = used < limit ? 'within_limit' : used === limit ? 'at_limit' : 'over_limit';
  return { ...told, limit, remaining: Math.max(0, limit - used), enforcement, level, status };
}

const WINDOWS_MAX = 1_000;
/** Windows that are told where nobody says since when. */
const WINDOWS_DEFAULT: Readonly<Record<CalendarWindow, number>> = { hour: 24, day: 30, month: 12 };
const YEAR_MAX = 9_999;

export interface UsageAsked {
  subject: Subject;
  window: CalendarWindow;
  /** Windows that have a part from this instant on; some of the last where left out. */
  from: Date | undefined;
  /** And before this one; up to the present one where left out. */
  to: Date | undefined;
}

export interface QuotaUsage {
  /** Null of everybody. */
  customerId: string | null;
  /** Oldest first, without gaps. */
  windows: { start: Date; end: Date; used: number }[];
  /** Whether something has lapsed that still counts; null of everybody, of whom it is not asked. */
  isDue: boolean | null;
}

/**
 * What was used of a subject in each window of a span, by a customer, or by everybody.
 * Throws: customer_not_found, selector_conflict, product_not_found, feature_not_found, invalid_request (the span).
 */
export async function getQuotaUsage(
  deps: Deps,
  selector: Selector | undefined,
  asked: UsageAsked,
): Promise<QuotaUsage> {
  const reader = selector && (await requireCustomer(deps, selector));
  const edges = edgesOf(asked, reader?.now ?? deps.clock.now());
  const [from, to] = [edges[0], edges.at(-1)] as [Date, Date];
  const { subject, window } = asked;
  const uses = await deps.db.slowReads.take(() =>
    sumUseByWindow(deps.db, reader?.familyIds, subject, { window, from, to }),
  );
  if (uses.length === 0) assertProvided(subject, (await isKnownSubject(deps.db, subject)) ? [subject] : []);
  const used = new Map(uses.map((use) => [use.startsAt.getTime(), use.used]));
  const windows = edges
    .slice(1)
    .map((end, at) => ({ start: edges[at] as Date, end, used: used.get((edges[at] as Date).getTime()) ?? 0 }));
  return { customerId: reader?.customerId ?? null, windows, isDue: reader?.isDue ?? null };
}

/** The beginnings of the windows that are asked for, and the end of the last. Throws: invalid_request. */
function edgesOf({ window, ...asked }: UsageAsked, now: Date): Date[] {
  const to = asked.to ?? stepWindows(window, startOfWindow(window, now), 1);
  const last = startOfWindow(window, new Date(to.getTime() - 1));
  const from = asked.from ?? stepWindows(window, last, 1 - WINDOWS_DEFAULT[window]);
  refuseEmpty(from, to);
  const edges = windowEdges(window, from, to, WINDOWS_MAX);
  if (edges.length > WINDOWS_MAX + 1)
    throw badSpan('query/from', `From \`from\` to \`to\` there are more than ${WINDOWS_MAX} windows.`);
  if ((edges.at(-1) as Date).getUTCFullYear() > YEAR_MAX)
    throw badSpan('query/to', `The last window ends after the year ${YEAR_MAX}.`);
  return edges;
}

function refuseEmpty(from: Date, to: Date): void {
  if (from >= to) throw badSpan('query/from', '`from` must lie before `to`.');
}

function badSpan(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', detail, { pointer });
}

const DAY_MS = 86_400_000;
/** The uses of everybody are told of so long a time at most. */
const SPAN_OF_ALL_MS = 31 * DAY_MS;
/** They are looked for in a slice of it, then in one before that is so many times as long: where there are many, few are read. */
const FIRST_SLICE_MS = 60_000;
const SLICES_GROW_BY = 8;

export interface QuotaEvents {
  uses: UseEvent[];
  /** Whether something that has fallen due is not among them yet; null of everybody, of whom it is not asked. */
  isDue: boolean | null;
}

/** One page of a customer's uses, newest first. Throws: customer_not_found, selector_conflict, invalid_request (the span). */
export async function getUses(
  deps: Deps,
  selector: Selector,
  asked: UsesAsked,
  before: LedgerPosition | undefined,
): Promise<QuotaEvents & { isOfMany: boolean }> {
  const { familyIds, isDue } = await requireCustomer(deps, selector);
  if (asked.from && asked.to) refuseEmpty(asked.from, asked.to);
  return { uses: await listUses(deps.db, familyIds, asked, before), isDue, isOfMany: familyIds.length > 1 };
}

/** One page of everybody's uses, newest first; of the last 31 days, or of as many at most. Throws: invalid_request (the span). */
export async function getUsesOfAll(deps: Deps, asked: UsesAsked, after: UsePosition | undefined): Promise<QuotaEvents> {
  const end = asked.to ?? deps.clock.now();
  const from = asked.from ?? new Date(end.getTime() - SPAN_OF_ALL_MS);
  if (end.getTime() - from.getTime() > SPAN_OF_ALL_MS)
    throw badSpan('query/from', 'Of all customers uses are told of up to 31 days.');
  if (asked.to) refuseEmpty(from, asked.to);
  return { uses: await deps.db.slowReads.take(() => findUses(deps, { ...asked, from }, end, after)), isDue: null };
}

/** Looks back slice by slice until there are enough. */
async function findUses(
  deps: Deps,
  { from, limit, ...asked }: UsesAsked & { from: Date },
  end: Date,
  after: UsePosition | undefined,
): Promise<UseEvent[]> {
  const uses: UseEvent[] = [];
  let to = after ? new Date(after.createdAt.getTime() + 1) : asked.to;
  let lower = after?.createdAt ?? end;
  for (let widthMs = FIRST_SLICE_MS; uses.length < limit && lower > from; widthMs *= SLICES_GROW_BY) {
    lower = new Date(Math.max(from.getTime(), lower.getTime() - widthMs));
    const slice = { ...asked, from: lower, to, limit: limit - uses.length };
    uses.push(...(await listUsesOfAll(deps.db, slice, after)));
    to = lower;
  }
  return uses;
}
