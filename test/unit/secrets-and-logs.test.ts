// Secrets from files, and lines of a log without what lets somebody in.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StartError } from '../../src/errors/start-error.js';
import { makeApiKey } from '../../src/lib/api-key.js';
import { uuidIds } from '../../src/lib/ids.js';
import { redactor } from '../../src/process/redact.js';
import { readSecretFiles } from '../../src/process/secret-files.js';

function fileOf(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  return path;
}

describe('a secret in a file', () => {
  it.each([
    ['DATABASE_URL'],
    ['BURSAR_API_TOKEN'],
    ['BURSAR_PEPPER'],
    ['BURSAR_SECRET_KEY'],
    ['BURSAR_METRICS_TOKEN'],
    ['BURSAR_STRIPE_WEBHOOK_SECRETS'],
    ['BURSAR_STRIPE_SECRET_KEY'],
    ['BURSAR_TELEGRAM_SECRET_TOKENS'],
    ['BURSAR_YOOKASSA_SECRET_KEY'],
  ])('is read in place of %s, without the end of its line', (name) => {
    const env = { PORT: '1', [`${name}_FILE`]: fileOf('of-the-file\r\n') };
    expect(readSecretFiles(env)).toEqual({ PORT: '1', [name]: 'of-the-file' });
  });

  it('is not looked for when nothing is given', () => {
    expect(readSecretFiles({ BURSAR_PEPPER: 'p', BURSAR_PEPPER_FILE: '' })).toEqual({ BURSAR_PEPPER: 'p' });
  });

  it('is refused beside its variable, when it is empty, and when it can not be read; without its path or text', () => {
    const refuse = (env: Record<string, string>, message: RegExp) => {
      expect(() => readSecretFiles(env)).toThrow(StartError);
      expect(() => readSecretFiles(env)).toThrow(message);
    };
    refuse(
      { BURSAR_PEPPER: 'p', BURSAR_PEPPER_FILE: fileOf('q') },
      /^BURSAR_PEPPER and BURSAR_PEPPER_FILE are both set/,
    );
    refuse({ BURSAR_API_TOKEN_FILE: fileOf(' \n') }, /^the file that BURSAR_API_TOKEN_FILE names is empty$/);
    refuse({ DATABASE_URL_FILE: '/nowhere/at/all' }, /^can not read the file that DATABASE_URL_FILE names \(ENOENT\)$/);
    refuse({ DATABASE_URL_FILE: tmpdir() }, /^can not read the file that DATABASE_URL_FILE names \(EISDIR\)$/);
  });
});

describe('a line of the log', () => {
  const key = makeApiKey(uuidIds.next());
  const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.${'s'.repeat(43)}`;

  it.each([
    ['an API key', { token: key }, key],
    ['a key within a text', { msg: `refused ${key}, again` }, key],
    ['a customer’s token', { deep: { list: [jwt] } }, jwt],
    ['a header', { headers: { authorization: 'Bearer abc.def~ghi' } }, 'abc.def~ghi'],
    ['a password of HTTP Basic', { a: 'basic dTpwYXNzd29yZA==' }, 'dTpwYXNzd29yZA'],
    ['the secret of a webhook', { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }, 'MfKQ9r8GKYqr'],
    ['a password in a URL', { url: 'postgresql://bursar:p4ssw0rd@db:5432/x' }, 'p4ssw0rd'],
    ['the token of the service', { err: { message: 'no of-the-service-0123456789' } }, 'of-the-service-0123456789'],
    ['the second of its peppers', { a: 'second-pepper-0123' }, 'second-pepper-0123'],
  ])('has no %s', (_what, content, secret) => {
    const lines: string[] = [];
    const streamWrite = redactor(['of-the-service-0123456789', 'first-pepper-0123, second-pepper-0123', undefined]);
    pino({ hooks: { streamWrite } }, { write: (line: string) => lines.push(line) }).info(content, 'said');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(secret);
    expect(lines[0]).toContain('[redacted]');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: expect.anything() });
  });

  it('keeps everything else, also words that are short secrets', () => {
    const redact = redactor(['short']);
    const line = '{"route":"/api/v1/billing/api-keys/:id/rotate","status":201,"msg":"a short bearer of news"}';
    expect(redact(line)).toBe(line.replace('bearer of', '[redacted]'));
  });
});
