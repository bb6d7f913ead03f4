// Of which commit this build is: what the build wrote down beside the code, else what git says of the checkout that runs.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GIT_TIMEOUT_MS = 2_000;
const COMMIT = /^[0-9a-f]{40,64}$/;

/** The full id of the commit; null when nobody knows. `projectDir` is the folder that has `src/`. */
export function findCommit(projectDir: string): string | null {
  const file = join(projectDir, 'commit');
  const told = existsSync(file) ? readFileSync(file, 'utf8') : askGit(projectDir);
  const commit = told?.trim() ?? '';
  return COMMIT.test(commit) ? commit : null;
}

function askGit(projectDir: string): string | undefined {
  if (!existsSync(join(projectDir, '.git'))) return undefined; // not that of a folder around it
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: projectDir,
      encoding: 'utf8',
      timeout: GIT_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined; // no git, or none that reads it
  }
}
