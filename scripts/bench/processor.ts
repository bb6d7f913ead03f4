// Processor time of processes so far, as the system counts it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { withClient } from './processes.js';

/** The members of /proc/<pid>/stat from the third on; undefined for a process that is gone, or a system without /proc. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** In which /proc counts processor time: hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** Processor time of a process so far; undefined for one that is gone. */
export function processorSecondsOf(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat && (Number(stat[11]) + Number(stat[12])) / TICKS_PER_S;
}

/** Seconds of processor time of a service, and of the whole database server. */
export interface Used {
  serviceS: number;
  serverS: number;
}

/** Tells how much a service and its database server have used so far; NaN where the system does not say. */
export async function processorOf(servicePid: number, databaseUrl: string): Promise<() => Used> {
  const server = await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return parentOf(rows[0]?.pid ?? Number.NaN);
  });
  return () => ({
    serviceS: processorSecondsOf(servicePid) ?? Number.NaN,
    serverS: childrenOf(server).reduce((sum, pid) => sum + (processorSecondsOf(pid) ?? 0), 0),
  });
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1]);
}

function childrenOf(parent: number): number[] {
  if (!existsSync('/proc')) return [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => parentOf(pid) === parent);
}
