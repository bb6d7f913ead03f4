// Reads that may be a moment old, from a standby that follows the primary: whether it can be asked now, and whether it has got as far as the reader has seen. What
// it does not answer the primary does, refusals among it, so that a standby which is behind, or gone, is no reason to refuse anything. Writes, and what they
// look up, never come here.
import { setTimeout as delay } from 'node:timers/promises';
import type { Freshness } from '../call.js';
import type { Db } from '../db/client.js';
import { findStanding, type Standing } from '../db/replication.js';
import { wrongSettings } from '../db/session-guard.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { onceAtATime, onceMoreAtATime } from '../lib/once-at-a-time.js';

/** Why a replica is not asked: it is too far behind; it does not answer; it is none of this database. */
export type ReplicaStatus = 'ok' | 'lagging' | 'lost' | 'unfit';

export interface ReplicaCondition {
  status: ReplicaStatus;
  /** By how much it is behind, as far as it is known. */
  lagMs: number;
}

export interface Replica {
  /** Reads from the replica, as the `db` of what `work` gets, where it can be, else from the primary. It may be called twice. Throws: what it throws of the primary. */
  read<D extends object, T>(deps: D, fresh: Freshness, work: (deps: D) => Promise<T>): Promise<T>;
  /** What a reader says who has to see all that was written before this call; undefined where there is no replica. */
  position(): Promise<string | undefined>;
  /** How it is; null where there is none. */
  condition(): ReplicaCondition | null;
  /** Looks at it no more. */
  end(): void;
}

/** A read that has to settle first: what is due is written by the primary alone. */
export class NeedsPrimary extends Error {}

const LOOK_EVERY_MS = 1_000;
const LOOK_TIMEOUT_MS = 2_000;
const POSITION_TIMEOUT_MS = 500;
/** For so long a read waits for the replica to get as far as it has to. */
const CATCH_UP_MS = 500;
const CATCH_UP_LOOK_MS = 20;
/** Positions of the primary that are remembered until the replica has passed them. */
const SAMPLES_MAX = 1_000;
const MS_PER_S = 1_000;

/** Where there is none: every read is of the primary. */
export const NO_REPLICA: Replica = {
  read: (deps, _fresh, work) => work(deps),
  position: async () => undefined,
  condition: () => null,
  end: () => undefined,
};

/** Makes what reads from a replica; without one it is the primary that is read. */
export function createReplica(
  deps: Pick<Foundations, 'db' | 'log' | 'metrics' | 'config'>,
  copy: Db | undefined,
): Replica {
  const { metrics } = deps;
  const replica = copy ? watchReplica(deps, copy) : NO_REPLICA;
  const ofReplica = (of: (condition: ReplicaCondition) => number) => () => {
    const condition = replica.condition();
    return condition ? [[{}, of(condition)] as const] : [];
  };
  metrics.watchEach('bursar_replica_up', '1 while reads that may lag go to the replica.', [], ofReplica(isUp));
  metrics.watchEach('bursar_replica_lag_seconds', 'By how much it is behind.', [], ofReplica(lagInS));
  return replica;
}

const isUp = ({ status }: ReplicaCondition) => Number(status === 'ok');
const lagInS = ({ lagMs }: ReplicaCondition) => lagMs / MS_PER_S;

