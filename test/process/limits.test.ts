// Windows of limits are of UTC, in whatever zone a process runs: what one counts the other refuses, on both sides of a boundary.
import { describe, expect, it } from 'vitest';
import { API_TOKEN, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { sendPlain } from '../support/recorded.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();

describe('two processes in New York and Calcutta', () => {
  it('allow 8 of 10 before the end of a day and 10 after it, together', async () => {
    const url = await newDatabase();
    const origins = await Promise.all(
      ['America/New_York', 'Asia/Kolkata'].map((TZ) =>
        startBursar({
          TZ,
          DATABASE_URL: url,
          BURSAR_DATA_DIR: newDataDir(),
          BURSAR_API_TOKEN: API_TOKEN,
          BURSAR_PEPPER: TEST_PEPPER,
          BURSAR_SANDBOX: 'true',
        }).ready(),
      ),
    );
    const send = async (at: number, method: string, path: string, body: Record<string, unknown>) => {
      const { status, text } = await sendPlain(origins[at % 2] as string, { method, path, body });
      return { status, body: JSON.parse(text) };
    };
    const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const clock = (now: string) => send(0, 'PUT', '/sandbox/clock', { now });
    expect((await clock(`${day}T23:59:59.999Z`)).status).toBe(200);
    const use = { external_id: 'ada', product_key: 'AI_POOL', amount: 1 };
    await send(0, 'POST', '/grants', { ...use, amount: undefined, grant_type: 'bonus', quantity: 100 });
    expect(
      (await send(1, 'PUT', '/limits', { ...use, amount: undefined, windows: { day: 10, hour: 10 } })).status,
    ).toBe(201);
    const uses = async (count: number) => {
      const answers = await Promise.all(
        Array.from({ length: count }, (_, at) => send(at, 'POST', '/quota/consume', use)),
      );
      return answers.filter(({ status }) => status === 200).length;
    };
    expect(await uses(8)).toBe(8);
    const midnight = new Date(Date.parse(`${day}T23:59:59.999Z`) + 1).toISOString();
    expect((await clock(midnight)).status).toBe(200);
    expect(await uses(14)).toBe(10);
    const refused = await send(1, 'POST', '/quota/consume', use);
    expect(refused.body.violations).toMatchObject([{ window: 'hour' }, { window: 'day', current: 10 }]);
    await auditInvariants(url);
  });
});
