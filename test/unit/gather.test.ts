// Questions that wait together are answered together, and nobody pays for a neighbour.
import { describe, expect, it } from 'vitest';
import { type Asked, createGatherer } from '../../src/lib/gather.js';

/** A gatherer whose groups wait until the test lets them go on. */
function gathererOf(
  options: {
    fails?: (questions: readonly number[]) => Error | undefined;
    waitingMax?: number;
    waitsOutTurn?: boolean;
    keeps?: (question: number) => boolean;
  } = {},
) {
  const groups: number[][] = [];
  const gates: (() => void)[] = [];
  const ask = createGatherer<number, string>({
    workersMax: 1,
    waitsOutTurn: options.waitsOutTurn ?? false,
    waitingMax: options.waitingMax ?? 10,
    refuse: () => new Error('full'),
    countTogether: ({ length }) => Math.min(length, 3),
    answer: async (together: readonly Asked<number, string>[]): Promise<readonly Asked<number, string>[]> => {
      const questions = together.map(({ question }) => question);
      groups.push(questions);
      await new Promise<void>((resolve) => gates.push(resolve));
      const failure = options.fails?.(questions);
      if (failure) throw failure;
      const kept = together.filter(({ question }) => options.keeps?.(question) ?? false);
      for (const asked of together) if (!kept.includes(asked)) asked.resolve(`answer ${asked.question}`);
      return kept;
    },
    isEverybodys: (error) => error instanceof Error && error.message === 'down',
    onSharedFailure: () => undefined,
  });
  const letGo = async (): Promise<void> => {
    do {
      gates.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    } while (gates.length > 0);
  };
  return { ask, groups, letGo };
}

/** Asks all of them at once; what became of each. */
const outcomesOf = (ask: (question: number) => Promise<string>, questions: readonly number[]) =>
  Promise.allSettled(questions.map(ask)).then((all) =>
    all.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message)),
  );

describe('a gatherer', () => {
  it('answers a lone question at once, and those that came meanwhile together, as many as go', async () => {
    const { ask, groups, letGo } = gathererOf();
    const outcomes = outcomesOf(ask, [1, 2, 3, 4, 5]);
    await letGo();
    expect(await outcomes).toEqual([1, 2, 3, 4, 5].map((n) => `answer ${n}`));
    expect(groups).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('answers what is asked in one turn together, if it waits the turn out', async () => {
    const { ask, groups, letGo } = gathererOf({ waitsOutTurn: true });
    const outcomes = outcomesOf(ask, [1, 2, 3, 4, 5]);
    await letGo();
    expect(await outcomes).toEqual([1, 2, 3, 4, 5].map((n) => `answer ${n}`));
    expect(groups).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('asks each alone when what they share fails; a failure of one is its own', async () => {
    const { ask, groups, letGo } = gathererOf({
      fails: (questions) => (questions.includes(3) ? new Error('bad 3') : undefined),
    });
    const outcomes = outcomesOf(ask, [1, 2, 3, 4]);
    await letGo();
    expect(await outcomes).toEqual(['answer 1', 'answer 2', 'bad 3', 'answer 4']);
    expect(groups).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
  });

  it('spares the others when the failure would meet everybody', async () => {
    const { ask, groups, letGo } = gathererOf({
      fails: (questions) => (questions.includes(2) ? new Error('down') : undefined),
    });
    const outcomes = outcomesOf(ask, [1, 2, 3, 4]);
    await letGo();
    expect(await outcomes).toEqual(['answer 1', 'down', 'down', 'down']);
    expect(groups).toEqual([[1], [2, 3, 4]]);
  });

  it('spares those that are still to be asked alone when the failure of one would meet them too', async () => {
    const { ask, groups, letGo } = gathererOf({
      fails: (questions) => (questions.includes(3) ? new Error(questions.length > 1 ? 'bad 3' : 'down') : undefined),
    });
    const outcomes = outcomesOf(ask, [1, 2, 3, 4]);
    await letGo();
    expect(await outcomes).toEqual(['answer 1', 'answer 2', 'down', 'down']);
    expect(groups).toEqual([[1], [2, 3, 4], [2], [3]]);
  });

  it('refuses what is too much to wait', async () => {
    const { ask, letGo } = gathererOf({ waitingMax: 2 });
    const outcomes = outcomesOf(ask, [1, 2, 3, 4]);
    await letGo();
    expect(await outcomes).toEqual(['answer 1', 'answer 2', 'answer 3', 'full']);
  });

  it('let some wait on, before those who came meanwhile', async () => {
    const kept = new Set([2, 3]);
    const { ask, groups, letGo } = gathererOf({ keeps: (question) => kept.delete(question) });
    const first = ask(1);
    const others = [2, 3, 4, 5].map(ask);
    await letGo();
    await letGo();
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 3, 4, 5].map((question) => `answer ${question}`));
    expect(groups).toEqual([[1], [2, 3, 4], [2, 3, 5]]);
  });
});
