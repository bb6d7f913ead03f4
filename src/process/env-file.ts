// The file .env of the project, which the service and verify read alike.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { StartError } from '../errors/start-error.js';
import { codeOf } from './data-folder.js';

const BYTE_ORDER_MARK = '\uFEFF';

/** The variables of the folder's .env; none when there is no such file. Throws: StartError, when it can't be read. */
export function readEnvFile(dir: string): Record<string, string | undefined> {
  const path = join(dir, '.env');
  const text = read(path);
  if (text.includes('\0') || text.includes('\uFFFD')) throw new StartError(`can not read ${path}: it is not UTF-8`);
  return parseEnv(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return '';
    const reasons: Readonly<Record<string, string>> = {
      EACCES: 'it may not be read by this user',
      EISDIR: 'it is a folder',
      ELOOP: 'it is a link to itself',
    };
    throw new StartError(`can not read ${path}: ${reasons[code] ?? (error as Error).message}`, { cause: error });
  }
}
