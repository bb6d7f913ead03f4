// Which of some names was probably meant by one that is none of them.

/** Longer names are not compared: nobody misspells those, and a comparison takes the product of the lengths. */
const LENGTH_MAX = 64;
const MISTAKES_MAX = 2;
/** So many letters for each mistake: short names are all alike. */
const LETTERS_PER_MISTAKE = 3;
const BEGINNING_MIN = 4;

/** The nearest of `names`: the same but for case and separators, misspelt by one or two letters, or its beginning. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (name.length > LENGTH_MAX) return undefined;
  const letters = lettersOf(name);
  const allowed = Math.min(MISTAKES_MAX, Math.floor(letters.length / LETTERS_PER_MISTAKE));
  const ranked = names
    .map((candidate) => ({ candidate, mistakes: mistakesBetween(letters, lettersOf(candidate)) }))
    .filter(({ mistakes }) => mistakes <= allowed)
    .sort((a, b) => a.mistakes - b.mistakes);
  if (ranked[0]) return ranked[0].candidate;
  return letters.length < BEGINNING_MIN
    ? undefined
    : names.find((candidate) => lettersOf(candidate).startsWith(letters));
}

/** Lower-case, without what separates words: the letters that `idempotencyKey` and `idempotency_key` share. */
function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Letters added, left out, exchanged or swapped with a neighbour (optimal string alignment). */
export function mistakesBetween(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return last[b.length] ?? 0;
}
