import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestApp } from '../support/app.js';
import { type Auditor, createAuditor } from '../support/audit.js';
import { planWorkloads } from './draw-subscriptions.js';
import { putCatalogue } from './http-catalogue.js';
import { HttpSubscriptions, putPlans } from './http-subscriptions.js';
import { answersToCover, onceDifferent } from './plan-examples.js';
import { type PlanTally, runPlans } from './plan-workload.js';
import { propertyRun } from './seeds.js';

const SEQUENCES = 100;
const COMMANDS = { min: 5, max: 25 };
const TIMEOUT_MS = 1_200_000;

const app = useTestApp();
let auditor: Auditor;

beforeAll(async () => {
  await putCatalogue(app);
  await putPlans(app);
  auditor = createAuditor(app.url);
});
afterAll(() => auditor.close());

describe('the service', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('turns subscriptions over HTTP as a naive model does, and its data prove it', { timeout }, async () => {
    const tally: PlanTally = new Map();
    let customers = 0;
    const property = fc.asyncProperty(planWorkloads(COMMANDS), async (workload) => {
      customers += 1;
      app.clock.set(workload.startsAt);
      const system = new HttpSubscriptions(app, auditor, `customer-${customers}`);
      await system.meet();
      await runPlans(workload, system, tally);
    });
    await fc.assert(property, { ...parameters, examples: onceDifferent });
    if (isWhole) expect(answersToCover.filter((answer) => !tally.has(answer))).toEqual([]);
  });
});
