// After each file of tests: every statement that the service has sent by then has the shape that statement-shape.ts tells, and does to each table no more than
// the service's user may (src/db/rights.ts). What a test itself asks the
// database over the app's connection stands as it is in the test's source, and is left out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { knownStatements } from '../../src/db/statement-names.js';
import { missingRights } from './statement-rights.js';
import { missingCustomers } from './statement-shape.js';

const TEST_DIR = fileURLToPath(new URL('..', import.meta.url));
let testSources: string | undefined;

function isOfTests(sql: string): boolean {
  testSources ??= readdirSync(TEST_DIR, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(TEST_DIR, name), 'utf8'))
    .join('\n');
  return testSources.includes(sql);
}

afterAll(() => {
  const misshapen = knownStatements().flatMap((sql) => {
    const missing = missingCustomers(sql);
    return missing.length > 0 && !isOfTests(sql) ? [`${missing.join(', ')}: ${sql}`] : [];
  });
  expect(misshapen).toEqual([]);
  const forbidden = knownStatements().flatMap((sql) => {
    const missing = missingRights(sql);
    return missing.length > 0 && !isOfTests(sql) ? [`${missing.join(', ')}: ${sql}`] : [];
  });
  expect(forbidden).toEqual([]);
});
