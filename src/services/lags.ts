// How late things are, for whoever watches from outside: looked at every few seconds at most, however many ask.
import { findLags, type Lags } from '../db/lags.js';
import type { Deps } from '../deps.js';
import { onceAtATime } from '../lib/once-at-a-time.js';

/** What was found counts for so long. */
const KEPT_MS = 3_000;
const TIMEOUT_MS = 2_000;

/** Makes what reads the lags; undefined when the database does not tell in time, which is looked at anew as soon as somebody asks. */
export function createLagReader({ db, log }: Pick<Deps, 'db' | 'log'>): () => Promise<Lags | undefined> {
  const find = onceAtATime(() => findLags(db), TIMEOUT_MS);
  let kept: { lags: Lags; untilMs: number } | undefined;
  return async () => {
    if (kept && performance.now() < kept.untilMs) return kept.lags;
    try {
      const lags = await find();
      kept = { lags, untilMs: performance.now() + KEPT_MS };
      return lags;
    } catch (error) {
      log.warn({ err: error }, 'could not see how late things are');
      return undefined;
    }
  };
}
