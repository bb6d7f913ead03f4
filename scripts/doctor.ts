// npm run doctor: looks at an installation as a start would find it, and says of each thing in one line how it is and, where it is not well, what to do.
// Changes nothing, and starts nothing. Exit code 0 when nothing is wrong (there may be warnings), 1 when something is.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../src/config.js';
import { StartError } from '../src/errors/start-error.js';
import { readEnvFile } from '../src/process/env-file.js';
import { readSecretFiles } from '../src/process/secret-files.js';
import { examineDatabase } from './doctor/database.js';
import { type Finding, fail, ok, warn } from './doctor/finding.js';
import { examineMachine } from './doctor/machine.js';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const WIDTH = 18;

let findings = 0;
let failures = 0;
for await (const finding of examine()) {
  findings += 1;
  if (finding.verdict === 'FAIL') failures += 1;
  console.log(`${finding.verdict.padEnd(4)}  ${finding.of.padEnd(WIDTH)}  ${finding.says.replaceAll('\n', ' ')}`);
}
console.log(failures === 0 ? `${findings} looked at, nothing is wrong` : `${findings} looked at, ${failures} wrong`);
if (failures > 0) process.exitCode = 1;

async function* examine(): AsyncGenerator<Finding> {
  try {
    const { config, warnings } = readConfig(
      readSecretFiles({ ...readEnvFile(PROJECT), ...process.env } as Record<string, string | undefined>),
      PROJECT,
    );
    yield ok('configuration', `${config.isProduction ? 'production' : 'development'}, role ${config.role}`);
    for (const warning of warnings) yield warn('configuration', warning);
    if (config.isSandbox)
      yield warn('configuration', 'BURSAR_SANDBOX: the clock can be set by hand; never where money is real');
    yield* examineMachine(config);
    yield* examineDatabase(config);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    yield fail('configuration', error.message);
  }
}
