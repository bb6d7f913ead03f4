// npm run keys: a key without another one, on the database of the service, and its end.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { useTestApp } from '../support/app.js';
import { bearer } from '../support/keys.js';

const app = useTestApp();
const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

async function keys(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const env = { ...process.env, NODE_ENV: '', VITEST: undefined, DATABASE_URL: app.url };
  try {
    const told = await run(process.execPath, ['--import', 'tsx', 'scripts/keys.ts', ...args], {
      cwd: PROJECT_DIR,
      env,
    });
    return { ...told, code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

it('makes a key that is taken, lists it, and revokes it', async () => {
  const made = await keys('create', '--scopes', 'read, admin', '--name', 'first', '--expires-in-days', '30');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^bur_live_[0-9A-Za-z]{71}\n$/) });
  const token = made.stdout.trim();
  const answer = await app.get('/api-keys', bearer(token));
  expect([answer.status, answer.body.data[0].created_by]).toEqual([200, 'operator']);
  const listed = await keys('list');
  expect(listed.stdout).toMatch(/^\S{36} {2}first {2}\[read, admin\] {2}made \S+, expires \S+, /);
  expect(listed.stdout).not.toContain(token);
  const revoked = await keys('revoke', answer.body.data[0].id);
  expect(revoked.stdout).toMatch(/^revoked /);
  expect((await keys('list')).stdout).toMatch(/revoked \d/);
});

it.each([
  [['create', '--scopes', 'read,all'], /^keys: --scopes: "all" is no scope\nusage: /],
  [['create'], /^keys: --scopes: "" is no scope\nusage: /],
  [['create', '--scopes', 'read', '--expires-in-days', '0'], /^keys: --expires-in-days must be/],
  [['create', '--scopes', 'read', '--name', ' '], /^keys: --name must have/],
  [['create', '--for-ever'], /^keys: .*--for-ever.*\nusage: /s],
  [['revoke', 'it'], /^keys: revoke: the id of a key is a UUID/],
  [['revoke', '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'], /^keys: There is no such API key\.\n$/],
  [[], /^keys: usage: /],
])('refuses %j in words', async (args, message) => {
  const { code, stdout, stderr } = await keys(...args);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
});
