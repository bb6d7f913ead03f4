// Runs a workload against a system and the model side by side and compares every answer and, after it, what the customer holds; in the end what
// he has, and what he had at instants of the past. Knows neither the ledger nor HTTP: a system is whatever can be asked.
import { expect } from 'vitest';
import { products, type Subject, subjects } from './catalogue.js';
import type { Command, Workload } from './commands.js';
import { Model } from './model.js';
import { balanceOf, checkOf, creditsOf, holdingsOf, stateOf } from './model-readers.js';
import type { ModelWallet } from './model-wallet.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  CreditsState,
  Facts,
  Holdings,
  Observed,
  OrderStanding,
  Past,
  Request,
  ReservationState,
  ReserveRequest,
  SubjectBalance,
} from './requests.js';
import { resolve, resolveInstant } from './resolve.js';

/** What is held against the model: one customer, seen for the first time. */
export interface System {
  setClock(now: number): void;
  run(request: Request): Promise<Observed>;
  check(request: ConsumeRequest | ReserveRequest): Promise<CheckFacts | { code: string }>;
  holdings(): Promise<Holdings>;
  balanceOf(subject: Subject): Promise<SubjectBalance>;
  creditsOf(product: string): Promise<CreditsState>;
  parts(): Promise<BatchParts[]>;
  reservations(): Promise<ReservationState[]>;
  standingOf(order: number): Promise<OrderStanding>;
  /** Settles what is due ahead of use. */
  sweep(): Promise<void>;
  /** What was at an instant of the past, as far as the system tells it. */
  at(instant: number, subject: Subject): Promise<Partial<Past>>;
  /** Rejects when what is stored contradicts itself. */
  audit(): Promise<void>;
}

/** How much is looked at when a workload has ended; all of it when left out. */
export interface EndSample {
  subjects?: number;
  currencies?: number;
  moments?: number;
}

/** How many answers of each kind the workloads got, to see that they are about something. */
export type Tally = Map<string, number>;

/** What was at an instant when nothing more happened at it. */
interface Moment {
  subject: Subject;
  past: Past;
}

const currencies = products.filter(({ isCurrency }) => isCurrency).map(({ key }) => key);

/** A sequence as it goes on. */
interface Run {
  model: Model;
  system: System;
  tally: Tally;
  requests: Request[];
  /** By instant; of several at one instant the last. */
  moments: Map<number, Moment>;
  /** Whether the ledger was written at this instant, so that a clock that lags counts as this instant. */
  isWritten: boolean;
}

/** Runs the workload; rejects at the first answer that differs from the model's. */
export async function runWorkload(
  { startsAt, commands }: Workload,
  system: System,
  tally: Tally,
  sample: EndSample = {},
): Promise<void> {
  const model = new Model(Date.parse(startsAt));
  const run: Run = { model, system, tally, requests: [], moments: new Map(), isWritten: false };
  system.setClock(model.wallet.now);
  for (const command of commands) await runCommand(command, run);
  await Promise.all([compareEnd(run, sample), compareMoments(run, sample), system.audit()]);
}

