// Pieces of the wire: metadata, the caller's own JSON.
import { z } from 'zod';
import { fitsMetadata, METADATA_BYTES_MAX } from '../lib/metadata.js';
import { isStorableText, UNSAFE_NUMBER, UNSTORABLE } from './text.js';

const METADATA_DEPTH_MAX = 8;

interface MetadataNode {
  value: unknown;
  key: PropertyKey;
  parent: MetadataNode | undefined;
  depth: number;
}

interface MetadataFault {
  path: PropertyKey[];
  message: string;
}

const TOO_LARGE: MetadataFault = { path: [], message: `is larger than ${METADATA_BYTES_MAX} bytes as JSON` };
const TOO_DEEP: MetadataFault = { path: [], message: `is nested deeper than ${METADATA_DEPTH_MAX} levels` };

/**
 * Looks for what can't be stored in `metadata`, in one pass that ends once there are more values than the bytes that are allowed, so that a refusal
 * costs no more than what is accepted. Iterative, because a body may be nested far deeper than the call stack.
 */
function findMetadataFault(metadata: Record<string, unknown>): MetadataFault | undefined {
  let bytesMin = 0;
  let fault: MetadataFault | undefined;
  const open: MetadataNode[] = [{ value: metadata, key: '', parent: undefined, depth: 1 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, depth } = at;
    if (typeof value !== 'object' || value === null) {
      bytesMin += typeof value === 'string' ? value.length : 0;
      if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
      const message = faultOfValue(value);
      if (message !== undefined) fault ??= { path: pathTo(at), message };
      continue;
    }
    const keys = Array.isArray(value) ? undefined : Object.keys(value);
    // Each takes a digit and a comma at least.
    bytesMin += 2 * (keys ?? (value as unknown[])).length;
    if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
    if (depth > METADATA_DEPTH_MAX) return TOO_DEEP;
    if (keys === undefined) {
      for (const [key, item] of (value as unknown[]).entries())
        open.push({ value: item, key, parent: at, depth: depth + 1 });
      continue;
    }
    for (const key of keys) {
      bytesMin += key.length;
      if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
      if (!isStorableText(key)) fault ??= { path: pathTo(at), message: `has a key that ${UNSTORABLE}` };
      open.push({ value: (value as Record<string, unknown>)[key], key, parent: at, depth: depth + 1 });
    }
  }
  return fault ?? (fitsMetadata(metadata) ? undefined : TOO_LARGE);
}

function faultOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return isStorableText(value) ? undefined : UNSTORABLE;
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value)) return 'is too large a number';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? UNSAFE_NUMBER : undefined;
}

function pathTo(node: MetadataNode): PropertyKey[] {
  const path: PropertyKey[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

function refuseFaultyMetadata(ctx: z.core.ParsePayload<unknown>): void {
  const { value } = ctx;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    ctx.issues.push({ code: 'invalid_type', expected: 'record', input: value });
    return;
  }
  const fault = findMetadataFault(value as Record<string, unknown>);
  if (fault) ctx.issues.push({ code: 'custom', message: fault.message, path: fault.path, input: value });
}

/**
 * Free JSON of the caller: at most 16 KiB and 8 levels, storable text, numbers that JSON keeps exact. Defaults to `{}`. Not a record of zod's, which
 * would copy all members before anybody asks how large they are.
 */
export const metadataSchema = (
  z.unknown().check(refuseFaultyMetadata).meta({ type: 'object', additionalProperties: true }) as z.ZodType<
    Record<string, unknown>
  >
)
  .default({})
  .meta({
    description: `Free JSON of the caller; at most ${METADATA_BYTES_MAX} bytes and ${METADATA_DEPTH_MAX} levels.`,
    examples: [{ source: 'bot' }],
  });

/** Metadata in an answer: as it was stored. */
export const metadataAnswerSchema = z
  .record(z.string(), z.unknown())
  .meta({ propertyNames: undefined, additionalProperties: true, examples: [{ source: 'bot' }] });
