// Where the processor time of the API process goes under a load of consumes: a profile of V8, summed by layer and by function.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setLimits } from './against.js';
import { type Load, makeFolder, startApi } from './processes.js';
import { printTable } from './report.js';
import { hot, jobOf, type Plan, spread } from './sides.js';

const FUNCTIONS_SHOWN = 25;
const CALLERS_SHOWN = 70;
/** Shown under their own names; other frames without a file are native code. */
const WITHOUT_FILE: ReadonlySet<string> = new Set(['(idle)', '(garbage collector)', '(program)']);

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** The first pattern that a function's file matches names its layer. */
const layers: readonly (readonly [RegExp, string])[] = [
  [/\/src\/ledger\//, 'src/ledger (decide)'],
  [/\/src\/engine\//, 'src/engine (lanes)'],
  [/\/src\/db\//, 'src/db (rows to books and back, JSON)'],
  [/\/src\/http\/|\/src\/routes\/|\/src\/schemas\/|\/src\/services\//, 'src/http, routes, services'],
  [/\/src\/lib\//, 'src/lib'],
  [/node_modules\/(pg|pg-protocol|pg-pool|pg-types|postgres-[^/]+)\//, 'pg (driver)'],
  [/node_modules\/zod\//, 'zod'],
  [
    /node_modules\/(fastify|@fastify|find-my-way|avvio|light-my-request|secure-json-parse|fast-json-stringify)/,
    'fastify',
  ],
  [/node_modules\/uuid/, 'uuid'],
  [/^node:(_http|internal\/http|http)/, 'node: HTTP'],
  [/^node:(net|internal\/stream|stream|internal\/js_stream|internal\/stream_base)/, 'node: sockets and streams'],
  [/^node:internal\/crypto/, 'node: crypto'],
  [/^node:internal\/(modules|process\/esm|url|fs)|^node:fs|\/tsx\//, 'loading modules (at start)'],
  [/^node:/, 'node: other'],
];

/** Profiles consumes, spread and hot, each in a process of its own, with so many windows of a limit in force. */
export async function measureProfile(load: Load, databaseUrl: string, plan: Plan, limits: number): Promise<void> {
  for (const [name, customers] of Object.entries({ spread, hot })) {
    const folder = makeFolder();
    const api = await startApi({ DATABASE_URL: databaseUrl }, profiledInto(folder));
    if (limits > 0) await setLimits(api, limits);
    const outcome = await load(jobOf([api], plan, { customers, connections: 256, warmUpMs: 0 }));
    await api.stop();
    printProfile(
      `${name}, 256 connections, ${Math.round(outcome.perS)} requests/s under the profiler`,
      readProfile(folder),
      outcome.ok,
    );
  }
}

/** Options of Node that have it write a profile when it ends. */
export function profiledInto(folder: string): string[] {
  return ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-interval', '500'];
}

/** The profile of the main thread, whose number is 0; the loader of TypeScript has a thread and a profile of its own. */
export function readProfile(folder: string): Profile {
  const name = readdirSync(folder).find((file) => /\.0\.\d+\.cpuprofile$/.test(file));
  if (name === undefined) throw new Error('the process wrote no profile');
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile;
}

export function printProfile(title: string, profile: Profile, requests: number): void {
  const byLayer = new Map<string, number>();
  const byFunction = new Map<string, number>();
  const withCalled = new Map<string, number>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const callers = callersOf(profile);
  profile.samples.forEach((id, at) => {
    const frame = nodes.get(id);
    const us = profile.timeDeltas[at] ?? 0;
    if (!frame) return;
    const { functionName, url } = frame;
    const layer =
      url === ''
        ? WITHOUT_FILE.has(functionName)
          ? functionName
          : '(native)'
        : (layers.find(([pattern]) => pattern.test(url))?.[1] ?? 'other');
    byLayer.set(layer, (byLayer.get(layer) ?? 0) + us);
    if (layer === '(idle)') return;
    byFunction.set(nameOf(frame), (byFunction.get(nameOf(frame)) ?? 0) + us);
    for (const name of callers(id)) withCalled.set(name, (withCalled.get(name) ?? 0) + us);
  });
  const total = [...byLayer.values()].reduce((sum, us) => sum + us, 0);
  const rows = (sums: Map<string, number>, limit: number) =>
    [...sums]
      .sort((a, b) => b[1] - a[1])
      .slice(0, limit)
      .map(([name, us]) => [name, `${((100 * us) / total).toFixed(1)} %`, (us / requests).toFixed(1)]);
  printTable(`Profile: ${title}`, ['layer', 'time', 'us each'], rows(byLayer, byLayer.size));
  printTable('Functions, own time', ['function', 'time', 'us each'], rows(byFunction, FUNCTIONS_SHOWN));
  printTable('Functions, with what they call', ['function', 'time', 'us each'], rows(withCalled, CALLERS_SHOWN));
}

/** The functions on the stack of a sample, each once. */
function callersOf({ nodes }: Profile): (id: number) => ReadonlySet<string> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const known = new Map<number, ReadonlySet<string>>();
  return (id) => {
    const earlier = known.get(id);
    if (earlier) return earlier;
    const names = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at);
      if (frame && !frame.url.startsWith('node:internal/modules')) names.add(nameOf(frame));
    }
    known.set(id, names);
    return names;
  };
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  return `${functionName || '(anonymous)'} ${shortPath(url)}${url === '' ? '' : `:${lineNumber + 1}`}`;
}

function shortPath(url: string): string {
  return url.replace(/^file:\/\//, '').replace(/^.*\/(node_modules|src)\//, '$1/');
}
