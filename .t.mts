import { createDb } from './src/db/client.ts';
import { pino } from 'pino';
import { readFileSync } from 'node:fs';
const db = createDb(readFileSync('/tmp/dev/url','utf8').trim(), pino());
console.log(await db.query(`select 5::bigint a, now() t, 1.5::numeric n, '{"a":1}'::jsonb j, null x, show_tz.* from (select current_setting('TimeZone') z, current_setting('default_transaction_isolation') iso) show_tz`));
console.log(await db.transaction(tx => tx.query(`select 5::bigint a, now() t, 1.5::numeric n, '{"a":1}'::jsonb j, null x, $1::json k, $2::uuid[] u, sum(9007199254740991::bigint) s`, ['{"b":[1,2]}', ['0190a0a0-0000-7000-8000-000000000000']])));
for (const f of [
 (tx) => tx.query(`insert into customers(id,last_recorded_at,created_at) values ($1::uuid,now(),now()),($1::uuid,now(),now())`, ['0190a0a0-0000-7000-8000-000000000000']),
 (tx) => tx.query(`select 1/0`),
 (tx) => tx.query(`insert into catalog_names values ('x','y')`),
 (tx) => tx.query(`select pg_terminate_backend(pg_backend_pid())`),
]) { try { await db.transaction(f as any) } catch (e) { console.log(e.name, e.code, JSON.stringify(e.meta?.driverAdapterError?.cause ?? e.meta), e.message.slice(0,100)); }
 try { await f(db) } catch (e) { console.log('pool', e.name, e.code, e.constraint, e.message); } }
await db.close();
