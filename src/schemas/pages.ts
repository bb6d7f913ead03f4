// Lists in pages: how a request asks for one, and what the answer looks like.
import { z } from 'zod';

const PAGE_LIMIT_MAX = 200;
const PAGE_LIMIT_DEFAULT = 50;
/** A cursor may hold names of a few hundred characters, each of several bytes. */
const CURSOR_LENGTH_MAX = 4_000;
const LIMIT_MESSAGE = `must be a whole number from 1 to ${PAGE_LIMIT_MAX}`;

/** The query parameters of a page; spread them into a query schema. */
export const pageQueryShape = {
  limit: z
    .string()
    .default(String(PAGE_LIMIT_DEFAULT))
    .meta({ default: PAGE_LIMIT_DEFAULT })
    .transform((input, ctx): number => {
      const limit = /^\d{1,4}$/.test(input) ? Number(input) : 0;
      if (limit >= 1 && limit <= PAGE_LIMIT_MAX) return limit;
      ctx.issues.push({ code: 'custom', message: LIMIT_MESSAGE, input });
      return z.NEVER;
    })
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: PAGE_LIMIT_MAX,
      description: `How many rows at most; ${PAGE_LIMIT_DEFAULT} when left out.`,
    }),
  cursor: z
    .string()
    .min(1)
    .max(CURSOR_LENGTH_MAX)
    .optional()
    .meta({ description: '`next_cursor` of the page before; opaque.' }),
};

/** The answer of a list: rows, in an order that is told, and where the next page begins. */
export function pageOf<S extends z.ZodType>(row: S, order: string) {
  return z.object({
    data: z.array(row).meta({ description: order }),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'Send it as `cursor` for the next page; null on the last one.', examples: [null] }),
  });
}
