// The mutations of scripts/mutations.ts: for each what it breaks in the source, and the test files that are expected to notice. Kept in step
// with the source by hand; one that no longer fits is reported before anything runs.

/** Replaces the first `from` of a file. */
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
const LOCK_THEN_LOAD = 'test/concurrency/lock-then-load.test.ts';
const FIRST_SIGHT = 'test/concurrency/first-sight.test.ts';
const FAILED_ATTEMPTS = 'test/concurrency/failed-attempts.test.ts';
const FAULTS = 'test/concurrency/faults.test.ts';
const LANES_TESTS = 'test/concurrency/lanes.test.ts';
const OVERLOAD = 'test/concurrency/overload.test.ts';
const PEOPLE = 'test/concurrency/people.test.ts';
const UNCERTAIN = 'test/concurrency/uncertain-commit.test.ts';
const WAITING = 'test/concurrency/waiting.test.ts';
const CATALOG = 'test/concurrency/catalog.test.ts';
const PIPELINE = 'test/concurrency/pipeline.test.ts';
const READS_TESTS = 'test/concurrency/reads.test.ts';
const RESERVATIONS = 'test/concurrency/reservations.test.ts';
const GIVE_BACK = 'test/concurrency/give-back.test.ts';
const BATCHES = 'test/concurrency/consume-batches.test.ts';
const EXPIRY = 'test/http/expiry.test.ts';
const ORDER_OF_USE = 'test/http/quota-order.test.ts';

const WRITE_PATH = 'src/engine/write-path.ts';
const OPERATION = 'src/engine/operation.ts';
const LANES = 'src/engine/lanes.ts';
const SHARED = 'src/engine/shared-transaction.ts';
const READS = 'src/engine/reads.ts';
const POOL = 'src/db/pool-transaction.ts';
const CUSTOMERS = 'src/db/customers.ts';
const BOOKS = 'src/db/books.ts';
const ORDERS = 'src/db/orders.ts';
const POSTINGS = 'src/ledger/postings.ts';
const RESERVATION_RULES = 'src/ledger/reservations.ts';
const GIVE_BACK_RULES = 'src/ledger/give-back.ts';
const KEYED_CALL = 'src/engine/keyed-call.ts';
const ASK_WHETHER_COMMITTED =
  '  if (!isUnknown || !(await untilAnswered(() => areRecorded(deps, operations)))) throw reason;';
const LOCK = ' ORDER BY id FOR NO KEY UPDATE';
const USABLE_NOW = 'AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)';
const BURN_ORDER = 'ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $4::int';
const SHARED_LOCK = '  const locking = lockCustomers(';
const WRITE_PATH_LOCK = '  const customer = required(';

const change = (file: string, from: string, to: string): Change => ({ file, from, to });

const withoutLock = [
  change(CUSTOMERS, LOCK, ' ORDER BY id'),
  change(CUSTOMERS, `\${LOCK_ALL} SKIP LOCKED`, `\${LOCK_ALL}`),
];

/** Of the lock, of both ways to write, and of what the ledger reads. */
const ofBothPaths: Mutation[] = [
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
    name: 'look up the key whatever the operation',
    changes: [
      change('src/db/operations.ts', 'AND o.name = k.name AND', 'AND'),
      change('src/db/operations.ts', 'SELECT o.customer_id, o.name,', 'SELECT o.customer_id, k.name,'),
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
        `required(recorded.answer, 'a replayed operation has an answer')`,
        `JSON.stringify(JSON.parse(required(recorded.answer, 'an answer')), null, 1)`,
      ),
    ],
    tests: [CONSUME],
  },
  {
    name: 'record at a time before the last record',
    changes: [change('src/lib/clock.ts', 'return clock > last ? clock : last;', 'return clock;')],
    tests: [LOCK_THEN_LOAD],
  },
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
        'ORDER BY b.priority DESC, b.expires_at DESC, b.created_at DESC, b.id DESC LIMIT $4::int',
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
    changes: [change(POSTINGS, '? 0 : balanceOf(holding)', '? 0 : balanceOf(holding) + 1')],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'take what there is when it does not suffice',
    changes: [
      change(
        OPERATION,
        `  assert(decision.outcome === 'accepted' || book.changes.entries.length === entriesBefore, 'a refusal posts nothing');\n`,
        '',
      ),
      change(
        'src/services/quota.ts',
        '  if (!plan.isAllowed) throw insufficientQuota(subject, amount, plan);',
        `  if (!plan.isAllowed) {
    if (plan.available)
      consume(book, planConsume(book, providers, plan.available), { operationId, feature: null, actionType: 'usage', actionId: null, metadata: {} });
    throw insufficientQuota(subject, amount, plan);
  }`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'give up when another first sight was faster',
    changes: [
      change('src/engine/customers.ts', `if (constraintOf(error) !== 'identities_pk') throw error;`, 'throw error;'),
    ],
    tests: [FIRST_SIGHT],
  },
  {
    name: 'change the catalogue without its lock',
    changes: [change('src/services/catalog.ts', '      await lockCatalog(tx);\n', '')],
    tests: [CATALOG],
  },
];

