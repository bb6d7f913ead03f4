// An older build of the project, made from its history: the files of a commit in a temporary folder, with the packages of this checkout. Reads the
// repository and writes nothing to it: no worktree, no index, no ref.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIR } from './bursar-process.js';

export interface OlderBuild {
  /** Where it runs by tsx, like the project itself. */
  readonly dir: string;
  remove(): void;
}

/** Throws when the commit is not in the history of this checkout, with what to do about it. */
export function makeOlderBuild(commit: string): OlderBuild {
  const missing = explainMissingCommit(PROJECT_DIR, commit);
  if (missing !== undefined) throw new Error(missing);
  const dir = mkdtempSync(join(tmpdir(), 'bursar-older-'));
  const remove = () => rmSync(dir, { recursive: true, force: true }); // of a link only the link goes
  try {
    writeFilesOf(commit, dir);
    symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'), 'junction');
    generateClient(dir);
  } catch (error) {
    remove();
    throw error;
  }
  return { dir, remove };
}

/** Why a commit is not to be had from the repository of a folder, in one line with the way out; undefined when HEAD descends from it. */
export function explainMissingCommit(repository: string, commit: string): string | undefined {
  const short = commit.slice(0, 12);
  const inside = runGit(repository, ['rev-parse', '--is-shallow-repository']);
  if (inside.status !== 0) {
    return `the older build is made from commit ${short}, and git can not read the history of ${repository}: ${inside.stderr.trim()}`;
  }
  if (runGit(repository, ['merge-base', '--is-ancestor', commit, 'HEAD']).status === 0) return undefined;
  if (inside.stdout.trim() === 'true') {
    return `the older build is made from commit ${short}, which a shallow clone does not have: run "git fetch --unshallow"`;
  }
  return `the older build is made from commit ${short}, from which HEAD does not descend: name one of this history in test/fixtures/older-build.json (see CONTRIBUTING.md)`;
}

/** Writes the files of a commit by an index of its own, which is no file of theirs. */
function writeFilesOf(commit: string, dir: string): void {
  const indexDir = mkdtempSync(join(tmpdir(), 'bursar-index-'));
  const env = { GIT_INDEX_FILE: join(indexDir, 'index') };
  try {
    requireSuccess('git read-tree', runGit(PROJECT_DIR, ['read-tree', commit], env));
    requireSuccess('git checkout-index', runGit(PROJECT_DIR, ['checkout-index', '--all', `--prefix=${dir}/`], env));
  } finally {
    rmSync(indexDir, { recursive: true, force: true });
  }
}

/** The client of its own schema. Not by its own scripts/ensure.mjs, which would install its packages over those of this checkout. */
function generateClient(dir: string): void {
  const result = spawnSync(process.execPath, [join(PROJECT_DIR, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: dir,
    encoding: 'utf8',
    // as scripts/ensure.mjs does: any executable passes for the engine, which generating does not need
    env: { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
  });
  requireSuccess('prisma generate', result);
  if (!existsSync(join(dir, 'src/generated/prisma/client.ts'))) throw new Error('prisma generate made no client');
}

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs git in a folder, without what git tells its hooks of the repository that runs them. */
export function runGit(repository: string, args: string[], more: Record<string, string> = {}): Ended {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    cwd: repository,
    encoding: 'utf8',
    env: { ...env, ...more },
  });
  return { status, stdout: stdout ?? '', stderr: error ? error.message : (stderr ?? '') };
}

function requireSuccess(what: string, { status, stdout, stderr }: Ended): void {
  if (status !== 0) throw new Error(`${what} ended with ${status}\n${stdout}${stderr}`);
}
