// What the service's user may do when it is not the owner of the tables: read all of them, write what the service writes, change nothing of the ledger.
// One list, by which rights are given (npm run migrate) and looked for (at start).
import pg from 'pg';
import { StartError } from '../errors/start-error.js';
import type { Row, Tx } from './client.js';
import { sqlStateOf } from './errors.js';
import * as tables from './tables.js';

type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** What is written once. */
const NEVER_UPDATED = new Set<string>(
  [
    tables.entries,
    tables.orderItems,
    tables.trialUses,
    tables.archivedRecords,
    tables.archivedTrials,
    tables.idempotencyRecords,
    tables.reservationLegs,
    tables.keyedCalls,
    tables.events,
    tables.auditRecords,
    tables.customerMerges,
    tables.customerSignals,
  ].map(({ name }) => name),
);
/** What is replaced, unlinked, or forgotten with age; everything else is kept. */
const DELETED_FROM = new Set<string>(
  [
    tables.productFeatures,
    tables.offerItems,
    tables.identities,
    tables.formerIdentities,
    tables.idempotencyRecords,
    tables.keyedCalls,
    tables.events,
    tables.limits,
    tables.customerLimits,
    tables.limitSources,
    tables.webhookEndpoints,
    tables.webhookFeeds,
    tables.webhookDeliveries,
    tables.paymentSources,
    tables.referralPrograms,
  ].map(({ name }) => name),
);

/** By the names of the tables. */
export const RIGHTS: ReadonlyMap<string, readonly Right[]> = new Map([
  ...Object.values(tables).map(({ name }) => [name, rightsOn(name)] as const),
  ['_prisma_migrations', ['SELECT']],
  ['schema_compatibility', ['SELECT']],
]);

/** How far places of events were drawn, and behind which they go on when the data move. */
export const SEQUENCES: ReadonlyMap<string, readonly Right[]> = new Map([['events_place_seq', ['SELECT', 'UPDATE']]]);

function rightsOn(table: string): Right[] {
  const rights: Right[] = ['SELECT', 'INSERT'];
  if (!NEVER_UPDATED.has(table)) rights.push('UPDATE');
  if (DELETED_FROM.has(table)) rights.push('DELETE');
  return rights;
}

/** What our statements call. */
const FUNCTIONS = [
  'assert_whole(boolean)',
  'assert_claimed(boolean)',
  'assert_same_server(boolean)',
  'server_timeline()',
  'blank_erased(uuid, text, text, integer)',
];

const MISSING = `SELECT current_user AS "user", name AS thing, string_agg(privilege, ', ' ORDER BY place) AS missing
FROM (
  SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS needed (name, privilege, place)
  WHERE has_table_privilege(to_regclass(quote_ident(name)), privilege) IS NOT TRUE
  UNION ALL
  SELECT name, 'EXECUTE', place FROM unnest($3::text[]) WITH ORDINALITY AS called (name, place)
  WHERE has_function_privilege(to_regprocedure(name), 'EXECUTE') IS NOT TRUE
) AS lack GROUP BY name ORDER BY min(place), name`;

/** Looks for every right that the service needs. Throws: StartError, with all that are missing. */
export async function requireRights(tx: Tx): Promise<void> {
  const needed = [...RIGHTS, ...SEQUENCES].flatMap(([name, rights]) => rights.map((right) => [name, right] as const));
  const rows = await tx.query<Row & { user: string; thing: string; missing: string }>(MISSING, [
    needed.map(([name]) => name),
    needed.map(([, right]) => right),
    FUNCTIONS,
  ]);
  const [first] = rows;
  if (!first) return;
  const lacks = rows.map(({ thing, missing }) => `${missing} on ${thing}`).join('; ');
  throw new StartError(
    `the user ${first.user} lacks rights in the database: ${lacks}. Run "npm run migrate -- --grant-to ${first.user}" as the owner of the tables`,
  );
}

const UNDEFINED_ROLE = '42704';

/**
 * Gives `role` exactly the rights of the list, in one transaction, as the owner of the tables. Locks: a moment on each table's entry in the catalogue.
 * Throws: StartError, when there is no such role, or it owns the tables itself.
 */
export async function grantRights(client: pg.ClientBase, role: string): Promise<void> {
  const to = pg.escapeIdentifier(role);
  const { rows } = await client.query<{ schema: string; isOwner: boolean }>(
    `SELECT current_schema() AS schema, EXISTS (SELECT FROM pg_class WHERE oid = 'customers'::regclass AND pg_get_userbyid(relowner) = $1) AS "isOwner"`,
    [role],
  );
  const [{ schema = 'public', isOwner = false } = {}] = rows;
  if (isOwner) throw new StartError(`the role ${role} owns the tables, and so has all rights: grant to another one`);
  const grants = [...RIGHTS, ...SEQUENCES].flatMap(([name, rights]) => {
    const table = pg.escapeIdentifier(name);
    return [`REVOKE ALL ON ${table} FROM ${to}`, `GRANT ${rights.join(', ')} ON ${table} TO ${to}`];
  });
  const statements = [
    'BEGIN',
    `GRANT USAGE ON SCHEMA ${pg.escapeIdentifier(schema)} TO ${to}`,
    ...grants,
    ...FUNCTIONS.map((name) => `GRANT EXECUTE ON FUNCTION ${name} TO ${to}`),
    'COMMIT',
  ];
  try {
    await client.query(statements.join(';\n'));
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    if (sqlStateOf(error) !== UNDEFINED_ROLE) throw error;
    throw new StartError(`there is no role ${role}: create it first (CREATE ROLE ... LOGIN)`, { cause: error });
  }
}
