// Free JSON, and the bound of it: where it is checked at the edge, where two of them are merged, and where it is copied.

/** Free JSON of the caller's, never looked into. */
export type Metadata = Record<string, unknown>;

export const METADATA_BYTES_MAX = 16 * 1_024;

/** How large a value is as JSON. */
export function metadataBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Digits of the longest number that the database writes out where JSON has an exponent. */
const DIGITS_MAX = 350;

/** How large a value is at most as the database writes it: with a space behind each comma and colon, numbers without exponents. */
export function writtenBytes(value: unknown): number {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'number' && String(member).includes('e') ? '0'.repeat(DIGITS_MAX) : member,
  );
  return Buffer.byteLength(text) + (text.match(/[,:]/g)?.length ?? 0);
}

/** Whether a value is small enough to be kept as metadata. */
export function fitsMetadata(value: unknown): boolean {
  return metadataBytes(value) <= METADATA_BYTES_MAX;
}
