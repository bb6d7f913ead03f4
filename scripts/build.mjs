// Makes dist/, which runs without TypeScript: the compiled service and `verify`, with the SQL that they read. The layout is the project's own,
// so that what is found relative to a source file is found relative to its compiled form. Packages are not part of it. Another tsconfig may be named,
// for what is to be compiled beside it. A build that fails leaves the one before as it was: what is complete takes its place as a whole.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(PROJECT, 'dist');
const UNFINISHED = `${DIST}.new`;
/** What the compiled code reads at run time. */
const READ_AT_RUN_TIME = ['prisma/migrations', 'src/db/invariants'];

remove(UNFINISHED); // of a build that was killed
process.exitCode = build();
remove(UNFINISHED);

/** Returns the exit code. */
function build() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const args = [tsc, '-p', process.argv[2] ?? 'tsconfig.build.json', '--outDir', UNFINISHED];
  const { status } = spawnSync(process.execPath, args, { cwd: PROJECT, stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  for (const path of READ_AT_RUN_TIME)
    cpSync(join(PROJECT, path), join(UNFINISHED, path), {
      recursive: true,
      filter: (source) => !source.endsWith('.ts'),
    });
  const commit = commitOf();
  if (commit !== undefined) writeFileSync(join(UNFINISHED, 'commit'), `${commit}\n`);
  remove(DIST);
  renameSync(UNFINISHED, DIST);
  return 0;
}

/** Of which commit this is: COMMIT, else what git says; undefined when neither knows. */
function commitOf() {
  if (process.env.COMMIT) return process.env.COMMIT;
  if (!existsSync(join(PROJECT, '.git'))) return undefined;
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: PROJECT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
