// What a start asks of a session before it writes anything, with databases, roles and URLs that set something else.
import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { guardSession } from '../../src/db/session-guard.js';
import { useTestDatabase } from '../support/database.js';
import { startPoolingProxy } from '../support/pooling-proxy.js';
import { query } from '../support/sql.js';

const database = useTestDatabase();
const log = pino({ level: 'silent' });

/** Looks at sessions of this URL as a start does. */
async function guard(url: string, isPrepared = true): Promise<void> {
  const db = createDb(url, log, { isPrepared });
  try {
    await guardSession(db, url);
  } finally {
    await db.close();
  }
}

const withParameter = (name: string, value: string): string => {
  const url = new URL(database.url);
  url.searchParams.set(name, value);
  return url.toString();
};

describe('a session of its own', () => {
  beforeAll(async () => {
    const name = new URL(database.url).pathname.slice(1);
    for (const setting of [
      "timezone = 'Asia/Kathmandu'",
      "DateStyle = 'SQL, DMY'",
      "client_encoding = 'LATIN1'",
      "default_transaction_isolation = 'serializable'",
      'lock_timeout = 1',
    ])
      await query(database.url, `ALTER DATABASE ${name} SET ${setting}`);
  });

  it.each([true, false])('has the settings whatever the database says (prepared: %s)', async (isPrepared) => {
    await guard(database.url, isPrepared);
  });

  it('is refused when the URL has other ones', async () => {
    await expect(guard(withParameter('lock_timeout', '7'))).rejects.toThrow(
      /session has lock_timeout "7" instead of 15000: remove what sets it in DATABASE_URL or in the connection pooler/,
    );
  });

  it('is refused with a database that takes no writes', async () => {
    await expect(guard(withParameter('options', '-c default_transaction_read_only=on'))).rejects.toThrow(
      'the database takes no writes',
    );
  });

  it('has no options of the URL where they would be lost', async () => {
    await expect(guard(withParameter('options', '-c work_mem=5MB'), false)).rejects.toThrow(
      'DATABASE_URL must have no options with BURSAR_PREPARED=false',
    );
  });
});

describe('a session that a pooler hands on', () => {
  const SETTINGS =
    '-c DateStyle=ISO -c client_encoding=UTF8 -c jit=off -c plan_cache_mode=force_generic_plan -c lock_timeout=15000 -c statement_timeout=20000 -c idle_in_transaction_session_timeout=30000 -c default_transaction_isolation=read\\ committed';

  it('is refused for the settings that were lost on the way', async () => {
    const url = await startPoolingProxy(database.url, 2, '-c TimeZone=Asia/Tokyo');
    await expect(guard(url)).rejects.toThrow(
      /session has TimeZone "Asia\/Tokyo" instead of UTC.*lock_timeout "1" instead of 15000.*BURSAR_PREPARED=false/,
    );
  });

  it.each(['Etc/UTC', 'GMT', 'Zulu', 'Universal'])('may call UTC %s', async (zone) => {
    const url = await startPoolingProxy(database.url, 2, `${SETTINGS} -c TimeZone=${zone}`);
    await expect(guard(url)).rejects.toThrow('loses prepared statements');
  });

  it.each([1, 2, 3, 7])('is refused because it loses prepared statements, with %i of them', async (size) => {
    const url = await startPoolingProxy(database.url, size, `${SETTINGS} -c TimeZone=UTC`);
    await expect(guard(url)).rejects.toThrow(
      /loses prepared statements: behind a pooler in transaction mode set BURSAR_PREPARED=false/,
    );
    await guard(url, false);
  });
});
