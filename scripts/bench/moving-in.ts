// What moving in takes: makes a database of the Django module with many customers, moves it in by the script, and prints seconds and the script's memory, of
// the first run and of one more that finds everything. Each customer has an identity, an order, two batches, four entries and a used trial; one in ten was brought by
// another one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { residentBytes, type Server, withClient } from './processes.js';
import { processorSecondsOf } from './processor.js';
import { printTable, wholeNumber } from './report.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const SCHEMA = join(PROJECT, 'test/fixtures/billable/schema.sql');
const MIB = 1_024 * 1_024;
const LOOK_MS = 200;

/** $1 is how many customers. */
const FILL = `
INSERT INTO auth_user (id, username) SELECT n, 'user_' || n FROM generate_series(1, $1) n;
INSERT INTO billable_products (id, product_key, name, description, product_type, is_active, is_currency, created_at, metadata)
VALUES (1, 'STARS', 'Stars', '', 'quantity', true, false, now(), '{}'), (2, 'VIP', 'VIP', '', 'period', true, false, now(), '{}');
INSERT INTO billable_offers (id, sku, name, price, currency, description, is_active, created_at, metadata)
VALUES (1, 'PACK', 'Stars', 19.99, 'EUR', '', true, now(), '{}');
INSERT INTO billable_offer_items (offer_id, product_id, quantity, period_unit) VALUES (1, 1, 100, 'forever');
INSERT INTO billable_external_identities (id, provider, external_id, user_id, metadata, created_at, updated_at)
SELECT n, 'telegram', (1000000 + n)::text, n, jsonb_build_object('username', 'user_' || n), now(), now() FROM generate_series(1, $1) n;
INSERT INTO billable_orders (id, user_id, total_amount, currency, status, payment_method, payment_id, metadata, created_at, paid_at)
SELECT n, n, 19.99, 'RUB', 'paid', 'provider_payments', 'ch_' || n, '{}', now() - interval '9 days', now() - interval '9 days' FROM generate_series(1, $1) n;
INSERT INTO billable_order_items (id, order_id, offer_id, quantity, price) SELECT n, n, 1, 1, 19.99 FROM generate_series(1, $1) n;
INSERT INTO billable_quota_batches (id, user_id, product_id, source_offer_id, order_item_id, initial_quantity, remaining_quantity, valid_from, expires_at,
                                    state, created_at)
SELECT uuidv7(), n, p, 1, n, 100, CASE p WHEN 1 THEN n % 90 + 1 ELSE 1 END, now() - interval '9 days', now() + interval '30 days', 'ACTIVE',
       now() - interval '9 days'
FROM generate_series(1, $1) n, generate_series(1, 2) p;
INSERT INTO billable_transactions (id, user_id, quota_batch_id, amount, direction, action_type, created_at, metadata)
SELECT uuidv7(), user_id, id, 1, CASE k WHEN 1 THEN 'CREDIT' ELSE 'DEBIT' END, 'usage', created_at, '{}'
FROM billable_quota_batches, generate_series(1, 2) k;
INSERT INTO billable_trial_history (identity_type, identity_hash, trial_plan_name, used_at, created_at)
SELECT 'telegram', encode(sha256((1000000 + n)::text::bytea), 'hex'), 'Stars', now(), now() FROM generate_series(1, $1) n;
INSERT INTO billable_referrals (id, referrer_id, referee_id, bonus_granted, created_at, metadata)
SELECT n / 10, n / 10, n, true, now() - interval '9 days', '{}' FROM generate_series(10, $1, 10) n;
ANALYZE`;

/** Prints what the first run takes, and one more that finds everything; then the moved in database is audited. */
export async function measureMovingIn(server: Server, customers: number): Promise<string> {
  const source = await server.createEmptyDatabase('shop');
  await withClient(source, async (client) => {
    await client.query(readFileSync(SCHEMA, 'utf8'));
    await client.query(FILL.replaceAll('$1', String(customers)));
  });
  const target = await server.createDatabase('moved_in');
  const rows: string[][] = [];
  for (const what of ['first run', 'run again']) {
    const { seconds, processorSeconds, memory } = await moveIn(target, source);
    const quarters = [1, 2, 3, 4].map((quarter) => memory[Math.ceil((memory.length * quarter) / 4) - 1] ?? 0);
    const perS = (customers / seconds).toFixed(0);
    rows.push([
      what,
      seconds.toFixed(0),
      perS,
      processorSeconds.toFixed(0),
      quarters.join(', '),
      String(Math.max(...memory)),
    ]);
  }
  const columns = ['', 's', 'customers a second', 'processor s of the script', 'MiB after each quarter', 'at most'];
  printTable(`Moving in of ${wholeNumber(customers)} customers`, columns, rows);
  return target;
}

/** Runs the script; its resident memory in MiB, looked at again and again. */
async function moveIn(
  url: string,
  source: string,
): Promise<{ seconds: number; processorSeconds: number; memory: number[] }> {
  const args = ['--import', 'tsx', 'scripts/import-billable.ts', '--source', source, '--report', '/dev/null'];
  const startMs = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const memory: number[] = [];
  let used = 0;
  const looking = setInterval(() => {
    const bytes = residentBytes(child.pid as number);
    if (bytes === undefined) return; // it is ending
    memory.push(Math.round(bytes / MIB));
    used = processorSecondsOf(child.pid as number) ?? used;
  }, LOOK_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`the import ended with ${code}`);
  return { seconds: (performance.now() - startMs) / 1_000, processorSeconds: used, memory };
}
