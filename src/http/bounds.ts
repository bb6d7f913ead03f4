// The bounds of what the server takes in and how long it waits. Numbers only.

export const BODY_BYTES_MAX = 1_048_576;
/** A body that is signed, which somebody outside sends. */
export const SIGNED_BODY_BYTES_MAX = 256 * 1_024;
export const HEADER_BYTES_MAX = 16_384;
/** 255 characters of an external id, each up to three bytes of UTF-8, each percent-encoded. */
export const PARAM_LENGTH_MAX = 255 * 3 * 3;
/** From the first byte of a request to its last. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the 60 s that load balancers keep idle connections, so that they close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;
export const PLUGIN_TIMEOUT_MS = 10_000;
/** How long the readiness check waits for the database. */
export const READY_TIMEOUT_MS = 2_000;
