// What the commands of a random workload are. A command is relative ("all but one", "the third order", "the next end"), so that it stays
// meaningful when others are taken out while shrinking; `resolve` makes an absolute request of it. No behaviour.
import type { Subject } from './catalogue.js';
import type { Enforcement, GivenAs, LimitWindow, Request } from './requests.js';

/** Idempotency keys, or none. */
type Key = string | null;

export type Command = OwnCommand | MergeCommand;

/** About one customer. */
export type OwnCommand = SalesCommand | WorkCommand | TimeCommand;

/** About another customer, and how he becomes the same. */
export type MergeCommand =
  /** Under the name of the other: about what is his, or, once he is merged, about whom he leads to. */
  | { kind: 'by the other'; command: OwnCommand }
  /** Merges the other into the customer, or tells it again. */
  | { kind: 'merge' };

/** What is given and sold. */
export type SalesCommand =
  | ({ kind: 'grant units'; key: Key; as: GivenAs } & UnitsCommand)
  | { kind: 'grant offer'; key: Key; as: GivenAs; sku: string; times: number }
  /** A product by name, or by its place among those held. */
  | { kind: 'take away'; key: Key; product: string | number; quantity: number }
  /** All that there is and so many more. */
  | { kind: 'take all away'; product: number; and: number }
  | ({ kind: 'migrate'; key: Key; source: string } & UnitsCommand)
  | Extract<Request, { kind: 'trial' | 'exchange' | 'identify' | 'refer' }>
  /** The last referral the other way round. */
  | { kind: 'refer back' }
  | { kind: 'order'; key: Key; lines: { sku: string; quantity: number }[]; lifetimeH: number }
  | {
      kind: 'confirm';
      key: Key;
      /** Counted from the last one, which can most likely still be paid. */
      order: number;
      status: 'paid' | 'failed';
      payment: string | null;
      amount: 'right' | 'wrong' | null;
    }
  | RefundCommand;

/** What comes of what was bought. Orders are counted from the last one that is paid; an unpaid one is the last of those. */
export type RefundCommand =
  | {
      kind: 'refund';
      key: Key;
      order: number | 'unpaid';
      id: string | null;
      what: WhatIsRefunded;
      /** By its id, or one of the same order, if there is one. */
      dispute: string | 'of it' | null;
      policy: 'ignore' | 'debt';
    }
  /** Counted from the last one that was told, or by an id. */
  | { kind: 'refund failed'; last: number; id: string | null }
  | {
      kind: 'dispute';
      key: Key;
      order: number | 'unpaid';
      id: string;
      status: 'opened' | 'won' | 'lost';
      /** Of what was paid; null is all of it. */
      twelfths: number | null;
      policy: 'ignore' | 'debt';
    }
  /** Counted from the last one. */
  | { kind: 'dispute ends'; last: number; status: 'opened' | 'won' | 'lost' };

/** Twelfths of what is left to refund, or lines. */
export type WhatIsRefunded = 'whole' | { twelfths: number } | { lines: { line: number; quantity: number | null }[] };

/** What is used, held, given back and owed. */
export type WorkCommand =
  | UseCommand
  | { kind: 'consume batch'; key: Key; mode: 'continue' | 'atomic'; items: UseCommand[] }
  | { kind: 'reserve'; key: Key; subject: SubjectCommand; amount: AmountCommand; lifetime: LifetimeCommand | null }
  | { kind: 'commit'; key: Key; of: ReservationCommand; amount: number | 'all' | 'again'; allowExcess: boolean }
  | { kind: 'release'; key: Key; of: ReservationCommand }
  | { kind: 'extend'; key: Key; of: ReservationCommand; lifetimeS: number }
  | { kind: 'give back'; key: Key; of: OperationCommand; amount: AmountCommand | null }
  | { kind: 'add credits'; key: Key; product: string; amount: number; lastsH: number | null }
  | { kind: 'deduct credits'; key: Key; product: string; amount: AmountCommand; allowNegative: boolean }
  | LimitCommand;

export type LimitCommand =
  | { kind: 'set limit'; subject: SubjectCommand; windows: WindowsCommand; enforcement: Enforcement }
  /** One of those that are set, if there is one. `nobodys` is mostly one that is not. */
  | { kind: 'remove limit'; limit: number | 'nobodys' };

/** How much may be used, or so much more than was used. */
export type WindowsCommand = { [W in LimitWindow]?: number | { usedAnd: number } | null };

export interface UseCommand {
  kind: 'consume';
  key: Key;
  subject: SubjectCommand;
  amount: AmountCommand;
}

export type TimeCommand =
  | { kind: 'wait'; ms: number }
  /**
   * Until so many milliseconds after the next start or end of a batch, order or reservation, after the next end of a batch that is held, or of a window
   * that is limited.
   */
  | { kind: 'wait for'; what: 'anything' | 'held batch' | 'window'; offsetMs: number }
  /** The clock goes back by so much; it is another process that asks. */
  | { kind: 'lag'; ms: number }
  /** What is due is settled ahead of use. */
  | { kind: 'sweep' }
  /** Sends an earlier request again, of those that can be told to be the same; counted from the last one. */
  | { kind: 'repeat'; last: number };

export interface UnitsCommand {
  product: string;
  quantity: number;
  priority: number;
  /** From now; null is at once. */
  startsInH: number | null;
  /** From the start; null is for ever. */
  lastsH: number | null;
}

/** A subject by name, or by its place among those of which there is something. */
export type SubjectCommand = Subject | number;

/** So many, or so many more than there is. */
export type AmountCommand = number | { allAnd: number };

/** A length, as such or as the instant of its end. */
export interface LifetimeCommand {
  seconds: number;
  as: 'length' | 'instant';
}

/** Counted from the last one among those that are open, or that have ended, if there is one. `nobodys` is one that was never made. */
export interface ReservationCommand {
  among: 'open' | 'ended' | 'nobodys';
  last: number;
}

/** Counted from the last one among those of which something can be given back, or among all. `nobodys` is one that was never made. */
export interface OperationCommand {
  among: 'used' | 'all' | 'nobodys';
  last: number;
}

/** What a workload may contain beyond what the pure functions can be asked. */
export interface Scope {
  /** Idempotency keys and repeated requests, and what else is remembered beside the ledger: source ids, profiles, referrals, batches of uses. */
  hasMemory: boolean;
  /** Names and validities that are refused before the pure functions are reached. */
  hasUnknowns: boolean;
  /** A clock of its own in each process, and jobs beside the requests. */
  hasProcesses: boolean;
  /** Another customer, who is merged into this one. */
  hasMerges: boolean;
}

export interface Workload {
  startsAt: string;
  commands: Command[];
}
