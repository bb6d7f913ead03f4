// TLS to the database: what each sslmode of DATABASE_URL asks for, with certificates that openssl makes for a server of the test's own. Skipped, by name, where
// openssl or Debian's Postgres is not installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { guardSession } from '../../src/db/session-guard.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { debianBinaries, type OwnServer, putFile, startOwnServer } from '../support/own-server.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

const OPENSSL = 'openssl';
const isMissing = debianBinaries === undefined || spawnSync(OPENSSL, ['version']).status !== 0;
const ONLY_TLS = 'hostssl all all 127.0.0.1/32 scram-sha-256\n';

cleanUpProcesses();

describe.skipIf(isMissing)('TLS to the database', () => {
  let dir: string;
  let server: OwnServer;
  const path = (name: string) => join(dir, name);

  function openssl(...args: string[]): void {
    execFileSync(OPENSSL, args, { cwd: dir, stdio: 'ignore' });
  }

  /** A certificate for localhost that nobody but itself vouches for. */
  function selfSign(name: string, subject: string): void {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    const names = ['-addext', 'subjectAltName=DNS:localhost'];
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${subject}`,
      ...names,
      ...files,
    );
  }

  const serve = (name: string) => ({
    'server.key': readFileSync(path(`${name}.key`), 'utf8'),
    'server.crt': readFileSync(path(`${name}.pem`), 'utf8'),
  });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'bursar-tls-'));
    chmodSync(dir, 0o700);
    for (const name of ['authority', 'stranger', 'alone']) selfSign(name, name);
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=localhost',
      '-keyout',
      'signed.key',
      '-out',
      'signed.csr',
    );
    writeFileSync(path('names'), 'subjectAltName=DNS:localhost\n');
    const by = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-extfile', 'names'];
    openssl('x509', '-req', '-in', 'signed.csr', ...by, '-days', '2', '-out', 'signed.pem');
    server = await startOwnServer(['ssl = on'], { ...serve('signed'), 'pg_hba.conf': ONLY_TLS });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function urlWith(parameters: Record<string, string>, host = 'localhost'): string {
    const url = new URL(server.adminUrl);
    url.hostname = host;
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.toString();
  }

  async function isEncrypted(url: string): Promise<unknown> {
    const db = createDb(url, pino({ level: 'silent' }));
    try {
      await guardSession(db, url);
      const [row] = await db.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return row?.ssl;
    } finally {
      await db.close();
    }
  }

  it('is there with require, whoever has signed', async () => {
    expect(await isEncrypted(urlWith({ sslmode: 'require' }))).toBe(true);
    expect(await isEncrypted(urlWith({ sslmode: 'require' }, '127.0.0.1'))).toBe(true);
  });

  it.each(['require', 'verify-ca', 'verify-full'])('is there with %s and the authority', async (sslmode) => {
    expect(await isEncrypted(urlWith({ sslmode, sslrootcert: path('authority.pem') }))).toBe(true);
  });

  it.each(['require', 'verify-ca', 'verify-full'])('is refused with %s and another authority', async (sslmode) => {
    await expect(isEncrypted(urlWith({ sslmode, sslrootcert: path('stranger.pem') }))).rejects.toThrow(
      /^can not use the database localhost:\d+\/postgres: its certificate is of an authority that is not trusted; name that one by sslrootcert/,
    );
  });

  it('is refused with verify-full alone, which trusts the known authorities', async () => {
    await expect(isEncrypted(urlWith({ sslmode: 'verify-full' }))).rejects.toThrow('an authority that is not trusted');
  });

  it('is for the name of the host with verify-full, for any with verify-ca', async () => {
    const sslrootcert = path('authority.pem');
    expect(await isEncrypted(urlWith({ sslmode: 'verify-ca', sslrootcert }, '127.0.0.1'))).toBe(true);
    await expect(isEncrypted(urlWith({ sslmode: 'verify-full', sslrootcert }, '127.0.0.1'))).rejects.toThrow(
      'its certificate is not for this host name',
    );
  });

  it('is missed by a server that takes nothing else', async () => {
    for (const parameters of [{}, { sslmode: 'disable' }])
      await expect(isEncrypted(urlWith(parameters as Record<string, string>))).rejects.toThrow(
        'the server does not let this user in (user name, pg_hba.conf or TLS)',
      );
  });

  it('is missed where the server has none', async () => {
    const url = new URL(inject('templateUrl'));
    url.pathname = '/postgres';
    url.searchParams.set('sslmode', 'require');
    await expect(isEncrypted(url.toString())).rejects.toThrow('it offers no TLS, which sslmode asks for');
  });

  it('lets a process start with verify-full, without a warning', async () => {
    await query(urlWith({ sslmode: 'no-verify' }), 'CREATE DATABASE bursar');
    const url = new URL(urlWith({ sslmode: 'verify-full', sslrootcert: path('authority.pem') }));
    url.pathname = '/bursar';
    const bursar = startBursar({ DATABASE_URL: url.toString(), BURSAR_DATA_DIR: newDataDir() });
    const origin = await bursar.ready();
    expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(bursar.stderr()).toBe('');
  });

  it('by a server that signed itself is refused under verify-full, until it is its own authority', async () => {
    for (const [name, text] of Object.entries(serve('alone'))) putFile(server.dir, name, text);
    const unverified = urlWith({ sslmode: 'no-verify' });
    await query(unverified, 'SELECT pg_reload_conf()');
    const own = urlWith({ sslmode: 'verify-full', sslrootcert: path('alone.pem') });
    await waitFor('the other certificate', () => isEncrypted(own).catch(() => undefined));
    await expect(isEncrypted(urlWith({ sslmode: 'verify-full' }))).rejects.toThrow('an authority that is not trusted');
    expect(await isEncrypted(urlWith({ sslmode: 'require' }))).toBe(true);
  });
});
