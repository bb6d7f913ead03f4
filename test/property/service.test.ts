import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkInvariants, describeDifference } from '../../src/db/invariants.js';
import { useTestApp } from '../support/app.js';
import { meetCustomer, putCatalogue } from './http-customer.js';
import { type Command, type Workload, workloads } from './operations.js';
import { propertyRun } from './seeds.js';
import { runWorkload, type Tally } from './workload.js';

const SEQUENCES = 100;
const COMMANDS = { min: 5, max: 25 };
const TIMEOUT_MS = 240_000;

/** Without these answers the sequences would be about nothing. */
const answersToCover = [
  'grant units: accepted',
  'grant units: replayed',
  'grant units: idempotency_key_reused',
  'grant offer: accepted',
  'grant offer: replayed',
  'take away: accepted',
  'take away: insufficient_quota',
  'take away: insufficient_quota, as a verdict',
  'migrate: accepted',
  'migrate: replayed',
  'migrate: idempotency_key_reused',
  'trial: accepted',
  'trial: replayed',
  'trial: trial_already_used',
  'trial: trial_already_used, as a verdict',
  'exchange: accepted',
  'exchange: replayed',
  'exchange: insufficient_quota',
  'exchange: insufficient_quota, as a verdict',
  'exchange: offer_not_exchangeable',
  'identify: accepted',
  'identify: replayed',
  'refer: accepted',
  'refer: customer_not_found',
  'refer: referral_cycle',
  'refer: self_referral',
  'order: accepted',
  'order: replayed',
  'order: idempotency_key_reused',
  'confirm: accepted',
  'confirm: replayed',
  'confirm: order_already_paid',
  'consume: accepted',
  'consume: replayed',
  'consume: insufficient_quota',
  'consume: insufficient_quota, as a verdict',
];

/** Workloads that once differed from the model, shrunk; they run first. */
const onceDifferent: [Workload][] = [
  [
    {
      startsAt: '2026-01-31T12:00:00.000Z',
      commands: [accessFor(0, 1), accessFor(2, 1)],
    },
  ],
];

/** A command that gives access in so many hours, for so many. */
function accessFor(startsInH: number, lastsH: number): Command {
  return { kind: 'grant units', key: null, as: 'bonus', product: 'PASS', quantity: 1, priority: 0, startsInH, lastsH };
}

const app = useTestApp();
let auditor: pg.Pool;

beforeAll(async () => {
  await putCatalogue(app);
  auditor = new pg.Pool({ connectionString: app.url, max: 1 });
});
afterAll(() => auditor.end());

describe('the service', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('answers over HTTP as a naive model does, and its data prove it', { timeout }, async () => {
    const tally: Tally = new Map();
    let customers = 0;
    const property = fc.asyncProperty(workloads({ hasMemory: true, hasUnknowns: true }, COMMANDS), async (workload) => {
      customers += 1;
      app.clock.set(workload.startsAt);
      const customer = await meetCustomer(app, `customer ${customers}`);
      await runWorkload(workload, customer, tally);
      const { differences } = await checkInvariants(auditor, { customerId: customer.customerId });
      expect(differences.map(describeDifference)).toEqual([]);
    });
    await fc.assert(property, { ...parameters, examples: onceDifferent });
    if (isWhole) expect([...tally.keys()]).toEqual(expect.arrayContaining(answersToCover));
  });
});
