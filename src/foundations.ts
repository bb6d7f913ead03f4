// What a process provides to the engine: handed down from main.ts or a test, never imported.
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { Db } from './db/client.js';
import type { Clock } from './lib/clock.js';
import type { Ids } from './lib/ids.js';
import type { Metrics } from './lib/metrics.js';
import type { Turns } from './lib/turns.js';

export interface Foundations {
  db: Db;
  clock: Clock;
  ids: Ids;
  config: Config;
  log: Logger;
  /** Operations of one customer take turns within this process, so that those who wait for his lock hold one connection, not all. */
  turns: Turns;
  /** What is counted and measured of this process. */
  metrics: Metrics;
}
