// What is held against the model. Knows neither the ledger nor HTTP: a system is whatever can be asked. No behaviour.
import type { Subject } from './catalogue.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  CreditsState,
  Holdings,
  MergeFacts,
  Observed,
  OrderStanding,
  Past,
  Request,
  ReservationState,
  ReserveRequest,
  SubjectBalance,
} from './requests.js';

/** One customer, seen for the first time. */
export interface System {
  setClock(now: number): void;
  run(request: Request): Promise<Observed>;
  check(request: ConsumeRequest | ReserveRequest): Promise<CheckFacts | { code: string }>;
  holdings(): Promise<Holdings>;
  balanceOf(subject: Subject): Promise<SubjectBalance>;
  creditsOf(product: string): Promise<CreditsState>;
  parts(): Promise<BatchParts[]>;
  reservations(): Promise<ReservationState[]>;
  standingOf(order: number): Promise<OrderStanding>;
  /** Settles what is due ahead of use. */
  sweep(): Promise<void>;
  /** What was at an instant of the past, as far as the system tells it. */
  at(instant: number, subject: Subject): Promise<Partial<Past>>;
  /** Rejects when what is stored contradicts itself. */
  audit(): Promise<void>;
  /** Where customers can be merged. */
  family?: Family;
}

/** How a customer gets to be another one. */
export interface Family {
  /** Somebody else, whose batches and reservations are numbered with the customer's. */
  meetOther(): Promise<System>;
  /** Merges the other into the customer. */
  merge(other: System): Promise<{ outcome: 'accepted' | 'replayed'; facts: MergeFacts }>;
  /** The customer by the name of the other, who was merged. */
  byNameOf(other: System): System;
}
