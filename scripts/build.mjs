// Makes dist/, which runs without TypeScript: the compiled service and `verify`, with the SQL that they read. The layout is the project's own,
// so that what is found relative to a source file is found relative to its compiled form. Packages are not part of it. Another tsconfig may be named,
// for what is to be compiled beside it.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(PROJECT, 'dist');
/** What the compiled code reads at run time. */
const READ_AT_RUN_TIME = ['prisma/migrations', 'src/db/invariants'];

rmSync(DIST, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', process.argv[2] ?? 'tsconfig.build.json'], {
  cwd: PROJECT,
  stdio: 'inherit',
});
if (status === 0)
  for (const path of READ_AT_RUN_TIME)
    cpSync(join(PROJECT, path), join(DIST, path), { recursive: true, filter: (source) => !source.endsWith('.ts') });
process.exitCode = status ?? 1;
