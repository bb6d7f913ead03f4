// Answers under keys of callers age, where it is configured; those that are given again because of what they are about do not.
import { beforeAll, describe, expect, it } from 'vitest';
import { forgetKeys } from '../../src/jobs/forget-keys.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { balanceOf } from '../support/parallel.js';

const app = useTestApp();
const KEEP_DAYS = 30;
const consume = (external_id: string, key: string) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 1 }, { 'idempotency-key': key });
const call = (external_id: string, key: string) =>
  app.post('/quota/consume/batch', {
    items: [{ external_id, product_key: 'CREDITS', amount: 1 }],
    idempotency_key: key,
  });

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await grantUnits(app, 'ages', 'CREDITS', 100);
});

describe('answers under keys of callers', () => {
  it('are forgotten after so many days, not sooner, and what is about something is not', async () => {
    const migration = { grant_type: 'migration', product_key: 'CREDITS', quantity: 5, source_id: 'elsewhere-1' };
    const migrate = () => app.post('/grants', { external_id: 'ages', ...migration });
    const [first, ofCall, migrated] = [await consume('ages', 'old'), await call('ages', 'old'), await migrate()];
    app.clock.advance({ days: 20 });
    await consume('ages', 'younger');
    app.clock.advance({ days: 9 });
    expect(await forgetKeys(app.deps, KEEP_DAYS)).toBe(0);
    expect([(await consume('ages', 'old')).text, (await call('ages', 'old')).text]).toEqual([first.text, ofCall.text]);
    app.clock.advance({ days: 2 });
    // the consume, the call, and the item whose key is the call's
    expect(await forgetKeys(app.deps, KEEP_DAYS)).toBe(3);
    expect(await forgetKeys(app.deps, KEEP_DAYS)).toBe(0);
    const before = await balanceOf(app, 'ages', 'CREDITS');
    await consume('ages', 'younger');
    expect((await migrate()).text).toBe(migrated.text);
    expect(await balanceOf(app, 'ages', 'CREDITS')).toBe(before);
    await consume('ages', 'old');
    await call('ages', 'old');
    expect(await balanceOf(app, 'ages', 'CREDITS')).toBe(before - 2);
  });

  it('are forgotten step by step', async () => {
    await grantUnits(app, 'steps', 'CREDITS', 5);
    for (let key = 0; key < 5; key += 1) await consume('steps', `step-${key}`);
    app.clock.advance({ days: KEEP_DAYS + 1 });
    let steps = 0;
    const stopAfterOne = () => {
      steps += 1;
      return steps > 1;
    };
    expect(await forgetKeys(app.deps, KEEP_DAYS, stopAfterOne)).toBeGreaterThan(0);
    expect(await forgetKeys(app.deps, KEEP_DAYS, () => true)).toBe(0);
  });
});
