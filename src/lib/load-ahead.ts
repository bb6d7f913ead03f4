// Loading what comes next while what came before is worked on.

/** Hands over each item with what it loads to, in order; the next one loads meanwhile. Throws what loading throws, at its turn. */
export async function* loadAhead<T, L>(
  items: Iterable<T> | AsyncIterable<T>,
  load: (item: T) => Promise<L>,
): AsyncGenerator<readonly [T, L]> {
  let ahead: { item: T; loading: Promise<L> } | undefined;
  for await (const item of items) {
    const now = ahead;
    const loaded = await now?.loading;
    const loading = load(item);
    loading.catch(() => undefined); // it is thrown at its turn, if that comes
    ahead = { item, loading };
    if (now) yield [now.item, loaded as L];
  }
  if (ahead) yield [ahead.item, await ahead.loading];
}
