// Workloads of subscriptions that once differed from the model, shrunk; they run first. And the answers without which workloads would be about nothing.
import type { PlanCommand, PlanWorkload } from './draw-subscriptions.js';

const DAY_MS = 24 * 3_600_000;

const days = (count: number): PlanCommand => ({ kind: 'wait', ms: count * DAY_MS, isQuiet: false });
const subscribe = (sku: string): PlanCommand => ({ kind: 'subscribe', sku });
const change = (sku: string, when: 'now' | 'period_end', oldUnits: 'carry' | 'reset' = 'carry'): PlanCommand => ({
  ...{ kind: 'change', last: 0 },
  ...{ sku, when, oldUnits },
});
const pay: PlanCommand = { kind: 'pay', last: 0 };

const from = (startsAt: string, ...commands: PlanCommand[]): [PlanWorkload] => [{ startsAt, commands }];

const own = (kind: 'resume' | 'renew'): PlanCommand => ({ kind, last: 0 });
const cancel = (when: 'now' | 'period_end'): PlanCommand => ({ kind: 'cancel', last: 0, when });
const refund = (quarters: number): PlanCommand => ({ kind: 'return', last: 0, as: 'refund', quarters });
const reserve = (product: string, amount: number): PlanCommand => ({ kind: 'reserve', product, amount, hours: 2 });

