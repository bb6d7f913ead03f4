// Requests to addresses that others name. The guard sits in the look-up of the connection itself, so that the address that was checked is the one that is
// connected to, and a name that changes its answer gains nothing. No redirects, and everything bounded.
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, type Dispatcher, request } from 'undici';

const CONNECT_MS = 5_000;
const WHOLE_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1_024;
const PORT_OF_HTTP = 80;
const PORT_OF_HTTPS = 443;
const HIGH_PORTS = { first: 8_000, last: 9_999 };
const REFUSED = 'ERR_ADDRESS_REFUSED';

type Addresses = { address: string; family: number }[];
type Resolve = (host: string, done: (error: Error | null, addresses: Addresses) => void) => void;

class AddressRefused extends Error {
  readonly code = REFUSED;
}

/** Where one may connect to: tests have rules and names of their own. */
export interface Guard {
  isAllowed(address: string): boolean;
  areAllPortsAllowed: boolean;
  resolve?: Resolve;
}

/** All of IPv6 that is given out (RFC 4291). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Global unicast addresses only: nothing private, local, shared or reserved; IPv4 inside IPv6 counts as IPv4. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const read = ipaddr.process(address);
  // Outside of it the library takes for unicast what it does not know, such as the oldest form of IPv4 in IPv6 (::7f00:1).
  const isGiven = read instanceof ipaddr.IPv4 || read.match(GLOBAL_UNICAST);
  return isGiven && read.range() === 'unicast';
}

export const publicOnly: Guard = { isAllowed: isPublicAddress, areAllPortsAllowed: false };
export const anywhere: Guard = { isAllowed: () => true, areAllPortsAllowed: true };

/** The host of a URL as an address, if it is one; the URL's own rules have read octal, short and numeric forms. */
function addressIn(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? undefined : host;
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? PORT_OF_HTTPS : PORT_OF_HTTP;
}

/** Why a URL may not be called, as far as it says so itself; undefined when it may. */
export function faultOfUrl(text: string, guard: Guard): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://example.org/hooks';
  const url = new URL(text);
  if (!['https:', 'http:'].includes(url.protocol)) return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not have a user name or password';
  const port = portOf(url);
  const isUsual = port === PORT_OF_HTTP || port === PORT_OF_HTTPS;
  if (!guard.areAllPortsAllowed && !isUsual && (port < HIGH_PORTS.first || port > HIGH_PORTS.last))
    return `must have the port 80, 443 or one of ${HIGH_PORTS.first} to ${HIGH_PORTS.last}, not ${port}`;
  const address = addressIn(url);
  if (address !== undefined && !guard.isAllowed(address))
    return `must not lead to ${address}, which is private or local`;
  return undefined;
}

const resolveBySystem: Resolve = (host, done) =>
  systemLookup(host, { all: true }, (error, addresses) => done(error, addresses));

/** The same, where whoever asks for a name while somebody does gets his answer: the system answers four at a time, and a name that nobody answers for would keep it from all others. */
function together(resolve: Resolve): Resolve {
  const asking = new Map<string, Parameters<Resolve>[1][]>();
  return (host, done) => {
    const others = asking.get(host);
    if (others) {
      others.push(done);
      return;
    }
    const all = [done];
    asking.set(host, all);
    resolve(host, (error, addresses) => {
      asking.delete(host);
      for (const each of all) each(error, addresses);
    });
  };
}

function lookupBy(guard: Guard): LookupFunction {
  const { isAllowed } = guard;
  const resolve = together(guard.resolve ?? resolveBySystem);
  return (host, options, done) =>
    resolve(host, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return done(error ?? new Error(`${host} has no address`), '', 0);
      // One bad address among good ones refuses all: which of them is connected to is not ours to say.
      if (addresses.some(({ address }) => !isAllowed(address)))
        return done(new AddressRefused(`${host} is private or local`), '', 0);
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
}

/** What a receiver answered, or what became of asking it. */
export interface HttpOutcome {
  /** Null when there was no answer. */
  status: number | null;
  /** The first bytes of the answer. */
  excerpt: string;
  /** A short word for what went wrong; null when an answer came. */
  error: string | null;
  retryAfter: string | null;
}

const SUCCESS = { min: 200, max: 299 };

/** Whether the receiver took it. A redirect is not followed, and is no success. */
export function hasArrived({ status }: Pick<HttpOutcome, 'status'>): boolean {
  return status !== null && status >= SUCCESS.min && status <= SUCCESS.max;
}

export interface Poster {
  post(url: string, headers: Record<string, string>, body: string): Promise<HttpOutcome>;
  close(): Promise<void>;
}

/** Makes what sends under a guard, at most `WHOLE_MS` for all of a request. */
export function createPoster(guard: Guard, wholeMs = WHOLE_MS): Poster {
  const agent = new Agent({ connect: { lookup: lookupBy(guard), timeout: CONNECT_MS } });
  return {
    post: async (url, headers, body) => {
      if (faultOfUrl(url, guard) !== undefined) return failed('address_refused');
      try {
        return await postBy(agent, { url, headers, body, wholeMs });
      } catch (error) {
        return failed(wordFor(error));
      }
    },
    close: () => agent.destroy(),
  };
}

async function postBy(
  agent: Agent,
  { url, headers, body, wholeMs }: { url: string; headers: Record<string, string>; body: string; wholeMs: number },
): Promise<HttpOutcome> {
  // The signals that time out by themselves live on until then, long after their request.
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new DOMException('it takes too long', 'TimeoutError')), wholeMs);
  try {
    return await readAnswer(
      await request(url, { method: 'POST', dispatcher: agent, headers, body, signal: ending.signal }),
    );
  } finally {
    clearTimeout(timer);
  }
}

async function readAnswer(answer: Dispatcher.ResponseData): Promise<HttpOutcome> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the stream: whoever answers for ever is not listened to.
  for await (const chunk of answer.body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= ANSWER_BYTES_MAX) break;
  }
  const retryAfter = answer.headers['retry-after'];
  return {
    status: answer.statusCode,
    excerpt: excerptOf(Buffer.concat(chunks)),
    error: null,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
  };
}

const EXCERPT_BYTES_MAX = 256;

/** What Postgres stores as text: no NUL, and what is no UTF-8 is replaced. */
function excerptOf(bytes: Buffer): string {
  return bytes.subarray(0, EXCERPT_BYTES_MAX).toString('utf8').replaceAll('\0', '');
}

function failed(error: string): HttpOutcome {
  return { status: null, excerpt: '', error, retryAfter: null };
}

const WORDS: Readonly<Record<string, string>> = {
  [REFUSED]: 'address_refused',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ENOTFOUND: 'name_not_found',
  EAI_AGAIN: 'name_not_found',
};

/** Nothing of our network is told: no address, no message of a library. */
function wordFor(error: unknown): string {
  const { name, code = '' } = error as { name?: string; code?: string };
  if (name === 'TimeoutError') return 'timeout';
  const word = WORDS[code];
  if (word !== undefined) return word;
  return /CERT|TLS|SSL|SIGNATURE/.test(code) ? 'tls' : 'failed';
}
