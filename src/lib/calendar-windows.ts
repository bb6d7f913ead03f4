// Windows of time by the calendar of UTC: each hour, day or month, from its first instant up to, and without, that of the next.

export const CALENDAR_WINDOWS = ['hour', 'day', 'month'] as const;
export type CalendarWindow = (typeof CALENDAR_WINDOWS)[number];

const LENGTH_MS = { hour: 3_600_000, day: 86_400_000 } as const;

/** Where the window begins in which an instant lies. */
export function startOfWindow(window: CalendarWindow, at: Date): Date {
  if (window === 'month') return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));
  const lengthMs = LENGTH_MS[window];
  return new Date(Math.floor(at.getTime() / lengthMs) * lengthMs);
}

/** Where the window begins that is `count` windows after one that begins at `start`; before it where `count` is negative. */
export function stepWindows(window: CalendarWindow, start: Date, count: number): Date {
  if (window === 'month') return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count, 1));
  return new Date(start.getTime() + count * LENGTH_MS[window]);
}

/** The windows that have a part between two instants, as their beginnings and, last, the end of the last; no more than `max` and one. */
export function windowEdges(window: CalendarWindow, from: Date, to: Date, max: number): Date[] {
  const edges = [startOfWindow(window, from)];
  for (let last = edges[0]; last && last < to && edges.length <= max + 1; last = edges.at(-1)) {
    edges.push(stepWindows(window, last, 1));
  }
  return edges;
}
