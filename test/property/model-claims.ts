// What refunds and disputes claim of the batches of the model's orders, and how it comes back. Written from the documented rules alone, like the rest
// of the model: takes unit after unit, and knows shares as fractions of whole numbers.
import type { CatalogueOffer } from './catalogue.js';
import { dayOf, endOf } from './model-rules.js';
import { isOver, type ModelBatch, type ModelWallet } from './model-wallet.js';

/** A part of one. */
export interface ModelShare {
  part: bigint;
  whole: bigint;
}

/** The refund or the dispute that claims. */
export interface ModelCause {
  policy: 'ignore' | 'debt';
  /** It failed or was won. */
  isEnded: boolean;
}

/** What a line of an order granted, and what is left of it. */
export interface ModelLineLeft {
  share: ModelShare;
  /** Of how many it was, and how many are not refunded. */
  quantity: number;
  left: number;
  offer: CatalogueOffer;
  /** Whether it is refunded by its quantity now. */
  isNamed: boolean;
  /** Its batches, without those in which they go on. */
  batches: readonly number[];
  /** Whether a refund by the line's quantity that did not fail is this one. */
  isOfQuantity(cause: ModelCause): boolean;
}

/** What one refund or dispute claims of one batch: first counted is what is given up first. */
interface ModelClaim {
  cause: ModelCause;
  batch: number;
  unrecovered: number;
  /** Its debt, and of how many units that was. */
  debt: number | null;
  owed: number;
  taken: number;
  /** What of it came back, or was given up. */
  undone: number;
  at: number;
}

/** Access that was taken: the length that it lost, null where it had no end. */
interface ModelCut {
  cause: ModelCause;
  batch: number;
  lengthMs: number | null;
  isUndone: boolean;
}

export interface ModelRecovery {
  recovered: Record<string, number>;
  unrecovered: Record<string, number>;
}

export class ModelClaims {
  readonly #wallet: ModelWallet;
  readonly #claims: ModelClaim[] = [];
  readonly #cuts: ModelCut[] = [];

  constructor(wallet: ModelWallet) {
    this.#wallet = wallet;
  }

