// What an event looks like to outsiders, in the feed and in what is sent to them. Knows names, not where events come from.
import { toWireData } from './wire-names.js';

interface Shown {
  id: string;
  type: string;
  recordedAt: Date;
  number: number;
  schemaVersion: number;
  operationId: string | null;
  customerId: string | null;
  identities: readonly { provider: string; externalId: string }[];
  data: Record<string, unknown>;
}

/** An event under the names of the wire; what is free JSON in it stays as it is. */
export function toEventView<T extends string>(event: Shown & { type: T }) {
  const { id, type, recordedAt, number, schemaVersion, operationId, customerId, identities, data } = event;
  const known = identities.map(({ provider, externalId }) => ({ provider, external_id: externalId }));
  return {
    id,
    type,
    created_at: recordedAt,
    sequence: number,
    schema_version: schemaVersion,
    operation_id: operationId,
    customer: customerId === null ? null : { id: customerId, identities: known },
    data: toWireData(data),
  };
}
