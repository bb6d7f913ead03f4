// What waits at the same time is done together: an idle worker takes a lone one at once, and while it works, others gather. When what they share fails,
// each is tried alone, so that nobody pays for a neighbour.

/** A question that waits for its answer. */
export interface Asked<Q, A> {
  readonly question: Q;
  resolve(answer: A): void;
  reject(error: unknown): void;
}

export interface GatherOptions<Q, A> {
  /** Groups that are worked on at a time. */
  workersMax: number;
  /** Lets all that is asked in one turn of the event loop go together, instead of the first alone. */
  waitsOutTurn?: boolean;
  /** Questions that wait at most, those that wait elsewhere counted too; `refuse` makes the error of those beyond. */
  waitingMax: number;
  countElsewhere?(): number;
  refuse(): Error;
  /** How many of those that wait, from the first on, are answered together. */
  countTogether(waiting: readonly Asked<Q, A>[]): number;
  /** Answers each, but those that it returns: they wait on, before all others. Throws what failed of what they share; then none has an answer yet. */
  answer(together: readonly Asked<Q, A>[]): Promise<readonly Asked<Q, A>[]>;
  /** Whether an error would meet whoever asks now. */
  isEverybodys(error: unknown): boolean;
  /** Told when a group is asked one by one. */
  onSharedFailure(error: unknown, count: number): void;
}

/** Makes what answers questions of one kind. */
export function createGatherer<Q, A>(options: GatherOptions<Q, A>): (question: Q) => Promise<A> {
  const waiting: Asked<Q, A>[] = [];
  let idle = options.workersMax;

  async function drain(): Promise<void> {
    idle -= 1;
    try {
      if (options.waitsOutTurn) await undefined;
      while (waiting.length > 0) {
        const together = waiting.splice(0, Math.max(1, options.countTogether(waiting)));
        waiting.unshift(...(await answerGroup(options, together)));
      }
    } finally {
      idle += 1;
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      if (waiting.length + (options.countElsewhere?.() ?? 0) >= options.waitingMax) {
        reject(options.refuse());
        return;
      }
      waiting.push({ question, resolve, reject });
      if (idle > 0) void drain();
    });
}

/** Answers each of a group, but those that it returns. Never throws. */
async function answerGroup<Q, A>(
  options: GatherOptions<Q, A>,
  group: readonly Asked<Q, A>[],
): Promise<readonly Asked<Q, A>[]> {
  const shared = await attempt(options, group);
  if ('left' in shared) return shared.left;
  if (group.length === 1 || options.isEverybodys(shared.error)) {
    rejectAll(group, shared.error);
    return [];
  }
  const left: Asked<Q, A>[] = [];
  options.onSharedFailure(shared.error, group.length);
  for (const [at, asked] of group.entries()) {
    const own = await attempt(options, [asked]);
    if ('left' in own) {
      left.push(...own.left);
      continue;
    }
    if (options.isEverybodys(own.error)) {
      rejectAll(group.slice(at), own.error);
      return left;
    }
    asked.reject(own.error);
  }
  return left;
}

async function attempt<Q, A>(
  options: GatherOptions<Q, A>,
  together: readonly Asked<Q, A>[],
): Promise<{ left: readonly Asked<Q, A>[] } | { error: unknown }> {
  try {
    return { left: await options.answer(together) };
  } catch (error) {
    return { error };
  }
}

function rejectAll<Q, A>(group: readonly Asked<Q, A>[], error: unknown): void {
  for (const { reject } of group) reject(error);
}
