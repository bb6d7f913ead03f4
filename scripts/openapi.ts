// Writes openapi/openapi.json from the declared routes; with --check it only compares, and exits 1 when the file is stale. Needs no database.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { buildApp } from '../src/app.js';
import type { Deps } from '../src/deps.js';
import { createHorizon } from '../src/engine/horizon.js';
import { NO_REPLICA } from '../src/engine/replica.js';
import { openapiText } from '../src/http/openapi.js';
import { systemClock } from '../src/lib/clock.js';
import { uuidIds } from '../src/lib/ids.js';
import { createMetrics } from '../src/lib/metrics.js';

const file = new URL('../openapi/openapi.json', import.meta.url);
const name = 'openapi/openapi.json';

/** Building the app and its document asks nothing of the database; whatever would, fails loudly. */
function unreachable<T extends object>(what: string): T {
  return new Proxy({} as T, {
    get: (_target, member) => {
      throw new Error(`the OpenAPI document must not need ${what}.${String(member)}`);
    },
  });
}

async function generate(): Promise<string> {
  const deps: Deps = {
    db: unreachable('db'),
    clock: systemClock,
    ids: uuidIds,
    config: {
      apiToken: 'unused',
      corsOrigins: [],
      isSandbox: true,
      rateLimits: { perAddress: null, perKey: null, perCustomer: null },
      shedding: { delayMs: null, requests: null },
      trustedProxies: [],
    } as Partial<Deps['config']> as Deps['config'],
    log: pino({ level: 'silent' }),
    engine: unreachable('engine'),
    reads: unreachable('reads'),
    turns: unreachable('turns'),
    metrics: createMetrics(),
    horizon: createHorizon({ db: unreachable('db') }),
    replica: NO_REPLICA,
    actors: unreachable('actors'),
    sender: unreachable('sender'),
  };
  const app = await buildApp(deps);
  try {
    return openapiText(app);
  } finally {
    await app.close();
  }
}

function readCommitted(): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const mode = process.argv[2];
if (process.argv.length > 3 || (mode !== undefined && mode !== '--check')) {
  console.error('usage: openapi.ts [--check]');
  process.exit(2);
}
const generated = await generate();
if (mode === undefined) {
  writeFileSync(file, generated);
  console.log(`wrote ${fileURLToPath(file)}`);
} else if (readCommitted() !== generated) {
  console.error(`${name} is stale: run \`npm run openapi\` and commit the result`);
  process.exit(1);
} else {
  console.log(`${name} is up to date`);
}
