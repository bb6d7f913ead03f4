// Files of the catalogue that are larger than is written at a time: still all or nothing, and what is told of them has one order.
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.js';
import { putProduct, useTestApp } from '../support/app.js';
import { importFile } from '../support/catalog-file.js';
import { untilTold } from '../support/events.js';
import { ask, holdTransaction } from '../support/parallel.js';
import { expectProblem, writtenBy } from '../support/requests.js';
import { clientOf } from '../support/shared-transactions.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
/** More than two pieces. */
const MANY = 2_500;

const offersFile = (nameOf: (index: number) => string, price = '9.99') =>
  `sku,name,price,currency\n${Array.from({ length: MANY }, (_, index) => `${nameOf(index)},Offer ${index},${price},USD\n`).join('')}`;
const productsFile = (isActive: boolean) =>
  `product_key,name,product_type,is_active\n${Array.from({ length: MANY }, (_, index) => `PART_${index},Part ${index},quantity,${isActive}\n`).join('')}`;

describe('a file of more records than are written at a time', () => {
  it('is imported as a whole', async () => {
    const first = await importFile(
      app,
      offersFile((index) => `MANY_${index}`),
    );
    expect(first.body.offers).toEqual({ created: MANY, updated: 0, unchanged: 0 });
    const again = await importFile(
      app,
      offersFile((index) => `MANY_${index}`, '8.99'),
    );
    expect(again.body.offers).toEqual({ created: 0, updated: MANY, unchanged: 0 });
    expect(await ask(app.url, `SELECT count(*)::int AS count FROM offers WHERE price = 8.99`)).toEqual([
      { count: MANY },
    ]);
  });

  it('writes nothing when one of the last is refused for what the catalogue has', async () => {
    await putProduct(app, 'TAKEN');
    const written = await writtenBy(app, async () => {
      const answer = await importFile(
        app,
        offersFile((index) => (index === MANY - 2 ? 'TAKEN' : `OTHER_${index}`)),
      );
      expectProblem(answer, 400, 'invalid_catalog');
      expect(answer.body.errors).toMatchObject([{ code: 'name_taken', record: MANY - 1, line: MANY }]);
    });
    expect(written).toEqual({});
  });

  it('tells of each product that was retired, once and in order', async () => {
    expect((await importFile(app, productsFile(true))).status).toBe(200);
    expect((await importFile(app, productsFile(false))).body.products.updated).toBe(MANY);
    await untilTold(app);
    const rows = await ask(
      app.url,
      `SELECT data->>'productKey' AS key FROM events WHERE type = 'product.deactivated' ORDER BY number`,
    );
    expect(rows.map(({ key }) => key)).toEqual(Array.from({ length: MANY }, (_, index) => `PART_${index}`));
  });
});

it('an import that gets no answer in its own time is told so, and others have theirs', async () => {
  const impatient = await buildApp(app.deps, { answerTimeoutMs: 60_000, longAnswerTimeoutMs: 200 });
  await impatient.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => impatient.close());
  const held = await holdTransaction(app.url);
  await held.query('LOCK TABLE catalog_names IN ACCESS EXCLUSIVE MODE');
  const late = await importFile(clientOf(impatient), 'product_key,name,product_type\nLATE,Late,quantity\n');
  await held.rollback();
  expectProblem(late, 503, 'unavailable');
  await waitFor('the import', async () => (await app.get('/products/LATE')).status === 200);
});
