// How much of what a customer has one operation may touch: what decides refuses more, and what loads reads no more (DOMAIN 3.17). Numbers only.

/** Batches of which one use takes at most, and so a reservation holds; a commit may use as many beyond what it holds. */
export const USE_BATCHES_MAX = 1_000;
/** Entries of an operation that a give-back goes through at most. */
export const TAKEN_ENTRIES_MAX = 10_000;
