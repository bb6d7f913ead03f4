// Each kind of change has its events, or says why it has none; those that have some are told in an order that leaves none out.
import { describe, expect, it } from 'vitest';
import { noChanges, noCustomerChanges } from '../../src/ledger/changes.js';
import { SILENT_CHANGES, TELLERS, TOLD_IN_ORDER } from '../../src/ledger/events.js';

describe('a kind of change', () => {
  it('of a customer tells something, or is silent for a reason', () => {
    expect(Object.keys(TELLERS).sort()).toEqual(Object.keys(noCustomerChanges()).sort());
    for (const teller of Object.values(TELLERS)) {
      if (typeof teller !== 'function') expect(teller.silent).toMatch(/\w/);
    }
  });

  it('that tells something has its place in the order', () => {
    const tellers = Object.entries(TELLERS).filter(([, teller]) => typeof teller === 'function');
    expect([...TOLD_IN_ORDER].sort()).toEqual(tellers.map(([kind]) => kind).sort());
  });

  it('that is about no customer is silent for a reason', () => {
    const { customers: _customers, firstSights: _firstSights, audit: _audit, events: _events, ...others } = noChanges();
    expect(Object.keys(SILENT_CHANGES).sort()).toEqual(Object.keys(others).sort());
  });
});
