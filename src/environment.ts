// The variables of the environment: what each may be, and how its text is read. Reads nothing itself.
import { isIP } from 'node:net';
import { z } from 'zod';

export const TOKEN_LENGTH_MIN = 24;
export const PEPPER_LENGTH_MIN = 32;
const SECRET_LENGTH_MAX = 512;
const PEPPERS_LENGTH_MAX = 2_048;
const POOL_SIZE_DEFAULT = 16;
const POOL_SIZE_MAX = 500;
const REPLICA_LAG_DEFAULT_S = 10;
const REPLICA_LAG_MAX_S = 3_600;
const LANE_KEYS_MAX = 4_096;
const ORIGINS_MAX = 100;
const NETWORKS_MAX = 100;
const RATE_MAX = 1_000_000;
const RATE_PER_CUSTOMER_DEFAULT = 600;
const RATE_DESCRIPTION = `a number of requests a minute, 1 to ${RATE_MAX}`;
/** Names of networks that the proxies' library knows. */
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
const OPEN_ORDERS_DEFAULT = 100;
const OPEN_ORDERS_LIMIT = 100_000;
const KEEP_DAYS_MAX = 36_500;
const EVENTS_KEEP_DAYS_DEFAULT = 90;
const PAYMENT_BODIES_KEEP_DAYS_DEFAULT = 90;
const SWEEP_INTERVAL_DEFAULT_S = 60;
const SWEEP_INTERVAL_MAX_S = 86_400;
const SHED_DELAY_DEFAULT_MS = 500;
const SHED_DELAY_MAX_MS = 60_000;
const SHED_REQUESTS_DEFAULT = 1_000;
const SHED_REQUESTS_MAX = 1_000_000;
const NAME_LENGTH_MAX = 100;
const DRAIN_MAX_MS = 300_000;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export const roles = ['all', 'api', 'worker'] as const;
export const docsAccesses = ['public', 'token', 'off'] as const;

/** A whole number written in digits. */
function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max);
}

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return ['postgres:', 'postgresql:'].includes(url.protocol) && url.pathname.length > 1;
}

/** As a browser sends it: scheme, host and, where it is not that of the scheme, port. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text);
}

/** Headers as OpenTelemetry has them written; undefined when they are not. */
function readHeaders(text: string): Record<string, string> | undefined {
  try {
    const pairs = text.split(',').map((pair) => /^\s*([\w-]+)=(.*)$/.exec(decodeURIComponent(pair)));
    if (pairs.includes(null)) return undefined;
    return Object.fromEntries(pairs.map((pair) => [pair?.[1]?.toLowerCase() ?? '', pair?.[2]?.trim() ?? '']));
  } catch {
    return undefined; // no percent-encoding
  }
}

/** Secrets of which each counts, separated by commas. */
function secretList() {
  return z
    .string()
    .max(PEPPERS_LENGTH_MAX)
    .transform((value) => value.split(',').map((secret) => secret.trim()))
    .refine((secrets) => secrets.every((secret) => secret !== ''))
    .optional()
    .describe(`one secret or several, separated by commas; at most ${PEPPERS_LENGTH_MAX} characters in all`);
}

function secretText() {
  return z
    .string()
    .max(SECRET_LENGTH_MAX)
    .regex(/^\S+$/)
    .optional()
    .describe(`at most ${SECRET_LENGTH_MAX} characters`);
}

function apiUrl() {
  return z.string().refine(isHttpUrl).optional().describe('the base URL of an API, such as http://127.0.0.1:12111');
}

/** An address, a network by its prefix, or one that has a name. */
function isProxy(text: string): boolean {
  return PROXY_NAMES.includes(text) || isNetwork(text);
}

