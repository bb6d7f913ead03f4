// Names the ten slowest files and prints `N passed, N failed` (and `, N skipped`) as the very last line of a run.
// A file that can't be collected, a failed hook of a suite and an unhandled error count as failures; so does a run without any test.
import { writeSync } from 'node:fs';
import type { Reporter, TestModule, TestSuite } from 'vitest/node';

const STDOUT = 1;
const SLOWEST_SHOWN = 10;

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The closing line for these counts. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Counts a finished run. An interrupted one has failed, whatever its tests say. */
export function countResults(
  modules: readonly TestModule[],
  unhandledErrors: readonly unknown[],
  isInterrupted: boolean,
): Counts {
  const counts: Counts = { passed: 0, failed: unhandledErrors.length + (isInterrupted ? 1 : 0), skipped: 0 };
  for (const module of modules) {
    counts.failed += countBroken(module);
    for (const suite of module.children.allSuites()) counts.failed += countBroken(suite);
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // a pending test never ran, so nothing is known to be well
      counts[
        state === 'passed' ? 'passed' : state === 'skipped' && isMeant(test.options.mode) ? 'skipped' : 'failed'
      ] += 1;
    }
  }
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  return counts;
}

/** A module or suite with errors of its own: not collected, or a failed beforeAll or afterAll. */
function countBroken(node: TestModule | TestSuite): number {
  return node.errors().length > 0 ? 1 : 0;
}

/** Skipped on purpose (skip, todo, a name filter), not because a hook of its suite failed. */
function isMeant(mode: string | undefined): boolean {
  return mode === 'skip' || mode === 'todo';
}

/** The files that took longest, the slowest first, each with its seconds: loading, hooks and tests. */
export function formatSlowest(modules: readonly TestModule[]): string[] {
  const files = modules.map((module) => {
    const { collectDuration, setupDuration, duration } = module.diagnostic();
    return { name: module.relativeModuleId, seconds: (collectDuration + setupDuration + duration) / 1_000 };
  });
  files.sort((one, other) => other.seconds - one.seconds);
  return files.slice(0, SLOWEST_SHOWN).map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${name}`);
}

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: string): void {
    const counts = countResults(modules, unhandledErrors, reason === 'interrupted');
    if (counts.failed > 0) process.exitCode = 1;
    const lines = ['slowest files', ...formatSlowest(modules), formatCounts(counts)];
    process.once('exit', () => writeSync(STDOUT, `${lines.join('\n')}\n`));
  }
}
