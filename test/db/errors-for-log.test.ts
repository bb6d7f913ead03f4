// What the log is told of errors of the database: which rule was broken, and nothing of the rows and values that people are named in.
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { errorForLog } from '../../src/db/errors-for-log.js';
import { CommitUncertain } from '../../src/db/transactions.js';
import { AppError } from '../../src/errors/app-error.js';
import { useTestApp } from '../support/app.js';
import { query } from '../support/sql.js';

const E_MAIL = 'ada@example.test';
const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

const app = useTestApp();

/** What a statement meets that must fail. */
async function failureOf(work: () => PromiseLike<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing failed');
}

/** The line of the log. */
function logged(error: unknown): string {
  const lines: string[] = [];
  const log = pino({ serializers: { err: errorForLog } }, { write: (line: string) => void lines.push(line) });
  log.error({ err: error }, 'failed');
  return lines.join('');
}

const statements: [string, string, unknown[], string][] = [
  [
    'a row that breaks a rule',
    `INSERT INTO identities (provider, external_id, id, customer_id) VALUES ('', $1, $2, $2)`,
    [E_MAIL, ID],
    '23',
  ],
  ['a reference to nobody', `INSERT INTO products (product_key, name) VALUES (NULL, $1)`, [E_MAIL], '23502'],
  ['a value of another type', 'SELECT $1::text::int', [E_MAIL], '22P02'],
  ['a value out of range', 'SELECT $1::text::timestamptz', [`2026-13-01 ${E_MAIL}`], '22'],
  ['a malformed document', 'SELECT $1::text::jsonb', [`{"e": "${E_MAIL}`], '22P02'],
];

describe('an error of the database', () => {
  it.each(statements)('in the log tells nothing of %s but which rule it breaks', async (_what, sql, values, state) => {
    const { db } = app.deps;
    const failures = [
      await failureOf(() => db.query(sql, values)),
      await failureOf(() => db.prisma.$queryRawUnsafe(sql, ...values)),
      await failureOf(() => db.prisma.$executeRawUnsafe(sql, ...values)),
    ];
    for (const failure of failures) {
      const nested = new AppError('unavailable', 'Not now.', { cause: new CommitUncertain(failure) });
      const together = new AggregateError([failure, nested], 'several');
      for (const error of [failure, nested, together]) {
        const line = logged(error);
        expect(line).not.toContain('ada@');
        expect(line).toContain(state);
      }
    }
  });

  it('keeps what it is about: the constraint, the table, the stack', async () => {
    await query(
      app.url,
      `ALTER TABLE identities ADD CONSTRAINT made_up_ck CHECK (external_id NOT LIKE 'ada%') NOT VALID`,
    );
    const error = await failureOf(() =>
      app.deps.db.query(
        `INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at) VALUES ('x', $1, $2, $2, now(), now())`,
        [E_MAIL, ID],
      ),
    );
    const { err } = JSON.parse(logged(error));
    expect(err).toMatchObject({ type: 'error', code: '23514', table: 'identities', constraint: 'made_up_ck' });
    expect(err.message).toContain('violates check constraint');
    expect(err.stack).toMatch(/\n {4}at /);
    await query(app.url, 'ALTER TABLE identities DROP CONSTRAINT made_up_ck');
  });
});

describe('another error', () => {
  it('keeps its message, its code and its causes, and none of what else it carries', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      port: 5432,
      client: { secret: 1 },
    });
    const { err } = JSON.parse(logged(new TypeError('broken', { cause })));
    expect(err).toMatchObject({
      type: 'TypeError',
      message: 'broken',
      cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', port: 5432 },
    });
    expect(JSON.stringify(err)).not.toContain('secret');
  });

  it('of any kind is told, and one that is its own cause too', () => {
    expect(JSON.parse(logged('a text')).err).toBe('a text');
    expect(JSON.parse(logged(undefined))).not.toHaveProperty('err');
    const own = new Error('round');
    own.cause = own;
    expect(JSON.parse(logged(own)).err).toMatchObject({ message: 'round' });
  });
});
