// Pairs of customers to merge.
import type { Json, TestApp } from './app.js';
import { customerIdOf } from './parallel.js';
import { newPerson } from './requests.js';

/** A customer, and the identity that names him. */
export interface Merging {
  id: string;
  name: string;
}

/** Two customers with one identity each. */
export async function newMergePair(app: TestApp): Promise<[Merging, Merging]> {
  const make = async (): Promise<Merging> => {
    const name = newPerson();
    return { id: await customerIdOf(app, name), name };
  };
  return [await make(), await make()];
}

/** Merges the source into the target. */
export function mergePair(app: Pick<TestApp, 'post'>, target: { id: string }, source: { id: string }, more: Json = {}) {
  return app.post('/customers/merge', { target_customer_id: target.id, source_customer_id: source.id, ...more });
}
