// Secrets that are given as files, as orchestrators mount them: `<NAME>_FILE` is the path of what `<NAME>` would be.
import { readFileSync } from 'node:fs';
import { StartError } from '../errors/start-error.js';

const NAMES = [
  'DATABASE_URL',
  'BURSAR_API_TOKEN',
  'BURSAR_PEPPER',
  'BURSAR_SECRET_KEY',
  'BURSAR_METRICS_TOKEN',
  'BURSAR_STRIPE_WEBHOOK_SECRETS',
  'BURSAR_STRIPE_SECRET_KEY',
  'BURSAR_TELEGRAM_SECRET_TOKENS',
  'BURSAR_YOOKASSA_SECRET_KEY',
];

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment with what the files hold, without a line's end. Throws: StartError, when one can't be read, is empty, or is given beside its variable. */
export function readSecretFiles(env: Environment): Environment {
  const complete: Record<string, string | undefined> = { ...env };
  for (const name of NAMES) {
    const variable = `${name}_FILE`;
    const path = env[variable];
    delete complete[variable];
    if (!path) continue;
    if (env[name]) throw new StartError(`${name} and ${variable} are both set: set one of them`);
    complete[name] = read(path, variable);
  }
  return complete;
}

function read(path: string, variable: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(`can not read the file that ${variable} names (${code})`, { cause: error });
  }
  if (text === '') throw new StartError(`the file that ${variable} names is empty`);
  return text;
}
