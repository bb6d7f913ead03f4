import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/lib/turns.js';

/** Work that ends when it is told. */
function pendingWork<T>(log: string[], name: string, result: T) {
  let end: (fails: boolean) => void = () => {};
  const work = () =>
    new Promise<T>((resolve, reject) => {
      log.push(`${name} begins`);
      end = (fails) => (fails ? reject(new Error(name)) : resolve(result));
    });
  return { work, end: (fails = false) => end(fails) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('run the work of one key one after the other, in the order of arrival', async () => {
    const turns = createTurns();
    const log: string[] = [];
    const first = pendingWork(log, 'first', 1);
    const second = pendingWork(log, 'second', 2);
    const both = [turns.take('ada', first.work), turns.take('ada', second.work)];
    await settled();
    expect(log).toEqual(['first begins']);
    first.end();
    await settled();
    expect(log).toEqual(['first begins', 'second begins']);
    second.end();
    expect(await Promise.all(both)).toEqual([1, 2]);
  });

  it('let other keys run at once', async () => {
    const turns = createTurns();
    const log: string[] = [];
    void turns.take('ada', pendingWork(log, 'ada', 1).work);
    void turns.take('bob', pendingWork(log, 'bob', 2).work);
    await settled();
    expect(log).toEqual(['ada begins', 'bob begins']);
  });

  it('go on after work that failed, whose error its taker alone gets', async () => {
    const turns = createTurns();
    const first = pendingWork([], 'first', 1);
    const failing = turns.take('ada', first.work);
    const next = turns.take('ada', async () => 2);
    first.end(true);
    await expect(failing).rejects.toThrow('first');
    expect(await next).toBe(2);
  });

  it('are taken until the last work has ended', async () => {
    const turns = createTurns();
    const only = pendingWork([], 'only', 1);
    const taken = turns.take('ada', only.work);
    expect(turns.isBusy('ada')).toBe(true);
    only.end();
    await taken;
    await settled();
    expect(turns.isBusy('ada')).toBe(false);
  });
});
