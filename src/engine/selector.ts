// Whom a request is about, as it says it.
import { AppError } from '../errors/app-error.js';
import type { FirstSight, IdentityKey } from '../ledger/customer-entities.js';

/** Whom a request is about: what is present names one customer. */
export interface Selector {
  customerId?: string;
  identity?: IdentityKey;
  /** Something of his that the request names by its id. */
  owned?: Owned;
  /** Which of the others the request sent as `user_id`; refusals point there. */
  userId?: 'customer' | 'identity';
}

export interface Owned {
  kind: 'reservation' | 'operation' | 'order' | 'reward' | 'subscription';
  id: string;
  /** Where the request names it: in its path, when left out. */
  pointer?: string;
}

/** Whom a request is about: a customer, or one who comes to be in the operation's transaction. */
export interface Resolution {
  /** Whose ledger it is about. */
  readonly customerId: string;
  /** Whom that customer leads to, where he was merged: something of his is named by its id. */
  readonly finalId?: string | undefined;
  readonly sight?: FirstSight | undefined;
}

/** A selector as a map's key. */
export function selectorText({ customerId, identity, owned }: Selector): string {
  return JSON.stringify([customerId, identity?.provider, identity?.externalId, owned?.kind, owned?.id]);
}

/** An identity as a map's key. */
export function identityText({ provider, externalId }: IdentityKey): string {
  return JSON.stringify([provider, externalId]);
}

/** Whether a selector names its customer in one way only, so that there is nothing to agree. */
export function isNamedOnce({ customerId, identity, owned }: Selector): boolean {
  return [customerId, identity, owned].filter((name) => name !== undefined).length === 1;
}

/** The field by which a selector names an identity. */
export function identityPointer({ userId }: Selector): string {
  return userId === 'identity' ? '/user_id' : '/external_id';
}

/** The refusal of a selector that nobody is known by. */
export function unknownCustomer(selector: Selector): AppError {
  if (selector.customerId === undefined) return unknownAt(identityPointer(selector));
  return selector.userId === 'customer' ? unknownAt('/user_id', NOT_OURS) : unknownAt('/customer_id');
}

const NOT_OURS = ' A UUID is read as customer_id: send one of your own as external_id, with provider.';

function unknownAt(pointer: string, hint = ''): AppError {
  return new AppError('customer_not_found', `There is no such customer.${hint}`, { pointer });
}

/** The refusal of a selector that names two customers. */
export function selectorConflict(pointer: string): AppError {
  return new AppError('selector_conflict', 'The two selectors name different customers.', { pointer });
}

/** The refusal of a thing that there is not, or not of whom the selector names. */
export function unknownOwned({ kind, id, pointer = 'path/id' }: Owned): AppError {
  switch (kind) {
    case 'reservation':
      return new AppError('reservation_not_found', `There is no reservation ${id}.`, { pointer });
    case 'order':
      return new AppError('order_not_found', 'There is no such order.', { pointer });
    case 'reward':
      return new AppError('reward_not_found', 'There is no such reward.', { pointer });
    case 'subscription':
      return new AppError('subscription_not_found', 'There is no such subscription.', { pointer });
    case 'operation':
      return new AppError('operation_not_found', `There is no operation ${id}.`, { pointer });
  }
}
