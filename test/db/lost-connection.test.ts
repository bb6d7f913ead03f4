// An idle connection that is cut: the process goes on, and the log says so without the connection's insides.
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { useTestDatabase } from '../support/database.js';
import { ask } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const database = useTestDatabase();

it('is logged as its error alone, and replaced', async () => {
  const lines: string[] = [];
  const db = createDb(database.url, pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }));
  try {
    const [own] = await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await ask(database.url, 'SELECT pg_terminate_backend($1)', [own?.pid]);
    const line = await waitFor('the line', () => lines[0]);
    const { msg, err } = JSON.parse(line);
    expect([msg, err.code]).toEqual(['an idle database connection was lost', '57P01']);
    expect(err).not.toHaveProperty('client');
    expect(line).not.toContain('secretKey');
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  } finally {
    await db.close();
  }
});
