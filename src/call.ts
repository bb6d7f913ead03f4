// What passes between the HTTP layer and the use cases, whatever the resource: who asks and under which key, and the bytes of the answer.

import type { Ability, Scope } from './lib/scopes.js';

/** Who asks: the API key that the caller's token is, to whom it belongs, which stays when it is rotated, and what it allows. */
export interface Actor {
  readonly keyId: string;
  readonly ownerId: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Whose own token it is, and what it allows then, in place of scopes; nobody else may be touched. */
  readonly customer?: { readonly id: string; readonly abilities: ReadonlySet<Ability> };
}

/** A call as it came in: who makes it, and the key under which it happens once, if it has one. */
export interface Call {
  readonly actor: Actor;
  readonly idempotencyKey: string | undefined;
}

/** The bytes of an answer. */
export interface Rendered {
  status: number;
  /** JSON text. */
  body: string;
}

/** The bytes of an answer; `replayed` when an earlier request produced them. */
export interface RecordedAnswer extends Rendered {
  replayed: boolean;
}

/** Renders a result to the bytes that are recorded and sent. */
export type Render<R> = (result: R) => Rendered;

/**
 * What of an answer's body the request says as well, word for word. It is not kept with the answer, which belongs to many customers and outlives those who are
 * erased: whoever sends the request again sends it too.
 */
export interface Echo {
  leaveOut(body: string): string;
  putBack(body: string): string;
}

/** How new a read has to be. */
export interface Freshness {
  /** The position behind a write that has to be seen; `latest` is whatever there is. */
  seen: number | 'latest' | undefined;
  /** Whether it goes on from what somebody read before, of whichever server. */
  isFollowing: boolean;
}
