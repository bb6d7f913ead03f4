// The configuration of a process, made once of what the environment says into frozen values. Reads nothing itself: main.ts hands the environment in.
import { resolve } from 'node:path';
import type { z } from 'zod';
import {
  type docsAccesses,
  environmentSchema,
  type logLevels,
  PEPPER_LENGTH_MIN,
  type roles,
  TOKEN_LENGTH_MIN,
} from './environment.js';
import { StartError } from './errors/start-error.js';

/** Longer than balancers and Kubernetes usually take to hear of it. In development nobody waits for that. */
const DRAIN_OF_PRODUCTION_MS = 5_000;

const secretNames = new Set([
  'DATABASE_URL',
  'BURSAR_REPLICA_URL',
  'BURSAR_API_TOKEN',
  'BURSAR_PEPPER',
  'BURSAR_SECRET_KEY',
  'BURSAR_METRICS_TOKEN',
  'BURSAR_STRIPE_WEBHOOK_SECRETS',
  'BURSAR_STRIPE_SECRET_KEY',
  'BURSAR_TELEGRAM_SECRET_TOKENS',
  'BURSAR_YOOKASSA_SECRET_KEY',
  'OTEL_EXPORTER_OTLP_HEADERS',
]);

/** The whole configuration of a running process. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Absolute path of the folder that holds the embedded Postgres and generated secrets. */
  readonly dataDir: string;
  /** The bootstrap key: a bearer token with all scopes. */
  readonly apiToken: string;
  /** Key of the HMAC under which trial identities are stored. */
  readonly pepper: string;
  /** Keys from which those are derived that sign and encrypt; newest first, comma-separated. */
  readonly secretKey: string;
  /** Origins whose pages may read answers. */
  readonly corsOrigins: readonly string[];
  /** Requests a minute that are taken; null is without a limit. */
  readonly rateLimits: {
    readonly perAddress: number | null;
    readonly perKey: number | null;
    readonly perCustomer: number | null;
  };
  /** Proxies whose word for the address of a request is taken. */
  readonly trustedProxies: readonly string[];
  /** Orders of a customer that may wait for a payment at a time. */
  readonly openOrdersMax: number;
  readonly isProduction: boolean;
  /** Whether the clock can be set by hand, for tests of whoever integrates. */
  readonly isSandbox: boolean;
  readonly role: (typeof roles)[number];
  /** Connections that this process opens to Postgres at most. */
  readonly poolSize: number;
  /** By how much a standby may be behind before it is not asked any more. */
  readonly replicaLagMaxS: number;
  /** Whether connections keep statements and settings; not behind a pooler in transaction mode. */
  readonly isPrepared: boolean;
  /** What shares a transaction of the lanes, or a statement of the readers, is of one of so many lane keys. */
  readonly laneKeys: number;
  /** How long answers are kept under keys of callers; null is for ever. */
  readonly keysKeepDays: number | null;
  /** For how many days events are kept. */
  readonly eventsKeepDays: number;
  /** Whether webhooks may go to private and local addresses, and to any port. */
  readonly isPrivateWebhookAllowed: boolean;
  /** Payment providers whose webhooks come in; null of those that are not configured. */
  readonly payments: {
    readonly stripe: {
      readonly webhookSecrets: readonly string[];
      readonly secretKey: string | undefined;
      readonly apiUrl: string | undefined;
    } | null;
    readonly telegram: { readonly secretTokens: readonly string[] } | null;
    readonly yookassa: {
      readonly shopId: string;
      readonly secretKey: string;
      readonly apiUrl: string | undefined;
      /** From where notifications come; undefined for where YooKassa says. */
      readonly networks: readonly string[] | undefined;
    } | null;
  };
  /** For how many days bodies of payment providers are kept. */
  readonly paymentBodiesKeepDays: number;
  /** Seconds between two sweeps of what has fallen due. */
  readonly sweepIntervalS: number;
  /** Who gets the API reference and the OpenAPI document: anybody, who has the token, or nobody. */
  readonly docs: (typeof docsAccesses)[number];
  /** What whoever scrapes the metrics has to send; undefined lets anybody. */
  readonly metricsToken: string | undefined;
  /** Beyond which delay of the event loop, and how many requests under way, dear requests are turned away; null is never. */
  readonly shedding: { readonly delayMs: number | null; readonly requests: number | null };
  /** For how long requests are still taken, but the process is not ready, once it is asked to stop. */
  readonly drainMs: number;
  /** Where spans are sent, and of which traces; null is nowhere. */
  readonly tracing: {
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly serviceName: string;
    readonly ratio: number;
  } | null;
  readonly logLevel: (typeof logLevels)[number];
}

