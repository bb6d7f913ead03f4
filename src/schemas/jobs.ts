// The wire of the background work.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { countAnswerSchema } from './quantities.js';

const secondsSchema = z.number().meta({ minimum: 0, examples: [60] });

const jobAnswer = z.object({
  name: z.string().meta({ examples: ['sweep'] }),
  interval_s: secondsSchema.meta({ description: 'From the end of a run to the next.' }),
  next_due_at: instantAnswerSchema
    .nullable()
    .meta({ description: 'Null where the configuration leaves the job out. What is past is under way, or late.' }),
  lag_s: secondsSchema.meta({
    description: 'For how long its oldest work is due, as of its last look; 0 when nothing is.',
    examples: [0],
  }),
  is_late: z.boolean().meta({ description: 'Whether that is longer than it should be.' }),
  holder: z
    .string()
    .nullable()
    .meta({ description: 'The process that runs it now: host, pid and an id.', examples: [null] }),
  runs: countAnswerSchema.meta({ description: 'Runs that ended, by whichever process.' }),
  failures: countAnswerSchema.meta({ description: 'Runs that failed since the last one that did not.', examples: [0] }),
  last_started_at: instantAnswerSchema.nullable(),
  last_ended_at: instantAnswerSchema.nullable(),
  last_error: z
    .object({ at: instantAnswerSchema, message: z.string().meta({ examples: ['the disk is full'] }) })
    .nullable()
    .meta({ description: 'What the last run that failed met, however long ago. The log says more.' }),
});

export const jobsAnswer = z.object({ data: z.array(jobAnswer).meta({ description: 'By name.' }) });
