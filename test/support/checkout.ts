// The project as somebody else gets it: its files without what was generated from them, with the packages of this checkout.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR } from './bursar-process.js';

/** Copies what git knows or would take, as it is now, to the folder `dir`, and links the packages. */
export function copyCheckout(dir: string): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: PROJECT_DIR, encoding: 'utf8', env });
  if (status !== 0) throw new Error(`git ls-files ended with ${status}\n${stderr}`);
  for (const path of stdout.split('\0').filter((each) => each !== '' && existsSync(join(PROJECT_DIR, each))))
    cpSync(join(PROJECT_DIR, path), join(dir, path));
  symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'), 'junction');
}
