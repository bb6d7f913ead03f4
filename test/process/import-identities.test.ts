// npm run import:identities: identities for customers that there are, from a file or a column.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Json, useTestApp } from '../support/app.js';
import { dump, makeSource, runScript } from '../support/billable.js';

vi.setConfig({ testTimeout: 300_000 });
const app = useTestApp();
const run = (args: string[], input?: string) => runScript(app.url, 'import-identities', args, input);
const lines = (...rows: (Json | string)[]) =>
  `\ufeff${rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\r\n')}\r\n`;

beforeAll(async () => {
  for (const user_id of [1, 2, 3, 6])
    await app.post('/identify', { provider: 'user_id', external_id: String(user_id) });
  await app.post('/identify', { provider: 'telegram', external_id: 'of-another' });
});

const telegram = (external_id: unknown) => ({ provider: 'Telegram', external_id });
const FILE = lines(
  { user_id: 1, identity: { ...telegram(1001), profile: { username: 'ada' } } },
  { external_id: '2', provider: 'user_id', identity: telegram(' 1002 ') },
  { user_id: 1, identity: telegram('of-another') },
  { user_id: 77, identity: telegram('1077') },
  { user_id: 3, identity: telegram('undefined') },
  { user_id: 3 },
  'no JSON',
);

describe('from a file', () => {
  it('says in a dry run what it would do, then does it, and skips it when it is repeated', async () => {
    const before = await dump(app.url);
    const dry = await run(['--file', '-', '--dry-run'], FILE);
    expect(dry.stderr).toBe('');
    expect(await dump(app.url)).toBe(before);
    expect(dry.stdout).toMatch(
      /would be created: 2, skipped \(already there\): 1, unknown customers: 1, invalid: 3\n$/,
    );
    const { code, stdout } = await run(['--file', '-'], FILE);
    expect([
      code,
      stdout
        .split('\n')
        .slice(0, -2)
        .map((line) => line.replaceAll(/[0-9a-f]{8}-\S*/g, 'ID')),
    ]).toEqual([
      0,
      [
        'line 3: customer ID has it',
        'line 4: There is no such customer.',
        expect.stringMatching(/^line 5: .*missing value.*identity\.external_id$/),
        expect.stringMatching(/^line 6: .*identity$/),
        expect.stringMatching(/^line 7: /),
      ],
    ]);
    expect(stdout).toMatch(/created: 2, skipped \(already there\): 1, unknown customers: 1, invalid: 3\n$/);
    const { body } = await app.get('/customers?provider=telegram&external_id=1001');
    const identities = body.data[0].identities.map(({ provider, external_id, profile }: Json) => ({
      provider,
      external_id,
      profile,
    }));
    expect(identities).toContainEqual({ provider: 'telegram', external_id: '1001', profile: { username: 'ada' } });
    expect((await run(['--file', '-'], FILE)).stdout).toMatch(/\ncreated: 0, skipped \(already there\): 3, /);
  });

  it('stops after so many rows', async () => {
    const { stdout } = await run(
      ['--file', '-', '--limit', '1'],
      lines({ user_id: 3, identity: telegram('a') }, { user_id: 3, identity: telegram('b') }),
    );
    expect(stdout).toMatch(/^created: 1, skipped/);
  });
});

describe('from a column', () => {
  it('takes what is not empty', async () => {
    const source = await makeSource('schema', 'shop');
    const args = ['--source', source, '--field', 'telegram_id', '--provider', 'tg'];
    const { code, stdout } = await run(args);
    expect([code, stdout]).toEqual([0, 'created: 3, skipped (already there): 0, unknown customers: 0, invalid: 0\n']);
    const missing = await run(['--source', source, '--field', 'vk_id', '--provider', 'vk']);
    expect([missing.code, missing.stderr]).toEqual([1, 'import:identities: --source: column "vk_id" does not exist\n']);
  });
});

it.each([
  [[], /^import:identities: name a file, or a source with a field and a provider\nusage: /],
  [['--file', 'nowhere.jsonl'], /^import:identities: --file: ENOENT/],
  [['--file', '-', '--limit', '0'], /^import:identities: --limit must be a whole number from 1 on\n$/],
])('refuses %j in words', async (args, message) => {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
});
