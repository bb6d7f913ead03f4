// Another customer of a sequence: who comes and does things of his own, and is merged into the customer some time (DOMAIN 3.10). From then on both names are the
// customer's; what was the other's is still asked for by its id.
import { expect } from 'vitest';
import type { Subject } from './catalogue.js';
import type { OwnCommand } from './commands.js';
import { type Asked, compareAnswers, count } from './compare-answers.js';
import { Model } from './model.js';
import { mergeModels } from './model-merge.js';
import type { BatchParts, Past, Request } from './requests.js';
import { resolve } from './resolve.js';
import type { System } from './system.js';

/** A sequence as it goes on. */
export interface Run extends Asked {
  requests: Request[];
  /** By instant; of several at one instant the last. */
  moments: Map<number, Moment>;
  other?: Run;
  /** Whether the other is merged into him. */
  isMerged: boolean;
  /** He by the name of the other. */
  byName?: System;
}

/** What was at an instant when nothing more happened at it. */
export interface Moment {
  subject: Subject;
  past: Past;
  /** What the other had, who was not merged yet: in the end lists are of both. */
  otherParts: BatchParts[];
}

/** What is about a thing of the other's by its id. */
const BY_ID: readonly OwnCommand['kind'][] = [
  ...(['confirm', 'refund', 'refund failed', 'dispute', 'dispute ends'] as const),
  ...(['commit', 'release', 'extend', 'give back'] as const),
];

async function otherOf(run: Run): Promise<Run> {
  const { model, system, tally, other } = run;
  if (other) return other;
  if (!system.family) throw new Error('nobody can be merged into this customer');
  run.other = {
    model: new Model(model.wallet.now, model),
    system: await system.family.meetOther(),
    tally,
    ...{ requests: [], moments: new Map(), isWritten: false, isMerged: false },
  };
  return run.other;
}

/** Asks under the name of the other. */
export async function byTheOther(command: OwnCommand, run: Run): Promise<void> {
  const other = await otherOf(run);
  const isHis = !run.isMerged || BY_ID.includes(command.kind);
  const request = resolve(command, isHis ? other.model : run.model, other.requests);
  if (!request) return;
  if (!run.isMerged) {
    const own = withOwnKey(request);
    other.requests.push(own);
    await compareAnswers(own, other);
    return;
  }
  if (command.kind === 'repeat') {
    // What was answered before he was merged is known by its key, whoever is asked.
    if (BY_ID.some((kind) => kind === request.kind) || other.model.remembers(request)) {
      await compareAnswers(request, other, 'merged, ');
    }
    return;
  }
  if (isHis) {
    const own = withOwnKey(request);
    other.requests.push(own);
    await compareAnswers(own, other, 'merged, ');
  } else {
    run.requests.push(request);
    await compareAnswers(request, { ...run, system: run.byName ?? run.system }, 'by the other name, ');
  }
}

/** Keys are found among those of both: his are not the customer's. */
function withOwnKey<R extends Request>(request: R): R {
  return { ...request, key: request.key && `other ${request.key}` };
}

/** Merges the other into him; once more is answered as it was. */
export async function mergeOther(run: Run): Promise<void> {
  const other = await otherOf(run);
  const { family } = run.system;
  if (!family) throw new Error('nobody can be merged into this customer');
  const told = await family.merge(other.system);
  count(run.tally, `merge: ${told.outcome}`);
  if (run.isMerged) {
    expect(told.outcome, 'the same merge again').toBe('replayed');
    return;
  }
  expect(told, 'the answer to a merge').toEqual({ outcome: 'accepted', facts: mergeModels(run.model, other.model) });
  run.isMerged = true;
  run.byName = family.byNameOf(other.system);
}
