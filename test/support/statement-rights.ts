// What a statement does to tables, by its text, compared with what the service's user may do: a right that is missing in the list of src/db/rights.ts shows
// in the first test that sends the statement, although tests run as the owner.
import { RIGHTS } from '../../src/db/rights.js';

const DOINGS = [
  ['INSERT', /\bINSERT INTO (\w+)/g],
  ['UPDATE', /\bUPDATE (\w+)(?: \w+)?\s+SET\b/g],
  ['UPDATE', /\bINSERT INTO (\w+)(?:(?!\bINSERT\b)[\s\S])*?\bDO UPDATE SET\b/g],
  ['UPDATE', /\bFROM (\w+)(?:(?!\bFROM\b)[\s\S])*?\bFOR (?:NO KEY )?(?:UPDATE|SHARE)\b/g],
  ['DELETE', /\bDELETE FROM (\w+)/g],
] as const;

/** The rights that a statement needs and the service's user lacks. Empty when all is well. */
export function missingRights(sql: string): string[] {
  return DOINGS.flatMap(([right, pattern]) =>
    [...sql.matchAll(pattern)]
      .map(([, table = '']) => table)
      .filter((table) => RIGHTS.get(table)?.includes(right) !== true)
      .map((table) => `${right} on ${table}`),
  );
}
