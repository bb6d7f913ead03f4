// Erasing a customer (DOMAIN 3.10): nothing is open, nothing is left, nothing personal stays; what payment providers tell later is recorded as money only.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, useTestApp } from '../support/app.js';
import { expectProblem, findInTables, newPerson } from '../support/requests.js';
import { makeRichCatalogue, makeRichCustomer } from '../support/rich-customer.js';

const app = useTestApp();
beforeAll(() => makeRichCatalogue(app));

const erase = (id: string) => app.delete(`/customers/${id}`);
let number = 0;
const newMark = () => `mark${++number}x${newPerson().replaceAll(/[^a-z0-9]/g, '')}`;

describe('DELETE /customers/{id}', () => {
  it('ends what is open and revokes what is left of the family, and leaves nothing personal in any table', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    expect((await findInTables(app, mark)).length).toBeGreaterThan(10);
    const erased = await erase(rich.id);
    expect(erased.status, erased.text).toBe(200);
    expect(erased.body).toMatchObject({
      customer_id: rich.id,
      erased_at: expect.any(String),
      blanked_at: expect.any(String),
      closed: { identities: 3, orders: 2, reservations: 2, subscriptions: 1, batches: expect.any(Number) },
    });
    expect(await findInTables(app, mark)).toEqual([]);
    const shown = await app.get(`/customers/${rich.id}`);
    expect(shown.body).toMatchObject({ id: rich.id, identities: [], metadata: {}, erased_at: erased.body.erased_at });
  });
});