async function runCommand(command: Command, run: Run): Promise<void> {
  const { model, system, requests, moments } = run;
  const instant = resolveInstant(command, model);
  if (instant !== undefined) {
    model.wallet.moveTo(instant);
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
  const holdings = holdingsOf(model.wallet);
  const what = `after ${JSON.stringify(command)}`;
  expect(await system.holdings(), `what is held ${what}`).toEqual(holdings);
  // Time does things that nothing has written yet.
  if (instant !== undefined) await Promise.all([compareParts(run, what), compareCredits(run, 'COIN', what)]);
  moments.set(model.wallet.now, toMoment(model.wallet, holdings, moments.size));
}

async function compareAnswers(request: Request, run: Run): Promise<void> {
  const { model, system, tally } = run;
  const what = JSON.stringify(request);
  let planned: CheckFacts | { code: string } | undefined;
  if (request.kind === 'consume' || request.kind === 'reserve') {
    const foreseen = checkOf(model.wallet, request.subject, request.amount);
    planned = await system.check(request);
    expect({ ...foreseen, ...planned }, `a dry run of ${what}`).toEqual(foreseen);
  }
  const expected = model.run(request);
  const observed = await system.run(request);
  for (const answer of answersOf(request, observed)) tally.set(answer, (tally.get(answer) ?? 0) + 1);
  if (expected.outcome === 'refused' && observed.outcome === 'refused') {
    expect(expected.codes, `the refusals that fit ${what}`).toContain(observed.code);
    if (expected.limits && refusalsOfUses.includes(observed.code)) {
      const against = { ...expected.limits, ...observed.limits };
      expect(against, `the limits that stand against ${what}`).toEqual(expected.limits);
    }
  } else expect(observed, `the answer to ${what}`).toEqual(expected);
  if (observed.outcome !== 'accepted') return;
  run.isWritten ||= kindsThatPost.includes(request.kind);
  if (planned) expect(planned, `what ${what} takes`).toMatchObject({ wouldTake: takenBy(observed.facts) });
}

/** Beside these it is told what limits say. */
const refusalsOfUses = ['insufficient_quota', 'limit_exceeded'];

/** Those that, when they are accepted, leave entries in the customer's ledger. */
const kindsThatPost: readonly Request['kind'][] = [
  ...(['grant units', 'grant offer', 'take away', 'exchange', 'consume', 'reserve'] as const),
  ...(['commit', 'release', 'give back', 'add credits', 'deduct credits'] as const),
];

function takenBy(facts: Facts) {
  if ('reservation' in facts) return facts.reservation.legs;
  return 'taken' in facts ? facts.taken : [];
}

/** A refusal that came as a verdict counts as both; of a batch each item counts. */
function answersOf({ kind }: Request, observed: Observed): string[] {
  if (observed.outcome === 'refused') {
    const answer = `${kind}: ${observed.code}`;
    return observed.isVerdict === true ? [answer, `${answer}, as a verdict`] : [answer];
  }
  const { outcome, facts } = observed;
  const answers = [`${kind}: ${outcome}`, ...aftermathOf(facts).map((what) => `${kind}: ${what}`)];
  if (!('results' in facts)) return answers;
  if (!facts.isCommitted) answers.push(`${kind}: not committed`);
  return [
    ...answers,
    ...facts.results.map((result) => `${kind}, item: ${isRefused(result) ? result.code : 'accepted'}`),
  ];
}

function isRefused(result: object | string): result is { code: string } {
  return typeof result === 'object' && 'code' in result;
}

/** What units came to beside being taken or given. */
function aftermathOf(facts: Facts): string[] {
  const what: string[] = [];
  if ('owed' in facts && facts.owed > 0) what.push('owed');
  if ('repaid' in facts && facts.repaid > 0) what.push('repaid');
  if ('revoked' in facts && facts.revoked > 0) what.push('revoked');
  if ('recovered' in facts) {
    if (hasUnits(facts.recovered)) what.push('recovered');
    if (hasUnits(facts.unrecovered)) what.push('unrecovered');
  }
  if ('expired' in facts && facts.expired > 0) what.push('expired');
  if ('returned' in facts && facts.returned > 0) what.push('returned');
  if ('warnings' in facts && facts.warnings.length > 0) what.push('warned');
  return what;
}

function hasUnits(byProduct: Record<string, number>): boolean {
  return Object.values(byProduct).some((units) => units > 0);
}

function toMoment(wallet: ModelWallet, holdings: Holdings, count: number): Moment {
  const subject = subjects[count % subjects.length] ?? { feature: 'image' };
  const owed = Object.fromEntries(Object.entries(wallet.owed).filter(([, units]) => units > 0));
  return { subject, past: { parts: wallet.parts(), owed, holdings, balance: balanceOf(wallet, subject) } };
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
    const expected = model.wallet.reservations.map(stateOf);
    expect(await system.reservations(), 'the reservations at the end').toEqual(expected);
  };
  await Promise.all([
    compareParts(run, 'at the end'),
    compareReservations(),
    ...someOf(subjects, sample.subjects, requests.length).map(compareSubject),
    ...someOf(currencies, sample.currencies, requests.length).map((product) =>
      compareCredits(run, product, 'at the end'),
    ),
    ...model.orders.list.map(async (order) => {
      const expected = model.afterSale.standingOf(order);
      expect(await system.standingOf(order.place), `how order ${order.place} stands`).toEqual(expected);
    }),
  ]);
}

async function compareMoments({ moments, system }: Run, sample: EndSample): Promise<void> {
  await Promise.all(
    someOf([...moments], sample.moments, 0).map(async ([instant, { subject, past }]) => {
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
