// The wire of the test clock.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { presence } from './presence.js';
import { countAnswerSchema } from './quantities.js';

/** ISO 8601 durations of whole numbers: `P1M`, `P1Y2M10DT2H30M`, `PT90S`, `P2W`. */
const DURATION =
  /^P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,7})D)?(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;
const MONTHS_OF_YEAR = 12;
const MS = { week: 604_800_000, day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1_000 };

const durationSchema = z
  .string()
  .trim()
  .regex(DURATION, 'must be an ISO 8601 duration of whole numbers, such as P1M, P30D or PT90S')
  .transform((written) => {
    const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = (
      DURATION.exec(written) ?? []
    )
      .slice(1)
      .map((digits) => Number(digits ?? 0));
    const ms = weeks * MS.week + days * MS.day + hours * MS.hour + minutes * MS.minute + seconds * MS.second;
    return { months: years * MONTHS_OF_YEAR + months, ms };
  })
  .meta({ type: 'string', format: 'duration', pattern: undefined, examples: ['P1M'] });

const requireOneWay = presence<{ now?: unknown; advance?: unknown }>(({ value: { now, advance }, issues }) => {
  if (now === undefined && advance === undefined)
    issues.push({
      code: 'custom',
      params: { code: 'required' },
      message: 'say where the clock is to go: send now, or advance',
      path: ['now'],
      input: now,
    });
  else if (now !== undefined && advance !== undefined)
    issues.push({ code: 'custom', message: 'send now or advance, not both', path: ['advance'], input: advance });
});

export const putClockBody = z
  .object({
    now: instantSchema.optional().meta({ description: 'To this instant.' }),
    advance: durationSchema.optional().meta({ description: 'By so much; months and years are calendar steps.' }),
  })
  .check(requireOneWay);

const clockShape = {
  now: instantAnswerSchema,
  is_set: z.boolean().meta({ description: 'Whether it was set by hand: then it stands still.' }),
};

export const clockAnswer = z.object(clockShape);

export const clockMovedAnswer = z.object({
  ...clockShape,
  complete: z.boolean().meta({ description: 'Whether it is where it was to go; else send the same instant again.' }),
  steps: countAnswerSchema.meta({ description: 'Instants at which something fell due on the way.' }),
});
