// Since when the oldest transaction runs: what the database shows, or since when it was seen. The clock is faked.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createObserver } from '../../src/services/health.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Shown {
  id: string;
  pid: number | null;
  lasts_ms: number | null;
}

function observerOf(shown: () => Shown | undefined) {
  const query = async (sql: string) => (sql.includes('pg_prepared_xacts') ? [shown()].filter(Boolean) : []);
  return createObserver({ db: { query }, replica: { condition: () => null } } as unknown as Parameters<
    typeof createObserver
  >[0]);
}

describe('the oldest transaction', () => {
  it('is told as the database shows it; beyond a minute something is late', async () => {
    let lasts_ms = 60_000;
    const observe = observerOf(() => ({ id: '7', pid: 4711, lasts_ms }));
    expect(await observe()).toEqual({
      lateJobs: [],
      oldestTransaction: { pid: 4711, lastsMs: 60_000 },
      replica: null,
      isGood: true,
    });
    lasts_ms += 1;
    expect(await observe()).toMatchObject({ isGood: false });
  });

  it('lasts since it was seen first where the database does not show more, each for itself', async () => {
    let shown: Shown | undefined = { id: '7', pid: null, lasts_ms: null };
    const observe = observerOf(() => shown);
    expect((await observe()).oldestTransaction).toEqual({ pid: null, lastsMs: 0 });
    vi.advanceTimersByTime(90_000);
    expect(await observe()).toMatchObject({ oldestTransaction: { lastsMs: 90_000 }, isGood: false });
    shown = { id: '8', pid: 12, lasts_ms: null };
    expect((await observe()).oldestTransaction).toEqual({ pid: 12, lastsMs: 0 });
    vi.advanceTimersByTime(1_000);
    shown = undefined;
    expect(await observe()).toMatchObject({ oldestTransaction: null, isGood: true });
    shown = { id: '8', pid: 12, lasts_ms: null };
    expect((await observe()).oldestTransaction).toEqual({ pid: 12, lastsMs: 0 });
  });
});
