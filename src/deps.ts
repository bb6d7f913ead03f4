// What a use case may reach: handed down from main.ts or a test, never imported.
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { Db } from './db/client.js';
import type { Clock } from './lib/clock.js';
import type { Ids } from './lib/ids.js';

export interface Deps {
  db: Db;
  clock: Clock;
  ids: Ids;
  config: Config;
  log: Logger;
}
