// npm run import:billable: moves customers, catalogue, balances and history from a database of the Django module billable into the database that the service
// uses. May be cut and run again. Exit code 0 when every balance here is that of there, 1 when one differs or it could not be done, with the reason in one line.
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AppError } from '../src/errors/app-error.js';
import { StartError } from '../src/errors/start-error.js';
import { createFindings } from './billable/findings.js';
import { moveAll } from './billable/move.js';
import type { Moving } from './billable/moving.js';
import { createProgress } from './billable/progress.js';
import { type BalanceLine, reportBalances } from './billable/report.js';
import { countUsers, openSource } from './billable/source.js';
import { openTarget } from './billable/target.js';

const USAGE =
  'usage: npm run import:billable -- --source <postgres URL> [--dry-run] [--report <file for all balances>]';
const HEADER = ['user', 'customer', 'product', 'old', 'new', 'difference'];

interface Options {
  source: string;
  isDry: boolean;
  report: string | undefined;
}

const progress = createProgress();
try {
  await run(readOptions());
} catch (error) {
  progress.end();
  console.error(`import:billable: ${error instanceof StartError || error instanceof AppError ? error.message : error}`);
  process.exitCode = 1;
}

async function run({ source: url, isDry, report }: Options): Promise<void> {
  const source = await openSource(url);
  try {
    if ((await countUsers(source)) === 0)
      throw new StartError('the source has no customers: is it the right database? Nothing was moved');
    const target = await openTarget({ isReadOnly: isDry });
    try {
      const moving: Moving = { source, target, isDry, findings: createFindings(), progress, moved: new Map() };
      await moveAndReport(moving, report);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function moveAndReport(moving: Moving, report: string | undefined): Promise<void> {
  const { isDry, findings, moved } = moving;
  const writer = openReport(report);
  const catalogue = await moveAll(moving);
  const { lines, different } = await reportBalances(moving, catalogue, (line) => writer.tell(line));
  writer.close();
  progress.end();
  const counts = [...moved].filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
  console.log(`${isDry ? 'would be moved in' : 'moved in'}: ${counts.join(', ') || 'nothing'}`);
  for (const line of findings.lines()) console.log(line);
  console.log(`${lines} balances compared, ${different} differ${isDry ? '; nothing was written' : ''}`);
  if (different > 0) process.exitCode = 1;
}

/** All balances go to the file; without one to standard output, with one only those that differ. Tabs stand between the columns. Throws: StartError. */
function openReport(path: string | undefined): { tell(line: BalanceLine): void; close(): void } {
  const file = path === undefined ? undefined : openFile(path);
  const head = HEADER.join('\t');
  if (file === undefined) console.log(head);
  else writeSync(file, `${head}\n`);
  return {
    tell: (line) => {
      const columns = [line.userId, line.customerId, line.product, line.old, line.new, line.difference];
      if (file !== undefined) writeSync(file, `${columns.join('\t')}\n`);
      if (file === undefined || !line.isEqual) console.log(columns.join('\t'));
    },
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  };
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new StartError(`--report: ${error instanceof Error ? error.message : error}`);
  }
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: { source: { type: 'string' }, 'dry-run': { type: 'boolean' }, report: { type: 'string' } },
    });
    if (!values.source) throw new Error('--source is required');
    return { source: values.source, isDry: values['dry-run'] === true, report: values.report };
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}
