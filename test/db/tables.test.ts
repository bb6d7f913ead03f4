// The descriptions of the tables (src/db/tables.ts) are those of the database.
import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/db/table.js';
import * as tables from '../../src/db/tables.js';
import { useTestApp } from '../support/app.js';

const app = useTestApp();

/** Types as the catalogue of the database calls them. */
const NAMES: Readonly<Record<string, string>> = { timestamptz: 'timestamp with time zone' };

const described = Object.values(tables).map(({ name, columns }) => ({
  name,
  columns: Object.values(columns as Record<string, Column<unknown>>)
    .map(({ name: column, type, isNullable, isComputed }) => ({
      name: column,
      type: NAMES[type] ?? type,
      isNullable,
      isComputed,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
}));

describe('the description of a table', () => {
  it.each(described)('$name has the columns that the table has, with their types', async ({ name, columns }) => {
    const rows = await app.deps.db.query(
      `SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS "isNullable", (is_generated = 'ALWAYS' OR is_identity = 'YES') AS "isComputed"
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY column_name COLLATE "C"`,
      [name],
    );
    expect(columns).toEqual(rows);
  });

  it('is there for every table of ours', async () => {
    const rows = await app.deps.db.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' AND table_name <> 'schema_compatibility'`,
    );
    expect(described.map(({ name }) => name).sort()).toEqual(rows.map(({ name }) => name).sort());
  });
});
