// A bounded number of works at a time.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSlots } from '../../src/lib/slots.js';

/** A work that runs until it is ended, and what is running. */
function works(running: string[]) {
  const endings = new Map<string, { resolve(): void; reject(error: Error): void }>();
  return {
    work: (name: string) => () =>
      new Promise<string>((resolve, reject) => {
        running.push(name);
        endings.set(name, { resolve: () => resolve(name), reject });
      }),
    end: (name: string) => endings.get(name)?.resolve(),
    fail: (name: string) => endings.get(name)?.reject(new Error(name)),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('run as many works as there are, the others in their order as soon as one ends', async () => {
    const running: string[] = [];
    const { work, end } = works(running);
    const slots = createSlots(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => slots.take(work(name)));
    await settled();
    expect(running).toEqual(['a', 'b']);
    end('b');
    await settled();
    expect(running).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await settled();
    end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are free again when a work fails', async () => {
    const running: string[] = [];
    const { work, end, fail } = works(running);
    const slots = createSlots(1);
    const first = slots.take(work('first'));
    const second = slots.take(work('second'));
    fail('first');
    await expect(first).rejects.toThrow('first');
    await settled();
    expect(running).toEqual(['first', 'second']);
    end('second');
    expect(await second).toBe('second');
  });

  it('refuse who comes when too many wait, and who waited for too long; the others go on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const running: string[] = [];
    const { work, end } = works(running);
    const refuse = () => new Error('too many');
    const slots = createSlots(1, { waitingMax: 2, waitMs: 1_000, refuse });
    const [first, second] = [slots.take(work('first')), slots.take(work('second'))];
    vi.advanceTimersByTime(999);
    const third = slots.take(work('third'));
    await expect(slots.take(work('fourth'))).rejects.toThrow('too many');
    vi.advanceTimersByTime(1);
    await expect(second).rejects.toThrow('too many');
    end('first');
    await first;
    await settled();
    vi.advanceTimersByTime(5_000);
    expect(running).toEqual(['first', 'third']);
    end('third');
    expect(await third).toBe('third');
  });
});
