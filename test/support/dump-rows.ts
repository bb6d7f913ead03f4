// Writes the rows of a database as INSERT statements: data only, one row a line, the same rows always the same text, in an order in which they
// can be inserted. What triggers or the database itself make of other rows is left out.
import type pg from 'pg';

/** Rows of these tables are made by the triggers of others, by the migrator or by migrations. */
const MADE_BY_OTHERS = ['catalog_names', '_prisma_migrations', 'schema_compatibility'];
/** Types whose values stand without quotes. */
const PLAIN_TYPES = ['int2', 'int4', 'int8', 'numeric', 'bool'];

interface Table {
  name: string;
  columns: { name: string; type: string }[];
  key: string[];
  /** Tables that its foreign keys point to. */
  needs: string[];
}

/** Precondition: nobody writes meanwhile. */
export async function dumpRows(client: pg.Client): Promise<string> {
  await client.query("SET TimeZone = 'UTC'");
  const statements: string[] = [];
  for (const table of inOrder(await readTables(client))) {
    const rows = await readRows(client, table);
    if (rows.length === 0) continue;
    const columns = table.columns.map(({ name }) => name).join(', ');
    statements.push(`INSERT INTO ${table.name} (${columns}) VALUES\n${rows.join(',\n')};\n`);
  }
  return statements.join('\n');
}

async function readTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT t.relname::text AS name,
            (SELECT json_agg(json_build_object('name', a.attname, 'type', y.typname) ORDER BY a.attnum)
             FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
             WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
            (SELECT array_agg(a.attname::text ORDER BY k.at)
             FROM pg_constraint c CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k (attnum, at)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
             WHERE c.conrelid = t.oid AND c.contype = 'p') AS key,
            ARRAY(SELECT DISTINCT f.relname::text FROM pg_constraint c JOIN pg_class f ON f.oid = c.confrelid
                  WHERE c.conrelid = t.oid AND c.contype = 'f' ORDER BY 1) AS needs
     FROM pg_class t
     WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND t.relname <> ALL ($1)
     ORDER BY 1`,
    [MADE_BY_OTHERS],
  );
  return rows;
}

/** Each table behind those that it needs; else in the order of their names. */
function inOrder(tables: readonly Table[]): Table[] {
  const ordered: Table[] = [];
  let waiting = [...tables];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const isFree = ({ name, needs }: Table) => needs.every((need) => need === name || !names.has(need));
    const free = waiting.filter(isFree);
    if (free.length === 0) throw new Error(`foreign keys in a circle: ${[...names].join(', ')}`);
    ordered.push(...free);
    waiting = waiting.filter((table) => !isFree(table));
  }
  return ordered;
}

/** The rows of a table as lists of literals, in the order of its key. */
async function readRows(client: pg.Client, { name, columns, key }: Table): Promise<string[]> {
  const texts = columns.map((column) => `${column.name}::text`).join(', ');
  const { rows } = await client.query<(string | null)[]>({
    text: `SELECT ${texts} FROM ${name} ORDER BY ${key.join(', ')}`,
    rowMode: 'array',
  });
  return rows.map((row) => `(${row.map((text, at) => literalOf(text, columns[at]?.type)).join(', ')})`);
}

function literalOf(text: string | null, type: string | undefined): string {
  if (text === null) return 'NULL';
  return PLAIN_TYPES.includes(type ?? '') ? text : `'${text.replaceAll("'", "''")}'`;
}
