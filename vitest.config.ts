// How the tests run: files in parallel, each with its own clone of a migrated template database; `N passed, N failed` as the last line.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SlowFoldersFirst } from './test/support/slow-folders-first.js';
import { SummaryReporter } from './test/support/summary-reporter.js';

const WORKERS_MIN = 2;
/** For what hangs. Far from what anything takes on a machine with ten times as many busy processes as processors: no test fails for being slow. */
const GIVE_UP_MS = 240_000;

/** Tests may be what is run first in a checkout, by `npx vitest`. */
const { status } = spawnSync(process.execPath, ['scripts/ensure.mjs'], { cwd: import.meta.dirname, stdio: 'inherit' });
if (status !== 0) throw new Error('the checkout could not be made ready');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/check-statements.ts'],
    reporters: ['default', new SummaryReporter()],
    // loading the app takes longer than the tests of most files do, so the files of a worker share it; each makes an app of its own from it
    isolate: false,
    sequence: { sequencer: SlowFoldersFirst },
    maxWorkers: Math.max(WORKERS_MIN, availableParallelism()),
    // not UTC, so that a time read in the process's zone shows
    env: { TZ: 'America/St_Johns' },
    testTimeout: GIVE_UP_MS,
    hookTimeout: GIVE_UP_MS,
    teardownTimeout: GIVE_UP_MS,
  },
});
