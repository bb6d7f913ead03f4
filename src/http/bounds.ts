// The bounds of what the server takes in and how long it waits. Numbers only.

export const BODY_BYTES_MAX = 1_048_576;
/** A body that is signed, which somebody outside sends. */
export const SIGNED_BODY_BYTES_MAX = 256 * 1_024;
/** A body that is a file: 32 MiB. */
export const FILE_BYTES_MAX = 32 * 1_048_576;
export const HEADER_BYTES_MAX = 16_384;
/** 255 characters of an external id, each up to three bytes of UTF-8, each percent-encoded. */
export const PARAM_LENGTH_MAX = 255 * 3 * 3;
/** From the first byte of a request to its last. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** From a whole request to its answer: who waits longer gets 503, and his request may still be carried out. */
export const ANSWER_TIMEOUT_MS = 60_000;
/** The same of routes that work through a file: less than a connection may be silent. */
export const LONG_ANSWER_TIMEOUT_MS = 110_000;
/** Longer than the 60 s that load balancers keep idle connections, so that they close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;
export const PLUGIN_TIMEOUT_MS = 10_000;
/** How long the readiness check waits for the database. */
export const READY_TIMEOUT_MS = 2_000;
/** And then looks for what is late; without an answer the process is ready all the same. */
export const CONDITION_TIMEOUT_MS = 500;
/** How often connections are looked at for requests that have taken too long. */
export const CONNECTION_CHECK_MS = 5_000;
/** For how long a connection may be silent in both directions before an answer is sent, or while nobody reads one. */
export const SILENCE_TIMEOUT_MS = 120_000;
/** Requests that wait on a connection for the one before them to be answered. */
export const PIPELINED_MAX = 100;
/** How long, and how much of, a body is read that was answered before it came: 2 s, 16 MiB. */
export const UNREAD_TICK_MS = 50;
export const UNREAD_TICKS_MAX = 40;
export const UNREAD_BYTES_MAX = 16 * 1_048_576;
/** How long a connection stays while the process stops and nothing is worked on for it: 5 s. */
export const CLOSING_TICK_MS = 500;
export const CLOSING_TICKS_MAX = 10;
/** How long is waited for what is worked on while the process stops; whoever still waits then is told to try again. */
export const CLOSING_WORK_MS = 10_000;
