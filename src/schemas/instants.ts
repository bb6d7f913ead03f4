// Pieces of the wire: instants.
import { z } from 'zod';

/** Postgres and ISO 8601 with four digits of year both cover it. */
const INSTANT_MIN_MS = Date.UTC(1900, 0, 1);
const INSTANT_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const isoInstant = z.iso.datetime({ offset: true });
/** ECMAScript reads a date alone as its beginning in UTC. */
const isoDate = z.iso.date();

const INSTANT_META = { format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] };
/** A date alone is its midnight in UTC. */
const ASKED_INSTANT_META = {
  type: undefined,
  anyOf: [
    { type: 'string', format: 'date-time' },
    { type: 'string', format: 'date' },
  ],
  examples: INSTANT_META.examples,
};
const instantForms = {
  decode: (value: string) => new Date(value),
  encode: (instant: Date) => instant.toISOString(),
};

/** An instant in a request: ISO 8601 with an offset, or a date, which is its beginning in UTC, on the wire; a Date inside. */
export const instantSchema = z.codec(
  z
    .string()
    .refine((value) => isoInstant.safeParse(value).success || isoDate.safeParse(value).success, {
      message:
        'must be an ISO 8601 instant with an offset, such as 2026-01-31T12:00:00Z, or a date (its midnight in UTC)',
      abort: true,
    })
    .meta(ASKED_INSTANT_META),
  z
    .date()
    .refine((instant) => instant.getTime() >= INSTANT_MIN_MS && instant.getTime() <= INSTANT_MAX_MS, {
      message: 'must lie between the years 1900 and 9999',
    })
    .meta({ type: 'string', ...INSTANT_META }),
  instantForms,
);

/** An instant in an answer: a Date inside, ISO 8601 in UTC on the wire. */
export const instantAnswerSchema = z.codec(
  z.string().meta(INSTANT_META),
  z.date().meta({ type: 'string', ...INSTANT_META }),
  instantForms,
);
