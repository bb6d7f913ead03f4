// The configuration: defaults, refusals in words, and that .env.example tells all of it.
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { environmentSchema } from '../../src/environment.js';

const PROJECT = '/project';
const token = 't'.repeat(24);
const pepper = 'p'.repeat(32);
const secretKey = 's'.repeat(32);

describe('readConfig', () => {
  it('needs nothing', () => {
    const { config, warnings } = readConfig({}, PROJECT);
    expect(config).toEqual({
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: undefined,
      dataDir: '/project/.bursar',
      apiToken: undefined,
      pepper: undefined,
      secretKey: undefined,
      corsOrigins: [],
      openOrdersMax: 100,
      rateLimits: { perAddress: null, perKey: null, perCustomer: 600 },
      replicaUrl: undefined,
      replicaLagMaxS: 10,
      trustedProxies: [],
      isProduction: false,
      isSandbox: false,
      role: 'all',
      poolSize: 16,
      isPrepared: true,
      laneKeys: 1,
      keysKeepDays: null,
      eventsKeepDays: 90,
      isPrivateWebhookAllowed: false,
      payments: { stripe: null, telegram: null, yookassa: null },
      paymentBodiesKeepDays: 90,
      sweepIntervalS: 60,
      docs: 'public',
      metricsToken: undefined,
      shedding: { delayMs: 500, requests: 1_000 },
      drainMs: 0,
      tracing: null,
      logLevel: 'info',
    });
    expect(warnings).toEqual([]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reads every variable', () => {
    const { config } = readConfig(
      {
        NODE_ENV: 'production',
        PORT: '0',
        HOST: '::1',
        DATABASE_URL: 'postgres://u:p@h/d',
        BURSAR_DATA_DIR: '/data',
        BURSAR_API_TOKEN: token,
        BURSAR_PEPPER: pepper,
        BURSAR_SANDBOX: '0',
        BURSAR_SECRET_KEY: secretKey,
        BURSAR_CORS_ORIGINS: 'https://a.example.org, http://localhost:5173',
        BURSAR_OPEN_ORDERS_MAX: '7',
        BURSAR_RATE_PER_KEY: '1000',
        BURSAR_RATE_PER_CUSTOMER: '30',
        BURSAR_RATE_PER_ADDRESS: '500',
        BURSAR_TRUST_PROXY: '10.0.0.0/8, ::1,loopback',
        BURSAR_ROLE: 'worker',
        BURSAR_POOL_SIZE: '2',
        BURSAR_REPLICA_URL: 'postgres://u:p@standby/d',
        BURSAR_REPLICA_LAG_MAX_S: '5',
        BURSAR_PREPARED: 'false',
        BURSAR_LANE_KEYS: '4096',
        BURSAR_KEYS_KEEP_DAYS: '30',
        BURSAR_EVENTS_KEEP_DAYS: '7',
        BURSAR_WEBHOOK_ALLOW_PRIVATE: '1',
        BURSAR_STRIPE_WEBHOOK_SECRETS: 'whsec_new, whsec_old',
        BURSAR_STRIPE_SECRET_KEY: 'sk_test_1',
        BURSAR_STRIPE_API_URL: 'http://127.0.0.1:12111',
        BURSAR_TELEGRAM_SECRET_TOKENS: 'telegram',
        BURSAR_YOOKASSA_SHOP_ID: '4711',
        BURSAR_YOOKASSA_SECRET_KEY: 'yookassa',
        BURSAR_YOOKASSA_API_URL: 'http://127.0.0.1:12112',
        BURSAR_YOOKASSA_NETWORKS: '127.0.0.1, 10.0.0.0/8',
        BURSAR_PAYMENT_BODIES_KEEP_DAYS: '30',
        BURSAR_SWEEP_INTERVAL_S: '5',
        BURSAR_DOCS: 'token',
        BURSAR_METRICS_TOKEN: 'm',
        BURSAR_SHED_DELAY_MS: '0',
        BURSAR_SHED_REQUESTS: '50',
        BURSAR_DRAIN_MS: '20000',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp',
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20YTpi, x-scope=c',
        OTEL_SERVICE_NAME: 'billing',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
        LOG_LEVEL: 'silent',
      },
      PROJECT,
    );
    expect(config).toEqual({
      port: 0,
      host: '::1',
      databaseUrl: 'postgres://u:p@h/d',
      replicaUrl: 'postgres://u:p@standby/d',
      replicaLagMaxS: 5,
      dataDir: '/data',
      apiToken: token,
      pepper,
      secretKey,
      corsOrigins: ['https://a.example.org', 'http://localhost:5173'],
      openOrdersMax: 7,
      rateLimits: { perAddress: 500, perKey: 1_000, perCustomer: 30 },
      trustedProxies: ['10.0.0.0/8', '::1', 'loopback'],
      isProduction: true,
      isSandbox: false,
      role: 'worker',
      poolSize: 2,
      isPrepared: false,
      laneKeys: 4096,
      keysKeepDays: 30,
      eventsKeepDays: 7,
      isPrivateWebhookAllowed: true,
      payments: {
        stripe: {
          webhookSecrets: ['whsec_new', 'whsec_old'],
          secretKey: 'sk_test_1',
          apiUrl: 'http://127.0.0.1:12111',
        },
        telegram: { secretTokens: ['telegram'] },
        yookassa: {
          shopId: '4711',
          secretKey: 'yookassa',
          apiUrl: 'http://127.0.0.1:12112',
          networks: ['127.0.0.1', '10.0.0.0/8'],
        },
      },
      paymentBodiesKeepDays: 30,
      sweepIntervalS: 5,
      docs: 'token',
      metricsToken: 'm',
      shedding: { delayMs: null, requests: 50 },
      drainMs: 20_000,
      tracing: {
        endpoint: 'http://collector:4318/otlp',
        headers: { authorization: 'Basic YTpi', 'x-scope': 'c' },
        serviceName: 'billing',
        ratio: 0.1,
      },
      logLevel: 'silent',
    });
  });

  it('takes an empty value as not given', () => {
    const empty = Object.fromEntries(Object.keys(environmentSchema.shape).map((name) => [name, '']));
    expect(readConfig(empty, PROJECT)).toEqual(readConfig({}, PROJECT));
  });

  it.each([
    ['NODE_ENV', 'prod', 'NODE_ENV must be development, test or production, not "prod"'],
    ['PORT', 'http', 'PORT must be a port number, 0 to 65535 (0: any free port), not "http"'],
    ['PORT', '65536', 'PORT must be a port number'],
    ['PORT', '80.5', 'PORT must be a port number'],
    ['PORT', '-1', 'PORT must be a port number'],
    ['HOST', 'a host', 'HOST must be an address or host name'],
    ['BURSAR_SANDBOX', 'yes', 'BURSAR_SANDBOX must be true or false, not "yes"'],
    ['BURSAR_DOCS', 'on', 'BURSAR_DOCS must be public, token, off, not "on"'],
    ['BURSAR_ROLE', 'web', 'BURSAR_ROLE must be all, api, worker, not "web"'],
    ['BURSAR_POOL_SIZE', '1', 'BURSAR_POOL_SIZE must be a number of database connections, 2 to 500, not "1"'],
    ['BURSAR_REPLICA_URL', 'standby', 'BURSAR_REPLICA_URL must be a URL such as postgresql://'],
    ['BURSAR_REPLICA_URL', 'postgres://standby/d', 'BURSAR_REPLICA_URL needs DATABASE_URL'],
    ['BURSAR_REPLICA_LAG_MAX_S', '0', 'BURSAR_REPLICA_LAG_MAX_S must be a number of seconds, 1 to 3600, not "0"'],
    ['BURSAR_CORS_ORIGINS', '*', 'BURSAR_CORS_ORIGINS must be origins such as https://shop.example.org'],
    ['BURSAR_CORS_ORIGINS', 'https://a.example.org/', 'BURSAR_CORS_ORIGINS must be'],
    ['BURSAR_CORS_ORIGINS', 'https://a.example.org,', 'BURSAR_CORS_ORIGINS must be'],
    ['BURSAR_CORS_ORIGINS', 'null', 'BURSAR_CORS_ORIGINS must be'],
    ['BURSAR_TRUST_PROXY', 'true', 'BURSAR_TRUST_PROXY must be addresses or networks such as 10.0.0.0/8, or loopback'],
    ['BURSAR_TRUST_PROXY', '10.0.0.0/33', 'BURSAR_TRUST_PROXY must be'],
    ['BURSAR_TRUST_PROXY', '0.0.0.0/0', 'BURSAR_TRUST_PROXY must be'],
    ['BURSAR_TRUST_PROXY', '10.0.0.1,', 'BURSAR_TRUST_PROXY must be'],
    ['BURSAR_RATE_PER_KEY', '0', 'BURSAR_RATE_PER_KEY must be a number of requests a minute, 1 to 1000000, not "0"'],
    ['BURSAR_OPEN_ORDERS_MAX', '0', 'BURSAR_OPEN_ORDERS_MAX must be a number of orders, 1 to 100000'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT must be the base URL'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'OTEL_TRACES_SAMPLER_ARG must be a share of traces, 0 to 1, not "1.5"'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be fatal, error'],
  ])('refuses %s=%s', (name, value, message) => {
    expect(() => readConfig({ [name]: value }, PROJECT)).toThrow(message);
  });

  it.each([
    ['DATABASE_URL', 'mysql://u:hidden@h/d'],
    ['DATABASE_URL', 'postgresql://u:hidden@h'],
    ['DATABASE_URL', 'hidden'],
    ['BURSAR_API_TOKEN', 'hidden token'],
    ['BURSAR_PEPPER', 'hidden'.repeat(400)],
    ['BURSAR_SECRET_KEY', 'hidden,,hidden'],
    ['BURSAR_METRICS_TOKEN', 'hidden token'],
    ['BURSAR_STRIPE_WEBHOOK_SECRETS', 'hidden,,hidden'],
    ['BURSAR_STRIPE_SECRET_KEY', 'hidden key'],
    ['BURSAR_TELEGRAM_SECRET_TOKENS', 'hidden,'],
    ['BURSAR_YOOKASSA_SECRET_KEY', 'hidden key'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hidden'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hidden=%'],
  ])('refuses a malformed %s without repeating it', (name, value) => {
    const refusal = catchError(() => readConfig({ [name]: value }, PROJECT));
    expect(refusal.message).toContain(`${name} must be `);
    expect(refusal.message).not.toContain('hidden');
  });

  it('wants a shop and its key together', () => {
    const message = 'BURSAR_YOOKASSA_SHOP_ID and BURSAR_YOOKASSA_SECRET_KEY belong together';
    expect(() => readConfig({ BURSAR_YOOKASSA_SHOP_ID: '4711' }, PROJECT)).toThrow(message);
  });

  it('names all mistakes in one line', () => {
    const refusal = catchError(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' }, PROJECT));
    expect(refusal.message).toMatch(/^PORT must be .*; LOG_LEVEL must be .*$/);
  });

  it('drains for five seconds in production, unless it is told otherwise', () => {
    const given = {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://h/d',
      BURSAR_API_TOKEN: token,
      BURSAR_PEPPER: pepper,
      BURSAR_SECRET_KEY: secretKey,
    };
    expect(readConfig(given, PROJECT).config.drainMs).toBe(5_000);
    expect(readConfig({ ...given, BURSAR_DRAIN_MS: '0' }, PROJECT).config.drainMs).toBe(0);
    expect(() => readConfig({ BURSAR_DRAIN_MS: '300001' }, PROJECT)).toThrow(
      'BURSAR_DRAIN_MS must be a number of milliseconds',
    );
  });

  it('requires long secrets in production only', () => {
    const short = {
      BURSAR_API_TOKEN: 't'.repeat(23),
      BURSAR_PEPPER: 'p'.repeat(31),
      BURSAR_SECRET_KEY: 's'.repeat(31),
    };
    expect(readConfig(short, PROJECT).config.apiToken).toBe(short.BURSAR_API_TOKEN);
    const refusal = catchError(() => readConfig({ ...short, NODE_ENV: 'production' }, PROJECT));
    expect(refusal.message).toMatch(
      /BURSAR_API_TOKEN .* at least 24 .*; BURSAR_PEPPER .* at least 32 .*; BURSAR_SECRET_KEY .* at least 32 /,
    );
    expect(() => readConfig({ NODE_ENV: 'production' }, PROJECT)).toThrow('BURSAR_API_TOKEN must be set');
  });

  it.each([undefined, ''])('requires a database in production, where no empty one may stand in: %j', (url) => {
    const production = {
      NODE_ENV: 'production',
      BURSAR_API_TOKEN: token,
      BURSAR_PEPPER: pepper,
      BURSAR_SECRET_KEY: secretKey,
    };
    const refusal = catchError(() => readConfig({ ...production, DATABASE_URL: url }, PROJECT));
    expect(refusal.message).toMatch(/^DATABASE_URL must be set in production/);
  });

  it('warns of an unknown BURSAR_ variable', () => {
    const { warnings } = readConfig({ BURSAR_TOKEN: 'x', OTHER: 'y' }, PROJECT);
    expect(warnings).toEqual([expect.stringContaining('BURSAR_TOKEN')]);
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const example = parseEnv(text);

  it('names exactly the variables that exist', () => {
    expect(Object.keys(example).sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });

  it('shows the defaults', () => {
    expect(readConfig(example as Record<string, string>, PROJECT)).toEqual(readConfig({}, PROJECT));
  });
});

function catchError(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected it to throw');
}
