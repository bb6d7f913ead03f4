// The auditor shares no code with what writes, so it has names of operations of its own: they are those of the one table, and say the same of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AuditAction } from '../../src/ledger/audit-record.js';
import { EVENT_VERSIONS } from '../../src/ledger/event-types.js';
import { isReversible, OPERATIONS } from '../../src/ledger/operations.js';

const INVARIANTS_DIR = fileURLToPath(new URL('../../src/db/invariants', import.meta.url));
const sql = readdirSync(INVARIANTS_DIR)
  .filter((name) => name.endsWith('.sql'))
  .map((name) => readFileSync(join(INVARIANTS_DIR, name), 'utf8'))
  .join('\n');
/** The actions of the audit trail by which events are founded. */
const AUDITED: AuditAction[] = ['product.updated', 'offer.updated', 'endpoint.updated'];
const names = [...Object.keys(OPERATIONS), ...Object.keys(EVENT_VERSIONS), ...AUDITED];

describe('the names of operations and events in the auditor', () => {
  it('are those that there are', () => {
    const dotted = [...sql.matchAll(/'([a-z]+(?:\.[a-z]+)+)'/g)].map(([, name]) => name);
    expect(dotted.length).toBeGreaterThan(10);
    expect([...new Set(dotted)].filter((name) => !names.includes(name ?? ''))).toEqual([]);
  });

  it('of which something may come back are those that the give-back reverses', () => {
    const list = /used\.name NOT IN \(([^)]*)\)/.exec(sql)?.[1] ?? '';
    const reversed = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name);
    expect(reversed.sort()).toEqual(names.filter(isReversible).sort());
  });
});