/** An address, or a network by its prefix. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  const bitsMax = version === 4 ? 32 : 128;
  const isPrefix =
    prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bitsMax);
  return version > 0 && isPrefix && more.length === 0;
}

/**
 * Every variable the service knows. The description says what is expected, after the words "<NAME> must be";
 * values of variables named in `secretNames` are never repeated in a message.
 */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('development, test or production'),
  PORT: wholeNumber(0, 65_535).default(3000).describe('a port number, 0 to 65535 (0: any free port)'),
  HOST: z
    .string()
    .regex(/^[^\s/]+$/)
    .default('127.0.0.1')
    .describe('an address or host name to listen on, such as 127.0.0.1 or 0.0.0.0'),
  DATABASE_URL: z
    .string()
    .refine(isPostgresUrl)
    .optional()
    .describe('a URL such as postgresql://user:password@host:5432/database'),
  BURSAR_REPLICA_URL: z
    .string()
    .refine(isPostgresUrl)
    .optional()
    .describe('a URL such as postgresql://user:password@host:5432/database, of a standby of DATABASE_URL'),
  BURSAR_REPLICA_LAG_MAX_S: wholeNumber(1, REPLICA_LAG_MAX_S)
    .default(REPLICA_LAG_DEFAULT_S)
    .describe(`a number of seconds, 1 to ${REPLICA_LAG_MAX_S}`),
  BURSAR_DATA_DIR: z
    .string()
    .refine((value) => !value.includes('\0'))
    .default('.bursar')
    .describe('the path of a folder'),
  BURSAR_API_TOKEN: z
    .string()
    .max(SECRET_LENGTH_MAX)
    .regex(/^[A-Za-z0-9._~+/-]+=*$/)
    .optional()
    .describe(`at most ${SECRET_LENGTH_MAX} letters, digits or -._~+/ (it is sent as a bearer token)`),
  BURSAR_PEPPER: z
    .string()
    .max(PEPPERS_LENGTH_MAX)
    .refine((value) => value.split(',').every((pepper) => pepper.trim() !== ''))
    .optional()
    .describe(
      `one secret or several, newest first, separated by commas; at most ${PEPPERS_LENGTH_MAX} characters in all`,
    ),
  BURSAR_SANDBOX: z
    .enum(['true', 'false', '1', '0'])
    .default('false')
    .transform((value) => value === 'true' || value === '1')
    .describe('true or false'),
  BURSAR_SECRET_KEY: z
    .string()
    .max(PEPPERS_LENGTH_MAX)
    .refine((value) => value.split(',').every((key) => key.trim() !== ''))
    .optional()
    .describe(
      `one secret or several, newest first, separated by commas; at most ${PEPPERS_LENGTH_MAX} characters in all`,
    ),
  BURSAR_CORS_ORIGINS: z
    .string()
    .transform((value) => value.split(',').map((origin) => origin.trim()))
    .refine((origins) => origins.length <= ORIGINS_MAX && origins.every(isOrigin))
    .optional()
    .describe(`origins such as https://shop.example.org, separated by commas; at most ${ORIGINS_MAX}`),
  BURSAR_OPEN_ORDERS_MAX: wholeNumber(1, OPEN_ORDERS_LIMIT)
    .default(OPEN_ORDERS_DEFAULT)
    .describe(`a number of orders, 1 to ${OPEN_ORDERS_LIMIT}`),
  BURSAR_RATE_PER_KEY: wholeNumber(1, RATE_MAX).optional().describe(RATE_DESCRIPTION),
  BURSAR_RATE_PER_CUSTOMER: wholeNumber(1, RATE_MAX).default(RATE_PER_CUSTOMER_DEFAULT).describe(RATE_DESCRIPTION),
  BURSAR_RATE_PER_ADDRESS: wholeNumber(1, RATE_MAX).optional().describe(RATE_DESCRIPTION),
  BURSAR_TRUST_PROXY: z
    .string()
    .transform((value) => value.split(',').map((network) => network.trim()))
    .refine((networks) => networks.length <= NETWORKS_MAX && networks.every(isProxy))
    .optional()
    .describe(
      `addresses or networks such as 10.0.0.0/8, or ${PROXY_NAMES.join(', ')}, separated by commas; at most ${NETWORKS_MAX}`,
    ),
  BURSAR_ROLE: z.enum(roles).default('all').describe(roles.join(', ')),
  BURSAR_POOL_SIZE: wholeNumber(2, POOL_SIZE_MAX)
    .default(POOL_SIZE_DEFAULT)
    .describe(`a number of database connections, 2 to ${POOL_SIZE_MAX}`),
  BURSAR_PREPARED: z
    .enum(['true', 'false', '1', '0'])
    .default('true')
    .transform((value) => value === 'true' || value === '1')
    .describe('true or false'),
  BURSAR_LANE_KEYS: wholeNumber(1, LANE_KEYS_MAX)
    .refine((keys) => Number.isInteger(Math.log2(keys)))
    .default(1)
    .describe(`a power of two, 1 to ${LANE_KEYS_MAX}`),
  BURSAR_KEYS_KEEP_DAYS: wholeNumber(1, KEEP_DAYS_MAX)
    .optional()
    .describe(`a number of days, 1 to ${KEEP_DAYS_MAX}, or nothing for ever`),
  BURSAR_EVENTS_KEEP_DAYS: wholeNumber(1, KEEP_DAYS_MAX)
    .default(EVENTS_KEEP_DAYS_DEFAULT)
    .describe(`a number of days, 1 to ${KEEP_DAYS_MAX}`),
  BURSAR_SWEEP_INTERVAL_S: wholeNumber(1, SWEEP_INTERVAL_MAX_S)
    .default(SWEEP_INTERVAL_DEFAULT_S)
    .describe(`a number of seconds, 1 to ${SWEEP_INTERVAL_MAX_S}`),
  BURSAR_WEBHOOK_ALLOW_PRIVATE: z
    .enum(['true', 'false', '1', '0'])
    .default('false')
    .transform((value) => value === 'true' || value === '1')
    .describe('true or false'),
  BURSAR_STRIPE_WEBHOOK_SECRETS: secretList(),
  BURSAR_STRIPE_SECRET_KEY: secretText(),
  BURSAR_STRIPE_API_URL: apiUrl(),
  BURSAR_TELEGRAM_SECRET_TOKENS: secretList(),
  BURSAR_YOOKASSA_SHOP_ID: secretText(),
  BURSAR_YOOKASSA_SECRET_KEY: secretText(),
  BURSAR_YOOKASSA_API_URL: apiUrl(),
  BURSAR_YOOKASSA_NETWORKS: z
    .string()
    .transform((value) => value.split(',').map((network) => network.trim()))
    .refine((networks) => networks.length <= NETWORKS_MAX && networks.every(isNetwork))
    .optional()
    .describe(`addresses or networks such as 185.71.76.0/27, separated by commas; at most ${NETWORKS_MAX}`),
  BURSAR_PAYMENT_BODIES_KEEP_DAYS: wholeNumber(1, KEEP_DAYS_MAX)
    .default(PAYMENT_BODIES_KEEP_DAYS_DEFAULT)
    .describe(`a number of days, 1 to ${KEEP_DAYS_MAX}`),
  BURSAR_DOCS: z.enum(docsAccesses).default('public').describe(docsAccesses.join(', ')),
  BURSAR_METRICS_TOKEN: z
    .string()
    .max(SECRET_LENGTH_MAX)
    .regex(/^[A-Za-z0-9._~+/-]+=*$/)
    .optional()
    .describe(`at most ${SECRET_LENGTH_MAX} letters, digits or -._~+/ (it is sent as a bearer token)`),
  BURSAR_SHED_DELAY_MS: wholeNumber(0, SHED_DELAY_MAX_MS)
    .default(SHED_DELAY_DEFAULT_MS)
    .describe(`a number of milliseconds, 0 (never) to ${SHED_DELAY_MAX_MS}`),
  BURSAR_SHED_REQUESTS: wholeNumber(0, SHED_REQUESTS_MAX)
    .default(SHED_REQUESTS_DEFAULT)
    .describe(`a number of requests, 0 (never) to ${SHED_REQUESTS_MAX}`),
  BURSAR_DRAIN_MS: wholeNumber(0, DRAIN_MAX_MS).optional().describe(`a number of milliseconds, 0 to ${DRAIN_MAX_MS}`),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine(isHttpUrl)
    .optional()
    .describe('the base URL of a collector, such as http://127.0.0.1:4318'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform(readHeaders)
    .refine((headers) => headers !== undefined)
    .optional()
    .describe('headers such as name=value, separated by commas, percent-encoded'),
  OTEL_SERVICE_NAME: z
    .string()
    .max(NAME_LENGTH_MAX)
    .default('bursar')
    .describe(`at most ${NAME_LENGTH_MAX} characters`),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0|1|0?\.\d{1,9}|1\.0+|0\.0+)$/)
    .default('1')
    .transform(Number)
    .describe('a share of traces, 0 to 1'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe(logLevels.join(', ')),
});
