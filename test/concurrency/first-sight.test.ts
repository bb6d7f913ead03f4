// First sights of one identity at once: whatever the requests want, one customer comes of them.
import { beforeAll, describe, expect, it } from 'vitest';
import { putOffer, putProduct, type TestApp, useTestApp } from '../support/app.js';
import { ask, balanceOf, type Client, sendTogether, tally, useSecondApp } from '../support/parallel.js';

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const clientOf = (index: number): Client => (index % 2 ? app : second);

const countOf = async (url: TestApp['url'], sql: string): Promise<number> =>
  Number((await ask(url, `SELECT count(*) FROM ${sql}`))[0]?.count);

/** How many customers, and identities, came to be while `work` ran. */
async function newcomers(work: () => Promise<void>): Promise<{ customers: number; identities: number }> {
  const before = [await countOf(app.url, 'customers'), await countOf(app.url, 'identities')] as const;
  await work();
  return {
    customers: (await countOf(app.url, 'customers')) - before[0],
    identities: (await countOf(app.url, 'identities')) - before[1],
  };
}

describe('25 first sights of one identity at once', () => {
  it('make one customer by identify, and tell one caller so', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(25, (index) =>
        clientOf(index).post('/identify', { provider: 'telegram', external_id: 4711 }),
      );
      expect(tally(answers)).toEqual({ '200': 25 });
      expect(new Set(answers.map((answer) => answer.body.customer_id)).size).toBe(1);
      expect(answers.filter((answer) => answer.body.created_customer)).toHaveLength(1);
      expect(answers.filter((answer) => answer.body.created_identity)).toHaveLength(1);
    });
    expect(made).toEqual({ customers: 1, identities: 1 });
  });

  it('merge what 25 profiles say', async () => {
    const answers = await sendTogether(25, (index) =>
      clientOf(index).post('/identify', { external_id: 'ada', profile: { [`field_${index}`]: index } }),
    );
    expect(tally(answers)).toEqual({ '200': 25 });
    const last = await app.post('/identify', { external_id: 'ada' });
    expect(last.body.metadata).toEqual(
      Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`field_${index}`, index])),
    );
  });

  it('make one customer by grants, with all that was granted', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(25, (index) =>
        clientOf(index).post('/grants', {
          external_id: 'bob',
          grant_type: 'bonus',
          product_key: 'CREDITS',
          quantity: index + 1,
        }),
      );
      expect(tally(answers)).toEqual({ '201': 25 });
    });
    expect(made).toEqual({ customers: 1, identities: 1 });
    expect(await balanceOf(app, 'bob', 'CREDITS')).toBe((25 * 26) / 2);
  });

  it('make one customer by orders', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(25, (index) =>
        clientOf(index).post('/orders', { external_id: 'cy', items: [{ sku: 'PACK' }] }),
      );
      expect(tally(answers)).toEqual({ '201': 25 });
      expect(new Set(answers.map((answer) => answer.body.customer_id)).size).toBe(1);
    });
    expect(made).toEqual({ customers: 1, identities: 1 });
  });

  it('make one customer by consumes that are all refused', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(25, (index) =>
        clientOf(index).post('/quota/consume', { external_id: 'dee', product_key: 'CREDITS' }),
      );
      expect(tally(answers)).toEqual({ '402 insufficient_quota': 25 });
    });
    expect(made).toEqual({ customers: 1, identities: 1 });
  });

  it('make one customer by all of them together', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(24, (index) => {
        const client = clientOf(index);
        if (index % 3 === 0) return client.post('/identify', { external_id: 'eve' });
        if (index % 3 === 1) return client.post('/orders', { external_id: 'eve', items: [{ sku: 'PACK' }] });
        return client.post('/grants', { external_id: 'eve', grant_type: 'bonus', sku: 'PACK' });
      });
      expect(tally(answers)).toEqual({ '200': 8, '201': 16 });
    });
    expect(made).toEqual({ customers: 1, identities: 1 });
    expect(await balanceOf(app, 'eve', 'CREDITS')).toBe(80);
  });

  it('make one customer for each provider that uses the same id', async () => {
    const made = await newcomers(async () => {
      const answers = await sendTogether(24, (index) =>
        app.post('/identify', { provider: `provider_${index % 3}`, external_id: 'fay' }),
      );
      expect(new Set(answers.map((answer) => answer.body.customer_id)).size).toBe(3);
    });
    expect(made).toEqual({ customers: 3, identities: 3 });
  });
});
