// The small pieces of which the commands of a workload are drawn.
import fc from 'fast-check';
import type { Command, Scope } from './commands.js';

export type Keys = fc.Arbitrary<string | null>;
export type Weighted = fc.WeightedArbitrary<Command>;

/** A plain object, which prints as one. */
export function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

export function mostly<A, B>(usual: fc.Arbitrary<A>, odd: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
  return fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

/** One of these keys or none; none where nothing remembers keys. */
export function keysOf({ hasMemory }: Scope, ...keys: string[]): Keys {
  return hasMemory ? fc.option(fc.constantFrom(...keys), { freq: 3 }) : fc.constant(null);
}

/** So many, of everything: mostly few, so that what is asked and what there is come close to each other. */
export const quantities = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
);

/** Lengths in hours from `min`: mostly short, so that what ends and what begins meets. */
export function hoursFrom(min: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min, max: 4 }) },
    { weight: 1, arbitrary: fc.integer({ min, max: 60 }) },
  );
}
