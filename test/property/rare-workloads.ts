// Workloads that get answers which are seldom drawn, so that they are there whatever is drawn beside them.
import type { OwnCommand, Workload } from './commands.js';

const whole = { kind: 'refund', key: null, what: 'whole', dispute: null, policy: 'ignore' } as const;

export const rareWorkloads: [Workload][] = [
  // An order is refunded before it is paid, and after some of it was used, which is given back then.
  [
    {
      startsAt: '2026-01-31T12:00:00.000Z',
      commands: [
        { kind: 'order', key: null, lines: [{ sku: 'CREDITS_10', quantity: 1 }], lifetimeH: 24 },
        { ...whole, order: 'unpaid', id: 'r1' },
        { kind: 'confirm', key: null, order: 0, status: 'paid', payment: 'paid 0', amount: null },
        { kind: 'consume', key: null, subject: { product: 'CREDITS' }, amount: 4 },
        { ...whole, order: 0, id: 'r2' },
        { kind: 'give back', key: null, of: { among: 'used', last: 0 }, amount: null },
      ],
    },
  ],
];

const credits = { product: 'CREDITS' };
const someCredits: OwnCommand = {
  ...{ kind: 'grant units', key: null, as: 'bonus', product: 'CREDITS', quantity: 5, priority: 0 },
  ...{ startsInH: null, lastsH: null },
};

/** Where names may be unknown, and customers be merged. */
export const rareOverHttp: [Workload][] = [
  [
    {
      startsAt: '2026-01-31T12:00:00.000Z',
      commands: [
        someCredits,
        { kind: 'set limit', subject: { product: 'UNKNOWN' }, windows: { day: 1 }, enforcement: 'HARD' },
        { kind: 'set limit', subject: credits, windows: { day: 1 }, enforcement: 'SOFT' },
        { kind: 'reserve', key: null, subject: credits, amount: 2, lifetime: null },
        { kind: 'by the other', command: someCredits },
        { kind: 'by the other', command: { kind: 'consume', key: null, subject: credits, amount: 2 } },
        { kind: 'merge' },
        {
          kind: 'by the other',
          command: { kind: 'give back', key: null, of: { among: 'used', last: 0 }, amount: null },
        },
      ],
    },
  ],
];