  /** Takes what the shares of the lines claim, or gives back what they claim no longer. */
  apply(lines: readonly ModelLineLeft[], cause: ModelCause): ModelRecovery {
    const recovery = this.#moveUnits(lines, cause);
    for (const line of lines) {
      for (const root of line.batches) {
        if (this.#wallet.batchAt(root).granted !== null) continue;
        this.#giveBackAccess(root, line);
        this.#takeAccess(this.#family(root), line, cause);
      }
    }
    return recovery;
  }

  #family(root: number): ModelBatch[] {
    const family = [this.#wallet.batchAt(root)];
    for (const own of family)
      family.push(...this.#wallet.onwardBatches.filter(({ predecessor }) => predecessor === own.place));
    return family;
  }

  #moveUnits(lines: readonly ModelLineLeft[], cause: ModelCause): ModelRecovery {
    const claims: ModelClaim[] = [];
    const undos: { claim: ModelClaim; units: number }[] = [];
    const roots = lines.flatMap((line) => line.batches.map((place) => ({ root: this.#wallet.batchAt(place), line })));
    roots.sort((a, b) => latestFirst(a.root, b.root));
    for (const { root, line } of roots) {
      if (root.granted === null) continue;
      const family = this.#family(root.place).sort(latestFirst);
      const target = Number((BigInt(root.granted) * line.share.part) / line.share.whole);
      const own = this.#claims.filter(({ batch }) => family.some(({ place }) => place === batch));
      const claimed = own.reduce((sum, claim) => sum + sizeOf(claim) - claim.undone, 0);
      if (target > claimed) claims.push(...this.#claim(family, target - claimed, cause));
      let excess = claimed - target;
      for (const claim of ordered(own)) {
        const units = Math.min(excess, sizeOf(claim) - claim.undone);
        if (units <= 0) continue;
        excess -= units;
        undos.push({ claim, units });
      }
    }
    const recovery: ModelRecovery = { recovered: {}, unrecovered: {} };
    for (const { batch, taken, unrecovered, owed } of claims) {
      const { product } = this.#wallet.batchAt(batch);
      recovery.recovered[product] = (recovery.recovered[product] ?? 0) + taken;
      recovery.unrecovered[product] = (recovery.unrecovered[product] ?? 0) + unrecovered + owed;
    }
    for (const claim of claims) if (claim.owed > 0) this.#owe(claim);
    this.#claims.push(...claims);
    this.#undo(undos);
    return recovery;
  }

  /** What is there is taken, latest end first; the rest is claimed of what is out. */
  #claim(family: readonly ModelBatch[], units: number, cause: ModelCause): ModelClaim[] {
    let missing = units;
    const claims = family.map((batch): ModelClaim => {
      const taken = isOver(batch, this.#wallet.now) ? 0 : Math.min(batch.left, missing);
      batch.left -= taken;
      batch.clawedBack += taken;
      if (taken > 0) batch.revokes.push(taken);
      missing -= taken;
      const { now: at } = this.#wallet;
      return { cause, batch: batch.place, unrecovered: 0, debt: null, owed: 0, taken, undone: 0, at };
    });
    for (const claim of claims) {
      const { granted, transferred, left, place } = this.#wallet.batchAt(claim.batch);
      const usable = isOver(this.#wallet.batchAt(place), this.#wallet.now) ? 0 : left;
      const others = this.#claims.filter(({ batch }) => batch === place);
      const claimed = others.reduce((sum, other) => sum + sizeOf(other) - other.undone, claim.taken);
      const out = Math.max(0, (granted ?? 0) - transferred - usable - claimed);
      const own = Math.min(out, missing);
      missing -= own;
      if (cause.policy === 'debt') claim.owed = own;
      else {
        claim.unrecovered = own;
        this.#wallet.batchAt(place).unrecovered += own;
      }
    }
    if (missing > 0) throw new Error('the model claims more than there was');
    return claims.filter((claim) => sizeOf(claim) > 0);
  }

  /** Owes what is not there, and repays it at once with what else there is. */
  #owe(claim: ModelClaim): void {
    const { product } = this.#wallet.batchAt(claim.batch);
    this.#wallet.debts.push({ product, units: claim.owed, batch: claim.batch, repaidBy: [] });
    claim.debt = this.#wallet.debts.length - 1;
    for (const batch of this.#wallet.whateverThereIs(product)) {
      while (batch.left > 0 && (this.#wallet.owed[product] ?? 0) > 0) this.#wallet.repayOne(batch);
    }
  }

  /** What was unrecovered is claimed no longer; what is owed is forgiven; what repaid it comes back, and then what was taken. */
  #undo(undos: readonly { claim: ModelClaim; units: number }[]): void {
    const steps = undos.map(({ claim, units }) => {
      const batch = this.#wallet.batchAt(claim.batch);
      const step = {
        claim,
        batch,
        debt: claim.debt === null ? undefined : this.#wallet.debtAt(claim.debt),
        taken: 0,
        ofDebt: 0,
      };
      for (let unit = 0; unit < units; unit += 1) {
        const isOfDebt = claim.undone >= claim.unrecovered && claim.undone < claim.unrecovered + claim.owed;
        if (isOfDebt) step.ofDebt += 1;
        else if (claim.undone < claim.unrecovered && batch.unrecovered > 0) batch.unrecovered -= 1;
        else step.taken += 1;
        claim.undone += 1;
      }
      return step;
    });
    for (const step of steps) {
      while (step.debt && step.ofDebt > 0 && step.debt.units > 0) {
        step.debt.units -= 1;
        step.ofDebt -= 1;
      }
    }
    for (const step of steps) {
      for (const repayment of step.debt?.repaidBy ?? []) {
        const back = Math.min(step.ofDebt, repayment.amount);
        if (back === 0) continue;
        repayment.amount -= back;
        step.ofDebt -= back;
        const repaying = this.#wallet.batchAt(repayment.batch);
        this.#wallet.ownerOf(repaying).land(repaying, back, 'used');
      }
    }
    for (const { claim, batch, taken, ofDebt } of steps) this.#restore(batch, taken + ofDebt, claim.at);
  }

  /** What was taken comes back to its batch, or to a successor that lasts as long as it had left. */
  #restore(batch: ModelBatch, units: number, claimedAt: number): void {
    if (units === 0) return;
    const owner = this.#wallet.ownerOf(batch);
    owner.unrevoke(batch, units);
    if (!isOver(batch, this.#wallet.now)) return;
    batch.transferred += units;
    const { now } = this.#wallet;
    const validity = { validFrom: now, expiresAt: now + Math.max(1, (batch.expiresAt ?? 0) - claimedAt) };
    owner.addBatch(batch.product, units, validity, batch.priority, 0, batch.place);
  }

  /** Cuts access whose line is claimed wholly; ends it where the rest of the quantity ends, or takes so much of the last in which it goes on. */
  #takeAccess(family: readonly ModelBatch[], line: ModelLineLeft, cause: ModelCause): void {
    const { now } = this.#wallet;
    if (line.share.part >= line.share.whole) {
      for (const batch of family) if (!isOver(batch, now)) this.#revoke(batch, cause);
      return;
    }
    const [root] = family;
    const item = line.offer.items.find(({ product }) => product === root?.product);
    if (!root || !item || item.value === null || !line.isNamed || line.left === line.quantity) return;
    const rest = endOf(root.validFrom, item.unit, item.value * line.left, root.day) ?? root.validFrom;
    let tooLong = root.validFrom - rest;
    for (const { validFrom, expiresAt, revokedAt } of family) {
      tooLong += Math.max(0, Math.min(expiresAt ?? Infinity, revokedAt ?? Infinity) - validFrom);
    }
    for (const batch of [...family].sort((a, b) => b.validFrom - a.validFrom)) {
      const end = batch.expiresAt;
      if (end === null || isOver(batch, now) || tooLong <= 0) continue;
      const lasts = end - Math.max(now, batch.validFrom);
      const lengthMs = Math.min(lasts, tooLong);
      tooLong -= lengthMs;
      if (lengthMs === lasts) {
        this.#revoke(batch, cause);
        continue;
      }
      batch.expiresAt = end - lengthMs;
      const isOfMonths = item.unit === 'months' || item.unit === 'years';
      batch.day = isOfMonths && batch.expiresAt === rest ? root.day : dayOf(batch.expiresAt);
      this.#moveForward(batch.product, end, lengthMs);
      this.#cuts.push({ cause, batch: batch.place, lengthMs, isUndone: false });
    }
  }

  #revoke(batch: ModelBatch, cause: ModelCause): void {
    const { now } = this.#wallet;
    batch.revokedAt = now;
    const lengthMs = batch.expiresAt === null ? null : batch.expiresAt - Math.max(now, batch.validFrom);
    if (batch.expiresAt !== null && lengthMs !== null) this.#moveForward(batch.product, batch.expiresAt, lengthMs);
    this.#cuts.push({ cause, batch: batch.place, lengthMs, isUndone: false });
  }

  /** What began where access ended begins sooner, and what follows that too, but not before other access that lies in between has ended. */
  #moveForward(product: string, end: number, lengthMs: number): void {
    const access = this.#accessOf(product);
    let from = end - lengthMs;
    for (const { validFrom, expiresAt } of access) {
      if (validFrom < end) from = Math.max(from, Math.min(expiresAt ?? Infinity, end));
    }
    const moved: ModelBatch[] = [];
    const ends = [end];
    for (const at of ends) {
      for (const batch of access) {
        if (batch.validFrom !== at || moved.includes(batch)) continue;
        moved.push(batch);
        if (batch.expiresAt !== null) ends.push(batch.expiresAt);
      }
    }
    if (from === end) return;
    for (const batch of moved) {
      batch.validFrom -= end - from;
      if (batch.expiresAt === null) continue;
      batch.expiresAt -= end - from;
      batch.day = dayOf(batch.expiresAt);
    }
  }

  #accessOf(product: string): ModelBatch[] {
    return this.#wallet.onwardBatches.filter(
      (batch) => batch.product === product && batch.granted === null && !isOver(batch, this.#wallet.now),
    );
  }

  /** The length that access lost comes back at the end of the chain, where its line is not wholly refunded any more. */
  #giveBackAccess(root: number, line: ModelLineLeft): void {
    if (line.share.part >= line.share.whole) return;
    const family = this.#family(root).map(({ place }) => place);
    const lost = this.#cuts.filter(({ batch, isUndone }) => !isUndone && family.includes(batch));
    for (const cut of lost.filter(({ cause }) => !line.isOfQuantity(cause))) {
      cut.isUndone = true;
      const batch = this.#wallet.batchAt(cut.batch);
      const { product, priority, place } = batch;
      let validFrom = this.#wallet.now;
      for (const { expiresAt } of this.#accessOf(product)) validFrom = Math.max(validFrom, expiresAt ?? 0);
      const expiresAt = cut.lengthMs === null ? null : validFrom + cut.lengthMs;
      const day = dayOf(expiresAt ?? validFrom);
      this.#wallet.ownerOf(batch).addBatch(product, 1, { validFrom, expiresAt }, priority, day, place);
    }
  }
}

function sizeOf({ unrecovered, owed, taken }: ModelClaim): number {
  return unrecovered + owed + taken;
}

/** Of what is undone first, then of the newest. */
function ordered(claims: readonly ModelClaim[]): ModelClaim[] {
  const newest = [...claims].reverse();
  return [...newest.filter(({ cause }) => cause.isEnded), ...newest.filter(({ cause }) => !cause.isEnded)];
}

function latestFirst(a: ModelBatch, b: ModelBatch): number {
  const [left, right] = [a.expiresAt ?? Infinity, b.expiresAt ?? Infinity];
  if (left !== right) return right > left ? 1 : -1;
  return a.place - b.place;
}
