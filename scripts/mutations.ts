// Breaks the write path on purpose, one way at a time, and demands that a test notices: `node --import tsx scripts/mutations.ts [name ...]`.
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

interface Change {
  file: string;
  from: string;
  to: string;
}

interface Mutation {
  name: string;
  changes: Change[];
  /** The test files that are expected to notice. */
  tests: string[];
}

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const NOT_COPIED = new Set(['.git', 'node_modules', 'data', '.cache', 'coverage']);

const CONSUME = 'test/concurrency/consume.test.ts';
const CONFIRM = 'test/concurrency/confirm.test.ts';
const LOCK_THEN_LOAD = 'test/concurrency/lock-then-load.test.ts';
const FIRST_SIGHT = 'test/concurrency/first-sight.test.ts';
const FAILED_ATTEMPTS = 'test/concurrency/failed-attempts.test.ts';
const WAITING = 'test/concurrency/waiting.test.ts';
const CATALOG = 'test/concurrency/catalog.test.ts';
const EXPIRY = 'test/http/expiry.test.ts';
const ORDER_OF_USE = 'test/http/quota-order.test.ts';

const WRITE_PATH = 'src/engine/write-path.ts';
const BOOKS = 'src/db/books.ts';
const ORDERS = 'src/db/orders.ts';
const LOCK = ' WHERE id = $1::uuid FOR NO KEY UPDATE';
const LATE_LOCK = `await tx.query('SELECT 1 FROM customers WHERE id = $1::uuid FOR NO KEY UPDATE', [customerId]);`;
const USABLE_NOW = 'AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)';
const BURN_ORDER = 'ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $3::int';

const change = (file: string, from: string, to: string): Change => ({ file, from, to });