export const onceDifferent: [PlanWorkload][] = [
  // Every answer that is to be covered comes here, whatever is drawn.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('FREE'), subscribe('FREE'), subscribe('PRO'), own('renew'), change('FREE', 'now')],
    ...[change('OTHER', 'now'), change('PRO', 'period_end'), change('PRO', 'period_end'), own('resume')],
    ...[cancel('period_end'), cancel('period_end'), own('resume'), change('PRO', 'now'), pay],
    ...[own('renew'), own('renew'), refund(1), { kind: 'grant', quantity: 3, days: 3 } as const],
    ...[
      { kind: 'consume', product: 'COIN', amount: 1 } as const,
      { kind: 'consume', product: 'CREDITS', amount: 9 } as const,
    ],
    ...[reserve('COIN', 1), reserve('CREDITS', 9), { kind: 'end hold', last: 0, as: 'release' } as const],
    ...[{ kind: 'overdraw', amount: 40 } as const, refund(4), cancel('now')],
    ...[change('TEAM', 'now'), own('resume'), own('renew')],
    ...[subscribe('PRO'), change('TEAM', 'now'), own('renew'), days(2), cancel('now')],
  ),
  // A change that is paid when the grace is over has taken effect, and takes the units of the plan before.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('FREE_LONG'), change('TEAM', 'period_end', 'reset'), days(6), days(5), pay],
  ),
  // A period into which units go over is not skipped.
  from('2026-01-31T12:00:00.000Z', subscribe('FREE_CAP'), change('FREE', 'period_end')),
  // Units end with their period also where it follows one of weeks.
  from(
    '2026-04-01T12:00:00.000Z',
    ...[
      subscribe('FREE_CAP'),
      days(21),
      { kind: 'cancel', last: 0, when: 'now' } as const,
      subscribe('FREE'),
      days(313),
    ],
  ),
  // Weeks keep no day of the month, also when they meet it.
  from('2026-01-31T12:00:00.000Z', subscribe('FREE_LONG'), days(29)),
  // What began with the present period, and is over, is there all the same.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('FREE_MORE'), change('YEARLY', 'now'), pay, days(40), change('FREE_MORE', 'now')],
  ),
  // What went over a turn before is taken by a change as well, however late both are.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[
      subscribe('OTHER'),
      pay,
      { kind: 'buy', sku: 'the same' } as const,
      change('OTHER_FREE', 'period_end', 'reset'),
    ],
  ),
  // A period that was paid ahead runs on beyond the end of the present one: then nothing is told ahead.
  from(
    '2026-08-31T00:00:00.000Z',
    ...[
      { kind: 'subscribe', sku: 'OTHER' } as const,
      { kind: 'change', last: 0, sku: 'PRO', when: 'period_end', oldUnits: 'carry' } as const,
      { kind: 'change', last: 0, sku: 'TEAM', when: 'now', oldUnits: 'carry' } as const,
      { kind: 'reserve', product: 'COIN', amount: 3, hours: 8 } as const,
      { kind: 'buy', sku: 'OTHER' } as const,
      { kind: 'reserve', product: 'COIN', amount: 7, hours: 5 } as const,
      { kind: 'wait for', next: 2, offsetMs: 0, isQuiet: true } as const,
      { kind: 'buy', sku: 'TEAM' } as const,
      { kind: 'renew', last: 0 } as const,
      { kind: 'grant', quantity: 7, days: 40 } as const,
      { kind: 'wait', ms: 132576458, isQuiet: false } as const,
      { kind: 'pay', last: 0 } as const,
      { kind: 'wait for', next: 0, offsetMs: 1, isQuiet: false } as const,
      { kind: 'buy', sku: 'PRO' } as const,
      { kind: 'subscribe', sku: 'FREE_MORE' } as const,
      { kind: 'reserve', product: 'COIN', amount: 3, hours: 15 } as const,
      { kind: 'buy', sku: 'TEAM' } as const,
      { kind: 'wait for', next: 1, offsetMs: 0, isQuiet: false } as const,
      { kind: 'wait', ms: 103244697, isQuiet: false } as const,
    ],
  ),
  // Units of a product that the plan of weeks does not give keep no day of the month there.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[
      subscribe('FREE'),
      change('TEAM', 'now'),
      pay,
      { kind: 'wait for', next: 0, offsetMs: 0, isQuiet: false } as const,
      change('FREE_CAP', 'now'),
    ],
  ),
  // A change takes what a hold freed before it, also where nobody looked in between.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('FREE'), change('FREE_LONG', 'now'), days(28), change('FREE', 'period_end', 'reset')],
    { kind: 'reserve', product: 'COIN', amount: 2, hours: 1 },
  ),
  // A change takes also what plans before the present one gave, of whatever product.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('TRIED'), { kind: 'buy', sku: 'TWICE' } as const, change('FREE', 'now', 'reset')],
  ),
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('TRIED'), { kind: 'buy', sku: 'TWICE' } as const, change('FREE', 'period_end', 'reset'), days(40)],
  ),
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('FREE_MORE'), change('FREE', 'now'), change('TEAM', 'now', 'reset'), pay],
  ),
  // What goes over late may be of a product that the present plan does not give.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[subscribe('TEAM'), pay, change('PRO', 'now'), pay, days(29), { kind: 'buy', sku: 'the same' } as const],
  ),
  // What a hold frees goes on in the period that had begun then, also where that is over by now.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[
      subscribe('FREE_CAP'),
      days(1),
      { kind: 'reserve', product: 'COIN', amount: 1, hours: 145 } as const,
      { kind: 'wait for', next: 1, offsetMs: -1, isQuiet: false } as const,
      change('FREE', 'period_end'),
    ],
  ),
  // A change that was paid ahead is not taken back by another one: seldom drawn.
  from(
    '2026-01-31T12:00:00.000Z',
    ...[
      subscribe('PRO'),
      pay,
      change('TEAM', 'period_end'),
      { kind: 'renew', last: 0 } as const,
      pay,
      change('YEARLY', 'period_end'),
    ],
  ),
];

export const answersToCover = [
  'subscribe: accepted',
  'subscribe: unchanged',
  'subscribe: subscription_exists',
  'order: accepted',
  'pay: accepted',
  'change: accepted',
  'change: unchanged',
  'change: change_paid',
  'change: other_plan_group',
  'change: subscription_ended',
  'change: subscription_incomplete',
  'change: subscription_unchanged',
  'cancel: accepted',
  'cancel: unchanged',
  'cancel: subscription_ended',
  'resume: accepted',
  'resume: unchanged',
  'resume: subscription_ended',
  'renew: accepted',
  'renew: unchanged',
  'renew: subscription_ended',
  'renew: subscription_incomplete',
  'renew: subscription_not_renewable',
  'return: accepted',
  'return part: accepted',
  'grant: accepted',
  'consume: accepted',
  'consume: insufficient_quota',
  'overdraw: accepted',
  'reserve: accepted',
  'reserve: insufficient_quota',
  'end hold: accepted',
];
