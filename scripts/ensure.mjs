// Makes a checkout ready to run: installs the packages of the lockfile and generates the Prisma client, each only when needed.
// Runs before node_modules exists, so plain Node without packages. Says nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCKFILE = join(PROJECT, 'package-lock.json');
const INSTALLED = join(PROJECT, 'node_modules', '.package-lock.json');
const SCHEMA = join(PROJECT, 'prisma', 'schema.prisma');
const CLIENT = join(PROJECT, 'src', 'generated', 'prisma', 'client.ts');
/** Beside the client, which is rewritten as a whole; holds the hash of what the client was made from. */
const CLIENT_STAMP = join(PROJECT, 'src', 'generated', 'prisma.sha256');
const NODE_MIN = [20, 19];

try {
  requireNode();
  if (!isInstalled()) install();
  const wanted = hashOfClientSources();
  if (!existsSync(CLIENT) || !existsSync(CLIENT_STAMP) || readFileSync(CLIENT_STAMP, 'utf8') !== wanted)
    generate(wanted);
} catch (error) {
  console.error(`bursar: ${error.message}`);
  process.exitCode = 1;
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    throw new Error(`Node ${NODE_MIN.join('.')} or newer is needed, this is ${process.versions.node}`);
  }
}

/** Whether node_modules holds what the lockfile says. npm keeps its own record of what it installed, written last. */
function isInstalled() {
  if (!existsSync(INSTALLED)) return false;
  if (!existsSync(LOCKFILE)) return true; // an image without it was installed when it was built
  const wanted = JSON.parse(readFileSync(LOCKFILE, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(INSTALLED, 'utf8')).packages;
  // in production the packages for development may be left out, and optional ones always (other platforms)
  const mayLack = (entry) =>
    entry.optional || (process.env.NODE_ENV === 'production' && (entry.dev || entry.devOptional));
  const paths = Object.keys(wanted).filter((path) => path !== '');
  return (
    paths.every((path) =>
      installed[path] ? installed[path].version === wanted[path].version : mayLack(wanted[path]),
    ) && Object.keys(installed).every((path) => wanted[path])
  );
}

function install() {
  console.log('bursar: installing packages (npm ci) ...');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm tells which npm started this script; without it the one on the PATH
  const npm = process.env.npm_execpath;
  const [command, commandArgs] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const { status, error } = spawnSync(command, commandArgs, { cwd: PROJECT, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`the packages could not be installed: npm ci ${error ? error.message : `ended with ${status}`}`);
}

/** The schema, and the generator's version. */
function hashOfClientSources() {
  const { version } = JSON.parse(
    readFileSync(join(PROJECT, 'node_modules', '@prisma', 'client', 'package.json'), 'utf8'),
  );
  return createHash('sha256').update(`${version}\n`).update(readFileSync(SCHEMA)).digest('hex');
}

function generate(wanted) {
  const cli = join(PROJECT, 'node_modules', 'prisma', 'build', 'index.js');
  if (!existsSync(cli)) throw new Error('the Prisma client must be generated, which needs "npm ci --include=dev"');
  console.log('bursar: generating the Prisma client ...');
  const { status, stderr, stdout } = spawnSync(process.execPath, [cli, 'generate'], {
    cwd: PROJECT,
    encoding: 'utf8',
    env: {
      ...process.env,
      CHECKPOINT_DISABLE: '1',
      // generating needs no schema engine, but insists on one, and would download it; any executable will do
      PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
    },
  });
  if (status !== 0 || !existsSync(CLIENT)) {
    console.error(`${stdout}${stderr}`);
    throw new Error(`the Prisma client could not be generated: prisma generate ended with ${status}`);
  }
  writeFileSync(CLIENT_STAMP, wanted);
}
