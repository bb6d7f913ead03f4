// The mutations of scripts/mutations.ts, by section: for each what it breaks in the source, and the few fastest test files that notice. Kept in
// step with the source by hand; `npm run mutations -- --fit` tells which no longer fits.

import { payments as ofPayments } from './mutation-list-payments.js';

/** Replaces `from`, which occurs once in the file. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

export interface Mutation {
  name: string;
  changes: Change[];
  /** The test files that are expected to notice. */
  tests: string[];
}

const CONSUME = 'test/concurrency/consume.test.ts';
const CONFIRM = 'test/concurrency/confirm.test.ts';
const SESSION_GUARD = 'test/db/session-guard.test.ts';
const LOCK_THEN_LOAD = 'test/concurrency/lock-then-load.test.ts';
const FIRST_SIGHT = 'test/concurrency/first-sight.test.ts';
const FAILED_ATTEMPTS = 'test/concurrency/failed-attempts.test.ts';
const FAULTS = 'test/concurrency/faults.test.ts';
const LANES_TESTS = 'test/concurrency/lanes.test.ts';
const ONE_WRITE = 'test/concurrency/one-write.test.ts';
const OVERLOAD = 'test/concurrency/overload.test.ts';
const PEOPLE = 'test/concurrency/people.test.ts';
const UNCERTAIN = 'test/concurrency/uncertain-commit.test.ts';
const WAITING = 'test/concurrency/waiting.test.ts';
const CATALOG_TESTS = 'test/concurrency/catalog.test.ts';
const PIPELINE = 'test/concurrency/pipeline.test.ts';
const READS_TESTS = 'test/concurrency/reads.test.ts';
const REFUSALS = 'test/concurrency/refusals.test.ts';
const UPGRADES = 'test/http/upgrade-offers.test.ts';
const RESERVATIONS = 'test/concurrency/reservations.test.ts';
const GIVE_BACK = 'test/concurrency/give-back.test.ts';
const BATCHES = 'test/concurrency/consume-batches.test.ts';
const KEYED_CALLS = 'test/concurrency/keyed-calls.test.ts';
const TRIALS_TESTS = 'test/concurrency/trials.test.ts';
const SWEEP_TESTS = 'test/db/sweep.test.ts';
const CLOCK_TESTS = 'test/db/clock.test.ts';
const JOBS_TESTS = 'test/db/jobs.test.ts';
const ERROR_TESTS = 'test/unit/database-errors.test.ts';
const GATHER_TESTS = 'test/unit/gather.test.ts';
const MOVED = 'test/http/moved-identities.test.ts';
const EXPIRY = 'test/http/expiry.test.ts';
const ORDER_OF_USE = 'test/http/quota-order.test.ts';
const BATCH_REQUESTS = 'test/http/consume-batch.test.ts';

const TRANSACT = 'src/engine/transact.ts';
const COMMIT = 'src/engine/commit.ts';
const DECIDING = 'src/engine/decide-together.ts';
const UNDER_LOCK = 'src/engine/under-lock.ts';
const MANAGE = 'src/engine/manage.ts';
const ATTEMPTS = 'src/engine/attempts.ts';
const RECORDS = 'src/engine/records.ts';
const ENGINE = 'src/engine/engine.ts';
const OPERATION = 'src/engine/operation.ts';
const RESOLVING = 'src/engine/customers.ts';
const LANES = 'src/engine/lanes.ts';
const WHOLE = 'src/engine/whole.ts';
const BULK_CALL = 'src/engine/bulk-call.ts';
const READS = 'src/engine/reads.ts';
const EXPLAINER = 'src/engine/explainer.ts';
const EXPLANATIONS = 'src/db/explanations.ts';
const SWEEP = 'src/engine/sweep.ts';
const GATHER = 'src/lib/gather.ts';
const TRANSACTIONS = 'src/db/transactions.ts';
const CHANGES = 'src/db/changes.ts';
const ERRORS = 'src/db/errors.ts';
const SESSIONS = 'src/db/sessions.ts';
const CUSTOMERS = 'src/db/customers.ts';
const BOOKS = 'src/db/book-statements.ts';
const ORDERS = 'src/db/orders.ts';
const STATEMENTS = 'src/db/statements.ts';
const IDEMPOTENCY = 'src/db/idempotency.ts';
const BOOK_CHANGES = 'src/db/write-books.ts';
const USE = 'src/ledger/use.ts';
const SETTLE = 'src/ledger/settle.ts';
const MANY_DUE = 'test/http/many-due.test.ts';
const HEAVY = 'test/http/heavy-customers.test.ts';
const POSTINGS = 'src/ledger/postings.ts';
const RESERVATION_RULES = 'src/ledger/reservations.ts';
const GIVE_BACK_RULES = 'src/ledger/give-back.ts';
const QUOTA = 'src/services/quota.ts';

const TURNS = 'test/concurrency/webhook-turns.test.ts';
const WEBHOOKS_TESTS = 'test/http/webhooks.test.ts';
const GUARDED_TESTS = 'test/unit/guarded-http.test.ts';
const TOKENS_TESTS = 'test/http/customer-tokens.test.ts';
const KEYS_TESTS = 'test/http/api-keys.test.ts';
const ACCESS_TESTS = 'test/http/access.test.ts';
const DELIVERIES = 'src/db/webhooks.ts';
const DISPATCHER = 'src/webhooks/dispatcher.ts';
const FEED_RUN = 'src/webhooks/feed-run.ts';
const PAGE = 'src/webhooks/page.ts';
const WAITING_LANE = 'src/webhooks/waiting-lane.ts';
const RETRIES = 'src/services/deliveries.ts';
const ENDPOINTS = 'src/services/endpoints.ts';
const GUARDED = 'src/lib/guarded-http.ts';
const ACTORS = 'src/engine/actors.ts';
const AUTH = 'src/http/auth.ts';
const TOKENS = 'src/services/customer-tokens.ts';

const change = (file: string, from: string, to: string): Change => ({ file, from, to });

const LOCK = ' ORDER BY id FOR NO KEY UPDATE';
const withoutLock = [change(CUSTOMERS, LOCK, ' ORDER BY id'), change(CUSTOMERS, '} SKIP LOCKED`', '}`')];
const LOOK_UNDER_LOCK = '  const looking = Promise.all([\n';
const ASK_WHETHER_COMMITTED =
  'if (!isUnknown || !(await persist(() => areRecorded(deps, changes), { isPatient: true }))) throw error;';
