// The database that the migrations make is the one that schema.prisma and the generated client describe; and what Prisma can't say (checks,
// triggers, partial indexes) changes only together with the committed list: `npx vitest run test/db/schema.test.ts -u` writes it anew.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.js';
import { useTestApp } from '../support/app.js';
import { ask } from '../support/parallel.js';

const SCHEMA = readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
const MODELS_MIN = 13;

/** What Postgres calls the type of a field without and with its native attribute. */
const typeNames: Readonly<Record<string, string>> = {
  String: 'text',
  'String @db.Uuid': 'uuid',
  Boolean: 'bool',
  Int: 'int4',
  'Int @db.SmallInt': 'int2',
  BigInt: 'int8',
  'Decimal @db.Decimal(20, 6)': 'numeric(20,6)',
  'DateTime @db.Timestamptz(3)': 'timestamptz(3)',
  Bytes: 'bytea',
  Json: 'jsonb',
};

interface Model {
  name: string;
  table: string;
  fields: { name: string; column: string; type: string; isNullable: boolean }[];
}

function readModels(schema: string): Model[] {
  const blocks = [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)];
  const names = new Set(blocks.map(([, name]) => name));
  return blocks.map(([, name = '', body = '']) => {
    const fields = [...body.matchAll(/^ {2}(\w+) +(\w+)(\?|\[\])?(.*)$/gm)].flatMap(
      ([, field = '', type = '', suffix, attributes = '']) => {
        if (names.has(type)) return [];
        const native = /@db\.\w+(?:\([^)]*\))?/.exec(attributes)?.[0];
        const column = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? field;
        const typeName = typeNames[native ? `${type} ${native}` : type] ?? `unknown: ${type} ${native}`;
        return [{ name: field, column, type: typeName, isNullable: suffix === '?' }];
      },
    );
    return { name, table: /@@map\("(\w+)"\)/.exec(body)?.[1] ?? name, fields };
  });
}

const models = readModels(SCHEMA);
const app = useTestApp();

const describeColumn = (table: string, column: string, type: string, isNullable: boolean): string =>
  `${table}.${column} ${type}${isNullable ? '' : ' not null'}`;

/** Columns of all our tables as Postgres knows them. */
async function readColumns(): Promise<string[]> {
  const rows = await ask(
    app.url,
    `SELECT table_name AS "table", column_name AS "column", udt_name AS type, is_nullable = 'YES' AS "isNullable",
            numeric_precision AS precision, numeric_scale AS scale, datetime_precision AS digits
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN ('_prisma_migrations', 'schema_compatibility')`,
  );
  return rows.map((row) => {
    const size =
      row.type === 'numeric' ? `(${row.precision},${row.scale})` : row.type === 'timestamptz' ? `(${row.digits})` : '';
    return describeColumn(String(row.table), String(row.column), `${row.type}${size}`, row.isNullable === true);
  });
}

describe('schema.prisma', () => {
  it('describes exactly the columns of the database', async () => {
    const described = models.flatMap(({ table, fields }) =>
      fields.map(({ column, type, isNullable }) => describeColumn(table, column, type, isNullable)),
    );
    expect(models.length).toBeGreaterThanOrEqual(MODELS_MIN);
    expect(described.sort()).toEqual((await readColumns()).sort());
  });

  it('is what the client was generated from', () => {
    const enums = Prisma as unknown as Record<string, Record<string, string>>;
    const generated = Object.keys(Prisma.ModelName).map((model) => [
      model,
      Object.keys(enums[`${model}ScalarFieldEnum`] ?? {}).sort(),
    ]);
    const described = models.map(({ name, fields }) => [name, fields.map((field) => field.name).sort()]);
    expect(Object.fromEntries(generated)).toEqual(Object.fromEntries(described));
  });

  it.each(models.map((model) => model.name))('gives a client that reads %s', async (name) => {
    const delegate = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const client = app.deps.db.prisma as unknown as Record<string, { findMany(): Promise<unknown[]> }>;
    expect(await client[delegate]?.findMany()).toHaveLength(name === 'EventLog' ? 1 : 0);
  });

  it('names every index and key as the database does', async () => {
    const named = [...SCHEMA.matchAll(/map: "(\w+)"/g)].map(([, name]) => name);
    const rows = await ask(
      app.url,
      `SELECT conname AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace
       UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'`,
    );
    const known = new Set(rows.map((row) => row.name));
    expect(named.length).toBeGreaterThan(MODELS_MIN);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the database', () => {
  it('has the constraints, triggers and indexes of the committed list', async () => {
    const rows = await ask(
      app.url,
      `SELECT format('%s %s: %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS line
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> '_prisma_migrations'::regclass
       UNION ALL
       SELECT format('%s %s: %s', tgrelid::regclass, tgname, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
       UNION ALL
       SELECT format('%s %s: %s', tablename, indexname, indexdef) FROM pg_indexes i
       WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
         AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname AND c.contype IN ('p', 'u'))`,
    );
    const lines = rows.map((row) => String(row.line)).sort();
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./schema-objects.txt');
  });

  it('has no constraint that the database had to name', async () => {
    const rows = await ask(
      app.url,
      `SELECT conname FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> '_prisma_migrations'::regclass
         AND conname !~ '_(pk|uq|fk|ck|i[1-9])$'`,
    );
    expect(rows).toEqual([]);
  });

  it('leads the key of every table with a foreign key to customers by the customer', async () => {
    const rows = await ask(
      app.url,
      `SELECT DISTINCT k.conrelid::regclass::text AS "table" FROM pg_constraint k
       JOIN pg_constraint f ON f.conrelid = k.conrelid AND f.contype = 'f' AND f.confrelid = 'customers'::regclass
       JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
       WHERE k.contype = 'p' AND a.attname <> 'customer_id'`,
    );
    expect(rows).toEqual([]);
  });

  it('has no foreign key from what a customer owns to the catalogue', async () => {
    const rows = await ask(
      app.url,
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid IN ('products'::regclass, 'offers'::regclass)
         AND conrelid NOT IN ('product_features'::regclass, 'offer_items'::regclass)`,
    );
    expect(rows).toEqual([]);
  });
});
