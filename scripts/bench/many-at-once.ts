// Many requests, so many at a time.

/** Does something so often, as many at a time as there are connections. */
export async function manyAtOnce<T>(
  count: number,
  connections: number,
  work: (at: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      results[at] = await work(at);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return results;
}
