// The bound of free JSON, where it is checked at the edge and where two of them are merged.

export const METADATA_BYTES_MAX = 16 * 1_024;

/** Whether a value is small enough to be kept as metadata, in bytes of JSON. */
export function fitsMetadata(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= METADATA_BYTES_MAX;
}
