// npm run migrate: brings the database to the newest migration without starting the service, and gives the service's role the rights it needs. To be run
// as the owner of the tables. Exit code 0 when all is done, 1 when not, with the reason in one line.
import { parseArgs } from 'node:util';
import { migrate } from '../src/db/migrate.js';
import { grantRights } from '../src/db/rights.js';
import { StartError } from '../src/errors/start-error.js';
import { connectTo, findDatabase } from './find-database.js';

const USAGE = 'usage: npm run migrate [-- --grant-to <role of the service>]';

try {
  await run();
} catch (error) {
  console.error(`migrate: ${error instanceof StartError ? error.message : error}`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const role = readRole();
  const database = findDatabase('migrate');
  const { applied, modified, newer } = await migrate(database.url);
  for (const name of applied) console.log(`applied ${name}`);
  if (applied.length === 0) console.log('every migration was there already');
  if (newer.length > 0) console.log(`of a newer version, which this one can read: ${newer.join(', ')}`);
  if (modified.length > 0) console.log(`changed after they had been applied: ${modified.join(', ')}`);
  if (role === undefined) return;
  const client = await connectTo(database, 'bursar-migrate');
  try {
    await grantRights(client, role);
  } finally {
    await client.end();
  }
  console.log(`${role} has the rights that the service needs`);
}

function readRole(): string | undefined {
  try {
    const { values } = parseArgs({ options: { 'grant-to': { type: 'string' } } });
    if (values['grant-to'] === '') throw new Error('--grant-to must be the name of a role');
    return values['grant-to'];
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}; ${USAGE}`);
  }
}