function watchReplica({ db, log, metrics, config }: Pick<Foundations, 'db' | 'log' | 'metrics' | 'config'>, copy: Db) {
  const lookAtPrimary = onceAtATime(() => findStanding(db), LOOK_TIMEOUT_MS);
  const lookAtCopy = onceAtATime(() => findStanding(copy), LOOK_TIMEOUT_MS);
  const findPosition = onceMoreAtATime(async () => (await findStanding(db)).position, POSITION_TIMEOUT_MS);
  const ahead: { position: number; atMs: number }[] = [];
  const giveUps = new Set<(error: Error) => void>();
  let data: string | undefined;
  let replayed = 0;
  let status: ReplicaStatus | undefined;

  const lagNow = () => (ahead[0] ? performance.now() - ahead[0].atMs : 0);

  /** Positions that are too many are told by the last one, whose instant is older: the replica then seems further behind than it is. */
  const remember = ({ position }: Standing): void => {
    if (position <= replayed) return;
    const last = ahead.at(-1);
    if (last && (position === last.position || ahead.length >= SAMPLES_MAX)) last.position = position;
    else ahead.push({ position, atMs: performance.now() });
  };

  const become = (now: ReplicaStatus, why: object): void => {
    if (now === 'lost') for (const giveUp of giveUps) giveUp(new Error('the replica does not answer'));
    if (now === status) return;
    status = now;
    if (now === 'ok') log.info(why, 'reads that may lag go to the replica');
    else log.warn({ replica: now, ...why }, 'the replica is not asked: the primary answers all reads');
  };

  const look = async (): Promise<void> => {
    const [primary, own] = await Promise.allSettled([lookAtPrimary(), lookAtCopy()]);
    if (primary.status === 'fulfilled') {
      data = primary.value.data;
      remember(primary.value);
    }
    if (own.status === 'rejected') return become('lost', { err: own.reason });
    replayed = own.value.position;
    while (ahead[0] && ahead[0].position <= replayed) ahead.shift();
    const unfit = await whyUnfit(copy, own.value, data, status).catch((error: unknown) => String(error));
    const lagMs = Math.round(lagNow());
    if (unfit !== undefined) become('unfit', { reason: unfit });
    else become(lagMs > config.replicaLagMaxS * MS_PER_S ? 'lagging' : 'ok', { lag_ms: lagMs });
  };
  let looking: Promise<void> | undefined;
  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(lookOnce, LOOK_EVERY_MS).unref();
  void lookOnce();

  const reaches = async (position: number): Promise<boolean> => {
    const untilMs = performance.now() + CATCH_UP_MS;
    while (replayed < position && status === 'ok' && performance.now() < untilMs) {
      await delay(CATCH_UP_LOOK_MS);
      const own = await lookAtCopy().catch(() => undefined);
      if (!own) return false;
      replayed = own.position;
    }
    return replayed >= position;
  };

  /** Why the replica can't be asked; undefined when it can. */
  const whyNot = async ({ seen, isFollowing }: Freshness): Promise<string | undefined> => {
    if (status !== 'ok') return status ?? 'lost';
    if (seen === 'latest') return 'latest';
    const position = Math.max(seen ?? 0, isFollowing ? await findPosition().catch(() => Infinity) : 0);
    return (await reaches(position)) ? undefined : 'behind';
  };

  /** Waits for a read for as long as the replica is there: what hangs on a server that is gone would hang for as long as an answer may take. */
  const unlessLost = <T>(reading: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      giveUps.add(reject);
      reading.then(resolve, reject).finally(() => giveUps.delete(reject));
    });

  const replica: Replica = {
    read: async (deps, fresh, work) => {
      let reason = await whyNot(fresh);
      if (reason === undefined) {
        try {
          const answer = await unlessLost(work({ ...deps, db: copy }));
          metrics.replicaReads.add('replica', '');
          return answer;
        } catch (error) {
          reason = error instanceof AppError ? 'refused' : error instanceof NeedsPrimary ? 'due' : 'failed';
          if (reason === 'failed') {
            log.warn({ err: error }, 'a read failed on the replica: the primary is asked');
            void lookOnce();
          }
        }
      }
      metrics.replicaReads.add('primary', reason);
      return work(deps);
    },
    position: () => findPosition().then(String, () => 'latest'),
    condition: () => ({ status: status ?? 'lost', lagMs: lagNow() }),
    end: () => clearInterval(timer),
  };
  return replica;
}

/** What keeps a server that answers from being a replica of this database; its session is looked at when it was not in use. */
async function whyUnfit(
  copy: Db,
  { isStandby, data }: Standing,
  expected: string | undefined,
  before: ReplicaStatus | undefined,
): Promise<string | undefined> {
  if (!isStandby) return 'it is no standby';
  if (expected !== undefined && data !== expected) return 'it has other data than the primary';
  if (before === 'ok' || before === 'lagging') return undefined;
  const wrong = await wrongSettings(copy);
  return wrong && `its session has ${wrong}`;
}