const mutations: Mutation[] = [
  {
    name: 'drop the lock',
    changes: [change('src/db/customers.ts', LOCK, ' WHERE id = $1::uuid')],
    tests: [CONSUME],
  },
  {
    name: 'lock so that references to the customer wait',
    changes: [change('src/db/customers.ts', LOCK, ' WHERE id = $1::uuid FOR UPDATE')],
    tests: [WAITING],
  },
  {
    name: 'load, then lock',
    changes: [
      change('src/db/customers.ts', LOCK, ' WHERE id = $1::uuid'),
      change(WRITE_PATH, '  settle(book);\n', `  ${LATE_LOCK}\n  settle(book);\n`),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'load from the snapshot of the lock',
    changes: [
      change(
        WRITE_PATH,
        '  const customer = required(',
        `  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');\n  const customer = required(`,
      ),
      change('src/db/errors.ts', `new Set(['40001', `, 'new Set(['),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'look up the key before the lock',
    changes: [
      change(
        WRITE_PATH,
        '  const customer = required(',
        `  const early = await findOperationByKey(tx, customerId, operation.name, operation.idempotencyKey ?? '');\n  const customer = required(`,
      ),
      change(
        WRITE_PATH,
        'const recorded = await findOperationByKey(tx, customer.id, operation.name, operation.idempotencyKey);',
        'const recorded = early;',
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'do not look up the key',
    changes: [
      change(WRITE_PATH, '    if (recorded) return', '    if (recorded && operation.name === undefined) return'),
    ],
    tests: [CONSUME],
  },
  {
    name: 'look up the key whatever the operation',
    changes: [change('src/db/operations.ts', 'AND name = $2 AND', 'AND $2::text IS NOT NULL AND')],
    tests: [CONSUME],
  },
  {
    name: 'do not compare the request with the first one',
    changes: [change(WRITE_PATH, ' && recorded.requestHash === requestHash', '')],
    tests: [CONSUME],
  },
  {
    name: 'replay other bytes than were answered',
    changes: [
      change(
        WRITE_PATH,
        `required(recorded.answer, 'a replayed operation has an answer')`,
        `JSON.stringify(JSON.parse(required(recorded.answer, 'an answer')), null, 1)`,
      ),
    ],
    tests: [CONSUME],
  },
  {
    name: 'claim without asking whether the claim was won',
    changes: [change(ORDERS, 'return rows.length === 1;', 'return rows.length <= 1;')],
    tests: [CONFIRM],
  },
  {
    name: 'claim without ON CONFLICT',
    changes: [change(ORDERS, 'ON CONFLICT DO NOTHING RETURNING 1', 'RETURNING 1')],
    tests: [CONFIRM],
  },
  {
    name: 'move a payment whatever state it is in by now',
    changes: [change(ORDERS, 'AND status = $10 AND order_id = $11::uuid', 'AND $10::text <> $11::uuid::text')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'do not take the payment',
    changes: [change('src/db/records.ts', 'if (records.payment && ', 'if (records.newOrder && records.payment && ')],
    tests: [CONFIRM],
  },
  { name: 'do not settle', changes: [change(WRITE_PATH, '  settle(book);\n', '')], tests: [EXPIRY] },
  {
    name: 'spend units of batches that ended',
    changes: [change(BOOKS, USABLE_NOW, 'AND b.valid_from <= w.at')],
    tests: [EXPIRY, ORDER_OF_USE],
  },
  {
    name: 'spend units that are not valid yet',
    changes: [change(BOOKS, USABLE_NOW, 'AND (b.expires_at IS NULL OR b.expires_at > w.at)')],
    tests: [ORDER_OF_USE],
  },
  {
    name: 'read the batches in reverse order',
    changes: [
      change(
        BOOKS,
        BURN_ORDER,
        'ORDER BY b.priority DESC, b.expires_at DESC, b.created_at DESC, b.id DESC LIMIT $3::int',
      ),
      change(
        BOOKS,
        'json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list',
        'json_agg(u ORDER BY u.priority DESC, u.expires_at DESC, u.created_at DESC, u.id DESC) AS list',
      ),
    ],
    tests: [ORDER_OF_USE],
  },
  {
    name: 'record a wrong balance',
    changes: [change('src/ledger/book.ts', '? 0 : balanceOf(holding)', '? 0 : balanceOf(holding) + 1')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'take what there is when it does not suffice',
    changes: [
      change(
        WRITE_PATH,
        `    assert(book.changes.entries.length === settledEntries, 'a refusal posts nothing');\n`,
        '',
      ),
      change(
        'src/services/quota.ts',
        '  if (!plan.isAllowed) {\n',
        `  if (!plan.isAllowed) {
    if (plan.available)
      consume(book, planConsume(book, providers, plan.available), { operationId, feature: null, actionType: 'usage', actionId: null, metadata: {} });\n`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'roll back what a refusal has to keep',
    changes: [change(WRITE_PATH, '    return { refusal: decision.error };', '    throw decision.error;')],
    tests: [CONFIRM],
  },
  {
    name: 'record at a time before the last record',
    changes: [change(WRITE_PATH, 'clock > customer.lastRecordedAt ? clock : customer.lastRecordedAt', 'clock')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'read the time before the lock',
    changes: [
      change(
        WRITE_PATH,
        '  const customer = required(',
        '  const clock = deps.clock.now();\n  const customer = required(',
      ),
      change(
        WRITE_PATH,
        `throw new IdentityMoved();\n  const clock = deps.clock.now();\n`,
        'throw new IdentityMoved();\n',
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'run again after the commit',
    changes: [change(WRITE_PATH, '      return outcome.answer;', '      if (attempt > 1) return outcome.answer;')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'do not try again after a rollback',
    changes: [change(WRITE_PATH, ' || isRetryable(error)', '')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'do not decide anew when a claim was lost',
    changes: [change(WRITE_PATH, 'error instanceof ClaimLost || ', '')],
    tests: [CONFIRM],
  },
  {
    name: 'try again for ever',
    changes: [change(WRITE_PATH, 'attempt === ATTEMPTS_MAX', 'attempt === 100 * ATTEMPTS_MAX')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'give up when another first sight was faster',
    changes: [
      change('src/engine/customers.ts', `if (constraintOf(error) !== 'identities_pk') throw error;`, 'throw error;'),
    ],
    tests: [FIRST_SIGHT],
  },
  {
    name: 'write the records outside the transaction',
    changes: [
      change(
        WRITE_PATH,
        'if (decision.records) await writeRecords(tx, decision.records, now);\n  return',
        'if (decision.records) await writeRecords(deps.db, decision.records, now);\n  return',
      ),
    ],
    tests: [CONFIRM],
  },
  {
    name: 'change the catalogue without its lock',
    changes: [change('src/services/catalog.ts', '      await lockCatalog(tx);\n', '')],
    tests: [CATALOG],
  },
];

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

function main(names: readonly string[]): void {
  const chosen = names.length === 0 ? mutations : mutations.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) throw new Error(`no mutation is called ${names.join(', ')}`);
  const copy = copyProject();
  try {
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
