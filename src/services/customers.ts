// Customers and the identities that name them: look-up, metadata, link and unlink.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { inForm } from '../db/alike-identities.js';
import { type Customer, findCustomerById, findIdentity, listCustomers } from '../db/customers.js';
import type { Deps } from '../deps.js';
import type { Decision } from '../engine/operation.js';
import { AppError } from '../errors/app-error.js';
import type { Identity, IdentityKey } from '../ledger/customer-entities.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';

export interface LinkResult {
  identity: Identity;
  isNew: boolean;
}

function customerNotFound(): AppError {
  return new AppError('customer_not_found', 'There is no such customer.', { pointer: 'path/id' });
}

/** The lock proves that there is a customer; where there is none, the path is at fault. Throws. */
function asUnknownInPath(error: unknown): never {
  throw error instanceof AppError && error.code === 'customer_not_found' ? customerNotFound() : error;
}

/** One page of the customers, newest first; only the one behind an identity where one is named. */
export async function getCustomers(
  deps: Deps,
  identity: IdentityKey | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Customer[]> {
  if (!identity) return listCustomers(deps.db, undefined, page);
  const known = await findIdentity(deps.db, identity);
  return known ? listCustomers(deps.db, known.customerId, page) : [];
}

/** A customer with its identities. Throws: customer_not_found. */
export async function getCustomer(deps: Deps, customerId: string): Promise<Customer> {
  const customer = await findCustomerById(deps.db, customerId);
  if (!customer) throw customerNotFound();
  return customer;
}

/** Replaces a customer's metadata. Locks: the customer. Throws: customer_not_found, unavailable. */
export async function updateCustomer(
  deps: Deps,
  customerId: string,
  metadata: Metadata,
  call: Call,
  render: Render<Customer>,
): Promise<RecordedAnswer> {
  await getCustomer(deps, customerId);
  return deps.engine.run({
    name: 'customer.update',
    selector: { customerId },
    call,
    request: { metadata },
    load: (tx, lockedId) => findCustomerById(tx, lockedId),
    needs: { asks: [] },
    decide: ({ book, loaded, operationId }) => {
      const customer = required(loaded, 'a locked customer exists');
      book.changes.metadata.push({ before: customer.metadata, after: metadata, operationId });
      return { outcome: 'accepted', result: { ...customer, metadata } };
    },
    render,
  });
}

/**
 * Gives a customer another identity. One that it has is answered as it is.
 * Locks: the customer, then the identity's claim. Throws: customer_not_found, identity_taken, idempotency_key_reused, unavailable.
 */
export async function linkIdentity(
  deps: Deps,
  customerId: string,
  command: { identity: IdentityKey; profile: Metadata },
  call: Call,
  render: Render<LinkResult>,
): Promise<RecordedAnswer> {
  return deps.engine
    .run({
      name: 'identity.link',
      selector: { customerId },
      call,
      request: command,
      load: (tx) => findIdentity(tx, command.identity),
      needs: { asks: [] },
      decide: ({ book, loaded: known, operationId }): Decision<LinkResult> => {
        if (known?.customerId === book.customerId)
          return { outcome: 'unchanged', result: { identity: known, isNew: false } };
        if (known) {
          throw new AppError(
            'identity_taken',
            'The identity belongs to another customer: unlink it there, or merge the two.',
            {
              pointer: '/external_id',
            },
          );
        }
        const { customerId: ownerId } = book;
        const identity = {
          ...inForm(command.identity),
          id: book.ids.next(),
          customerId: ownerId,
          profile: command.profile,
        };
        book.changes.newIdentities.push({ ...identity, operationId });
        return { outcome: 'accepted', result: { identity, isNew: true } };
      },
      render,
    })
    .catch(asUnknownInPath);
}

/**
 * Takes an identity from a customer; the person behind it is unknown afterwards. What the customer owns stays.
 * Locks: the customer. Throws: customer_not_found, identity_not_found, unavailable.
 */
export async function unlinkIdentity(
  deps: Deps,
  customerId: string,
  identity: IdentityKey,
  call: Call,
  render: Render<undefined>,
): Promise<void> {
  await getCustomer(deps, customerId);
  await deps.engine.run({
    name: 'identity.unlink',
    selector: { customerId },
    call,
    request: identity,
    load: (tx) => findIdentity(tx, identity),
    needs: { asks: [] },
    decide: ({ book, loaded: known, operationId }) => {
      if (known?.customerId !== book.customerId) {
        throw new AppError('identity_not_found', 'The customer has no such identity.', { pointer: 'path/external_id' });
      }
      book.changes.removedIdentities.push({ ...known, operationId });
      return { outcome: 'accepted', result: undefined };
    },
    render,
  });
}
