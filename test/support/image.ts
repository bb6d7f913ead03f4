// The steps of the Dockerfile, done by hand: each stage is a folder, what it copies comes from a checkout or another stage, and what it runs is run there. But for the
// packages: those of this checkout that the lockfile has `npm ci` install, without a registry.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PROJECT_DIR } from './bursar-process.js';

export interface Image {
  /** Where its files are, as in its WORKDIR. */
  dir: string;
  env: Record<string, string>;
  user: string | undefined;
  command: string[];
  healthcheck: string[];
}

interface Stage extends Image {
  name: string | undefined;
}

/** Makes the image below a folder, from the files of another one. Throws at an instruction that it does not know. */
export function makeImage(context: string, parent: string, args: Record<string, string>): Image {
  const stages: Stage[] = [];
  for (const [instruction, rest] of readInstructions(join(context, 'Dockerfile'))) {
    if (instruction === 'FROM') {
      const dir = join(parent, `stage-${stages.length}`);
      mkdirSync(dir);
      stages.push({ name: / AS (\S+)$/.exec(rest)?.[1], dir, env: {}, user: undefined, command: [], healthcheck: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) continue; // an ARG for FROM
    follow(instruction, rest, stage, { context, stages, args });
  }
  const last = stages.at(-1);
  if (!last) throw new Error('the Dockerfile has no stage');
  return last;
}

/** Each instruction of a Dockerfile, in their order, with what it is given. */
function readInstructions(path: string): [string, string][] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line): [string, string][] => {
    const [, instruction, rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (instruction !== undefined) return [[instruction, rest]];
    if (line === '' || line.startsWith('#')) return [];
    throw new Error(`not read: ${line}`);
  });
}

interface Around {
  context: string;
  stages: readonly Stage[];
  args: Record<string, string>;
}

function follow(instruction: string, rest: string, stage: Stage, { context, stages, args }: Around): void {
  switch (instruction) {
    case 'ENV':
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S*)/g)) stage.env[name] = value;
      return;
    case 'ARG':
      if (args[rest] !== undefined) stage.env[rest] = args[rest];
      return;
    case 'COPY':
      copy(rest, stage, context, stages);
      return;
    case 'RUN':
      if (rest.startsWith('npm ci ')) install(rest, stage.dir);
      else run(rest, stage);
      return;
    case 'USER':
      stage.user = rest;
      return;
    case 'CMD':
      stage.command = JSON.parse(rest) as string[];
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
      return;
    case 'WORKDIR':
    case 'EXPOSE':
      return;
    default:
      throw new Error(`${instruction} is not known here`);
  }
}

/** As COPY does: the content of a folder, or a file, to a path or into a folder. */
function copy(rest: string, { dir }: Stage, context: string, stages: readonly Stage[]): void {
  const [, from, paths = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(rest) ?? [];
  const sources = paths.split(' ');
  const target = sources.pop() ?? '';
  const stage = from === undefined ? undefined : stages.find(({ name }) => name === from);
  if (from !== undefined && !stage) throw new Error(`there is no stage ${from}`);
  for (const source of sources) {
    // in another stage paths are absolute, below its WORKDIR
    if (!stage && !isSent(context, source)) throw new Error(`.dockerignore keeps ${source} from the build`);
    const path = stage ? join(stage.dir, source.split('/').slice(2).join('/')) : join(context, source);
    const isFile = target.endsWith('/') && statSync(path).isFile();
    cpSync(path, join(dir, target, isFile ? basename(path) : ''), { recursive: true });
  }
}

/** Whether .dockerignore, which leaves out all that it does not name, names a path. */
function isSent(context: string, path: string): boolean {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n');
  return lines.includes('*') && lines.includes(`!${path}`);
}

function run(command: string, { dir, env }: Stage): void {
  const own = { PATH: process.env.PATH ?? '', HOME: dir, ...env };
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', command], { cwd: dir, encoding: 'utf8', env: own });
  if (status !== 0) throw new Error(`${command} ended with ${status}\n${stdout}${stderr}`);
}

interface Locked {
  dev?: true;
  optional?: true;
  devOptional?: true;
}

/** Puts the packages where `npm ci` would: all of them as they are here, or copies of some, each without those nested in it, which the lockfile names too. */
function install(command: string, dir: string): void {
  if (!command.includes('--omit')) {
    symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'), 'junction');
    return;
  }
  const { packages } = JSON.parse(readFileSync(join(dir, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  for (const [path, { dev, optional, devOptional }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || dev || optional || devOptional) continue;
    const own = join(PROJECT_DIR, path);
    const nested = join(own, 'node_modules');
    cpSync(own, join(dir, path), { recursive: true, filter: (source) => source !== nested });
  }
}
