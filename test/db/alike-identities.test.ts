// The form of all spellings of an identity: the same in our code, in the statements and in the indexes by which they find it.
import fc from 'fast-check';
import { pino } from 'pino';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { findAlike, formOf } from '../../src/db/alike-identities.js';
import { createDb, type Db, type Tx } from '../../src/db/client.js';
import { findFormerOwners } from '../../src/db/customers.js';
import { useTestDatabase } from '../support/database.js';
import { ask } from '../support/parallel.js';

const database = useTestDatabase();
const PROVIDERS = ['email', 'default', 'telegram'];

let expressions: string[];

beforeAll(async () => {
  const rows = await ask(
    database.url,
    `SELECT pg_get_indexdef(name::regclass, 2, true) AS form FROM unnest(ARRAY['identities_alike_ix', 'former_identities_alike_ix']) AS name`,
  );
  expressions = rows.map(({ form }) => String(form));
});

it('is that of the database for any id', async () => {
  const ids = fc.sample(fc.string({ unit: 'grapheme', maxLength: 40 }), { numRuns: 500, seed: 7 });
  const marked = [
    'ZO\u00c9@Example.org',
    'ZOE\u0301@Example.org',
    '\u212b',
    '\u1e9b\u0323',
    '\u0130I\u0131i',
    ...ids,
  ].filter((id) => !id.includes('\0'));
  const keys = marked.flatMap((externalId) => PROVIDERS.map((provider) => ({ provider, externalId })));
  for (const expression of expressions) {
    const rows = await ask(
      database.url,
      `SELECT ${expression} AS form FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (provider, external_id, place) ORDER BY place`,
      [keys.map(({ provider }) => provider), keys.map(({ externalId }) => externalId)],
    );
    expect(rows.map(({ form }) => form)).toEqual(keys.map(formOf));
  }
});

it.each([
  ['identities_alike_ix', (tx: Tx) => findAlike(tx, [{ provider: 'email', externalId: 'Ada@x' }])],
  ['former_identities_alike_ix', (tx: Tx) => findFormerOwners(tx, [{ provider: 'email', externalId: 'Ada@x' }])],
])('is found by %s', async (index, find) => {
  const db: Db = createDb(database.url, pino({ level: 'silent' }), { poolSizeMax: 1 });
  onTestFinished(() => db.close());
  await db.query('SET enable_seqscan = off'); // the tables are empty
  const plans: string[] = [];
  await find({
    query: async (sql, parameters) => {
      const rows = await db.query(`EXPLAIN ${sql}`, parameters);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return [];
    },
  });
  expect(plans.join()).toContain(index);
});
