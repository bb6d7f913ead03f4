// npm run verify: recomputes the data of a database from its entries and says where it differs. Reads only, repairs nothing.
// Exit code 0 when all is well, 1 with differences, 2 when it could not look.
import { parseArgs } from 'node:util';
import { type AlikeCustomers, listAlikeIdentities } from '../src/db/alike-identities.js';
import type { Tx } from '../src/db/client.js';
import { checkInvariants, describeDifference, type InvariantReport } from '../src/db/invariants/audit.js';
import { checkNames } from '../src/db/invariants/checks.js';
import { StartError } from '../src/errors/start-error.js';
import { connectTo, findDatabase } from './find-database.js';

const USAGE = 'usage: npm run verify [-- --customer <id> --limit <differences to show>]';
const UNDEFINED_TABLE = '42P01';
const DIFFERENT = 1;
const NOT_CHECKED = 2;

try {
  const { report, alike } = await verify();
  print(report);
  printAlike(alike);
  if (!report.ok) process.exitCode = DIFFERENT;
} catch (error) {
  console.error(`verify: ${error instanceof StartError ? error.message : error}`);
  process.exitCode = NOT_CHECKED;
}

async function verify(): Promise<{ report: InvariantReport; alike: AlikeCustomers[] }> {
  const options = readOptions();
  const client = await connectTo(findDatabase('verify'), 'bursar-verify');
  try {
    const report = await checkInvariants(client, options);
    if (options.customerId !== undefined && report.checked.customers === 0)
      throw new StartError(`there is no customer ${options.customerId}`);
    const tx = {
      query: async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows,
    };
    return { report, alike: await listAlikeIdentities(tx as Tx, options) };
  } catch (error) {
    if ((error as { code?: string }).code !== UNDEFINED_TABLE) throw error;
    throw new StartError('the database lacks tables of this version of Bursar: start Bursar once, which makes them', {
      cause: error,
    });
  } finally {
    await client.end();
  }
}

function readOptions(): { customerId: string | undefined; limit: number | undefined } {
  let values: { customer?: string | undefined; limit?: string | undefined };
  try {
    ({ values } = parseArgs({ options: { customer: { type: 'string' }, limit: { type: 'string' } } }));
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}; ${USAGE}`);
  }
  const { customer, limit } = values;
  if (customer !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(customer)) {
    throw new StartError(`--customer must be the id of a customer (a UUID); ${USAGE}`);
  }
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit)) {
    throw new StartError(`--limit must be a whole number from 1 to 999999; ${USAGE}`);
  }
  return { customerId: customer, limit: limit === undefined ? undefined : Number(limit) };
}

function print({ ok, checked, failed, differences, hasMore }: InvariantReport): void {
  const width = Math.max(...Object.keys(checked).map((name) => name.length));
  console.log('checked');
  for (const [name, count] of Object.entries(checked)) {
    console.log(`  ${name.padEnd(width)}  ${count.toLocaleString('en').padStart(12)}`);
  }
  if (ok) {
    console.log(`${checkNames.length} checks, no differences`);
    return;
  }
  console.log('differences');
  for (const difference of differences) console.log(`  ${describeDifference(difference)}`);
  if (hasMore) console.log('  ... and more (see --limit)');
  console.log(
    `${checkNames.length} checks, of which ${Object.keys(failed).length} found differences: ${Object.keys(failed).join(', ')}`,
  );
}

/** No differences, and no fault of the data: what a merge would settle. */
function printAlike(alike: readonly AlikeCustomers[]): void {
  if (alike.length === 0) return;
  console.log('customers whose identities differ in spelling only, the oldest first: merge them');
  for (const { provider, customerIds } of alike) console.log(`  ${provider}: ${customerIds.join(', ')}`);
}
