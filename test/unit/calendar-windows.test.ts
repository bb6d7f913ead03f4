// Windows by the calendar of UTC: half-open, also around the ends of months, leap days and the beginning of the epoch.
import { describe, expect, it } from 'vitest';
import { startOfWindow, stepWindows, windowEdges } from '../../src/lib/calendar-windows.js';

const at = (text: string) => new Date(text);
const texts = (dates: Date[]) => dates.map((date) => date.toISOString());

describe('startOfWindow', () => {
  it.each([
    ['hour', '2028-02-29T23:59:59.999Z', '2028-02-29T23:00:00.000Z'],
    ['hour', '2028-02-29T23:00:00.000Z', '2028-02-29T23:00:00.000Z'],
    ['day', '2028-02-29T23:59:59.999Z', '2028-02-29T00:00:00.000Z'],
    ['day', '1969-12-31T12:00:00.000Z', '1969-12-31T00:00:00.000Z'],
    ['month', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00:00.000Z'],
    ['month', '2028-03-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ] as const)('of the %s of %s is %s', (window, instant, start) => {
    expect(startOfWindow(window, at(instant)).toISOString()).toBe(start);
  });
});

describe('stepWindows', () => {
  it('goes over ends of months and years, in both directions', () => {
    const january = at('2027-01-01T00:00:00.000Z');
    expect(texts([-1, 1, 14].map((count) => stepWindows('month', january, count)))).toEqual([
      '2026-12-01T00:00:00.000Z',
      '2027-02-01T00:00:00.000Z',
      '2028-03-01T00:00:00.000Z',
    ]);
    expect(stepWindows('day', at('2028-02-28T00:00:00.000Z'), 2).toISOString()).toBe('2028-03-01T00:00:00.000Z');
    expect(stepWindows('hour', january, -1).toISOString()).toBe('2026-12-31T23:00:00.000Z');
  });
});

describe('windowEdges', () => {
  it('has the windows of which a part lies in the span, and none that only touches it', () => {
    const edges = windowEdges('day', at('2028-02-28T12:00:00.000Z'), at('2028-03-01T00:00:00.000Z'), 10);
    expect(texts(edges)).toEqual(['2028-02-28T00:00:00.000Z', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z']);
  });

  it('stops one behind the most that may be', () => {
    const [from, to] = [at('2028-01-01T00:00:00.000Z'), at('2028-01-04T00:00:00.000Z')];
    expect(windowEdges('day', from, to, 3)).toHaveLength(4);
    expect(windowEdges('day', from, to, 2)).toHaveLength(4);
    expect(windowEdges('hour', from, to, 2)).toHaveLength(4);
  });
});
