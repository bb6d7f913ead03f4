// What the model remembers of operations, and how units of them come back. Written from the documented rules alone, like the rest of the model:
// undoes the last unit first, one after the other.
import type { Subject } from './catalogue.js';
import { balanceOf } from './model-readers.js';
import { costOf, inWholeUnits, refuse } from './model-rules.js';
import type { ModelWallet } from './model-wallet.js';
import type { Expected, Request, Taking } from './requests.js';

/** Units of one batch that an operation used, or owed when there is none, and how many of them are not given back. */
interface Use {
  batch: number | null;
  debt: number | null;
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
  noteUse(
    subject: Subject,
    taken: readonly Taking[],
    { debt = null, held = 0, heldAt = 0 }: { debt?: number | null; held?: number; heldAt?: number } = {},
  ): void {
    const { now } = this.#wallet;
    const uses: Use[] = taken.map(({ batch, amount }, place) => ({
      batch,
      debt: null,
      product: this.#wallet.batchAt(batch).product,
      units: amount,
      at: place < held ? heldAt : now,
    }));
    if (debt !== null) {
      const { product, units } = this.#wallet.debtAt(debt);
      uses.push({ batch: null, debt, product, units, at: now });
    }
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
    const owed = this.#wallet.debts.map(({ units }) => units);
    return this.#count(operation, ({ debt }) => {
      if (debt === null) return true;
      owed[debt] = (owed[debt] ?? 0) - 1;
      return (owed[debt] ?? 0) >= 0;
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
    const runs: { product: string; undone: Map<Use, number> }[] = [];
    for (let undone = 0; undone < amount; undone += 1) {
      const { product, at } = this.#lastThatCanComeBack(uses);
      this.#wallet.countCall(subject, -1, at);
      if (runs.at(-1)?.product !== product) runs.push({ product, undone: new Map() });
      for (let unit = 0; unit < this.#cost(product, subject); unit += 1) {
        const last = this.#lastThatCanComeBack(uses.filter((use) => use.product === product));
        last.units -= 1;
        if (last.debt !== null) this.#wallet.forgive(last.debt, last.at);
        const own = runs.at(-1)?.undone;
        own?.set(last, (own.get(last) ?? 0) + 1);
      }
    }
    const restored: Taking[] = [];
    const came = runs.map(({ product, undone }) => {
      const back = { kept: 0, expired: 0, revoked: 0, cost: this.#cost(product, subject) };
      for (const [{ batch, at }, units] of undone) {
        const { kept, expired, revoked } =
          batch === null ? { kept: units, expired: 0, revoked: 0 } : this.#wallet.comeBack(batch, units, 'used', at);
        back.kept += kept;
        back.expired += expired;
        back.revoked += revoked;
        if (batch !== null) restored.push({ batch, amount: units });
      }
      return back;
    });
    const { remaining } = balanceOf(this.#wallet.onward ?? this.#wallet, subject);
    return { outcome: 'accepted', facts: { amount, ...inWholeUnits(came), restored, remaining } };
  }

  #lastThatCanComeBack(uses: readonly Use[]): Use {
    const last = uses.findLast((use) => this.#unitsOf(use) > 0);
    if (!last) throw new Error('the model counts wrong');
    return last;
  }

  #unitsOf({ debt, units }: Use): number {
    return debt === null ? units : Math.min(units, this.#wallet.debtAt(debt).units);
  }
}
