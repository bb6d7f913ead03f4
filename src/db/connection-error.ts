// Turns a failed connection to Postgres into one line that says what to do. Never repeats a password.
import { StartError } from '../errors/start-error.js';

const UNKNOWN_AUTHORITY = 'its certificate is of an authority that is not trusted; name that one by sslrootcert';

const adviceByCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start Postgres or correct the host and port',
  ENOTFOUND: 'the host name is unknown; correct the host',
  EAI_AGAIN: 'the host name could not be resolved; correct the host',
  EHOSTUNREACH: 'the host can not be reached; correct the host',
  ENETUNREACH: 'the network can not be reached; correct the host',
  ETIMEDOUT: 'the host does not answer; correct the host and port, or look for a firewall',
  ECONNRESET: 'the connection was cut; check that it is a Postgres that listens there',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is not for this host name; correct the host or the certificate',
  '28P01': 'the password is wrong for this user',
  '28000': 'the server does not let this user in (user name, pg_hba.conf or TLS)',
  '3D000': 'the database does not exist; create it',
  '42501': 'the user lacks the rights to do this',
  '53300': 'the server has no free connections',
  '57P03': 'the server is starting up or shutting down; try again',
};

/** What only the text tells. */
const adviceByMessage: readonly (readonly [RegExp, string])[] = [
  [
    /unsupported startup parameter/,
    'a connection pooler stands before it, which takes no options with the log-in; in transaction mode set BURSAR_PREPARED=false',
  ],
  [/server does not support SSL/, 'it offers no TLS, which sslmode asks for; turn it on there, or say sslmode=disable'],
];

/**
 * Explains why `url` can't be used, as a StartError; one that is a StartError already is returned as it is.
 */
export function explainConnectionError(error: unknown, url: string): StartError {
  if (error instanceof StartError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const advice =
    adviceByMessage.find(([pattern]) => pattern.test(message))?.[1] ?? adviceByCode[code] ?? message.split('\n')[0];
  const { host, pathname } = new URL(url);
  return new StartError(`can not use the database ${host}${pathname}: ${advice} (see DATABASE_URL)`, { cause: error });
}
