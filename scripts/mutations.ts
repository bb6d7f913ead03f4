// Breaks the write path on purpose, one way at a time, and demands that a test notices: `npm run mutations [-- name ...]`.
// Works on a copy of the project in a temporary folder. Ends with 1 when a mutation survives, no longer fits the source, or the tests
// fail without any.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Change, type Mutation, mutations } from './mutation-list.js';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const NOT_COPIED = new Set(['.git', 'node_modules', 'data', '.cache', 'coverage']);

interface TestReport {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

/** Copies the project, without what is big or private; packages are linked, so that caches stay apart. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'bursar-mutations-'));
  cpSync(PROJECT_DIR, copy, { recursive: true, filter: (source) => !NOT_COPIED.has(basename(source)) });
  mkdirSync(join(copy, 'node_modules'));
  for (const name of readdirSync(join(PROJECT_DIR, 'node_modules')))
    if (name !== '.cache') symlinkSync(join(PROJECT_DIR, 'node_modules', name), join(copy, 'node_modules', name));
  return copy;
}

/** Runs test files in the copy up to the first failure; the name of the test or file that failed, or undefined. */
function firstFailure(copy: string, tests: readonly string[]): string | undefined {
  const missing = tests.find((test) => !existsSync(join(copy, test)));
  if (missing) throw new Error(`there is no ${missing}`);
  const output = join(copy, 'mutation-report.json');
  rmSync(output, { force: true });
  const vitest = join(copy, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--bail=1', '--reporter=json', `--outputFile=${output}`, ...tests];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, CI: '1' },
  });
  if (status === 0) return undefined;
  const report = readReport(output);
  const failed = report?.testResults.flatMap(({ name, assertionResults, message, status: fileStatus }) => {
    const names = assertionResults.filter((each) => each.status === 'failed').map((each) => each.fullName);
    const isFileFailed = names.length === 0 && fileStatus === 'failed';
    return (isFileFailed ? [message.split('\n')[0]] : names).map((each) => `${basename(name)}: ${each}`);
  });
  // an end without a failed test says nothing about the mutation
  if (!failed?.[0]) throw new Error(`the tests did not run: ${stderr}`);
  return failed[0];
}

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch {
    return undefined; // no report was written, which the caller tells
  }
}

/** Applies the changes to the copy; returns what puts the files back. Throws when the source has no such place. */
function applyChanges(copy: string, changes: readonly Change[]): () => void {
  const originals = new Map<string, string>();
  const restore = () => {
    for (const [path, text] of originals) writeFileSync(path, text);
  };
  for (const { file, from, to } of changes) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    if (!text.includes(from)) {
      restore();
      throw new Error(`${file} has no ${JSON.stringify(from)}`);
    }
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
  return restore;
}

/** Throws when a mutation no longer fits the source, naming every such place. */
function requireFitting(copy: string, chosen: readonly Mutation[]): void {
  const stale = chosen.flatMap(({ name, changes }) => {
    try {
      applyChanges(copy, changes)();
      return [];
    } catch (error) {
      return [`${name}: ${(error as Error).message}`];
    }
  });
  if (stale.length > 0) throw new Error(`these no longer fit the source:\n${stale.join('\n')}`);
}

function main(names: readonly string[]): void {
  const chosen = names.length === 0 ? mutations : mutations.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) throw new Error(`no mutation is called ${names.join(', ')}`);
  const copy = copyProject();
  try {
    requireFitting(copy, chosen);
    const broken = firstFailure(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
    if (broken) throw new Error(`without a mutation this fails already: ${broken}`);
    let caught = 0;
    for (const { name, changes, tests } of chosen) {
      const restore = applyChanges(copy, changes);
      const failure = firstFailure(copy, tests);
      restore();
      if (failure) caught += 1;
      console.log(`${failure ? 'caught  ' : 'SURVIVED'}  ${name}  <-  ${failure ?? tests.join(', ')}`);
    }
    console.log(`${caught} of ${chosen.length} mutations caught`);
    if (caught < chosen.length) process.exitCode = 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

main(process.argv.slice(2));
