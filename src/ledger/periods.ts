// Calendar arithmetic of validity (DOMAIN 3.5), in UTC: hours and days are fixed durations, months and years are calendar steps
// clamped to the month's end.

export type PeriodUnit = 'hours' | 'days' | 'months' | 'years' | 'forever';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The last instant that the wire format can say. */
const INSTANT_MAX = new Date('9999-12-31T23:59:59.999Z');

function addMonths(from: Date, months: number): Date {
  const year = from.getUTCFullYear();
  const month = from.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const time = from.getTime() - Date.UTC(year, from.getUTCMonth(), from.getUTCDate());
  return new Date(Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + time);
}

/**
 * The end of a period of `value` units that starts at `from`; null when it never ends (`forever`).
 * Returns undefined when the end lies beyond INSTANT_MAX.
 */
export function addPeriod(from: Date, unit: PeriodUnit, value: number | null): Date | null | undefined {
  if (unit === 'forever' || value === null) return null;
  let end: Date;
  if (unit === 'hours') end = new Date(from.getTime() + value * HOUR_MS);
  else if (unit === 'days') end = new Date(from.getTime() + value * DAY_MS);
  else end = addMonths(from, unit === 'months' ? value : value * 12);
  return end.getTime() <= INSTANT_MAX.getTime() ? end : undefined; // an invalid Date compares false
}
