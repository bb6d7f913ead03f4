// Numbers of the bench: medians, percentiles, and seeded choices of customers, so that two runs ask for the same ones.

/** The value in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  return percentile(sorted(values), 0.5);
}

/** Least and greatest. */
export function rangeOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/**
 * Between which the median lies with 95 % or more, whatever it is a median of: the values as far from either end as the sign test allows (of nine the second
 * and the eighth). Of fewer than six the least and the greatest, which say less.
 */
export function medianInterval(values: readonly number[]): [number, number] {
  const ascending = sorted(values);
  const { length } = ascending;
  let chance = 0.5 ** length;
  let within = chance;
  let cut = 0;
  while (2 * within <= 0.05 && cut < length / 2) {
    cut += 1;
    chance *= (length - cut + 1) / cut;
    within += chance;
  }
  const from = Math.max(0, cut - 1);
  return [ascending[from] ?? Number.NaN, ascending[length - 1 - from] ?? Number.NaN];
}

export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/** Precondition: ascending. NaN of nothing. */
export function percentile(ascending: Float64Array, share: number): number {
  const at = Math.min(ascending.length - 1, Math.floor(share * ascending.length));
  return ascending[at] ?? Number.NaN;
}

/** A generator of numbers from 0 to 1, exclusive (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Chooses 1 to `count`, each alike. */
export function uniform(count: number, random: () => number): () => number {
  return () => 1 + Math.floor(random() * count);
}

/** Chooses 1 to `count`, the n-th with a weight of 1/n (Zipf with exponent 1): the first gets 8 % of the choices among 100,000. */
export function zipf(count: number, random: () => number): () => number {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let at = 0; at < count; at += 1) {
    sum += 1 / (at + 1);
    cumulative[at] = sum;
  }
  return () => {
    const target = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  };
}
