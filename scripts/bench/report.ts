// Says what was measured, in tables that can be read in a terminal and pasted into docs/performance.md.
import type { Outcome } from './job.js';
import { median, medianInterval, rangeOf } from './statistics.js';

/** A target of docs/performance.md and what this run came to; ratios of the repetitions, side by side. */
export interface Target {
  name: string;
  bound: { atLeast: number } | { atMost: number };
  values: readonly number[];
  unit?: string;
}

export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join(' | ')} |`;
  console.log(`\n${title}\n`);
  console.log(line(head));
  console.log(
    `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  );
  for (const row of rows) console.log(line(row));
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

export function wholeNumber(value: number): string {
  return Number.isNaN(value) ? 'not measured' : Math.round(value).toLocaleString('en');
}

export function precise(value: number): string {
  return Number.isNaN(value) ? 'not measured' : value.toFixed(2);
}

/** The median with the least and the greatest of the repetitions. */
export function spreadOf(values: readonly number[], show: (value: number) => string): string {
  if (values.length === 0) return 'not measured';
  const [least, greatest] = rangeOf(values);
  return values.length === 1 ? show(median(values)) : `${show(median(values))} (${show(least)} to ${show(greatest)})`;
}

/** The median with the interval in which it lies. */
export function withInterval(values: readonly number[]): string {
  const [from, to] = medianInterval(values);
  return `${median(values).toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
}

/** A row of figures of one kind of load over its repetitions. */
export function loadRow(name: string, outcomes: readonly Outcome[]): string[] {
  return [
    name,
    spreadOf(
      outcomes.map(({ perS }) => perS),
      wholeNumber,
    ),
    precise(median(outcomes.map(({ p50 }) => p50))),
    precise(median(outcomes.map(({ p99 }) => p99))),
    precise(median(outcomes.map(({ p999 }) => p999))),
    wholeNumber(outcomes.reduce((sum, { refused }) => sum + refused, 0)),
    errorsOf(outcomes),
  ];
}

export const LOAD_HEAD = ['side', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'refused', 'errors'] as const;

function errorsOf(outcomes: readonly Outcome[]): string {
  const sums = new Map<string, number>();
  for (const { errors } of outcomes) {
    for (const [name, count] of Object.entries(errors)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums.size === 0 ? '0' : [...sums].map(([name, count]) => `${name}: ${count}`).join(', ');
}

/** Prints the targets; returns whether all that were measured are met. */
export function printTargets(targets: readonly Target[]): boolean {
  const rows = targets.map(({ name, bound, values, unit = '' }): string[] => {
    const show = (value: number) => `${precise(value)}${unit}`;
    const wanted = 'atLeast' in bound ? `>= ${bound.atLeast}${unit}` : `<= ${bound.atMost}${unit}`;
    return [name, wanted, spreadOf(values, show), verdictOf(bound, values)];
  });
  printTable('Targets', ['target', 'wanted', 'measured', 'verdict'], rows);
  return rows.every((row) => row.at(-1) !== 'missed');
}

function verdictOf(bound: Target['bound'], values: readonly number[]): string {
  const value = median(values);
  if (Number.isNaN(value)) return 'not measured';
  return ('atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost) ? 'met' : 'missed';
}
