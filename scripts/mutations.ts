// Breaks the source on purpose, one way at a time, and demands that a test notices: `npm run mutations [-- section | name ...]`, all without any.
// Works on a copy of the project in a temporary folder. Ends with 1 when a mutation survives, no longer fits the source, or the tests
// fail without any. With `--fit` it only says whether they fit, and runs nothing.
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
import { type Mutation, sections } from './mutation-list.js';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const NOT_COPIED = new Set(['.git', 'node_modules', 'data', '.cache', 'coverage']);
/** Fails with this whatever a test asks. */
const NO_CODE = /Transform failed|SyntaxError|ReferenceError/;

interface TestReport {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
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

/** A test or file that failed; `isCode` unless what it ran is none. */
interface Failure {
  test: string;
  isCode: boolean;
}

/** Runs test files in the copy up to the first failure. */
function firstFailure(copy: string, tests: readonly string[]): Failure | undefined {
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
  const failed = readReport(output)?.testResults.flatMap(({ name, assertionResults, message, status: fileStatus }) => {
    const each = assertionResults.filter((result) => result.status === 'failed');
    const isFileFailed = each.length === 0 && fileStatus === 'failed';
    const found = isFileFailed
      ? [{ test: message.split('\n')[0], why: message }]
      : each.map(({ fullName, failureMessages }) => ({ test: fullName, why: failureMessages.join('\n') }));
    return found.map(({ test, why }) => ({ test: `${basename(name)}: ${test}`, isCode: !NO_CODE.test(why) }));
  });
  // an end without a failed test says nothing about the mutation
  const [first] = failed ?? [];
  if (!first) throw new Error(`the tests did not run: ${stderr}`);
  return first;
}

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  } catch {
    return undefined; // no report was written, which the caller tells
  }
}

/** The text of a file before and after a mutation. */
interface Mutated {
  before: string;
  after: string;
}

/** The files of a folder that a mutation changes. Throws when it does not fit. */
function mutate(folder: string, { changes, tests }: Mutation): Map<string, Mutated> {
  const missing = tests.find((test) => !existsSync(join(folder, test)));
  if (missing) throw new Error(`there is no ${missing}`);
  const mutated = new Map<string, Mutated>();
  for (const { file, from, to } of changes) {
    const path = join(folder, file);
    const { before, after } = mutated.get(path) ?? read(path);
    const count = after.split(from).length - 1;
    if (count !== 1) throw new Error(`${file} has ${count} times ${JSON.stringify(from)}`);
    mutated.set(path, { before, after: after.replace(from, () => to) });
  }
  return mutated;
}

function read(path: string): Mutated {
  const text = readFileSync(path, 'utf8');
  return { before: text, after: text };
}

/** Throws when a mutation no longer fits the source, naming every such place. */
function requireFitting(chosen: readonly Mutation[]): void {
  const stale = chosen.flatMap((mutation) => {
    try {
      mutate(PROJECT_DIR, mutation);
      return [];
    } catch (error) {
      return [`${mutation.name}: ${(error as Error).message}`];
    }
  });
  if (stale.length > 0) throw new Error(`these no longer fit the source:\n${stale.join('\n')}`);
}

/** What is asked for by the names of sections and mutations, all without any. Throws when there is no such name. */
function choose(wanted: readonly string[]): Mutation[] {
  const all = Object.entries(sections).flatMap(([section, mutations]) =>
    mutations.map((mutation) => ({ section, mutation: { ...mutation, name: `${section}: ${mutation.name}` } })),
  );
  const isMeant = (word: string, { section, mutation }: (typeof all)[number]) =>
    word === section || word === mutation.name;
  const unknown = wanted.filter((word) => !all.some((each) => isMeant(word, each)));
  if (unknown.length > 0) {
    throw new Error(`no mutation or section (${Object.keys(sections).join(', ')}) is called ${unknown.join(', ')}`);
  }
  return all
    .filter((each) => wanted.length === 0 || wanted.some((word) => isMeant(word, each)))
    .map(({ mutation }) => mutation);
}

/** Tries mutations in a copy, one after another. Returns how many were caught. */
function runAll(chosen: readonly Mutation[]): number {
  const copy = copyProject();
  try {
    const broken = firstFailure(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
    if (broken) throw new Error(`without a mutation this fails already: ${broken.test}`);
    let caught = 0;
    for (const mutation of chosen) {
      const mutated = mutate(copy, mutation);
      for (const [path, { after }] of mutated) writeFileSync(path, after);
      const failure = firstFailure(copy, mutation.tests);
      for (const [path, { before }] of mutated) writeFileSync(path, before);
      if (failure?.isCode) caught += 1;
      const verdict = failure ? (failure.isCode ? 'caught  ' : 'NO CODE ') : 'SURVIVED';
      console.log(`${verdict}  ${mutation.name}  <-  ${failure?.test ?? mutation.tests.join(', ')}`);
    }
    return caught;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function main(given: readonly string[]): void {
  const chosen = choose(given.filter((word) => word !== '--fit'));
  requireFitting(chosen);
  if (given.includes('--fit')) {
    console.log(`${chosen.length} mutations fit`);
    return;
  }
  const caught = runAll(chosen);
  console.log(`${caught} of ${chosen.length} mutations caught`);
  if (caught < chosen.length) process.exitCode = 1;
}

main(process.argv.slice(2));
