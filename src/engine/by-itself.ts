// Who acts where nobody called.
import type { Call } from '../call.js';
import { SYSTEM_KEY } from '../ledger/operations.js';

export const BY_ITSELF: Call = {
  actor: { keyId: SYSTEM_KEY, ownerId: SYSTEM_KEY, scopes: new Set() },
  idempotencyKey: undefined,
};
