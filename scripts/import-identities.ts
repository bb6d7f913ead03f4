// npm run import:identities: gives customers that there are identities that another system knows them by: from a column of a table of users, or from a file.
// May be run again. Exit code 0 when it came to the end, 1 when not, with the reason in one line; rows that can't be taken are counted and listed.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { z } from 'zod';
import { findKnownCustomers } from '../src/db/customers.js';
import { requireCustomer } from '../src/engine/customers.js';
import { AppError } from '../src/errors/app-error.js';
import { StartError } from '../src/errors/start-error.js';
import { linkIdentityBody } from '../src/schemas/customers.js';
import { refuseMissingSelector, selectorShape, toSelector } from '../src/schemas/selectors.js';
import { linkIdentity } from '../src/services/customers.js';
import { createProgress } from './billable/progress.js';
import { connectToSource } from './billable/source.js';
import { CALL, openTarget, type Target } from './billable/target.js';

const USAGE = `usage: npm run import:identities -- --file <JSON lines, or - for standard input> [--dry-run] [--limit <rows>]
       npm run import:identities -- --source <postgres URL> --field <column> --provider <name> [--table auth_user] [--dry-run] [--limit <rows>]
a line of the file: {"user_id": 42, "identity": {"provider": "telegram", "external_id": "1001"}}; the customer is named as in requests`;
const ROWS_AT_ONCE = 500;
const LISTED_MAX = 1_000;
const UNDEFINED_COLUMN_OR_TABLE = /^42(?:703|P01)$/;

/** Who gets which identity, as somebody wrote it. `where` says where it was read. */
interface Row {
  where: string;
  value: unknown;
}

const rowSchema = z.strictObject({ ...selectorShape, identity: linkIdentityBody }).check(refuseMissingSelector);

interface Options {
  rows(): AsyncGenerator<Row>;
  isDry: boolean;
  limit: number;
}

type Outcome = 'created' | 'skipped' | 'unknown' | 'invalid';

/** What the service says of a row that can't be taken. */
const OUTCOMES: Partial<Record<string, Outcome>> = {
  customer_not_found: 'unknown',
  selector_conflict: 'invalid',
  identity_taken: 'skipped',
};

const progress = createProgress();
try {
  await run(readOptions());
} catch (error) {
  progress.end();
  console.error(
    `import:identities: ${error instanceof StartError || error instanceof AppError ? error.message : error}`,
  );
  process.exitCode = 1;
}

async function run({ rows, isDry, limit }: Options): Promise<void> {
  const target = await openTarget({ isReadOnly: isDry });
  const counts: Record<Outcome, number> = { created: 0, skipped: 0, unknown: 0, invalid: 0 };
  const listed: string[] = [];
  try {
    progress.begin('rows');
    let taken = 0;
    for await (const row of rows()) {
      if (taken === limit) break;
      taken += 1;
      target.assertLocked();
      const { outcome, says } = await give(target, row, isDry);
      counts[outcome] += 1;
      if (says !== undefined && listed.length < LISTED_MAX) listed.push(`${row.where}: ${says}`);
      progress.add(1);
    }
  } finally {
    progress.end();
    await target.close();
  }
  for (const line of listed) console.log(line);
  const { created, skipped, unknown, invalid } = counts;
  console.log(
    `${isDry ? 'would be created' : 'created'}: ${created}, skipped (already there): ${skipped}, unknown customers: ${unknown}, invalid: ${invalid}`,
  );
}

/** Gives one identity, unless somebody has it. */
async function give({ deps }: Target, { value }: Row, isDry: boolean): Promise<{ outcome: Outcome; says?: string }> {
  const read = rowSchema.safeParse(value);
  if (!read.success) return { outcome: 'invalid', says: z.prettifyError(read.error).replaceAll(/\s+/g, ' ') };
  const { identity: given, ...named } = read.data;
  const identity = { provider: given.provider, externalId: given.external_id };
  try {
    const [owner] = await findKnownCustomers(deps.db, [identity]);
    const customer = await requireCustomer(deps, toSelector(named));
    if (owner?.id === customer.customerId) return { outcome: 'skipped' };
    if (owner) return { outcome: 'skipped', says: `customer ${owner.id} has it` };
    const command = { identity, profile: given.profile };
    if (!isDry) await linkIdentity(deps, customer.customerId, command, CALL, () => ({ status: 200, body: '' }));
    return { outcome: 'created' };
  } catch (error) {
    const outcome = error instanceof AppError ? OUTCOMES[error.code] : undefined;
    if (outcome === undefined) throw error;
    return { outcome, says: (error as AppError).message };
  }
}

function readOptions(): Options {
  const values = readArguments();
  const isDry = values['dry-run'] === true;
  if (values.limit !== undefined && !/^[1-9]\d{0,11}$/.test(values.limit))
    throw new StartError('--limit must be a whole number from 1 on');
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit);
  const { file, source, field, provider, table } = values;
  if (file !== undefined && source === undefined && field === undefined && provider === undefined)
    return { rows: () => readFile(file), isDry, limit };
  if (file === undefined && source && field && provider)
    return { rows: () => readColumn({ source, field, provider, table: table ?? 'auth_user' }), isDry, limit };
  throw new StartError(`name a file, or a source with a field and a provider\n${USAGE}`);
}

function readArguments() {
  try {
    const text = { type: 'string' } as const;
    const options = { file: text, source: text, field: text, provider: text, table: text, limit: text };
    return parseArgs({ options: { ...options, 'dry-run': { type: 'boolean' } } }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

async function* readFile(path: string): AsyncGenerator<Row> {
  const input = path === '-' ? process.stdin : createReadStream(path, 'utf8');
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (text.trim() !== '') yield { where: `line ${line}`, value: parse(text.replace(/^\ufeff/, '')) };
    }
  } catch (error) {
    throw new StartError(`--file: ${error instanceof Error ? error.message : error}`);
  }
}

/** What is no JSON is refused as what it is, a text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Users whose column is not empty, by their ids, in one snapshot. Throws: StartError. */
async function* readColumn({
  source,
  field,
  provider,
  table,
}: {
  source: string;
  field: string;
  provider: string;
  table: string;
}): AsyncGenerator<Row> {
  const client = await connectToSource(source, 'bursar-import');
  const column = pg.escapeIdentifier(field);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    let after: unknown;
    for (;;) {
      const behind = after === undefined ? '' : 'AND id > $1';
      const sql = `SELECT id AS key, id::text, ${column}::text AS value FROM ${pg.escapeIdentifier(table)}
                   WHERE btrim(${column}::text) <> '' ${behind} ORDER BY id LIMIT ${ROWS_AT_ONCE}`;
      const { rows } = await client.query<{ key: unknown; id: string; value: string }>(
        sql,
        after === undefined ? [] : [after],
      );
      for (const { id, value } of rows)
        yield {
          where: `user ${id}`,
          value: { provider: 'user_id', external_id: id, identity: { provider, external_id: value } },
        };
      if (rows.length < ROWS_AT_ONCE) return;
      after = rows.at(-1)?.key;
    }
  } catch (error) {
    if (!UNDEFINED_COLUMN_OR_TABLE.test((error as { code?: string }).code ?? '')) throw error;
    throw new StartError(`--source: ${(error as Error).message}`);
  } finally {
    await client.end();
  }
}
