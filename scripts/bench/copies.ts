// Many customers like one that the service made: all rows of his are copied by SQL, each with ids and a name of its own. Verify finds no difference in them.
import type pg from 'pg';

/** Digits of an id that tell copies apart, which leave its version and variant as they are: of so many at most. */
const COPIES_MAX = 0xff_ff_ff;
const ID = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f])[0-9a-f]{3}(-[89ab])[0-9a-f]{3}(-[0-9a-f]{12})';
/** Ids that belong together stay so; those of two rows differ in the digits that are kept. */
const MARKED_ID = '\\1<<<\\2>>>\\3';
/** Used trials are known by the hash of an identity, of which each has his own. */
const HASH = '"([0-9a-f]{58})[0-9a-f]{6}"';
const MARKED_HASH = '"\\1<<<>>>"';

/** The tables that have rows of customers, and the columns of each that are not made by the database. */
const TABLES = `
SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND EXISTS (
  SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = CASE c.relname WHEN 'customers' THEN 'id' ELSE 'customer_id' END)
GROUP BY c.relname ORDER BY c.relname <> 'customers', c.relname`;

/** Makes customers `<prefix>1` to `<prefix><count>` with all that the customer `<prefix>0` has. */
export async function copyCustomer(client: pg.Client, prefix: string, count: number): Promise<void> {
  if (count > COPIES_MAX) throw new Error(`no more than ${COPIES_MAX} copies`);
  const owner = await client.query<{ id: string }>('SELECT customer_id AS id FROM identities WHERE external_id = $1', [
    `${prefix}0`,
  ]);
  const { rows: tables } = await client.query<{ name: string; columns: string }>(TABLES);
  await client.query('BEGIN');
  await client.query('SET LOCAL session_replication_role = replica'); // the order of tables does not matter
  for (const { name, columns } of tables) {
    await client.query(
      `WITH own AS MATERIALIZED (
         SELECT replace(regexp_replace(regexp_replace(to_jsonb(o)::text, '${ID}', '${MARKED_ID}', 'g'), '${HASH}', '${MARKED_HASH}', 'g'),
           ${client.escapeLiteral(`"${prefix}0"`)}, '"<name>"') AS text
         FROM ${name} AS o WHERE o.${ownerOf(name)} = ${client.escapeLiteral(owner.rows[0]?.id ?? '')}
       ), copies AS MATERIALIZED (
         SELECT jsonb_populate_record(NULL::${name}, replace(replace(replace(own.text,
           '<name>', ${client.escapeLiteral(prefix)} || n), '<<<', left(digits, 3)), '>>>', right(digits, 3))::jsonb) AS copy
         FROM own CROSS JOIN generate_series(1, ${count}) AS n CROSS JOIN LATERAL (SELECT lpad(to_hex(n), 6, '0') AS digits) AS hex
       )
       INSERT INTO ${name} (${columns}) SELECT ${columns.replace(/(^|, )/g, '$1(copy).')} FROM copies`,
    );
  }
  await client.query('COMMIT');
}

function ownerOf(table: string): string {
  return table === 'customers' ? 'id' : 'customer_id';
}
