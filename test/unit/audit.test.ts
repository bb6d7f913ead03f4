// Each kind of change is audited, or says why not.
import { describe, expect, it } from 'vitest';
import { AUDITORS, OWN_AUDITORS } from '../../src/ledger/audit.js';
import { noChanges, noCustomerChanges } from '../../src/ledger/changes.js';

describe('a kind of change', () => {
  it('is audited, or silent for a reason', () => {
    const { customers: _c, firstSights: _f, audit: _a, events: _e, ...own } = noChanges();
    expect(Object.keys(AUDITORS).sort()).toEqual(Object.keys(noCustomerChanges()).sort());
    expect(Object.keys(OWN_AUDITORS).sort()).toEqual(Object.keys(own).sort());
    for (const auditor of [...Object.values(AUDITORS), ...Object.values(OWN_AUDITORS)]) {
      if (typeof auditor !== 'function') expect(auditor.silent).toMatch(/\w/);
    }
  });
});
