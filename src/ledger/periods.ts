// Calendar arithmetic of validity (DOMAIN 3.5), in UTC: hours, days and weeks are fixed durations, months and years are calendar steps, which end on the
// anchor day or, where the month is shorter, on its last one.

/** Of the validity of what is granted. */
export type PeriodUnit = 'hours' | 'days' | 'months' | 'years' | 'forever';

/** Of the periods of a plan. */
export type RecurrenceUnit = 'weeks' | Exclude<PeriodUnit, 'forever'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIXED_MS = { hours: HOUR_MS, days: DAY_MS, weeks: 7 * DAY_MS } as const;
/** The last instant that the wire format can say. */
const INSTANT_MAX = new Date('9999-12-31T23:59:59.999Z');

/** Midnight in UTC of the day in which an instant lies. */
export function startOfDay(at: Date): Date {
  return new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS);
}

/** Where a period starts or ends, and the day of the month that calendar steps from there keep: its own, or a later one that its month does not have. */
export interface Anchored {
  at: Date;
  anchorDay: number;
}

/** An instant that keeps its own day. */
export function anchored(at: Date): Anchored {
  return { at, anchorDay: at.getUTCDate() };
}

/** An instant that keeps a day of the month: this one, where it is on it or on the last day of a shorter month, else its own. */
export function keepingDay(at: Date, anchorDay: number | null): Anchored {
  const day = at.getUTCDate();
  const lastDay = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  return { at, anchorDay: anchorDay !== null && Math.min(anchorDay, lastDay) === day ? anchorDay : day };
}

function addMonths({ at, anchorDay }: Anchored, months: number): Anchored {
  const year = at.getUTCFullYear();
  const month = at.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const time = at.getTime() - Date.UTC(year, at.getUTCMonth(), at.getUTCDate());
  return { at: new Date(Date.UTC(year, month, Math.min(anchorDay, lastDay)) + time), anchorDay };
}

/**
 * The end of a period of `value` units; null when it never ends (`forever`). Calendar steps keep the anchor day of the start.
 * Returns undefined when the end lies beyond INSTANT_MAX.
 */
export function addPeriod(
  start: Anchored,
  unit: PeriodUnit | RecurrenceUnit,
  value: number | null,
): Anchored | null | undefined {
  if (unit === 'forever' || value === null) return null;
  const end =
    unit === 'months' || unit === 'years'
      ? addMonths(start, unit === 'months' ? value : value * 12)
      : anchored(new Date(start.at.getTime() + value * FIXED_MS[unit]));
  return end.at.getTime() <= INSTANT_MAX.getTime() ? end : undefined; // an invalid Date compares false
}

/** A length of time: calendar steps first, then milliseconds. */
export interface Duration {
  months: number;
  ms: number;
}

/** The instant so much later; undefined when it lies beyond INSTANT_MAX. */
export function addDuration(at: Date, { months, ms }: Duration): Date | undefined {
  const end = new Date(addMonths(anchored(at), months).at.getTime() + ms);
  return end.getTime() <= INSTANT_MAX.getTime() ? end : undefined;
}

/** An instant, but none later than the last one. */
export function latestInstant(ms: number): Date {
  return new Date(Math.min(ms, INSTANT_MAX.getTime()));
}

/** An end that was said outright: it keeps the day of its start when whole months lie between them, else its own. */
export function anchoredEnd(from: Date, at: Date): Anchored {
  const months = (at.getUTCFullYear() - from.getUTCFullYear()) * 12 + at.getUTCMonth() - from.getUTCMonth();
  const end = addMonths(anchored(from), months);
  return end.at.getTime() === at.getTime() ? end : anchored(at);
}
