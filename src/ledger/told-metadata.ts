// Metadata as events tell it.
import { type Metadata, writtenBytes } from '../lib/metadata.js';

/** Metadata that the database would write out larger is not told: it is read by the id of what it belongs to. */
const METADATA_TOLD_BYTES_MAX = 8 * 1_024;
export function toldMetadata(metadata: Metadata): { metadata: Metadata | null } {
  return { metadata: writtenBytes(metadata) <= METADATA_TOLD_BYTES_MAX ? metadata : null };
}
