import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestApp } from '../support/app.js';
import { type Auditor, createAuditor } from '../support/audit.js';
import type { Command, Workload } from './commands.js';
import type { Tally } from './compare-answers.js';
import { putCatalogue } from './http-catalogue.js';
import { meetCustomer } from './http-customer.js';
import { workloads } from './operations.js';
import { rareOverHttp, rareWorkloads } from './rare-workloads.js';
import { propertyRun } from './seeds.js';
import { runWorkload } from './workload.js';

const SEQUENCES = 140;
const COMMANDS = { min: 5, max: 38 };
const TIMEOUT_MS = 1_200_000;
const SCOPE = { hasMemory: true, hasUnknowns: true, hasProcesses: true, hasMerges: true };
/** Not everything is asked in the end of each sequence, because they are many. */
const SAMPLE = { subjects: 3, currencies: 1, moments: 2 };

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
  'refund: accepted',
  'refund: replayed',
  'refund: recovered',
  'refund: unrecovered',
  'refund: order_not_paid',
  'refund: refund_exceeds_paid',
  'refund: refund_mismatch',
  'dispute: accepted',
  'dispute: replayed',
  'dispute: recovered',
  'dispute: unrecovered',
  'dispute: dispute_closed',
  'dispute: dispute_mismatch',
  'dispute: order_not_paid',
  'consume: accepted',
  'consume: replayed',
  'consume: insufficient_quota',
  'consume: insufficient_quota, as a verdict',
  'consume batch: accepted',
  'consume batch: replayed',
  'consume batch: idempotency_key_reused',
  'consume batch: not committed',
  'consume batch, item: accepted',
  'consume batch, item: insufficient_quota',
  'reserve: accepted',
  'reserve: replayed',
  'reserve: insufficient_quota, as a verdict',
  'commit: accepted',
  'commit: replayed',
  'commit: returned',
  'commit: reservation_closed',
  'release: accepted',
  'release: replayed',
  'extend: accepted',
  'give back: accepted',
  'give back: replayed',
  'give back: revoked',
  'give back: not_reversible',
  'give back: release_exceeds_usage',
  'add credits: accepted',
  'add credits: repaid',
  'deduct credits: accepted',
  'deduct credits: owed',
  'deduct credits: insufficient_quota, as a verdict',
  'set limit: accepted',
  'set limit: product_not_found',
  'remove limit: accepted',
  'remove limit: limit_not_found',
  'consume batch, item: limit_exceeded',
  'consume: limit_exceeded, as a verdict',
  'consume: limit_exceeded',
  'consume: warned',
  'reserve: limit_exceeded',
  'reserve: warned',
  'commit: limit_exceeded',
  'commit: warned',
  'deduct credits: limit_exceeded',
  'deduct credits: warned',
  'merge: accepted',
  'merge: replayed',
  'merged, confirm: accepted',
  'merged, refund: accepted',
  'merged, refund: recovered',
  'merged, dispute: accepted',
  'merged, give back: accepted',
  'by the other name, consume: accepted',
  'by the other name, grant units: accepted',
  'by the other name, reserve: accepted',
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
let auditor: Auditor;

beforeAll(async () => {
  await putCatalogue(app);
  auditor = createAuditor(app.url);
});
afterAll(() => auditor.close());

describe('the service', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('answers over HTTP as a naive model does, and its data prove it', { timeout }, async () => {
    const tally: Tally = new Map();
    let customers = 0;
    const property = fc.asyncProperty(workloads(SCOPE, COMMANDS), async (workload) => {
      customers += 1;
      app.clock.set(workload.startsAt);
      const customer = await meetCustomer(app, auditor, `customer ${customers}`);
      await runWorkload(workload, customer, tally, SAMPLE);
    });
    await fc.assert(property, { ...parameters, examples: [...onceDifferent, ...rareWorkloads, ...rareOverHttp] });
    if (isWhole) expect(answersToCover.filter((answer) => !tally.has(answer))).toEqual([]);
  });
});
