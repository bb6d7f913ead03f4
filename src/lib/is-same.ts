// Whether two values of plain data say the same, whatever the order of their members.
import { isDeepStrictEqual } from 'node:util';

/** Dates by their instants, numbers exactly; a member that is undefined is not one that is absent. */
export function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}
