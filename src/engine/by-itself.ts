// Who acts where nobody called.
import type { Call } from '../call.js';

export const BY_ITSELF: Call = {
  actor: { keyId: 'system', ownerId: 'system', scopes: new Set() },
  idempotencyKey: undefined,
};