/** Of the write path that runs one operation. */
const ofTheWritePath: Mutation[] = [
  {
    name: 'write path: look up the key before the lock',
    changes: [
      change(
        WRITE_PATH,
        WRITE_PATH_LOCK,
        `  const early = await findOperationsByKey(tx, [{ customerId, name: operation.name, key: operation.idempotencyKey ?? '' }]);\n${WRITE_PATH_LOCK}`,
      ),
      change(
        WRITE_PATH,
        'const [recorded] = await findOperationsByKey(tx, [{ customerId, name: operation.name, key: idempotencyKey }]);',
        'const [recorded] = early;',
      ),
    ],
    tests: [FAULTS],
  },
  {
    name: 'write path: do not look up the key',
    changes: [
      change(WRITE_PATH, '    if (recorded) return', '    if (recorded && operation.name === undefined) return'),
    ],
    tests: [CONFIRM],
  },
  {
    name: 'write path: read the time before the lock',
    changes: [
      change(WRITE_PATH, WRITE_PATH_LOCK, `  const clock = deps.clock.now();\n${WRITE_PATH_LOCK}`),
      change(WRITE_PATH, 'instantOf(deps.clock.now(), ', 'instantOf(clock, '),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'write path: do not check the identity again under the lock',
    changes: [change(WRITE_PATH, '  if (selector.identity && (await', '  if (!selector && (await')],
    tests: [PEOPLE],
  },
  {
    name: 'write path: do not settle',
    changes: [change(WRITE_PATH, '  settle(book);\n', '')],
    tests: [EXPIRY],
  },
  {
    name: 'write path: let operations run without a turn',
    changes: [
      change(
        WRITE_PATH,
        'await deps.turns.take(customerId, () =>',
        'await (async (work: () => Promise<Outcome>) => work())(() =>',
      ),
    ],
    tests: [WAITING],
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
  {
    name: 'roll back what a refusal has to keep',
    changes: [change(WRITE_PATH, '      return { refusal: decision.error };', '      throw decision.error;')],
    tests: [CONFIRM],
  },
  {
    name: 'write the records outside the transaction',
    changes: [
      change(
        WRITE_PATH,
        'writeGiven(tx, decision.records, now);\n  const',
        'writeGiven(deps.db, decision.records, now);\n  const',
      ),
    ],
    tests: [CONFIRM],
  },
  {
    name: 'write path: run again after the commit',
    changes: [
      change(WRITE_PATH, 'if (written && isConnectionLost', 'if (!operation && written && isConnectionLost'),
      change(WRITE_PATH, '      return outcome.answer;', '      if (attempt > 1) return outcome.answer;'),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'write path: do not try again after a rollback',
    changes: [change(WRITE_PATH, ' || isRetryable(error)', '')],
    tests: [FAULTS],
  },
  {
    name: 'do not decide anew when a claim was lost',
    changes: [change(WRITE_PATH, 'error instanceof ClaimLost || ', '')],
    tests: [CONFIRM],
  },
  {
    name: 'write path: try again for ever',
    changes: [change(WRITE_PATH, 'attempt === ATTEMPTS_MAX', 'attempt === 100 * ATTEMPTS_MAX')],
    tests: [FAULTS],
  },
  {
    name: 'write path: take a lost connection for a failure',
    changes: [change(WRITE_PATH, 'if (written && isConnectionLost', 'if (!operation && written && isConnectionLost')],
    tests: [FAULTS],
  },
  {
    name: 'write path: take a lost connection for a success',
    changes: [
      change(
        WRITE_PATH,
        'if (await untilAnswered(() => isRecorded(deps, customerId, operationId))) return answer;',
        'return answer;',
      ),
    ],
    tests: [FAULTS],
  },
  {
    name: 'write path: look for the operation without the lock',
    changes: [change(WRITE_PATH, '    await lockCustomer(tx, customerId);\n', '')],
    tests: [FAULTS],
  },
];

/** Of the lanes and their shared transactions. */
const ofTheLanes: Mutation[] = [
  {
    name: 'lanes: load, then lock',
    changes: [
      ...withoutLock,
      change(
        SHARED,
        '  return { customers: new Map(locked.map(',
        `  await tx.query('SELECT 1 FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [requests.map(customerOf)]);
  return { customers: new Map(locked.map(`,
      ),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'lanes: load from the snapshot of the lock',
    changes: [
      change(POOL, `client.query('BEGIN')`, `client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')`),
      change('src/db/errors.ts', `new Set(['40001', `, 'new Set(['),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'lanes: look up the keys before the lock',
    changes: [
      change(SHARED, SHARED_LOCK, `  const early = findRecorded(tx, requests);\n${SHARED_LOCK}`),
      change(SHARED, '    findRecorded(tx, requests),\n', '    early,\n'),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'lanes: do not look up the keys',
    changes: [change(SHARED, '  if (earlier) return', '  if (earlier && name === undefined) return')],
    tests: [CONSUME],
  },
  {
    name: 'lanes: forget the keys of the same transaction',
    changes: [change(SHARED, '  if (key !== undefined) recorded.set(key, row);\n', '')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: read the time before the lock',
    changes: [
      change(SHARED, '  const clock = deps.clock.now();\n', ''),
      change(SHARED, SHARED_LOCK, `  const clock = deps.clock.now();\n${SHARED_LOCK}`),
    ],
    tests: [LOCK_THEN_LOAD],
  },
  {
    name: 'lanes: do not check the identity again under the lock',
    changes: [change(SHARED, 'if (identity && owners.get(', 'if (identity && !request && owners.get(')],
    tests: [LANES_TESTS],
  },
  { name: 'lanes: do not settle', changes: [change(SHARED, '  settle(book);\n', '')], tests: [EXPIRY] },
  {
    name: 'lanes: mix up the books of the customers',
    changes: [change(SHARED, 'books.get(customer.id) ??', '[...books.values()][0] ??')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: decide in the reverse order of arrival',
    changes: [change(SHARED, 'for (const request of requests) {', 'for (const request of [...requests].reverse()) {')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: let a request wait on its lane for a lock held elsewhere',
    changes: [change(CUSTOMERS, `\${LOCK_ALL} SKIP LOCKED`, `\${LOCK_ALL}`)],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: run strays on the lane',
    changes: [
      change(
        LANES,
        `    strays.add(required(waiting.customerId, 'the customer is resolved'), waiting);\n`,
        '    await runAlone(deps, waiting);\n',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: let strays take all connections',
    changes: [change(LANES, 'deps.config.poolSize * WAITING_SHARE', 'deps.config.poolSize * 4')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: let uses overtake who has the turn of their customer',
    changes: [change(LANES, ' || deps.turns.isTaken(customerId)', '')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: let strays run without a turn',
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
    name: 'lanes: answer all requests with the error of their transaction',
    changes: [
      change(LANES, 'if (together.length > 1 && !(error instanceof AppError)) {', 'if (together.length < 1) {'),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: lose the requests of later customers',
    changes: [change(LANES, '        queue.waiting.unshift(...later);\n', '')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: take more customers than are allowed',
    changes: [change(LANES, 'customers.size < customersMax', 'customers.size < 64')],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: let any number wait',
    changes: [change(LANES, '>= WAITING_MAX', '>= 100 * WAITING_MAX')],
    tests: [OVERLOAD],
  },
  {
    name: 'lanes: do not count the strays among those who wait',
    changes: [change(LANES, 'queue.waiting.length + strays.count() >=', 'queue.waiting.length >=')],
    tests: [OVERLOAD],
  },
  {
    name: 'lanes: answer before the COMMIT',
    changes: [
      change(
        SHARED,
        '  await writeAndCommit(deps, tx, decided);',
        '  void writeAndCommit(deps, tx, decided).catch(() => undefined);',
      ),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: do not try again after a rollback',
    changes: [change(LANES, 'isRetryable(error) || ', '')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'lanes: try again for ever',
    changes: [change(LANES, 'waiting.failures < ATTEMPTS_MAX', 'waiting.failures < 100 * ATTEMPTS_MAX')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'lanes: do not count the failures of a lone request',
    changes: [change(LANES, '): boolean {\n  waiting.failures += 1;\n', '): boolean {\n')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'lanes: take an uncertain COMMIT for a success',
    changes: [change(SHARED, ASK_WHETHER_COMMITTED, '  if (!isUnknown) throw reason;')],
    tests: [UNCERTAIN],
  },
  {
    name: 'lanes: take an uncertain COMMIT for a failure',
    changes: [change(SHARED, ASK_WHETHER_COMMITTED, '  throw reason;')],
    tests: [UNCERTAIN],
  },
  {
    name: 'lanes: take a refused COMMIT for an uncertain one, and that for a success',
    changes: [
      change(POOL, 'throw isRefused ? error : new CommitUncertain(error);', 'throw new CommitUncertain(error);'),
      change(SHARED, ASK_WHETHER_COMMITTED, '  if (!isUnknown) throw reason;'),
    ],
    tests: [LANES_TESTS],
  },
  {
    name: 'lanes: look for the operations without the lock',
    changes: [
      change(
        SHARED,
        '    await lockCustomers(tx, [...new Set(operations.map((operation) => operation.customerId))], { skipLocked: false });\n',
        '',
      ),
    ],
    tests: [FAULTS],
  },
];

/** Of statements that are sent without waiting for those before. */
const ofThePipeline: Mutation[] = [
  {
    name: 'pipeline: take a COMMIT that was answered with a rollback for a success',
    changes: [change(POOL, `if (command !== 'COMMIT') throw`, `if (command === 'NOTHING') throw`)],
    tests: [PIPELINE],
  },
  {
    name: 'pipeline: ignore a failed write when COMMIT succeeded',
    changes: [change(SHARED, '    if (failed) throw failed.reason; // it failed before it was sent\n', '')],
    tests: [PIPELINE],
  },
  {
    name: 'pipeline: tell the rollback, not why',
    changes: [change(SHARED, 'throw failed?.reason ?? reason;', 'throw reason;')],
    tests: [FAILED_ATTEMPTS],
  },
  {
    name: 'pipeline: write without looking whether BEGIN succeeded',
    changes: [change(SHARED, '    tx.begun,\n', '')],
    tests: [PIPELINE],
  },
];

/** Of holds, of units that come back, and of debts. */
const ofHoldsAndDebts: Mutation[] = [
  {
    name: 'holds: do not let them lapse',
    changes: [change('src/ledger/settle.ts', '    lapse(book, reservation);\n', '')],
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
    changes: [change('src/services/reservations.ts', '      keepsAnswer: true,\n', '')],
    tests: [RESERVATIONS],
  },
  {
    name: 'holds: charge the excess at the costs of today',
    changes: [
      change(RESERVATION_RULES, '[{ ...provider, unitCost }]', '[provider]'),
      change(
        'src/services/reservations.ts',
        'Object.keys(reservation.costs).flatMap((productKey) => providersOf({ productKey }))',
        'providersOf(subject)',
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
    changes: [change(GIVE_BACK_RULES, '  const left = amount - reversed;', '  const left = amount;')],
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
    changes: [
      change(
        GIVE_BACK_RULES,
        'return batch === null ? Math.min(left, holdingOf(book, productKey).owed) : left;',
        'return left;',
      ),
    ],
    tests: [GIVE_BACK],
  },
  {
    name: 'debt: do not repay',
    changes: [change(POSTINGS, '  if (amount === 0) return;\n', '  if (amount >= 0) return;\n')],
    tests: [GIVE_BACK],
  },
];

/** Of batches of consumes and the keys of calls. */
const ofBatches: Mutation[] = [
  {
    name: 'batches: forget the keys of the items before',
    changes: [change(SHARED, '  if (key !== undefined) recorded.set(key, row);\n', '')],
    tests: [BATCHES],
  },
  {
    name: 'batches: write what is allowed of an atomic one that is refused',
    changes: [
      change(
        SHARED,
        'if (!mayCommit || requests.some((request) => !isAnswered(verdicts.get(request)))) {',
        'if (!mayCommit) {',
      ),
    ],
    tests: [BATCHES],
  },
  {
    name: 'batches: give items keys under the name of callers',
    changes: [change('src/services/quota-batch.ts', `{ name: 'quota.consume.item',`, `{ name: 'quota.consume',`)],
    tests: [BATCHES],
  },
  {
    name: 'keyed calls: do not look up the key',
    changes: [change(KEYED_CALL, 'if (earlier', 'if (earlier && call.key === undefined')],
    tests: [BATCHES],
  },
  {
    name: 'keyed calls: do not lock the key',
    changes: [change(KEYED_CALL, '  await lockKeyedCall(tx, name, key);\n', '')],
    tests: [BATCHES],
  },
];

const ofCrowds: Mutation[] = [
  {
    name: 'crowds: wait for a lock one after another',
    changes: [
      change(LANES, 'if (isLockTimeout(error)) return', 'if (isLockTimeout(error) && together.length === 1) return'),
    ],
    tests: [WAITING],
  },
  {
    name: 'crowds: admit any number of calls',
    changes: [change('src/lib/slots.ts', 'if (inside >= max) throw refusal();', '')],
    tests: [BATCHES],
  },
];

const ofTheReaders: Mutation[] = [
  {
    name: 'readers: fail all when one fails',
    changes: [change(READS, 'reads.length === 1 || isOutage(error)', 'reads.length >= 1')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: ask a lost database again for each',
    changes: [change(READS, 'reads.length === 1 || isOutage(error)', 'reads.length === 1')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: one read in a statement',
    changes: [change(READS, 'const READS_MAX = 256;', 'const READS_MAX = 1;')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: do not settle',
    changes: [change(READS, '    settle(book);\n    const providersOf', '    const providersOf')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: go on alone when the database is lost meanwhile',
    changes: [change(READS, 'if (isOutage(own)) {', 'if (isOutage(own) && reads.length === 0) {')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: tell of the clock instead of what was loaded',
    changes: [change(READS, 'loaded.atOf(customerId) ?? clock', 'clock')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: any number of customers in a statement',
    changes: [change(READS, 'names.add(name).size > customersMax', 'names.add(name).size < 0')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: let any number wait',
    changes: [change(READS, 'waiting.length >= WAITING_MAX', 'waiting.length > 10 * WAITING_MAX')],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: take the first of two contradicting names',
    changes: [
      change(
        'src/engine/customers.ts',
        'if (known.some((other) => other?.id !== first.id)) return conflict(pointer);',
        '',
      ),
    ],
    tests: [READS_TESTS],
  },
  {
    name: 'readers: give each the first one of a statement',
    changes: [
      change('src/db/customers.ts', 'names.map((_, position) => known.get(position))', 'names.map(() => known.get(0))'),
    ],
    tests: [READS_TESTS],
  },
];

/** All mutations, in the order in which they run. */
export const mutations: readonly Mutation[] = [
  ...ofBothPaths,
  ...ofTheWritePath,
  ...ofTheLanes,
  ...ofThePipeline,
  ...ofHoldsAndDebts,
  ...ofBatches,
  ...ofCrowds,
  ...ofTheReaders,
];
