// Each column that may hold something personal says what an erasure does to it, in the list of decision 0035.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BLANKED_STEPS } from '../../src/db/erasures.js';
import { EXPORT_SECTIONS } from '../../src/db/export.js';
import type { Column } from '../../src/db/table.js';
import * as tables from '../../src/db/tables.js';
import { useTestApp } from '../support/app.js';

const RECORD = '../../docs/adr/0035-erasing-blanks-and-keeps-the-numbers.md';
const text = readFileSync(new URL(RECORD, import.meta.url), 'utf8');
const app = useTestApp();

const namesIn = (part: string): string[] => [...part.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name);

/** Table and column, with what becomes of it. */
const classified = new Map(
  [...text.matchAll(/^\| (`[a-z_]+`) \| ([^|]+) \| ([^|]+) \|$/gm)].flatMap(
    ([, table = '', columns = '', becomes = '']) =>
      namesIn(columns).map((column): [string, string] => [`${namesIn(table)[0]}.${column}`, becomes]),
  ),
);
const ofNobody = new Set(namesIn(/^Of nobody in particular are ([\s\S]+?)\n\n/m.exec(text)?.[1] ?? ''));

describe('the list of what an erasure does', () => {
  it('has every column of text, JSON or bytes of every table, and no other', async () => {
    const rows = await app.deps.db.query(
      `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
       WHERE table_schema = current_schema() AND data_type IN ('text', 'jsonb', 'json', 'bytea', 'character varying')
         AND table_name NOT IN ('_prisma_migrations', 'schema_compatibility')`,
    );
    const held = rows
      .filter(({ table }) => !ofNobody.has(String(table)))
      .map(({ table, column }) => `${table}.${column}`);
    expect(held.filter((name) => !classified.has(name)).sort()).toEqual([]);
    expect([...classified.keys()].filter((name) => !held.includes(name)).sort()).toEqual([]);
    expect(classified.size).toBeGreaterThan(100);
  });

  it('has no table of customers among those that are of nobody', () => {
    const owned = Object.values(tables).filter(({ columns }) =>
      Object.values(columns as Record<string, Column<unknown>>).some(({ name }) => name === 'customer_id'),
    );
    expect(owned.filter(({ name }) => ofNobody.has(name)).map(({ name }) => name)).toEqual(['limit_sources']);
    // Each of them is exported, under a name of the wire.
    expect(EXPORT_SECTIONS.length).toBeGreaterThanOrEqual(owned.length);
  });

  it('says of each table that is blanked that it is', () => {
    const blanked = [...classified]
      .filter(([, becomes]) => becomes.startsWith('blanked'))
      .map(([name]) => name.split('.')[0]);
    const steps: string[] = [...BLANKED_STEPS, 'referrals'];
    expect([...new Set(blanked)].sort()).toEqual(steps.sort());
  });
});
