// Reads the checks from the files of this folder and puts them together as statements. Runs none.
import { readdirSync, readFileSync } from 'node:fs';

interface Section {
  kind: 'counts' | 'shared' | 'name';
  name: string;
  /** Names of the shared expressions it needs, in order. */
  uses: string[];
  sql: string;
}

const sections = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.sql'))
  .sort()
  .flatMap((file) => readSections(readFileSync(new URL(file, import.meta.url), 'utf8')));

/** What has $2, so that each statement does. */
const LATEST = 'latest';

/** Names of all checks, in the order in which they run. */
export const checkNames: readonly string[] = sections.filter(({ kind }) => kind === 'name').map(({ name }) => name);

/** One row: how many rows of each table there are to look at. $1: a customer's id, or null for all. */
export const countsSql = section('counts', 'checked').sql;

/**
 * The names of the checks that find something, in their order: all of them as one statement, what they share computed once. $1 as above, $2 the latest
 * instant at which something may have been recorded, or null for any.
 * They are counted, because for EXISTS the planner would choose for a first row, where there nearly always is none (measured: 3 s instead of minutes
 * for a customer with 20,000 entries).
 */
export const failedChecksSql = `WITH ${sections
  .filter(({ kind }) => kind === 'shared')
  .map(({ sql }) => sql)
  .join(', ')}
  SELECT failed.name AS "check" FROM (${checkNames
    .map(
      (name, index) =>
        `SELECT ${index} AS place, '${name}' AS name WHERE (SELECT count(*) FROM (${section('name', name).sql}) AS odd) > 0`,
    )
    .join(' UNION ALL ')}) AS failed
  ORDER BY failed.place`;

/**
 * The statement of a check: behind its shared expressions, in an order that does not change from run to run, and bounded by $3. $1 and $2 as above.
 * Materialized, because the planner would else choose for the first few rows, where it must nearly always look at all and find none
 * (measured: 8 s instead of 1 s for a join of a million entries).
 */
export function checkSql(name: string): string {
  const { uses, sql } = section('name', name);
  const shared = [LATEST, ...uses].map((use) => section('shared', use).sql);
  const expressions = [...shared, `difference AS MATERIALIZED (${sql})`];
  return `WITH ${expressions.join(', ')}
    SELECT invariant, customer_id::text AS "customerId", subject, expected, actual, detail
    FROM difference
    ORDER BY customer_id, subject, detail LIMIT $3::bigint`;
}

function section(kind: Section['kind'], name: string): Section {
  const found = sections.find((candidate) => candidate.kind === kind && candidate.name === name);
  if (found === undefined) throw new Error(`no file of the auditor has a section "${kind}: ${name}"`);
  return found;
}

/** Splits a file at its section lines. Comments go, so that one at the end of a section can't swallow what is put behind it. */
function readSections(text: string): Section[] {
  const result: Section[] = [];
  for (const line of text.split('\n')) {
    const start = /^-- (counts|shared|name): (\w+)$/.exec(line);
    const uses = /^-- with: ([\w, ]+)$/.exec(line);
    const current = result.at(-1);
    if (start) {
      result.push({ kind: start[1] as Section['kind'], name: start[2] ?? '', uses: [], sql: '' });
    } else if (uses) {
      current?.uses.push(...(uses[1] ?? '').split(', '));
    } else if (current && !line.startsWith('--')) {
      current.sql += `${line.replace(/ -- .*$/, '')}\n`;
    }
  }
  return result;
}
