// Our hash of a customer's id is the database's, and what he owns carries it in its id.
import { describe, expect, it } from 'vitest';
import { uuidIds } from '../../src/lib/ids.js';
import { uuidHash } from '../../src/lib/uuid-hash.js';
import { useTestApp } from '../support/app.js';

const app = useTestApp();
const COUNT = 2_000;

describe('the hash of a UUID', () => {
  it('is the one of the database', async () => {
    const rows = await app.deps.db.query<{ id: string; hash: number }>(
      `SELECT id, uuid_hash(id)::bigint & 4294967295 AS hash FROM (
         SELECT gen_random_uuid() AS id FROM generate_series(1, $1::int)
         UNION ALL VALUES ('00000000-0000-0000-0000-000000000000'::uuid), ('ffffffff-ffff-ffff-ffff-ffffffffffff')) u`,
      [COUNT],
    );
    expect(rows).toHaveLength(COUNT + 2);
    expect(rows.map(({ id }) => uuidHash(id))).toEqual(rows.map(({ hash }) => hash));
  });

  it('has its first 12 bits in the last of the ids of what a customer owns, which stay in order', () => {
    const customerId = uuidIds.next();
    const digits = uuidHash(customerId).toString(16).padStart(8, '0').slice(0, 3);
    const own = uuidIds.ownedBy(customerId);
    const made = Array.from({ length: COUNT }, () => own.next());
    expect(made.filter((id) => !id.endsWith(digits))).toEqual([]);
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(COUNT);
    expect(own.of(made[0] as string, 'something')).toMatch(new RegExp(`${digits}$`));
  });
});
