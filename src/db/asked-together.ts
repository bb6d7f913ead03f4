// Look-ups that a transaction is asked for at the same moment, in one statement: operations that share a transaction load what each of them needs, and know
// nothing of each other.
import type { Tx } from './client.js';

/** Makes a look-up of one key of a look-up of many, which tells what it finds in the order of the keys. */
export function askedTogether<K, V>(
  find: (tx: Tx, keys: readonly K[]) => Promise<readonly V[]>,
): (tx: Tx, key: K) => Promise<V> {
  const open = new WeakMap<Tx, { keys: K[]; finding: Promise<readonly V[]> }>();
  const begin = (tx: Tx) => {
    const keys: K[] = [];
    // What is asked for until then goes with it; it is sent behind whatever was sent before.
    const finding = Promise.resolve().then(() => {
      open.delete(tx);
      return find(tx, keys);
    });
    const asked = { keys, finding };
    open.set(tx, asked);
    return asked;
  };
  return async (tx, key) => {
    const { keys, finding } = open.get(tx) ?? begin(tx);
    const at = keys.push(key) - 1;
    return (await finding)[at] as V;
  };
}
