// What DATABASE_URL says, as Postgres' own tools read it; what nobody reads is refused or told.
import { describe, expect, it } from 'vitest';
import { connectionOf, unreadParameters } from '../../src/db/connection-url.js';

const URL_OF = 'postgresql://u:p%20w@h:5432/d';
const HERE = import.meta.filename;

describe('connectionOf', () => {
  it.each([
    ['', ''],
    ['?application_name=a', '?application_name=a'],
    ['?sslmode=disable', '?sslmode=disable&uselibpqcompat=true'],
    ['?sslmode=require', '?sslmode=require&uselibpqcompat=true'],
    ['?sslmode=no-verify', '?sslmode=no-verify'],
    ['?sslmode=verify-full&sslrootcert=system', '?sslmode=verify-full&uselibpqcompat=true'],
    ['?sslmode=require&uselibpqcompat=false', '?sslmode=require&uselibpqcompat=false'],
  ])('takes "%s" as Postgres does', (given, understood) => {
    expect(connectionOf(URL_OF + given)).toEqual({ connectionString: URL_OF + understood });
  });

  it('takes the files that it can read', () => {
    const files = `?sslmode=verify-ca&sslrootcert=${encodeURIComponent(HERE)}`;
    expect(connectionOf(URL_OF + files).connectionString).toContain('verify-ca');
  });

  it.each([
    ['?schema=a', 'schema in DATABASE_URL is not supported'],
    ['?Schema=a', 'Schema in DATABASE_URL is not supported'],
    ['?search_path=a', 'search_path in DATABASE_URL is not supported'],
    ['?ssl_mode=verify-full', 'ssl_mode in DATABASE_URL is unknown'],
    ['?sslMode=verify-full', 'sslMode in DATABASE_URL is unknown'],
    ['?sslaccept=strict', 'sslaccept in DATABASE_URL is unknown'],
    ['?sslmode=verifyfull', 'sslmode in DATABASE_URL must be one of disable, prefer, require, '],
    ['?sslmode=allow', 'sslmode in DATABASE_URL must be one of'],
    ['?sslmode=verify-ca', 'needs sslrootcert'],
    ['?sslmode=verify-full&sslrootcert=/no/such/file', 'can not read the file "/no/such/file" that sslrootcert'],
  ])('refuses "%s"', (given, message) => {
    expect(() => connectionOf(URL_OF + given)).toThrow(message);
  });
});

describe('unreadParameters', () => {
  it('names what is passed over', () => {
    expect(unreadParameters(`${URL_OF}?sslmode=require&options=-c%20a%3Db&pgbouncer=true&conection_limit=3`)).toEqual([
      'pgbouncer',
      'conection_limit',
    ]);
  });
});
