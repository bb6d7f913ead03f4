// Runs a workload against a system and the model side by side and compares every answer and, after it, what the customer holds; in the end what
// he has, and what he had at instants of the past. Knows neither the ledger nor HTTP: a system is whatever can be asked.
import { expect } from 'vitest';
import { products, type Subject, subjects } from './catalogue.js';
import type { Command, OwnCommand, Workload } from './commands.js';
import { compareAnswers, type Tally } from './compare-answers.js';
import { Model } from './model.js';
import { balanceOf, creditsOf, holdingsOf, stateOf } from './model-readers.js';
import { byTheOther, type Moment, mergeOther, type Run } from './other-customer.js';
import type { Holdings } from './requests.js';
import { resolve, resolveInstant } from './resolve.js';
import type { System } from './system.js';

/** How much is looked at when a workload has ended; all of it when left out. */
export interface EndSample {
  subjects?: number;
  currencies?: number;
  moments?: number;
}

const currencies = products.filter(({ isCurrency }) => isCurrency).map(({ key }) => key);

/** Runs the workload; rejects at the first answer that differs from the model's. */
export async function runWorkload(
  { startsAt, commands }: Workload,
  system: System,
  tally: Tally,
  sample: EndSample = {},
): Promise<void> {
  const model = new Model(Date.parse(startsAt));
  const run: Run = { model, system, tally, requests: [], moments: new Map(), isWritten: false, isMerged: false };
  system.setClock(model.wallet.now);
  for (const command of commands) await runCommand(command, run);
  const { other } = run;
  await Promise.all([
    compareEnd(run, sample),
    compareMoments(run, sample),
    system.audit(),
    ...(other ? [compareOrders(other), other.system.audit()] : []),
    ...(other && !run.isMerged ? [compareEnd(other, sample)] : []),
  ]);
}

async function runCommand(command: Command, run: Run): Promise<void> {
  const { model, moments } = run;
  let instant: number | undefined;
  const what = `after ${JSON.stringify(command)}`;
  if (command.kind === 'merge') await mergeOther(run);
  else if (command.kind === 'by the other') {
    await byTheOther(command.command, run);
    if (run.other && !run.isMerged) await compareHoldings(run.other, what);
  } else instant = await runOwn(command, run);
  const holdings = await compareHoldings(run, what);
  // Time does things that nothing has written yet.
  if (instant !== undefined) await Promise.all([compareParts(run, what), compareCredits(run, 'COIN', what)]);
  moments.set(model.wallet.now, toMoment(run, holdings));
}

/** Returns the instant to which the clock was moved. */
async function runOwn(command: OwnCommand, run: Run): Promise<number | undefined> {
  const { model, system, requests, other } = run;
  const instants = [run, ...(other ? [other] : [])].flatMap((one) => resolveInstant(command, one.model) ?? []);
  const instant = instants.length > 0 ? Math.min(...instants) : undefined;
  if (instant !== undefined) {
    model.wallet.moveTo(instant);
    if (!run.isMerged) other?.model.wallet.moveTo(instant);
    system.setClock(instant);
    run.isWritten = false;
  }
  if (command.kind === 'lag' && run.isWritten) system.setClock(model.wallet.now - command.ms);
  if (command.kind === 'sweep') await system.sweep();
  const request = resolve(command, model, requests);
  if (request) {
    requests.push(request);
    await compareAnswers(request, run);
  }
  return instant;
}

async function compareHoldings({ model, system }: Run, what: string): Promise<Holdings> {
  const holdings = holdingsOf(model.wallet);
  expect(await system.holdings(), `what is held ${what}`).toEqual(holdings);
  return holdings;
}

function toMoment({ model: { wallet }, moments, other, isMerged }: Run, holdings: Holdings): Moment {
  const subject = subjects[moments.size % subjects.length] ?? { feature: 'image' };
  const owed = Object.fromEntries(Object.entries(wallet.owed).filter(([, units]) => units > 0));
  const otherParts = other && !isMerged ? other.model.wallet.parts() : [];
  return { subject, past: { parts: wallet.parts(), owed, holdings, balance: balanceOf(wallet, subject) }, otherParts };
}

async function compareParts({ model, system }: Run, when: string): Promise<void> {
  expect(await system.parts(), `the batches ${when}`).toEqual(model.wallet.parts());
}

async function compareCredits({ model, system }: Run, product: string, when: string): Promise<void> {
  const expected = creditsOf(model.wallet, product);
  expect({ ...expected, ...(await system.creditsOf(product)) }, `the credits of ${product} ${when}`).toEqual(expected);
}

async function compareEnd(run: Run, sample: EndSample): Promise<void> {
  const { model, system, requests } = run;
  const compareSubject = async (subject: Subject) => {
    const expected = balanceOf(model.wallet, subject);
    const observed = { ...expected, ...(await system.balanceOf(subject)) };
    expect(observed, `the balance of ${JSON.stringify(subject)} at the end`).toEqual(expected);
  };
  const compareReservations = async () => {
    const all = [model.wallet, ...model.wallet.merged].flatMap(({ reservations }) => reservations);
    const expected = all.sort((a, b) => a.place - b.place).map(stateOf);
    expect(await system.reservations(), 'the reservations at the end').toEqual(expected);
  };
  await Promise.all([
    compareParts(run, 'at the end'),
    compareReservations(),
    ...someOf(subjects, sample.subjects, requests.length).map(compareSubject),
    ...someOf(currencies, sample.currencies, requests.length).map((product) =>
      compareCredits(run, product, 'at the end'),
    ),
    compareOrders(run),
  ]);
}

async function compareOrders({ model, system }: Run): Promise<void> {
  await Promise.all(
    model.orders.list.map(async (order) => {
      const expected = model.afterSale.standingOf(order);
      expect(await system.standingOf(order.place), `how order ${order.place} stands`).toEqual(expected);
    }),
  );
}

async function compareMoments({ moments, system, isMerged }: Run, sample: EndSample): Promise<void> {
  await Promise.all(
    someOf([...moments], sample.moments, 0).map(async ([instant, { subject, past: own, otherParts }]) => {
      const past = isMerged ? { ...own, parts: [...own.parts, ...otherParts].sort((a, b) => a.batch - b.batch) } : own;
      const observed = { ...past, ...(await system.at(instant, subject)) };
      expect(observed, `what was at ${new Date(instant).toISOString()}`).toEqual(past);
    }),
  );
}

/** At most so many of the values, spread over all of them, from one that differs from workload to workload. */
function someOf<V>(values: readonly V[], count = values.length, from: number): V[] {
  const step = Math.max(1, Math.ceil(values.length / count));
  return values.filter((_, index) => (index + from) % step === 0);
}
