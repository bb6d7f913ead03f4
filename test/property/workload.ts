// Runs a workload against a system and the model side by side and compares every answer and, after it, what the customer holds.
// Knows neither the ledger nor HTTP: a system is whatever can be asked.
import { expect } from 'vitest';
import type { Subject } from './catalogue.js';
import { subjects } from './catalogue.js';
import { Model } from './model.js';
import { resolve, resolveInstant, type Workload } from './operations.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  Holdings,
  Observed,
  Request,
  SubjectBalance,
} from './requests.js';

/** What is held against the model: one customer, seen for the first time. */
export interface System {
  setClock(now: number): void;
  run(request: Request): Promise<Observed>;
  check(request: ConsumeRequest): Promise<CheckFacts | { code: string }>;
  holdings(): Promise<Holdings>;
  balanceOf(subject: Subject): Promise<SubjectBalance>;
  parts(): Promise<BatchParts[]>;
  statusOf(order: number): Promise<string>;
}

/** How many answers of each kind the workloads got, to see that they are about something. */
export type Tally = Map<string, number>;

/** Runs the workload; rejects at the first answer that differs from the model's. */
export async function runWorkload({ startsAt, commands }: Workload, system: System, tally: Tally): Promise<void> {
  const model = new Model(Date.parse(startsAt));
  const requests: Request[] = [];
  system.setClock(model.wallet.now);
  for (const command of commands) {
    const instant = resolveInstant(command, model);
    if (instant !== undefined) {
      model.wallet.now = instant;
      system.setClock(instant);
    }
    const request = resolve(command, model, requests);
    if (request) {
      requests.push(request);
      await compareAnswers(request, model, system, tally);
    }
    expect(await system.holdings(), `what is held after ${JSON.stringify(command)}`).toEqual(model.wallet.holdings());
  }
  await compareEnd(model, system);
}

async function compareAnswers(request: Request, model: Model, system: System, tally: Tally): Promise<void> {
  const what = JSON.stringify(request);
  if (request.kind === 'consume') {
    const foreseen = model.wallet.check(request);
    expect({ ...foreseen, ...(await system.check(request)) }, `a dry run of ${what}`).toEqual(foreseen);
  }
  const expected = model.run(request);
  const observed = await system.run(request);
  for (const answer of answersOf(request, observed)) tally.set(answer, (tally.get(answer) ?? 0) + 1);
  if (expected.outcome === 'refused' && observed.outcome === 'refused') {
    expect(expected.codes, `the refusals that fit ${what}`).toContain(observed.code);
  } else expect(observed, `the answer to ${what}`).toEqual(expected);
}

/** A refusal that came as a verdict counts as both. */
function answersOf({ kind }: Request, observed: Observed): string[] {
  if (observed.outcome !== 'refused') return [`${kind}: ${observed.outcome}`];
  const answer = `${kind}: ${observed.code}`;
  return observed.isVerdict === true ? [answer, `${answer}, as a verdict`] : [answer];
}

async function compareEnd(model: Model, system: System): Promise<void> {
  expect(await system.parts(), 'the batches at the end').toEqual(model.wallet.parts());
  for (const subject of subjects) {
    const name = JSON.stringify(subject);
    const expected = model.wallet.balanceOf(subject);
    expect({ ...expected, ...(await system.balanceOf(subject)) }, `the balance of ${name} at the end`).toEqual(
      expected,
    );
  }
  for (const order of model.orders.list) {
    expect(await system.statusOf(order.place), `the status of order ${order.place}`).toBe(model.orders.statusOf(order));
  }
}
