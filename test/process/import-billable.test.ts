// npm run import:billable: a shop of the Django module is moved in, by the script and as callers see it afterwards.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startTestApp, TestClock } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { beginToMoveIn, dump, fillSource, makeSource, moveIn, type Ran, runScript } from '../support/billable.js';
import { createEmptyDatabase, type TestDatabase, useTestDatabase, useTestDatabases } from '../support/database.js';
import { ask } from '../support/parallel.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

/** Each run is a process, of which a test has up to four. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const newDatabase = useTestDatabases();
const HEAD = 'user\tcustomer\tproduct\told\tnew\tdifference\n';
const BASE = '/api/v1/billing';

/** The service over what was moved in, at the present time. */
async function serve(url: string): Promise<{
  // biome-ignore lint/suspicious/noExplicitAny: what answers hold is compared as it comes
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>;
}> {
  const clock = new TestClock();
  clock.set(new Date());
  const running = await startTestApp(url, clock);
  onTestFinished(() => running.close());
  return {
    call: async (method, path, body) => {
      const answer = await fetch(`${running.app.listeningOrigin}${BASE}${path}`, {
        method,
        headers: { authorization: 'Bearer a-token-that-only-tests-use', 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    },
  };
}

describe('a shop that is moved in', () => {
  const database = useTestDatabase();
  let url: string;
  let source: TestDatabase;
  let ran: Ran;
  beforeAll(async () => {
    url = database.url;
    source = await fillSource('schema', 'shop');
    ran = await moveIn(url, source.url);
  });
  afterAll(() => source.drop());

  it('is the same after a second run', async () => {
    const before = await dump(url);
    const { code, stdout } = await moveIn(url, source.url);
    expect(await dump(url)).toBe(before);
    expect(code).toBe(0);
    expect(stdout).toContain('moved in: nothing\n');
  });

  it('has its catalogue, its customers and all that they own', async () => {
    const { code, stdout, stderr } = ran;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(HEAD);
    expect(stdout).toMatch(/^1\t\S{36}\tTEST_STAR\t40\t40\t0$/m);
    expect(stdout).toMatch(/^3\t\S{36}\tLIFETIME\tfor ever\tfor ever\t0$/m);
    expect(stdout).toContain('0 differ');
    expect(stdout).toContain('moved in: 5 products, 4 offers, 3 used trials, 4 customers, 5 identities, 4 orders');
    const service = await serve(url);
    const wallet = async (who: string) => (await service.call('GET', `/wallet?${who}`)).body;
    const ada = await wallet('external_id=1001&provider=telegram');
    expect(ada.balances).toEqual({ TEST_PREDICTION: 5, TEST_STAR: 40 });
    // By whatever name she went by there.
    expect((await wallet('user_id=1')).customer_id).toBe(ada.customer_id);
    expect((await wallet('external_id=ada%40mail.example&provider=email')).customer_id).toBe(ada.customer_id);
    expect((await wallet('user_id=2')).balances).toEqual({ RETIRED: 9, TEST_STAR: 1 });
    const { access } = await wallet('external_id=7&provider=vk');
    expect(access).toEqual({ LIFETIME: { until: null }, VIP: { until: expect.any(String) } });
    const offer = (await service.call('GET', '/offers/PACK_STARS')).body;
    expect(offer).toMatchObject({
      price: '19.99',
      currency: 'EUR',
      image: 'billable/offers/stars.png',
      metadata: { tier: 1 },
    });
    expect(offer.items).toMatchObject([
      { product_key: 'TEST_STAR', quantity: 100, period_unit: 'months', period_value: 3, stacking: 'parallel' },
      { product_key: 'TEST_PREDICTION', quantity: 5, period_unit: 'forever' },
    ]);
    expect((await service.call('GET', '/products/RETIRED')).body.is_active).toBe(false);
    const referrals = (await service.call('GET', '/referrals?user_id=1')).body.data;
    expect(referrals).toMatchObject([{ metadata: { campaign: 'may', billable_bonus_granted: true } }]);
  });

  it('keeps its orders as they ended, and their payments pay nothing again', async () => {
    const service = await serve(url);
    const orders = (await service.call('GET', '/orders')).body.data;
    const told = orders.map((order: Record<string, Record<string, unknown>>) => [
      order.metadata?.billable_order_id,
      order.status,
      order.total_amount,
      order.currency,
    ]);
    expect(told).toEqual([
      ['4', 'paid', '9.90', 'RUB'],
      ['3', 'expired', '1', 'XTR'],
      ['2', 'cancelled', '2', 'XTR'],
      ['1', 'paid', '19.99', 'EUR'],
    ]);
    const [, , cancelled, paid] = orders;
    expect(cancelled).toMatchObject({ cancel_reason: 'changed her mind', cancelled_at: null });
    expect(paid).toMatchObject({
      payment_method: 'telegram_payments',
      payment_id: 'charge-1',
      metadata: { report_id: 7, billable_currency: 'RUB' },
    });
    expect(Date.parse(paid.created_at)).toBeLessThan(Date.now() - 59 * 86_400_000);
    const payment = { payment_id: 'charge-1', payment_method: 'telegram' };
    const before = await dump(url);
    const again = await service.call('POST', `/orders/${paid.id}/confirm`, payment);
    expect([again.status, again.body.id, again.body.batches]).toEqual([200, paid.id, []]);
    expect(await dump(url)).toBe(before);
    const { body: placed } = await service.call('POST', '/orders', { user_id: 1, items: [{ sku: 'PACK_STARS' }] });
    const other = await service.call('POST', `/orders/${placed.id}/confirm`, payment);
    expect([other.status, other.body.code]).toEqual([409, 'payment_already_used']);
  });

  it('gives nobody a second trial who had one there, however his hash was made', async () => {
    const service = await serve(url);
    await service.call('PUT', '/offers/TASTE', {
      name: 'A taste',
      price: '0',
      currency: 'EUR',
      trial_policy: { scope: 'offer' },
      items: [{ product_key: 'TEST_STAR' }],
    });
    const claim = (body: object) => service.call('POST', '/grants', { grant_type: 'trial', sku: 'TASTE', ...body });
    const refused = async (body: object) => {
      const answer = await claim(body);
      return [answer.status, answer.body.code, answer.body.identity_type];
    };
    expect(await refused({ provider: 'telegram', external_id: '1001' })).toEqual([
      409,
      'trial_already_used',
      'telegram',
    ]);
    // By another name of hers.
    expect(await refused({ user_id: 1 })).toEqual([409, 'trial_already_used', 'telegram']);
    expect(await refused({ provider: 'vk', external_id: '7' })).toEqual([409, 'trial_already_used', 'vk']);
    expect(await refused({ external_id: 'new', identities: { Device: ' A1B2C3 ' } })).toEqual([
      409,
      'trial_already_used',
      'device',
    ]);
    // The same value of another kind is somebody else.
    expect((await claim({ provider: 'vk', external_id: '1001' })).status).toBe(201);
    expect((await claim({ provider: 'telegram', external_id: '1002' })).status).toBe(201);
    const known = await service.call('POST', '/identify', { provider: 'telegram', external_id: '1001' });
    expect(known.body.trial_eligible).toBe(false);
  });

  it('has records of all that was there in its archive', async () => {
    const rows = await ask(
      url,
      `SELECT a.kind, a.source_id, a.data FROM archived_records a JOIN identities i USING (customer_id) WHERE i.provider = 'user_id' AND i.external_id = '1' ORDER BY 1, 2`,
    );
    expect(rows.map(({ kind, source_id }) => `${kind} ${String(source_id).slice(-1)}`)).toEqual([
      ...['batch 1', 'batch 2', 'batch 3', 'batch 4', 'entry 1', 'entry 2', 'entry 3', 'order 1', 'order 2'],
    ]);
    expect(rows[5]?.data).toMatchObject({
      product: 'TEST_STAR',
      amount: 60,
      direction: 'DEBIT',
      action_type: 'predict',
      object_id: 'report-7',
      metadata: { idempotency_key: 'k1' },
    });
    expect(rows[7]?.data).toMatchObject({
      total_amount: '19.99',
      currency: 'RUB',
      items: [{ sku: 'PACK_STARS', quantity: 1, price: '19.99' }],
    });
  });

  it('has referrals that earn nothing, neither by an order nor told again; others do', async () => {
    const service = await serve(url);
    const post = (path: string, body: unknown) => service.call('POST', path, body);
    const promise = (trigger: string) =>
      service.call('PUT', `/referral-programs/${trigger}`, { trigger, referrer: { sku: 'PACK_STARS' } });
    for (const trigger of ['on_attach', 'on_first_paid_order']) expect((await promise(trigger)).status).toBe(201);
    const buy = async (external_id: string, provider: string) => {
      const { body } = await post('/orders', { external_id, provider, items: [{ sku: 'PACK_STARS' }] });
      const paid = await post(`/orders/${body.id}/confirm`, { payment_id: `paid-by-${external_id}` });
      expect(paid.status).toBe(200);
    };
    const earned = async () => (await service.call('GET', '/referrals/rewards')).body.data;
    const referrer = { provider: 'user_id', referrer_external_id: '1' };
    expect((await post('/referrals', { ...referrer, referee_external_id: '6' })).status).toBe(200);
    await buy('6', 'user_id');
    expect(await earned()).toEqual([]);
    await post('/identify', { provider: 'user_id', external_id: 'new-here' });
    expect((await post('/referrals', { ...referrer, referee_external_id: 'new-here' })).status).toBe(201);
    expect(await earned()).toMatchObject([{ program_key: 'on_attach', side: 'referrer' }]);
  });
});

describe('a dry run', () => {
  it('writes nothing, and says what the real one does then', async () => {
    const url = await newDatabase();
    const source = await makeSource('schema', 'shop', 'defects');
    const before = await dump(url);
    const dry = await moveIn(url, source, '--dry-run');
    expect(await dump(url)).toBe(before);
    expect(dry.stdout).toContain('nothing was written');
    const real = await moveIn(url, source);
    const left = (text: string) =>
      text.split('\n').filter((line) => /^(?:left out|carried otherwise|noted): /.test(line));
    const ids = (text: string) =>
      text
        .replaceAll(/ \([^)]*\)/g, '')
        .split('\n')
        .filter((line) => line.startsWith('  '));
    // Of referrals only the service knows who has a referrer.
    const isKnown = (line: string) => !line.includes('referral_refused');
    expect(left(dry.stdout).filter(isKnown)).toEqual(left(real.stdout).filter(isKnown));
    expect(ids(dry.stdout).length).toBeGreaterThan(10);
    expect([dry.code, real.code]).toEqual([1, 1]);
  });
});

describe('what can’t be moved in', () => {
  it('is listed with ids and counts, and shows in the balances; the rest is moved in', async () => {
    const url = await newDatabase();
    const { code, stdout } = await moveIn(url, await makeSource('schema', 'shop', 'defects'));
    expect(code).toBe(1);
    await auditInvariants(url);
    const lines = stdout.split('\n');
    const found = Object.fromEntries(
      lines.flatMap((line, index) => {
        const kind = /^(?:left out|carried otherwise|noted): (\d+) .*\[(\w+)\]$/.exec(line);
        return kind ? [[kind[2], `${kind[1]}: ${lines[index + 1]?.trim().replaceAll(/ \([^)]*\)/g, '')}`]] : [];
      }),
    );
    const batch = (last: string) => `00000000-0000-7000-8000-0000000000${last}`;
    expect(found).toEqual({
      product_without_key: '1: 20',
      product_invalid: '1: 21',
      offer_invalid: '2: HALF_STARS, VIP',
      offer_period_without_end: '1: NO_END',
      offer_of_product_left: '1: KEYLESS',
      identity_without_user: '1: 20',
      identity_invalid: '1: 21',
      identity_taken: '1: 22',
      batch_negative: `1: ${batch('20')}`,
      batch_period_without_end: `1: ${batch('21')}`,
      batch_of_product_left: `2: ${batch('22')}, ${batch('23')}`,
      batch_valid_later: `1: ${batch('05')}`,
      batch_access_used: `1: ${batch('25')}`,
      order_pending: '1: 25',
      order_refunded: '1: 21',
      order_reopened: '1: 22',
      order_paid_twice: '1: 20',
      order_without_payment: '1: 24',
      order_negative: '1: 23',
      order_incomplete: '2: 26, 27',
      order_expired: '1: 3',
      order_currency: '3: 1, 2, 3',
      trial_invalid: '1: 4',
      trial_offers: '1: GET_TEST_STAR',
      referral_refused: '3: 20, 21, 22',
    });
    const differing = lines.filter((line) => /^4\t/.test(line)).map((line) => line.split('\t').slice(2).join(' '));
    expect(differing).toEqual([
      'ODD KEY 2 none -2',
      'TEST_PREDICTION 2 2 0',
      'TEST_STAR -3 none 3',
      'VIP for ever none differs',
      'product 20 1 none -1',
    ]);
    expect(stdout).toMatch(/\d+ balances compared, 4 differ\n$/);
  });

  it('is moved in by a later run once it is mended there; what was used there since is told', async () => {
    const url = await newDatabase();
    const source = await makeSource('schema', 'shop', 'defects');
    await moveIn(url, source);
    await query(
      source,
      `UPDATE billable_quota_batches SET remaining_quantity = 3 WHERE id = '00000000-0000-7000-8000-000000000020';
       UPDATE billable_quota_batches SET remaining_quantity = 1 WHERE id = '00000000-0000-7000-8000-000000000024'`,
    );
    const { code, stdout } = await moveIn(url, source);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^4\t\S{36}\tTEST_STAR\t3\t3\t0$/m);
    expect(stdout).toMatch(/^4\t\S{36}\tTEST_PREDICTION\t1\t2\t1$/m);
    expect(stdout).toMatch(/^left out: 1 batches .*\[batch_changed\]\n {2}00000000-0000-7000-8000-000000000024 /m);
  });
});

describe('a customer who was here before', () => {
  it('gets what he had there, by the identity that both know', async () => {
    const url = await newDatabase();
    const service = await serve(url);
    const { body: here } = await service.call('POST', '/identify', { provider: 'telegram', external_id: '1001' });
    expect((await moveIn(url, await makeSource('schema', 'shop'))).code).toBe(0);
    const { body: wallet } = await service.call('GET', '/wallet?user_id=1');
    expect([wallet.customer_id, wallet.balances.TEST_STAR]).toEqual([here.customer_id, 40]);
  });
});

/** More customers than one page, each with an order, two batches, three entries and an identity, and brought by the one before. */
const MANY = `
INSERT INTO auth_user (id, username) SELECT n, 'many_' || n FROM generate_series(1000, 1249) n;
INSERT INTO billable_external_identities (id, provider, external_id, user_id, metadata, created_at, updated_at)
SELECT n, 'telegram', 'many-' || n, n, '{}', now(), now() FROM generate_series(1000, 1249) n;
INSERT INTO billable_orders (id, user_id, total_amount, currency, status, payment_method, payment_id, metadata, created_at, paid_at)
SELECT n, n, 19.99, 'EUR', 'paid', 'provider_payments', 'many-' || n, '{}', now() - interval '2 days', now() - interval '1 day' FROM generate_series(1000, 1249) n;
INSERT INTO billable_order_items (id, order_id, offer_id, quantity, price) SELECT n, n, 3, 1, 19.99 FROM generate_series(1000, 1249) n;
INSERT INTO billable_quota_batches (id, user_id, product_id, source_offer_id, order_item_id, initial_quantity, remaining_quantity, valid_from, expires_at, state, created_at)
SELECT gen_random_uuid(), n, p, 3, n, 100, n % 90 + 1, now() - interval '1 day', CASE p WHEN 1 THEN now() + interval '30 days' END, 'ACTIVE', now() - interval '1 day'
FROM generate_series(1000, 1249) n, generate_series(1, 2) p;
INSERT INTO billable_transactions (id, user_id, quota_batch_id, amount, direction, action_type, created_at, metadata)
SELECT gen_random_uuid(), user_id, id, initial_quantity, 'CREDIT', 'purchase', created_at, '{}' FROM billable_quota_batches WHERE user_id >= 1000;
INSERT INTO billable_referrals (id, referrer_id, referee_id, bonus_granted, created_at, metadata)
SELECT n, n - 1, n, true, now() - interval '1 day', '{}' FROM generate_series(1001, 1249) n`;

describe('an import', () => {
  it('that was killed is gone on with by the next, and comes to the same', async () => {
    const url = await newDatabase();
    const source = await makeSource('schema', 'shop');
    await query(source, MANY);
    const countOf = async (table: string) =>
      Number((await ask(url, `SELECT count(*) AS count FROM ${table}`))[0]?.count);
    /** Begins to move in, and is cut when there are more than `few` of something; how many there were in the end. */
    const cutAt = async (table: string, few: number): Promise<number> => {
      const child = beginToMoveIn(url, source);
      await waitFor(`some ${table}`, async () => (await countOf(table)) > few);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await waitFor('the end of its sessions', async () => {
        const rows = await query(
          url,
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('bursar', 'bursar-import')`,
        );
        return rows.length === 0;
      });
      return countOf(table);
    };
    const movedIn = () => countOf('customers');
    const cut = await cutAt('customers', 20);
    expect(await cutAt('referrals', 20), 'it was cut among the referrals').toBeLessThan(250);
    await auditInvariants(url);
    const { code, stdout } = await moveIn(url, source);
    expect(cut, 'it was cut while it worked').toBeLessThan(254);
    expect([code, await movedIn()]).toEqual([0, 254]);
    expect(stdout).toContain('0 differ');
    await auditInvariants(url);
    const counts = `SELECT (SELECT count(*) FROM batches) AS batches, (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM entries) AS entries,
                    (SELECT count(*) FROM archived_records) AS archived, (SELECT count(*) FROM referrals) AS referrals, (SELECT sum(available) FROM balances) AS units`;
    const whole = await newDatabase();
    await moveIn(whole, source);
    expect(await ask(url, counts)).toEqual(await ask(whole, counts));
  });

  it('is refused while another one works', async () => {
    const url = await newDatabase();
    const source = await makeSource('schema', 'shop');
    const before = await dump(url);
    const holding = new pg.Client({ connectionString: url });
    await holding.connect();
    await holding.query('SELECT pg_advisory_lock(7240002)');
    const { code, stderr } = await moveIn(url, source).finally(() => holding.end());
    expect([code, stderr]).toEqual([
      1,
      'import:billable: another import works on this database: wait for its end, then run it again\n',
    ]);
    expect(await dump(url)).toBe(before);
  });

  it('of a source that is read-only writes all balances to a file, if one is named, and says only what differs', async () => {
    const url = await newDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'bursar-report-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'balances.tsv');
    const source = await makeSource('schema', 'shop');
    // It is only read from, and may be a standby.
    await query(source, `ALTER DATABASE ${new URL(source).pathname.slice(1)} SET default_transaction_read_only = on`);
    const { code, stdout } = await moveIn(url, source, '--report', file);
    expect([code, stdout.includes('\t')]).toEqual([0, false]);
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${HEAD}1\t\\S{36}\tTEST_PREDICTION\t5\t5\t0\n`));
  });
});

describe('bad input', () => {
  it.each([
    ['a word', ['--source', 'billable'], /^import:billable: --source must be a URL such as/],
    ['another protocol', ['--source', 'https://shop.example/db'], /^import:billable: --source must be a URL such as/],
    [
      'a source that is not there',
      ['--source', 'postgresql://127.0.0.1:1/shop'],
      /nothing listens there.*\(see --source\)\n$/,
    ],
    ['an unknown option', ['--source', 'postgresql://h/d', '--force'], /^import:billable: .*--force.*\nusage: /s],
  ])('is refused: %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await runScript('postgresql://127.0.0.1:1/nobody', 'import-billable', args);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('a source without the module’s tables, of another version, or without customers is named', async () => {
    const url = await newDatabase();
    const source = await makeSource();
    const told = async () => (await moveIn(url, source)).stderr;
    expect(await told()).toMatch(/has no tables of the Django module/);
    await query(
      source,
      'CREATE TABLE billable_products (id bigint, sku text, name text, description text, product_type text, is_active boolean, metadata jsonb)',
    );
    expect(await told()).toMatch(
      /is of another version of the module: it lacks the table billable_offers, .*the column billable_products\.product_key,/,
    );
    const empty = await makeSource('schema');
    expect((await moveIn(url, empty)).stderr).toBe(
      'import:billable: the source has no customers: is it the right database? Nothing was moved\n',
    );
  });

  it('a database to move into that is read-only, or of an older version, is refused', async () => {
    const url = await newDatabase();
    const source = await makeSource('schema', 'shop');
    const name = new URL(url).pathname.slice(1);
    await query(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect((await moveIn(url, source)).stderr).toMatch(/^import:billable: the database takes no writes/);
    const empty = await createEmptyDatabase();
    onTestFinished(() => empty.drop());
    expect((await moveIn(empty.url, source)).stderr).toMatch(
      /^import:billable: the database lacks tables of this version of Bursar: run "npm run migrate"/,
    );
  });
});
