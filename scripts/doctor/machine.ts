// What the doctor looks at on this machine: Node, the port, the data folder and its disk.
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { GivenConfig } from '../../src/config.js';
import { explainFolderError } from '../../src/process/data-folder.js';
import { explainListenError } from '../../src/process/listen.js';
import { type Finding, fail, looked, ok, warn } from './finding.js';

const MIB = 1_048_576;
const ROOM_LEAST_MIB = 256;
const ROOM_GOOD_MIB = 2_048;
const ASK_TIMEOUT_MS = 2_000;
const WIDELY_READABLE = 0o077;

export async function* examineMachine(config: GivenConfig): AsyncGenerator<Finding> {
  yield examineNode();
  yield await looked('port', () => examinePort(config));
  if (config.isProduction) return; // nothing is written there
  yield await looked('data folder', async () => examineFolder(config.dataDir));
  yield await looked('disk', async () => examineDisk(config.dataDir));
}

function examineNode(): Finding {
  const least = packageJson.engines.node.replace('>=', '');
  const running = process.versions.node;
  const isNew = running.localeCompare(least, 'en', { numeric: true }) >= 0;
  return isNew ? ok('Node', running) : fail('Node', `${running} is too old: install ${least} or newer`);
}

/** The port is free, or it is Bursar that has it. */
async function examinePort({ host, port }: GivenConfig): Promise<Finding> {
  const error = await tryToListen(host, port);
  if (!error) return ok('port', port === 0 ? `any free one on ${host}` : `${port} on ${host} is free`);
  if (error.code === 'EADDRINUSE') {
    const version = await askVersion(host, port);
    if (version !== undefined) return ok('port', `${port} on ${host}: Bursar ${version} answers there`);
  }
  throw explainListenError(error, host, port);
}

function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', settle);
    server.listen({ host, port }, () => server.close(() => settle(undefined)));
  });
}

async function askVersion(host: string, port: number): Promise<string | undefined> {
  const callable = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host;
  try {
    const answer = await fetch(`http://${callable}:${port}/version`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    const { version } = (await answer.json()) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined; // somebody else
  }
}

function examineFolder(dataDir: string): Finding {
  const stats = statSync(dataDir, { throwIfNoEntry: false });
  if (!stats) return ok('data folder', `${dataDir} will be made`);
  if (!stats.isDirectory()) throw explainFolderError(Object.assign(new Error(), { code: 'ENOTDIR' }), dataDir);
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw explainFolderError(error, dataDir);
  }
  for (const name of ['api-token', 'pepper', 'secret-key']) {
    const mode = statSync(`${dataDir}/${name}`, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & WIDELY_READABLE) !== 0) return warn('data folder', `others can read ${dataDir}/${name}: chmod 600 it`);
  }
  return ok('data folder', dataDir);
}

function examineDisk(dataDir: string): Finding {
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const room = Math.floor((bavail * bsize) / MIB);
  const told = `${room.toLocaleString('en')} MiB are free at ${folder}`;
  if (room < ROOM_LEAST_MIB) return fail('disk', `${told}: make room, the embedded Postgres stops when there is none`);
  return room < ROOM_GOOD_MIB ? warn('disk', `${told}: make room soon`) : ok('disk', told);
}
