// How the tests run: files in parallel, each with its own clone of a migrated template database; `N passed, N failed` as the last line.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.js';

const WORKERS_MIN = 2;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new SummaryReporter()],
    // loading the app takes longer than the tests of most files do, so the files of a worker share it; each makes an app of its own from it
    isolate: false,
    maxWorkers: Math.max(WORKERS_MIN, availableParallelism()),
    // not UTC, so that a time read in the process's zone shows
    env: { TZ: 'America/St_Johns' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