/** Secrets that start-up generates when the environment is silent. */
type Secret = 'apiToken' | 'pepper' | 'secretKey';

/** The configuration as far as the environment says it; without a URL the database is the embedded one. */
export type GivenConfig = Omit<Config, Secret> & {
  readonly [K in Secret | 'databaseUrl' | 'replicaUrl']: string | undefined;
};

export interface ReadConfig {
  config: GivenConfig;
  /** One line each, for the log. */
  warnings: string[];
}

/**
 * Reads the environment. An empty value counts as not given; a relative data folder is taken from `projectDir`.
 * Throws: StartError, with all malformed or missing variables in one line.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, projectDir: string): ReadConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw new StartError(describeMistakes(given, parsed.error));
  const values = parsed.data;
  if (values.BURSAR_REPLICA_URL !== undefined && values.DATABASE_URL === undefined)
    throw new StartError('BURSAR_REPLICA_URL needs DATABASE_URL: the embedded Postgres has no standby');
  const isProduction = values.NODE_ENV === 'production';
  if (isProduction) requireGiven(values);

  const config: GivenConfig = Object.freeze({
    port: values.PORT,
    host: values.HOST,
    databaseUrl: values.DATABASE_URL,
    replicaUrl: values.BURSAR_REPLICA_URL,
    replicaLagMaxS: values.BURSAR_REPLICA_LAG_MAX_S,
    dataDir: resolve(projectDir, values.BURSAR_DATA_DIR),
    apiToken: values.BURSAR_API_TOKEN,
    pepper: values.BURSAR_PEPPER,
    secretKey: values.BURSAR_SECRET_KEY,
    corsOrigins: values.BURSAR_CORS_ORIGINS ?? [],
    rateLimits: {
      perAddress: values.BURSAR_RATE_PER_ADDRESS ?? null,
      perKey: values.BURSAR_RATE_PER_KEY ?? null,
      perCustomer: values.BURSAR_RATE_PER_CUSTOMER,
    },
    trustedProxies: values.BURSAR_TRUST_PROXY ?? [],
    openOrdersMax: values.BURSAR_OPEN_ORDERS_MAX,
    isProduction,
    isSandbox: values.BURSAR_SANDBOX,
    role: values.BURSAR_ROLE,
    poolSize: values.BURSAR_POOL_SIZE,
    isPrepared: values.BURSAR_PREPARED,
    laneKeys: values.BURSAR_LANE_KEYS,
    keysKeepDays: values.BURSAR_KEYS_KEEP_DAYS ?? null,
    eventsKeepDays: values.BURSAR_EVENTS_KEEP_DAYS,
    isPrivateWebhookAllowed: values.BURSAR_WEBHOOK_ALLOW_PRIVATE,
    payments: paymentsOf(values),
    paymentBodiesKeepDays: values.BURSAR_PAYMENT_BODIES_KEEP_DAYS,
    sweepIntervalS: values.BURSAR_SWEEP_INTERVAL_S,
    docs: values.BURSAR_DOCS,
    metricsToken: values.BURSAR_METRICS_TOKEN,
    shedding: { delayMs: values.BURSAR_SHED_DELAY_MS || null, requests: values.BURSAR_SHED_REQUESTS || null },
    drainMs: values.BURSAR_DRAIN_MS ?? (isProduction ? DRAIN_OF_PRODUCTION_MS : 0),
    tracing: tracingOf(values),
    logLevel: values.LOG_LEVEL,
  });
  return { config, warnings: warnOfUnknown(given) };
}

/** Throws: StartError. */
function paymentsOf(values: z.output<typeof environmentSchema>): Config['payments'] {
  const { BURSAR_STRIPE_WEBHOOK_SECRETS: webhookSecrets, BURSAR_STRIPE_SECRET_KEY: stripeKey } = values;
  const { BURSAR_TELEGRAM_SECRET_TOKENS: secretTokens } = values;
  const { BURSAR_YOOKASSA_SHOP_ID: shopId, BURSAR_YOOKASSA_SECRET_KEY: yookassaKey } = values;
  if ((shopId === undefined) !== (yookassaKey === undefined)) {
    throw new StartError(
      'BURSAR_YOOKASSA_SHOP_ID and BURSAR_YOOKASSA_SECRET_KEY belong together: set both, or neither',
    );
  }
  return {
    stripe:
      webhookSecrets === undefined && stripeKey === undefined
        ? null
        : { webhookSecrets: webhookSecrets ?? [], secretKey: stripeKey, apiUrl: values.BURSAR_STRIPE_API_URL },
    telegram: secretTokens === undefined ? null : { secretTokens },
    yookassa:
      shopId === undefined || yookassaKey === undefined
        ? null
        : {
            shopId,
            secretKey: yookassaKey,
            apiUrl: values.BURSAR_YOOKASSA_API_URL,
            networks: values.BURSAR_YOOKASSA_NETWORKS,
          },
  };
}

