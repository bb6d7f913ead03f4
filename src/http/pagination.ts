// Opaque cursors: base64url of JSON, validated on the way back in. Knows no table; a resource names the position it pages by.
import { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import { instantSchema } from '../schemas/instants.js';
import { uuidSchema } from '../schemas/text.js';

/** Position in rows ordered by (created_at, id). Instants have whole milliseconds: the column must not hold finer ones. */
export const createdAtPosition = z.strictObject({ created_at: instantSchema, id: uuidSchema });

/** Position in rows ordered by a sequence number. */
export const seqPosition = z.strictObject({ seq: z.int().min(0) });

/** Position in the entries of a family: each member numbers his own. Of one who is alone it is the number. */
export const entryPosition = z.strictObject({ seq: z.int().min(0), of: uuidSchema.optional() });

/** Encodes where a page ended. */
export function encodeCursor<S extends z.ZodType>(schema: S, position: z.output<S>): string {
  return Buffer.from(JSON.stringify(z.encode(schema, position))).toString('base64url');
}

/** Decodes a `cursor`, of a query unless `pointer` says where it is; undefined on the first page. Throws: invalid_request (at the pointer). */
export function decodeCursor<S extends z.ZodType>(
  schema: S,
  cursor: string | undefined,
  pointer = 'query/cursor',
): z.output<S> | undefined {
  if (cursor === undefined) return undefined;
  const position = schema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  // Encoding again refuses what base64url or zod would silently read past.
  if (position.success && encodeCursor(schema, position.data) === cursor) return position.data;
  throw new AppError('invalid_request', 'The cursor is not one that this list handed out.', {
    pointer,
  });
}

/** Where a page over (created_at, id) begins; undefined on the first one. Throws: invalid_request (pointer query/cursor). */
export function decodeCreatedAt(cursor: string | undefined): { createdAt: Date; id: string } | undefined {
  const position = decodeCursor(createdAtPosition, cursor);
  return position && { createdAt: position.created_at, id: position.id };
}

/**
 * Cuts rows that were read one too far (`limit + 1` of them) into a page, and says where the next one begins.
 */
export function toPage<T, S extends z.ZodType>(
  read: readonly T[],
  limit: number,
  position: S,
  positionOf: (row: T) => z.output<S>,
): { rows: T[]; nextCursor: string | null } {
  const rows = read.slice(0, limit);
  const last = rows.at(-1);
  const hasMore = read.length > limit && last !== undefined;
  return { rows, nextCursor: hasMore ? encodeCursor(position, positionOf(last)) : null };
}

/** Such a page of rows that are ordered by when they were made, or recorded. */
export function toCreatedPage<T>(
  read: readonly T[],
  limit: number,
  positionOf: (row: T) => { createdAt: Date; id: string },
): { rows: T[]; nextCursor: string | null } {
  return toPage(read, limit, createdAtPosition, (row) => {
    const { createdAt, id } = positionOf(row);
    return { created_at: createdAt, id };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is not a cursor: the schema refuses undefined.
    return undefined;
  }
}