const USABLE = 'AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL\n      ';
const USABLE_NOW = `${USABLE}AND b.valid_from <= c.at AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type = 'quantity'`;
const USABLE_ORDER = `${USABLE_NOW}\n    ORDER BY b.priority, b.expires_at, b.created_at, b.id`;
const POSTS_NOTHING = `  assert(decision.outcome === 'accepted' || isUntouched, 'a refusal posts nothing');\n`;
const COMMIT_BY_POOL = `      giveBack(true);
      throw isRefused(error) ? error : new CommitUncertain(error);`;
const COMMIT_BY_PRISMA = `      await ended.catch((error: unknown) => {
        throw isRefused(error) ? error : new CommitUncertain(error);`;
const DECIDED_TOGETHER =
  '  const state = await lockAndLoad(deps, tx, wanted, members, { skipLocked, isShared, firstSights });\n';

/** Of the one way of a write, whoever takes it. */
const ofTheEngine: Mutation[] = [
  { name: 'drop the lock', changes: withoutLock, tests: [CONSUME] },
  {
    name: 'lock so that references to the customer wait',
    changes: [change(CUSTOMERS, LOCK, ' ORDER BY id FOR UPDATE')],
    tests: [WAITING],
  },
  {
    name: 'lock the customers in another order',
    changes: [change(CUSTOMERS, LOCK, ' ORDER BY id DESC FOR NO KEY UPDATE')],
    tests: [LANES_TESTS],
  },
  {
    name: 'let a lane read all that a use needs',
    changes: [change(UNDER_LOCK, 'isOnce: skipLocked, isShared };', 'isOnce: false, isShared };')],
    tests: [HEAVY],
  },
  {
    name: 'refuse a use whose batches were taken by those it shares a transaction with',
    changes: [change(DECIDING, 'if (!isShared || !isTooFewRead(verdict)) decided', 'decided')],
    tests: [HEAVY],
  },
  {
    name: 'lock only whom the operation is about',
    changes: [
      change(
        DECIDING,
        'return [customerId, ...(finalId === undefined ? [] : [finalId]), ...(alsoLocks ?? [])];',
        'return [customerId, ...(finalId === undefined ? [] : [finalId]), ...(alsoLocks ?? []).slice(9)];',
      ),
    ],
    tests: [ONE_WRITE],
  },
  {
    name: 'load, then lock',
    changes: [
      ...withoutLock,
      change(
        DECIDING,
        DECIDED_TOGETHER,
        `${DECIDED_TOGETHER}  await tx.query('SELECT 1 FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [wanted]);\n`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'load from the snapshot of the lock',
    changes: [
      change(SESSIONS, `begin: 'BEGIN',`, `begin: 'BEGIN ISOLATION LEVEL REPEATABLE READ',`),
      change(ERRORS, 'BC00[12]|40001|40P01|55P03|08...', 'BC00[12]|40P01|55P03|08...'),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'look up the keys before the lock',
    changes: [
      change(UNDER_LOCK, LOOK_UNDER_LOCK, `  const before = findRecorded(tx, members);\n${LOOK_UNDER_LOCK}`),
      change(UNDER_LOCK, '    findRecorded(tx, members),\n', '    before,\n'),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'do not look up the keys',
    changes: [change(RECORDS, 'earlier.length === 0 ? undefined', 'earlier.length >= 0 ? undefined')],
    tests: [CONFIRM],
  },
  {
    name: 'settle before the key is looked at',
    changes: [change(DECIDING, '    const known = isMoved(', '    own.map(bookOf);\n    const known = isMoved(')],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'look up the key whatever the operation',
    changes: [
      change(
        IDEMPOTENCY,
        "listOf(idempotencyRecords, STORED, 'r')",
        "listOf(idempotencyRecords, STORED, 'r').replace('r.name', 'given.name')",
      ),
      change(IDEMPOTENCY, 'USING (customer_id, name, kind, key)', 'USING (customer_id, kind, key)'),
    ],
    tests: [CONSUME],
  },
  {
    name: 'do not compare the request with the first one',
    changes: [change('src/engine/request-hash.ts', ' && recorded.requestHash === requestHash', '')],
    tests: [CONSUME],
  },
  {
    name: 'replay other bytes than were answered',
    changes: [
      change(
        OPERATION,
        'return { status, body: answer, replayed: true };',
        'return { status, body: JSON.stringify(JSON.parse(answer), null, 1), replayed: true };',
      ),
    ],
    tests: [CONSUME],
  },
  {
    name: 'forget the keys of the same transaction',
    changes: [change(DECIDING, '        recorded.records.set(recordText({ customerId, ...record }), record);\n', '')],
    tests: [LANES_TESTS],
  },
  {
    name: 'read the time before the lock',
    changes: [
      change(
        UNDER_LOCK,
        '  const clock = deps.clock.now();\n  const [late, more, relatives]',
        '  const clock = early;\n  const [late, more, relatives]',
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'record at a time before the last record',
    changes: [change('src/lib/clock.ts', 'return clock > last ? clock : last;', 'return clock;')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'do not check the identity again under the lock',
    changes: [
      change(
        DECIDING,
        'if (identity !== undefined && owners.get(identityText(identity)) !== (finalId ?? customerId)) return true;',
        '',
      ),
    ],
    tests: [PEOPLE],
  },
  {
    name: 'mix up the books of the customers',
    changes: [change(DECIDING, 'const known = books.get(id);', 'const known = [...books.values()][0];')],
    tests: [LANES_TESTS],
  },
  {
    name: 'decide in the reverse order of arrival',
    changes: [
      change(
        DECIDING,
        'for (const [index, member] of members.entries()) {',
        'for (const [index, member] of [...members.entries()].reverse()) {',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'take a refusal that posted for a refusal',
    changes: [change(OPERATION, POSTS_NOTHING, '')],
    tests: [ONE_WRITE],
  },
  {
    name: 'take what there is when it does not suffice',
    changes: [
      change(OPERATION, POSTS_NOTHING, ''),
      change(
        QUOTA,
        '  return use(book, command, providers, (plan) => {',
        `  const available = judgeUse(book, command, providers).refusal?.shortage.available ?? 0;
  if (available > 0) {
    use(book, { subject, amount: available }, providers, (plan) =>
      consume(book, plan, { operationId: null, feature, actionType, actionId, metadata }),
    );
  }
  return use(book, command, providers, (plan) => {`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'roll back what a refusal has to keep',
    changes: [
      change(
        DECIDING,
        `    case 'refused':\n      return { refusal: decision.error };`,
        `    case 'refused':\n      throw decision.error;`,
      ),
    ],
    tests: [CONFIRM],
  },
  {
    name: 'answer before the COMMIT',
    changes: [
      change(
        TRANSACT,
        '  await writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined);\n  return { ...decided, isCommitted: true };',
        '  void writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined).catch(() => undefined);\n  return { ...decided, isCommitted: true };',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'decide while more is due than was loaded',
    changes: [
      change(
        DECIDING,
        'const isBehind = (id: string) => mayBeSettled(id) && (state.books.isBehind(id) || isDueFirst(id));',
        'const isBehind = (_id: string) => false;',
      ),
    ],
    tests: [MANY_DUE],
  },
  {
    name: 'run again after the COMMIT',
    changes: [
      change(
        TRANSACT,
        '  await writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined);\n  return { ...decided, isCommitted: true };',
        `  await writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined);
  const again = { ...options, isAgain: true };
  return 'isAgain' in options ? { ...decided, isCommitted: true } : transact(deps, members, again);`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'take an uncertain COMMIT for a success',
    changes: [change(COMMIT, ASK_WHETHER_COMMITTED, 'if (!isUnknown) throw error;')],
    tests: [UNCERTAIN],
  },
  {
    name: 'take an uncertain COMMIT for a failure',
    changes: [change(COMMIT, ASK_WHETHER_COMMITTED, 'throw error;')],
    tests: [UNCERTAIN],
  },
  {
    name: 'look for the operations without the lock',
    changes: [
      change(
        COMMIT,
        '    await lockCustomers(tx, [...new Set(operations.map(({ customerId }) => customerId))], { skipLocked: false });\n',
        '',
      ),
    ],
    tests: [FAULTS],
  },
  {
    name: 'give up the look for the operations when the database can’t be asked',
    changes: [change(COMMIT, 'areRecorded(deps, changes), { isPatient: true })', 'areRecorded(deps, changes))')],
    tests: [FAULTS],
  },
  {
    name: 'do not try again after a rollback',
    changes: [
      change(
        ATTEMPTS,
        'return failures < ATTEMPTS_MAX ? undefined : { error: unavailable(error) };',
        'return { error: unavailable(error) };',
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'try again for ever',
    changes: [change(ATTEMPTS, 'failures < ATTEMPTS_MAX', 'failures < 3 * ATTEMPTS_MAX')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'let operations run without a turn',
    changes: [
      change(
        ENGINE,
        'await deps.turns.take(turn, () =>\n      lone.take(',
        'await ((work: () => ReturnType<typeof transact>) => work())(() =>\n      lone.take(',
      ),
    ],
    tests: [WAITING],
  },
  {
    name: 'do not wait for a first sight that is under way',
    changes: [change(COMMIT, '    await awaitFirstSights(tx, firstSights);\n', '')],
    tests: [UNCERTAIN],
  },
  {
    name: 'forget who had an identity before',
    changes: [
      change(
        RECORDS,
        '  return [key, ...[...family, ...former]',
        '  return [key, ...[...family, ...former.slice(former.length)]',
      ),
    ],
    tests: [MOVED],
  },
  {
    name: 'take the first of two contradicting names',
    changes: [
      change(
        RESOLVING,
        '    if (known.some((other) => other?.id !== first.id)) return selectorConflict(pointer ?? identityPointer(selector));\n',
        '',
      ),
    ],
    tests: [READS_TESTS],
  },
  {
    name: 'change the catalogue without its lock',
    changes: [change(MANAGE, 'const locking = management.lock?.(tx);', 'const locking = undefined;')],
    tests: [CATALOG_TESTS],
  },
];

/** A kind of change that nothing writes. */
const unwritten = (kinds: Readonly<Record<string, string>>, what: string, test: string): Mutation => ({
  name: `do not write ${what}`,
  changes: Object.entries(kinds).map(([kind, writer]) =>
    change(CHANGES, `  ${kind}: ${writer},\n`, `  ${kind}: () => undefined,\n`),
  ),
  tests: [test],
});

const CLAIM = ') SELECT assert_claimed(count(*) = $${keys.length + 1}::bigint) FROM claimed`;';

/** Claims of a table of which nobody asks whether they were won. */
const unasked = (table: string, test: string): Mutation => ({
  name: `${table}: do not ask whether the claim was won`,
  changes: [
    change(STATEMENTS, CLAIM, CLAIM.replace('assert_claimed', `\${of.name === '${table}' ? '' : 'assert_claimed'}`)),
  ],
  tests: [test],
});

/** Of the writers: each kind of change, and the claims. */
const ofTheWrites: Mutation[] = [
  unwritten({ newOrders: 'insertOrders' }, 'orders', ONE_WRITE),
  unwritten({ orderSteps: 'updateOrders' }, 'the steps of orders', ONE_WRITE),
  unwritten({ metadata: 'updateMetadata' }, 'metadata', ONE_WRITE),
  unwritten({ profiles: 'updateProfiles' }, 'profiles', ONE_WRITE),
  unwritten({ newReferrals: 'insertReferrals' }, 'referrals', ONE_WRITE),
  unwritten({ records: 'insertRecords' }, 'answers', ONE_WRITE),
  unwritten({ removedIdentities: 'deleteIdentities' }, 'that identities are removed', ONE_WRITE),
  unwritten({ newIdentities: 'claimIdentities' }, 'new identities', ONE_WRITE),
  unwritten({ trialUses: 'claimTrials' }, 'used trials', ONE_WRITE),
  unwritten({ payments: 'claimPayments' }, 'payments', ONE_WRITE),
  unwritten(
    { newReservations: 'writeReservations', changedReservations: 'writeReservations' },
    'reservations',
    RESERVATIONS,
  ),
  unwritten({ keyedAnswers: 'claimKeyedAnswers' }, 'the answers of keyed calls', KEYED_CALLS),
  {
    name: 'write what refers to operations before them',
    changes: [
      change(CHANGES, '  newReferrals: insertReferrals,\n', ''),
      change(
        CHANGES,
        '  operations: insertOperations,\n',
        '  newReferrals: insertReferrals,\n  operations: insertOperations,\n',
      ),
    ],
    tests: [ONE_WRITE],
  },
  {
    name: 'write past the transaction',
    changes: [
      change(
        COMMIT,
        'all: writeChanges(tx, changes)',
        `all: writeChanges({ query: (sql, given) => (sql.includes('INSERT INTO payments') ? deps.db : tx).query(sql, given) }, changes)`,
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  unasked('payments', CONFIRM),
  unasked('trial_uses', TRIALS_TESTS),
  unasked('identities', FIRST_SIGHT),
  unasked('keyed_calls', KEYED_CALLS),
  {
    name: 'claim without ON CONFLICT',
    changes: [change(STATEMENTS, 'ORDER BY place ON CONFLICT DO NOTHING RETURNING 1', 'ORDER BY place RETURNING 1')],
    tests: [CONFIRM],
  },
  {
    name: 'move a payment without asking whether it was moved meanwhile',
    changes: [
      change(
        ORDERS,
        'SELECT assert_claimed(count(*) = $${MOVE.length + 1}::bigint) FROM moved',
        'SELECT count(*) = $${MOVE.length + 1}::bigint FROM moved',
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'move a payment whatever state it is in by now',
    changes: [
      change(
        ORDERS,
        'AND own.status = given.seen_status AND own.order_id = given.seen_order_id',
        'AND given.seen_status IS NOT NULL AND given.seen_order_id IS NOT NULL',
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
];

/** Of transactions: how they begin and end, statements that are sent without waiting for those before, and what errors mean. */
const ofTransactions: Mutation[] = [
  {
    name: 'take a COMMIT that was answered with a rollback for a success',
    changes: [change(TRANSACTIONS, `if (command !== 'COMMIT') throw`, `if (command === 'NOTHING') throw`)],
    tests: [PIPELINE],
  },
  {
    name: 'send COMMIT although a write was not sent',
    changes: [
      change(TRANSACTIONS, '      if (unsent) {', '      if (unsent && isGivenBack) {'),
      change(TRANSACTIONS, "      assert(!failed, 'what was sent and failed makes COMMIT a rollback');\n", ''),
    ],
    tests: [PIPELINE],
  },
  {
    name: 'tell the rollback, not why',
    changes: [
      change(
        TRANSACTIONS,
        'throw committed.reason instanceof RolledBack && failed ? failed.reason : committed.reason;',
        'throw committed.reason;',
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'tell of a statement behind one that failed its own error',
    changes: [change(TRANSACTIONS, 'return sqlStateOf(error) === ABORTED ? first : error;', 'return error;')],
    tests: [ONE_WRITE],
  },
  {
    name: 'write under a clock that is wrong',
    changes: [change(CUSTOMERS, '    requireOneTime(clock, row.now, since);\n', '')],
    tests: [CLOCK_TESTS],
  },
  {
    name: 'write what is about no customer under a clock that is wrong',
    changes: [change(MANAGE, 'locking, guardClock(tx, deps.clock), tx.begun]', 'locking, tx.begun]')],
    tests: [CLOCK_TESTS],
  },
  {
    name: 'write for who is dated ahead of the clock',
    changes: [change(DECIDING, ' ?? refusalOfAhead(own, state)', '')],
    tests: [CLOCK_TESTS],
  },
  {
    name: 'write without looking whether BEGIN succeeded',
    changes: [change(UNDER_LOCK, '    tx.begun,\n', '')],
    tests: [PIPELINE],
  },
  {
    name: 'write what is about no customer without looking whether BEGIN succeeded',
    changes: [change(MANAGE, 'locking, guardClock(tx, deps.clock), tx.begun]', 'locking, guardClock(tx, deps.clock)]')],
    tests: [PIPELINE],
  },
  {
    name: 'take a refused COMMIT of the pool for a success',
    changes: [
      change(
        TRANSACTIONS,
        COMMIT_BY_POOL,
        COMMIT_BY_POOL.replace('throw', 'if (isRefused(error)) return;\n      throw'),
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'take a refused COMMIT of Prisma for a success',
    changes: [
      change(
        TRANSACTIONS,
        COMMIT_BY_PRISMA,
        COMMIT_BY_PRISMA.replace('throw', 'if (isRefused(error)) return;\n        throw'),
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'commit by Prisma although a write failed',
    changes: [
      change(
        TRANSACTIONS,
        `const failed = (await Promise.allSettled(writing)).find((write) => write.status === 'rejected');
      if (failed) {`,
        `const failed = (await Promise.allSettled(writing)).find((write) => write.status === 'rejected');
      if (failed && sqlStateOf(failed.reason) === undefined) {`,
      ),
    ],
    tests: [FAULTS],
  },
  {
    name: 'send statements behind the COMMIT or ROLLBACK of Prisma',
    changes: [change(TRANSACTIONS, '      else send = undefined;\n', '')],
    tests: [ONE_WRITE],
  },
  {
    name: 'leave the settings out where sessions are borrowed',
    changes: [change(SESSIONS, `settings.join('')`, `''`)],
    tests: [SESSION_GUARD],
  },
  {
    name: 'miss that prepared statements are lost',
    changes: [change('src/db/session-guard.ts', 'isLost = rows.length > 0;', 'isLost = false;')],
    tests: [SESSION_GUARD],
  },
  {
    name: 'take the tables of others for an empty schema',
    changes: [change('src/db/migrate.ts', 'if (foreign.length > 0) {', 'if (foreign.length > 99) {')],
    tests: ['test/db/foreign.test.ts'],
  },
  {
    name: 'take a lost claim for a defect',
    changes: [change(ERRORS, '/^(?:BC00[12]|40001|', '/^(?:40001|')],
    tests: [ERROR_TESTS],
  },
  {
    name: 'take a lost claim for an outage',
    changes: [change(ERRORS, `new Set(['BC001', `, `new Set([`)],
    tests: [ERROR_TESTS],
  },
];

/** Of the lanes, and of those who wait off them. */
const ofTheLanes: Mutation[] = [
  {
    name: 'let a request wait on its lane for a lock held elsewhere',
    changes: [
      change(
        LANES,
        'await attemptTogether(deps, together, { skipLocked: true });',
        'await attemptTogether(deps, together, { skipLocked: false });',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'run strays on the lane',
    changes: [
      change(
        LANES,
        '  for (const waiting of [...stillWaiting, ...alone]) strays.add(waiting);',
        '  await runEachAlone(deps, [...stillWaiting, ...alone]);',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'let strays take all connections',
    changes: [change('src/engine/connections.ts', 'LOCK_WAITS_SHARE = 0.25;', 'LOCK_WAITS_SHARE = 4;')],
    tests: [LANES_TESTS],
  },
  {
    name: 'let uses overtake who has the turn of their customer',
    changes: [change(LANES, ' || deps.turns.isBusy(customerId)', '')],
    tests: [LANES_TESTS],
  },
  {
    name: 'let strays run without a turn',
    changes: [
      change(
        LANES,
        'await deps.turns.take(customerId, async () => {',
        'await (async (work: () => Promise<void>) => work())(async () => {',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'answer all requests with the error of their transaction',
    changes: [
      change(LANES, 'if (together.length > 1 && !(error instanceof AppError)) {', 'if (together.length < 1) {'),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'refuse the requests of later customers',
    changes: [
      change(LANES, '  return later.map((own)', '  failAll(later, overloaded());\n  return [].map((own: Resolved)'),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'take customers of any lane key together',
    changes: [change(LANES, 'hasRoom && keyOf(waiting) === keyOf(now[0] ?? waiting)', 'hasRoom')],
    tests: [LANES_TESTS],
  },
  {
    name: 'let any number wait',
    changes: [change(LANES, 'waitingMax: WAITING_MAX,', 'waitingMax: 100 * WAITING_MAX,')],
    tests: [OVERLOAD],
  },
  {
    name: 'do not count the strays among those who wait',
    changes: [change(LANES, 'countElsewhere: strays.count,', 'countElsewhere: () => 0,')],
    tests: [OVERLOAD],
  },
  {
    name: 'do not try again after a rollback',
    changes: [change(LANES, 'const end = endOf(error, waiting.failures);', 'const end = endOf(error, Infinity);')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'do not count the failures of a lone request',
    changes: [
      change(
        LANES,
        '  return requests.filter((waiting) => {\n    waiting.failures += 1;\n',
        '  return requests.filter((waiting) => {\n',
      ),
    ],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'let a crowd wait for a lock one after another',
    changes: [
      change(LANES, 'if (isLockTimeout(error)) return', 'if (isLockTimeout(error) && together.length === 1) return'),
    ],
    tests: [WAITING],
  },
];

/** Of batches of consumes and the keys of calls. */
const ofBatches: Mutation[] = [
  {
    name: 'write what is allowed of an atomic one that is refused',
    changes: [
      change(
        TRANSACT,
        'const isWhole = whole.mayCommit && members.every((member) => isAnswered(verdicts.get(member)));',
        'const isWhole = whole.mayCommit;',
      ),
    ],
    tests: [BATCHES],
  },
  {
    name: 'write an atomic one of which an item names nobody',
    changes: [change(WHOLE, 'mayCommit: mayCommit && decidable.length === members.length,', 'mayCommit,')],
    tests: [BATCH_REQUESTS],
  },
  {
    name: 'give items keys under the name of callers',
    changes: [change(QUOTA, `{ name: 'quota.consume.item',`, `{ name: 'quota.consume',`)],
    tests: [BATCHES],
  },
  {
    name: 'do not look up the key of a call',
    changes: [change(BULK_CALL, '      if (earlier) {', "      if (earlier && call.key === '') {")],
    tests: [KEYED_CALLS],
  },
  {
    name: 'do not lock the key of a call',
    changes: [change(BULK_CALL, '  await lockKeyedCall(holder, call);\n', '')],
    tests: [BATCHES],
  },
  {
    name: 'go on without the lock when BEGIN failed',
    changes: [change(BULK_CALL, '  await holder.begun; // without it the lock would end with its statement\n', '')],
    tests: [PIPELINE],
  },
  {
    name: 'let keyed calls take all connections',
    changes: [
      change(
        BULK_CALL,
        '    keyedCalls.take(() => runLocked(deps, keyed, work)),',
        '    runLocked(deps, keyed, work),',
      ),
    ],
    tests: [KEYED_CALLS],
  },
  {
    name: 'record a call of which an item failed',
    changes: [change(QUOTA, 'isFinal: !hasFailed && outcomes', 'isFinal: outcomes')],
    tests: [BATCHES],
  },
  {
    name: 'admit any number of calls',
    changes: [
      change(
        ENGINE,
        'bounds.bulkCalls.admit(() => runBulkCall(deps, bounds, call, work)),',
        'runBulkCall(deps, bounds, call, work),',
      ),
    ],
    tests: [BATCHES],
  },
];

/** Of the rules: what is used and in which order, what happens by itself, holds, give-backs and debts. */
const ofTheLedger: Mutation[] = [
  {
    name: 'spend units of batches that ended',
    changes: [change(BOOKS, USABLE_NOW, `${USABLE}AND b.valid_from <= c.at AND p.type = 'quantity'`)],
    tests: [EXPIRY, ORDER_OF_USE],
  },
  {
    name: 'spend units that are not valid yet',
    changes: [
      change(BOOKS, USABLE_NOW, `${USABLE}AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type = 'quantity'`),
    ],
    tests: [ORDER_OF_USE],
  },
  {
    name: 'read the batches in reverse order',
    changes: [
      change(
        BOOKS,
        USABLE_ORDER,
        `${USABLE_NOW}\n    ORDER BY b.priority DESC, b.expires_at DESC, b.created_at DESC, b.id DESC`,
      ),
      change(
        BOOKS,
        `json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list, count(*) AS size FROM (
    SELECT \${BATCH_COLUMNS} FROM \${source.batches} b
    WHERE \${OF_WANTED} AND b.\${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL`,
        `json_agg(u ORDER BY u.priority DESC, u.expires_at DESC, u.created_at DESC, u.id DESC) AS list, count(*) AS size FROM (
    SELECT \${BATCH_COLUMNS} FROM \${source.batches} b
    WHERE \${OF_WANTED} AND b.\${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL`,
      ),
    ],
    tests: [ORDER_OF_USE],
  },
  {
    name: 'record a wrong balance',
    changes: [change(POSTINGS, '? 0 : balanceOf(holding)', '? 0 : balanceOf(holding) + 1')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'post a use that is refused',
    changes: [
      change(
        USE,
        '    throw refusal;\n',
        `    const available = Number(refusal.extensions.available);
    if (available > 0) post(planConsume(book, providers, available) as UsePlan);
    throw refusal;
`,
      ),
    ],
    tests: [REFUSALS],
  },
  { name: 'do not settle', changes: [change(SETTLE, '  settle(book);\n', '')], tests: [EXPIRY] },
  {
    name: 'do not let orders lapse',
    changes: [
      change(SETTLE, '  for (const id of book.dueOrders.splice(0)) book.changes.orderSteps.push(expiryOf(id));\n', ''),
    ],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'give a fresh id to what happens by itself',
    changes: [
      change(
        POSTINGS,
        'id: details.operationId === null ? idOfItself(book, batch, kind, holding, details) : book.ids.next(),',
        'id: book.ids.next(),',
      ),
    ],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'give one id to all that repays by itself',
    changes: [
      change(
        POSTINGS,
        `\${details.reservationId ?? details.lapseOf ?? ''} \${expired}`,
        `\${details.reservationId ?? ''}`,
      ),
    ],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'holds: do not let them lapse',
    changes: [
      change(
        SETTLE,
        '    lapse(book, reservation);\n  }\n  expireBefore(book, lastHold',
        '  }\n  expireBefore(book, lastHold',
      ),
    ],
    tests: [RESERVATIONS],
  },
  {
    name: 'holds: end a reservation twice',
    changes: [
      change(RESERVATION_RULES, '  assertOpen(reservation, book.now);\n  const excess', '  const excess'),
      change(RESERVATION_RULES, '  assertOpen(reservation, book.now);\n  const left', '  const left'),
    ],
    tests: [RESERVATIONS],
  },
  {
    name: 'holds: forget what an ending answered',
    changes: [
      change(
        OPERATION,
        "return [...recordUnder('client', call.idempotencyKey), ...recordUnder('natural', naturalKey)];",
        "return recordUnder('client', call.idempotencyKey);",
      ),
    ],
    tests: [RESERVATIONS],
  },
  {
    name: 'holds: charge the excess at the costs of today',
    changes: [
      change(RESERVATION_RULES, '[{ ...provider, unitCost }]', '[provider]'),
      change(
        'src/services/reservations.ts',
        'Object.keys(reservation.costs).flatMap((productKey) => providersOf({ productKey }))',
        'providersOf(reservation.subject)',
      ),
    ],
    tests: [RESERVATIONS],
  },
  {
    name: 'give-back: keep units that come back to a batch that has ended',
    changes: [change(POSTINGS, '  if (hasEnded(batch, at)) {', `  if (batch.id === '') {`)],
    tests: [RESERVATIONS],
  },
  {
    name: 'give-back: without the bound of what was given back before',
    changes: [
      change(GIVE_BACK_RULES, 'if (batch !== null) return amount - reversed;', 'if (batch !== null) return amount;'),
    ],
    tests: [GIVE_BACK],
  },
  {
    name: 'give-back: read what was given back as if nothing had been',
    changes: [
      change(
        BOOKS,
        'SELECT coalesce(sum(v.amount), 0)::bigint FROM entries v',
        'SELECT coalesce(sum(0 * v.amount), 0)::bigint FROM entries v',
      ),
    ],
    tests: [GIVE_BACK],
  },
  {
    name: 'debt: forgive beyond what is owed',
    changes: [change(GIVE_BACK_RULES, '  return owedOf(', '  return amount - reversed || owedOf(')],
    tests: [GIVE_BACK],
  },
  {
    name: 'debt: do not repay',
    changes: [change(POSTINGS, '  if (amount === 0) return;\n', '  if (amount >= 0) return;\n')],
    tests: [GIVE_BACK],
  },
];

/** Of the sweep. */
const ofTheSweep: Mutation[] = [
  {
    name: 'wait for whoever is locked',
    changes: [
      change(
        SWEEP,
        `{ opener: 'pool', skipLocked: true, customerIds }`,
        `{ opener: 'pool', skipLocked: false, customerIds }`,
      ),
    ],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'try each alone when the clock is wrong',
    changes: [change(SWEEP, "error instanceof AppError && error.code === 'clock_skewed'", 'error === undefined')],
    tests: [CLOCK_TESTS],
  },
  {
    name: 'settle who is dated ahead of the clock',
    changes: [change(DECIDING, 'return customer !== undefined && isFree(customer);', 'return customer !== undefined;')],
    tests: [CLOCK_TESTS],
  },
  {
    name: 'let one who can’t be settled keep the others waiting',
    changes: [change(SWEEP, '    if (isOutage(error) || isClockSkewed(error)) throw error;\n', '    throw error;\n')],
    tests: [SWEEP_TESTS],
  },
  {
    name: 'forget that an order falls due',
    changes: [change(BOOK_CHANGES, '[...batches, ...holds, ...orders]', '[...batches, ...holds]')],
    tests: [SWEEP_TESTS],
  },
];

/** Of reads that are made together, and of refusals that are explained together. */
const ofTheReaders: Mutation[] = [
  {
    name: 'fail all when one fails',
    changes: [
      change(GATHER, 'if (group.length === 1 || options.isEverybodys(shared.error)) {', 'if (group.length >= 1) {'),
    ],
    tests: [GATHER_TESTS],
  },
  {
    name: 'ask a lost database again for each',
    changes: [change(READS, 'isEverybodys: isOutage,', 'isEverybodys: () => false,')],
    tests: [READS_TESTS],
  },
  {
    name: 'go on alone when the database is lost meanwhile',
    changes: [change(GATHER, 'if (options.isEverybodys(own.error)) {', 'if (options.workersMax === 0) {')],
    tests: [GATHER_TESTS],
  },
  {
    name: 'one read in a statement',
    changes: [change(READS, 'const READS_MAX = 256;', 'const READS_MAX = 1;')],
    tests: [READS_TESTS],
  },
  {
    name: 'do not settle',
    changes: [
      change(
        READS,
        'const book = openBook(loaded.bookOf({ id: customerId, ...UNWRITTEN }, at, deps.ids));',
        `const book = { ...loaded.bookOf({ id: customerId, ...UNWRITTEN }, at, deps.ids), changes: {} as Book['changes'] };`,
      ),
    ],
    tests: [READS_TESTS],
  },
  {
    name: 'tell of the clock instead of what was loaded',
    changes: [change(READS, 'loaded.atOf(customerId) ?? clock', 'clock')],
    tests: [READS_TESTS],
  },
  {
    name: 'customers of any lane key in a statement',
    changes: [change(READS, 'byLaneKey(deps, requests)', '[requests]')],
    tests: [READS_TESTS],
  },
  {
    name: 'let any number wait',
    changes: [change(READS, 'waitingMax: WAITING_MAX,', 'waitingMax: 10 * WAITING_MAX,')],
    tests: [READS_TESTS],
  },
  {
    name: 'give each the first one of a statement',
    changes: [change(CUSTOMERS, 'names.map((_, position) => known.get(position))', 'names.map(() => known.get(0))')],
    tests: [READS_TESTS],
  },
  {
    name: 'explain refusals one by one',
    changes: [change(EXPLAINER, 'const TOGETHER_MAX = 256;', 'const TOGETHER_MAX = 1;')],
    tests: [REFUSALS],
  },
  {
    name: 'explain a refusal with what is true of another',
    changes: [
      change(EXPLANATIONS, 'const row = byPlace.get(place);', 'const row = byPlace.get(shortages.length - 1 - place);'),
    ],
    tests: [REFUSALS],
  },
  {
    name: 'fail when a refusal can’t be explained',
    changes: [change(EXPLAINER, '      return UNEXPLAINED;\n    });', '      throw error;\n    });')],
    tests: [REFUSALS],
  },
  {
    name: 'propose what costs nothing in a currency product',
    changes: [change(EXPLANATIONS, '(o.price >= 1 OR NOT EXISTS', '(o.price >= 0 OR NOT EXISTS')],
    tests: [UPGRADES],
  },
  {
    name: 'propose to extend what the customer has for ever',
    changes: [change(EXPLANATIONS, " OR i.stacking = 'extend' AND i.product_key = ANY (k.endless)", '')],
    tests: [UPGRADES],
  },
  {
    name: 'propose to everybody what somebody else could buy',
    changes: [change(EXPLANATIONS, 'b.customer_id = a.customer_id AND b.customer_id = ANY', 'b.customer_id = ANY')],
    tests: [UPGRADES],
  },
  {
    name: 'read digits that are not written as one writes them',
    changes: [
      change('src/schemas/quantities.ts', 'const DIGITS = /^(?:0|[1-9][0-9]*)$/;', 'const DIGITS = /^[0-9]*$/;'),
    ],
    tests: ['test/http/form-fields.test.ts'],
  },
  {
    name: 'round digits beyond 2^53-1',
    changes: [
      change(
        'src/schemas/quantities.ts',
        'Math.min(Number(input), Number.MAX_SAFE_INTEGER + 1)',
        'Math.min(Number(input), Number.MAX_SAFE_INTEGER)',
      ),
    ],
    tests: ['test/http/form-fields.test.ts'],
  },
  {
    name: 'say of no item that it is a replay',
    changes: [
      change(
        'src/routes/quota.ts',
        'const { replayed, body } = outcome.answer;',
        'const { body } = outcome.answer;\n  const replayed = false;',
      ),
    ],
    tests: ['test/http/consume-batch-keys.test.ts'],
  },
];

const JOBS = 'src/db/jobs.ts';
const RUN_JOBS = 'src/jobs/run-jobs.ts';
const LEASE = 'src/jobs/lease.ts';

const ofJobs: Mutation[] = [
  {
    name: 'take a slot that somebody else has',
    changes: [change(JOBS, 'AND (lease_until IS NULL OR', 'AND (true OR')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'never take over from a process that died',
    changes: [change(JOBS, 'OR lease_until <= now() OR', 'OR')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'tell of a run whose lease somebody else has by now',
    changes: [change(JOBS, 'AND holder IS NOT DISTINCT FROM $2::text', 'AND ($2::text IS NULL OR true)')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'count a slot as done that failed',
    changes: [change(RUN_JOBS, 'run.error === undefined && !isStopped()', '!isStopped()')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'count a slot as done that was cut by a stop',
    changes: [change(RUN_JOBS, 'run.error === undefined && !isStopped()', 'run.error === undefined')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'take slots by a clock that is wrong',
    changes: [change(RUN_JOBS, '  requireOneTime(clock, seen.now, since);\n', '')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'let no run know that its lease was lost',
    changes: [change(LEASE, 'performance.now() >= untilMs', 'performance.now() < 0')],
    tests: [JOBS_TESTS],
  },
  {
    name: 'wait for an instant that was set before the clock of the database went back',
    changes: [
      change(
        JOBS,
        "next_due_at <= now() OR next_due_at > now() + 2 * interval_ms * interval '1 millisecond'",
        'next_due_at <= now()',
      ),
    ],
    tests: [JOBS_TESTS],
  },
  {
    name: 'call nothing late that is old, as long as the job runs',
    changes: [change(JOBS, 'CASE WHEN j.lag_ms > 0 THEN', 'CASE WHEN j.lag_ms < 0 THEN')],
    tests: [JOBS_TESTS],
  },
];

/** Of what is sent to endpoints. */
const ofWebhooks: Mutation[] = [
  {
    name: 'try by hand what is tried by hand',
    changes: [change(DELIVERIES, 'by_hand_until <= now() OR by_hand_until > now()', 'true OR by_hand_until > now()')],
    tests: [TURNS],
  },
  {
    name: 'try what is tried by hand',
    changes: [change(DELIVERIES, 'greatest(now(), ', 'least(now(), '), change(WAITING_LANE, 'delivery.isHeld || ', '')],
    tests: [TURNS],
  },
  {
    name: 'take a refusal for an arrival',
    changes: [change(GUARDED, 'status >= SUCCESS.min && status <= SUCCESS.max', 'status >= SUCCESS.min')],
    tests: [TURNS],
  },
  {
    name: 'note a retry that failed as a delivery',
    changes: [change(RETRIES, "hasArrived(outcome) ? 'delivered' : found.status", "'delivered'")],
    tests: [TURNS],
  },
  {
    name: 'give a feed back with attempts under way',
    changes: [change(DISPATCHER, '    await run.end();\n', '')],
    tests: [TURNS],
  },
  {
    name: 'disable an endpoint that was put anew',
    changes: [change(ENDPOINTS, ' || !isSame', '')],
    tests: [TURNS],
  },
  {
    name: 'hold it against an endpoint that nobody tried',
    changes: [change(DELIVERIES, 'now() - greatest(failed_at, failing_since) - ', "interval '0' - ")],
    tests: [TURNS],
  },
  {
    name: 'disable an endpoint without an attempt',
    changes: [change(DELIVERIES, '::boolean AND failing_since <= ', '::boolean IS NOT NULL AND failing_since <= ')],
    tests: [TURNS],
  },
  {
    name: 'quiet a lane whose first is gone',
    changes: [change(DELIVERIES, '(SELECT place FROM head)', 'coalesce((SELECT place FROM head), -1)')],
    tests: [TURNS],
  },
  {
    name: 'go on with an endpoint at which nothing arrives',
    changes: [change(FEED_RUN, 'isOver || isDown() ||', 'isOver ||')],
    tests: [TURNS],
  },
  {
    name: 'send behind what waits',
    changes: [change(PAGE, 'standing?.hasWaiting === true || run.busy.has(lane)', 'run.busy.has(lane)')],
    tests: [TURNS, WEBHOOKS_TESTS],
  },
  {
    name: 'try again what goes on behind its page',
    changes: [
      change(PAGE, '  for (const { lane } of underWay) run.busy.add(lane);\n', ''),
      change(PAGE, '{ ...WAITS, delayMs: UNDER_WAY_MS }', 'WAITS'),
    ],
    tests: [TURNS],
  },
  {
    name: 'take any address of a name for all of them',
    changes: [change(GUARDED, 'addresses.some(', 'addresses.every(')],
    tests: [GUARDED_TESTS],
  },
  {
    name: 'send to an address that is no name unchecked',
    changes: [
      change(GUARDED, "      if (faultOfUrl(url, guard) !== undefined) return failed('address_refused');\n", ''),
    ],
    tests: [GUARDED_TESTS],
  },
];

/** Of who may do what. */
const ofAccess: Mutation[] = [
  {
    name: 'take a key by its id alone',
    changes: [change(ACTORS, '!timingSafeEqual(hash, own.hash)', 'false')],
    tests: [KEYS_TESTS],
  },
  {
    name: 'take a key that has expired',
    changes: [change(ACTORS, '!isInForce(own.key, now)', 'own.key.revokedAt !== null')],
    tests: [KEYS_TESTS, ACCESS_TESTS],
  },
  {
    name: 'take a customer token of a key that was revoked',
    changes: [change(ACTORS, 'isOfKey && key?.revokedAt !== null', 'isOfKey && !key')],
    tests: [TOKENS_TESTS],
  },
  {
    name: 'give a customer token more time than its key has',
    changes: [
      change(
        TOKENS,
        'Math.min(issuedAt.getTime() + ttlS * MS_PER_S, issuerEndsMs)',
        'issuedAt.getTime() + ttlS * MS_PER_S',
      ),
    ],
    tests: [TOKENS_TESTS],
  },
  {
    name: 'let a customer do whatever customers may',
    changes: [change(AUTH, 'ability !== undefined && actor.customer.abilities.has(ability)', 'ability !== undefined')],
    tests: [ACCESS_TESTS, TOKENS_TESTS],
  },
  {
    name: 'take a token for any scope',
    changes: [change(AUTH, 'actor?.scopes.has(scope)', 'actor !== undefined')],
    tests: [ACCESS_TESTS],
  },
];

const LIMITS = 'src/ledger/limits.ts';
const COUNTING = 'src/ledger/counting.ts';
const WINDOWS = 'src/db/usage-windows.ts';
const LIMIT_TESTS = 'test/http/limits.test.ts';
const LIMITS_AT_ONCE = 'test/concurrency/limits.test.ts';
const METERED_TESTS = 'test/http/metered.test.ts';
const LIMIT_SOURCES = 'test/http/limit-sources.test.ts';

const ofLimits: readonly Mutation[] = [
  {
    name: 'refuse what just fits',
    changes: [
      change(LIMITS, 'used + count.amount > count.window.limit)', 'used + count.amount >= count.window.limit)'),
    ],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'count what is released',
    changes: [change(COUNTING, '  release: -1,', '  release: 1,')],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'name a time to what never fits',
    changes: [change(LIMITS, 'window.end === null || amount > window.limit', 'window.end === null')],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'tell a window again',
    changes: [change(LIMITS, '  if (told.has(type)) return;\n', '')],
    tests: [LIMIT_TESTS, LIMITS_AT_ONCE],
  },
  {
    name: 'refuse an overdraft by a limit',
    changes: [change(LIMITS, "isOverdraft && enforcement === 'HARD' ? 'SOFT' : enforcement", 'enforcement')],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'go on with the counter of the window before',
    changes: [
      change(
        WINDOWS,
        "ANY ($1::uuid[])')} AS seq, coalesce(max(k.used) FILTER (WHERE k.window_start = w.starts_at), 0)",
        "ANY ($1::uuid[])')} AS seq, coalesce(max(k.used), 0)",
      ),
    ],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'count the last entry of a counter again',
    changes: [change(WINDOWS, 'e.seq > base.seq AND e.seq <= upto', 'e.seq >= base.seq AND e.seq <= upto')],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'have the farthest limit win',
    changes: [change(WINDOWS, 's.subject, w.key, s.level, w.value', 's.subject, w.key, s.level DESC, w.value')],
    tests: [LIMIT_TESTS],
  },
  {
    name: 'decide by a counter that lacks entries',
    changes: [change(WINDOWS, 'countedTo: row.is_whole ? null : row.counted_to', 'countedTo: null')],
    tests: [LIMITS_AT_ONCE],
  },
  {
    name: 'give back a seat in the window of now',
    changes: [change('src/ledger/metered-return.ts', 'at: BEGINNING', 'at: book.now')],
    tests: [METERED_TESTS],
  },
  {
    name: 'give back more than is in use',
    changes: [change('src/ledger/metered-return.ts', 'if (amount > used)', 'if (amount > QUANTITY_MAX)')],
    tests: [METERED_TESTS],
  },
  {
    name: 'give back what is held',
    changes: [change('src/ledger/metered-return.ts', 'total.used - total.held', 'total.used')],
    tests: [METERED_TESTS],
  },
  {
    name: 'give back by a use what came back by its name',
    changes: [change('src/ledger/give-back.ts', 'Math.min(ofRuns, ofMeter)', 'ofRuns')],
    tests: [METERED_TESTS],
  },
  {
    name: 'use more than a window can count',
    changes: [change('src/ledger/use.ts', "assertCounted(limits, ask.pointer ?? '/amount');", '')],
    tests: [METERED_TESTS],
  },
  {
    name: 'share what is shared',
    changes: [
      change(
        'src/services/limit-sources.ts',
        "      if (above) throw refusedSource('It shares the limits of another customer itself.');\n",
        '',
      ),
    ],
    tests: [LIMIT_SOURCES],
  },
];

const REPLICA = 'test/process/replica.test.ts';

const ofTheReplica: readonly Mutation[] = [
  {
    name: 'read from a replica that is behind a position',
    changes: [change('src/engine/replica.ts', 'return replayed >= position;', 'return true;')],
    tests: [REPLICA],
  },
  {
    name: 'go on in a list wherever the replica is',
    changes: [change('src/http/freshness.ts', '.cursor !== undefined', '.cursor === null')],
    tests: [REPLICA],
  },
  {
    name: 'refuse because of the replica',
    changes: [
      change(
        'src/engine/replica.ts',
        '          reason = error instanceof AppError ?',
        '          if (error instanceof AppError) throw error;\n          reason = error instanceof AppError ?',
      ),
    ],
    tests: [REPLICA],
  },
  {
    name: 'read the present balance from the replica',
    changes: [
      change(
        'src/routes/wallet.ts',
        'lagsIf: ({ as_of }) => as_of !== undefined,\n    handler: async ({ query, deps }) => {\n      const result',
        'handler: async ({ query, deps }) => {\n      const result',
      ),
    ],
    tests: [REPLICA],
  },
  {
    name: 'read from what is no standby',
    changes: [change('src/engine/replica.ts', "if (!isStandby) return 'it is no standby';", '')],
    tests: [REPLICA],
  },
  {
    name: 'be ready on a standby',
    changes: [change('src/services/health.ts', 'if (await isReadOnly(db))', 'if (false)')],
    tests: [REPLICA],
  },
];

/** All mutations, by section, in the order in which they run. */
export const sections: Readonly<Record<string, readonly Mutation[]>> = {
  engine: ofTheEngine,
  writes: ofTheWrites,
  transactions: ofTransactions,
  lanes: ofTheLanes,
  batches: ofBatches,
  ledger: ofTheLedger,
  sweep: ofTheSweep,
  jobs: ofJobs,
  readers: ofTheReaders,
  webhooks: ofWebhooks,
  replica: ofTheReplica,
  access: ofAccess,
  limits: ofLimits,
  payments: ofPayments,
};