function tracingOf(values: z.output<typeof environmentSchema>): Config['tracing'] {
  const endpoint = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return null;
  return {
    endpoint,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: values.OTEL_SERVICE_NAME,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

function describeMistakes(given: Record<string, unknown>, error: z.ZodError): string {
  const names = [...new Set(error.issues.map((issue) => String(issue.path[0])))];
  const lines = names.map((name) => {
    const expected = environmentSchema.shape[name as keyof typeof environmentSchema.shape].description;
    const got = secretNames.has(name) ? '' : `, not ${JSON.stringify(given[name])}`;
    return `${name} must be ${expected}${got}`;
  });
  return lines.join('; ');
}

/** What is made up in development must be given in production: a generated secret or an empty ledger would pass for the real one. */
function requireGiven(values: z.output<typeof environmentSchema>): void {
  const mistakes: string[] = [];
  if (values.BURSAR_SANDBOX)
    mistakes.push('BURSAR_SANDBOX must not be set in production: the clock could be set by hand');
  if (values.DATABASE_URL === undefined) {
    mistakes.push('DATABASE_URL must be set in production: without it a new, empty embedded ledger would be started');
  }
  if ((values.BURSAR_API_TOKEN?.length ?? 0) < TOKEN_LENGTH_MIN) {
    mistakes.push(`BURSAR_API_TOKEN must be set to at least ${TOKEN_LENGTH_MIN} characters in production`);
  }
  if (isAnyShort(values.BURSAR_PEPPER)) {
    mistakes.push(`BURSAR_PEPPER must be set in production, each pepper to at least ${PEPPER_LENGTH_MIN} characters`);
  }
  if (isAnyShort(values.BURSAR_SECRET_KEY)) {
    mistakes.push(`BURSAR_SECRET_KEY must be set in production, each key to at least ${PEPPER_LENGTH_MIN} characters`);
  }
  if (mistakes.length > 0) throw new StartError(mistakes.join('; '));
}

/** Whether a list of secrets has one that is too short, or is not given. */
function isAnyShort(secrets = ''): boolean {
  return secrets.split(',').some((secret) => secret.trim().length < PEPPER_LENGTH_MIN);
}

function warnOfUnknown(given: Record<string, unknown>): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith('BURSAR_') && !(name in environmentSchema.shape))
    .map((name) => `unknown variable ${name} is ignored; see .env.example for those that exist`);
}
