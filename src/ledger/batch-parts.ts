// The parts of a batch of which nothing has gone yet.

/** All of a counted batch is available; access (null) has no parts. */
export function newParts(granted: number | null) {
  return {
    granted,
    available: granted ?? 0,
    held: 0,
    consumed: 0,
    expired: 0,
    revoked: 0,
    transferred: 0,
    recovered: 0,
    unrecovered: 0,
  };
}
