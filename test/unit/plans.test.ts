// What a plan says, and how its periods step.
import { describe, expect, it } from 'vitest';
import { addPeriod, anchored } from '../../src/ledger/periods.js';
import { DEFAULT_PLAN_TERMS, orderedPlanOf } from '../../src/ledger/plans.js';

describe('the plan that a line orders', () => {
  it('is that of the offer, with the defaults where it says nothing', () => {
    const recurrence = { unit: 'weeks', count: 2 } as const;
    const terms = { ...DEFAULT_PLAN_TERMS, rollover: 'cap', rolloverCap: 5 } as const;
    expect(orderedPlanOf({ recurrence, planGroup: 'team', plan: terms })).toEqual({
      recurrence,
      planGroup: 'team',
      ...terms,
    });
    expect(orderedPlanOf({ recurrence, planGroup: 'team', plan: null })).toEqual({
      recurrence,
      planGroup: 'team',
      trial: null,
      grantEvery: null,
      rollover: 'none',
      rolloverCap: null,
      graceDays: 0,
      graceAccess: false,
    });
  });

  it('is none of what does not recur', () => {
    expect(orderedPlanOf({ recurrence: null, planGroup: null, plan: null })).toBeNull();
  });
});

describe('a period of weeks', () => {
  it.each([
    ['2024-02-26T10:30:00.000Z', 1, '2024-03-04T10:30:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 2, '2027-01-14T23:59:59.999Z'],
    ['2026-03-28T00:30:00.000Z', 52, '2027-03-27T00:30:00.000Z'],
  ])('from %s, %i of them, ends at %s, and keeps the day of its own end', (start, count, end) => {
    const at = new Date(end);
    expect(addPeriod(anchored(new Date(start)), 'weeks', count)).toEqual({ at, anchorDay: at.getUTCDate() });
  });

  it('has no end beyond the year 9999', () => {
    expect(addPeriod(anchored(new Date('2026-01-01')), 'weeks', 500_000)).toBeUndefined();
  });
});
