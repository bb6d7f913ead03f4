// A question that is asked once at a time, and not waited for for ever.

/**
 * Gives a query a deadline. While one is under way later callers share it, so that probes of a database that hangs do not use up the pool. Throws what
 * the query throws, or that there was no answer.
 */
export function onceAtATime<T>(query: () => Promise<T>, timeoutMs: number): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return async () => {
    underWay ??= query().finally(() => {
      underWay = undefined;
    });
    return within(underWay, timeoutMs);
  };
}

/** Like `onceAtATime`, for what has to be asked behind the call: who comes while one is under way shares the next. */
export function onceMoreAtATime<T>(query: () => Promise<T>, timeoutMs: number): () => Promise<T> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return async () => {
    next ??= underWay.then(() => {
      const asking = query();
      next = undefined;
      underWay = asking.catch(() => undefined);
      return asking;
    });
    return within(next, timeoutMs);
  };
}

async function within<T>(asking: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([asking, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
