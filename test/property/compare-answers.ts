// Asks a system and the model the same, and compares what they answer.
import { expect } from 'vitest';
import type { Model } from './model.js';
import { checkOf } from './model-readers.js';
import type { CheckFacts, Facts, Observed, Request } from './requests.js';
import type { System } from './system.js';

/** How many answers of each kind the workloads got, to see that they are about something. */
export type Tally = Map<string, number>;

/** One customer of a sequence as it goes on. */
export interface Asked {
  model: Model;
  system: System;
  tally: Tally;
  /** Whether the ledger was written at this instant, so that a clock that lags counts as this instant. */
  isWritten: boolean;
}

/** Asks both; rejects when the answers differ. In the tally answers are told apart by what precedes them. */
export async function compareAnswers(request: Request, run: Asked, precedes = ''): Promise<void> {
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
  for (const answer of answersOf(request, observed)) count(tally, `${precedes}${answer}`);
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

export function count(tally: Tally, answer: string): void {
  tally.set(answer, (tally.get(answer) ?? 0) + 1);
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
