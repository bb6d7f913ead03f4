// What the tests of catalogue files share: they are sent and fetched as their bytes are.
import type request from 'supertest';
import { expect } from 'vitest';
import type { TestApp } from './app.js';
import { query } from './sql.js';

export const CSV = 'text/csv';
const JSON_TYPE = 'application/json';

/** The catalogue as a file, as it came. */
export async function exportFile(app: TestApp, parameters: string): Promise<string> {
  const answer = await app.get(`/catalog/export?${parameters}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

/** Sends a file: text or bytes as CSV, anything else as JSON. */
export function importFile(
  app: Pick<TestApp, 'post'>,
  file: string | Buffer | object,
  parameters = '',
  type = typeof file === 'string' || Buffer.isBuffer(file) ? CSV : JSON_TYPE,
): request.Test {
  return app.post(`/catalog/import${parameters === '' ? '' : `?${parameters}`}`, file, { 'content-type': type });
}

/** Takes all products and offers away, which nothing else may, as if there had never been any. */
export async function clearCatalogue({ url }: TestApp): Promise<void> {
  await query(
    url,
    `SET session_replication_role = replica;
     TRUNCATE catalog_names, products, product_features, offers, offer_items`,
  );
}
