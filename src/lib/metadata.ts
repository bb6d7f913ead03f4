// The bound of free JSON, where it is checked at the edge, where two of them are merged, and where it is copied.

export const METADATA_BYTES_MAX = 16 * 1_024;

/** How large a value is as JSON. */
export function metadataBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Whether a value is small enough to be kept as metadata. */
export function fitsMetadata(value: unknown): boolean {
  return metadataBytes(value) <= METADATA_BYTES_MAX;
}
