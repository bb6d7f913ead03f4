// What the model remembers of operations, and how units of them come back. Written from the documented rules alone, like the rest of the model:
// undoes the last unit first, one after the other.
import type { Subject } from './catalogue.js';
import { balanceOf } from './model-readers.js';
import { costOf, refuse } from './model-rules.js';
import type { ModelWallet } from './model-wallet.js';
import type { Expected, Request, Taking } from './requests.js';

/** Units of one batch that an operation used, or owed when there is none, and how many of them are not given back. */
interface Use {
  batch: number | null;
  product: string;
  units: number;
  /** When it was used, or held. */
  at: number;
}

/** What an operation took of what; one that takes nothing for use has no subject. */
interface ModelOperation {
  subject: Subject | undefined;
  /** In the order of use; a debt is last. */
  uses: Use[];
}

export class ModelOperations {
  readonly #wallet: ModelWallet;
  readonly list: ModelOperation[] = [];

  constructor(wallet: ModelWallet) {
    this.#wallet = wallet;
  }

  /** Remembers an operation that used something up, the first of it when it was held. */
  noteUse(subject: Subject, taken: readonly Taking[], { owed = 0, held = 0, heldAt = 0 } = {}): void {
    const { now } = this.#wallet;
    const uses: Use[] = taken.map(({ batch, amount }, place) => ({
      batch,
      product: this.#wallet.batchAt(batch).product,
      units: amount,
      at: place < held ? heldAt : now,
    }));
    if (owed > 0 && 'product' in subject) uses.push({ batch: null, product: subject.product, units: owed, at: now });
    this.list.push({ subject, uses });
  }

  /** Remembers an operation of another kind. */
  noteOther(): void {
    this.list.push({ subject: undefined, uses: [] });
  }

  /** Whole units that an operation used and that were not given back. */
  leftOf(place: number): number {
    const operation = this.list[place];
    return operation ? this.#count(operation, () => true) : 0;
  }

  giveBack({ operation: place, amount: told }: Extract<Request, { kind: 'give back' }>): Expected {
    const operation = place === null ? undefined : this.list[place];
    if (!operation) return refuse('operation_not_found');
    const { subject } = operation;
    if (!subject) return refuse('not_reversible');
    const possible = this.#possible(operation);
    const amount = told ?? Math.max(1, possible);
    const left = this.#count(operation, () => true);
    if (amount > left) return refuse('release_exceeds_usage');
    if (amount > possible) return refuse('not_reversible');
    return this.#undo(operation, subject, amount);
  }

  /** Whole units that can come back: a debt only as far as it is still owed. */
  #possible(operation: ModelOperation): number {
    const owed = { ...this.#wallet.owed };
    return this.#count(operation, ({ batch, product }) => {
      if (batch !== null) return true;
      owed[product] = (owed[product] ?? 0) - 1;
      return owed[product] >= 0;
    });
  }

  #count({ subject, uses }: ModelOperation, counts: (use: Use) => boolean): number {
    const units = new Map<string, number>();
    for (const use of uses) {
      for (let unit = 0; unit < use.units; unit += 1) {
        if (counts(use)) units.set(use.product, (units.get(use.product) ?? 0) + 1);
      }
    }
    let whole = 0;
    for (const [product, own] of units) whole += Math.floor(own / this.#cost(product, subject));
    return whole;
  }

  #cost(product: string, subject: Subject | undefined): number {
    return (subject && costOf(product, subject)) ?? 1;
  }

  /** The last use first, a whole unit of its product at a time. */
  #undo({ uses }: ModelOperation, subject: Subject, amount: number): Expected {
    const restored = new Map<Use, Taking>();
    const runs: { product: string; kept: number }[] = [];
    for (let undone = 0; undone < amount; undone += 1) {
      const { product, at } = this.#lastThatCanComeBack(uses);
      this.#wallet.countCall(subject, -1, at);
      if (runs.at(-1)?.product !== product) runs.push({ product, kept: 0 });
      for (let unit = 0; unit < this.#cost(product, subject); unit += 1) {
        const last = this.#lastThatCanComeBack(uses.filter((use) => use.product === product));
        last.units -= 1;
        const run = runs.at(-1);
        if (!run) throw new Error('the model counts wrong');
        if (last.batch === null) {
          this.#wallet.forgive(product, last.at);
          run.kept += 1;
        } else {
          run.kept += this.#wallet.comeBack(last.batch, 1, 'used', last.at);
          restored.set(last, { batch: last.batch, amount: (restored.get(last)?.amount ?? 0) + 1 });
        }
      }
    }
    const returned = runs.reduce((sum, { product, kept }) => sum + Math.floor(kept / this.#cost(product, subject)), 0);
    const { remaining } = balanceOf(this.#wallet, subject);
    const facts = { amount, returned, expired: amount - returned, restored: [...restored.values()], remaining };
    return { outcome: 'accepted', facts };
  }

  #lastThatCanComeBack(uses: readonly Use[]): Use {
    const last = uses.findLast((use) => this.#canComeBack(use));
    if (!last) throw new Error('the model counts wrong');
    return last;
  }

  #canComeBack(use: Use): boolean {
    return this.#unitsOf(use) > 0;
  }

  #unitsOf({ batch, product, units }: Use): number {
    return batch === null ? Math.min(units, this.#wallet.owed[product] ?? 0) : units;
  }
}
