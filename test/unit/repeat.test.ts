// Background work again and again: one run at a time, a pause after each, none after the stop. The timers are faked.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repeat } from '../../src/jobs/repeat.js';

const PAUSE_MS = 1_000;
const AFTER_ERROR_MS = 5_000;
const silent = pino({ level: 'silent' });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0); // a stopped job leaves nothing behind that would keep the process
  vi.useRealTimers();
});

/** Work whose runs end when they are told. */
function heldWork() {
  const ends: ((error?: Error) => void)[] = [];
  const signals: (() => boolean)[] = [];
  const work = (isStopped: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      signals.push(isStopped);
      ends.push((error) => (error ? reject(error) : resolve()));
    });
  const end = async (error?: Error) => {
    ends.at(-1)?.(error);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { work, end, signals, begun: () => ends.length };
}

describe('repeat', () => {
  it('runs at once, and again a pause after the end of each run', async () => {
    const { work, end, begun } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    expect(begun()).toBe(1);
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(begun()).toBe(1); // however long a run takes, there is one
    await end();
    await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
    expect(begun()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun()).toBe(2);
    await end();
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    expect(begun()).toBe(3);
    await end();
    await job.stop();
  });

  it('stops in the pause: no run begins afterwards', async () => {
    const { work, end, begun } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    await end();
    await job.stop();
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(begun()).toBe(1);
  });

  it('stops in a run: tells it, waits for its end, and begins no other', async () => {
    const { work, end, signals, begun } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    expect(signals[0]?.()).toBe(false);
    const log: string[] = [];
    const stopped = job.stop().then(() => log.push('stopped'));
    expect(signals[0]?.()).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(log).toEqual([]);
    await end();
    await stopped;
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(begun()).toBe(1);
  });

  it('waits for the run that is under way, also when it is not the first', async () => {
    const { work, end } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    await end();
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    let isStopped = false;
    const stopped = job.stop().then(() => {
      isStopped = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(isStopped).toBe(false);
    await end();
    await stopped;
  });

  it('may be stopped twice', async () => {
    const { work, end } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    await end();
    await job.stop();
    await job.stop();
  });

  it.each([
    ['rejects', async () => Promise.reject(new Error('the database is away'))],
    [
      'throws',
      () => {
        throw new Error('the database is away');
      },
    ],
  ])('logs a run that %s, with the name of the job, and runs again after a longer pause', async (_how, fail) => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    let runs = 0;
    const job = repeat({ log }, 'sweep', PAUSE_MS, async () => {
      runs += 1;
      if (runs === 1) await fail();
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(lines).toMatchObject([{ level: 50, job: 'sweep', err: { message: 'the database is away' } }]);
    await vi.advanceTimersByTimeAsync(AFTER_ERROR_MS - 1);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toBe(2);
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    expect(runs).toBe(3);
    await job.stop();
    expect(lines).toHaveLength(1);
  });

  it('does not fail to stop because the run under way fails', async () => {
    const { work, end } = heldWork();
    const job = repeat({ log: silent }, 'job', PAUSE_MS, work);
    const stopped = job.stop();
    await end(new Error('cut'));
    await stopped;
  });
});
