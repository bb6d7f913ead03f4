// The dashboard and the alerts (ops/) speak of metrics that a real process tells, by labels that they have, and of parts of the documents that exist.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanUpProcesses, newDataDir, PROJECT_DIR, startBursar, untilReady } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { type ReadMetrics, readMetrics } from '../support/metrics.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();
const TOKEN = 'token-of-this-test';
/** What Prometheus itself adds. */
const OF_PROMETHEUS = ['job', 'instance', 'le'];
const NAME = /\b(?:bursar|process|nodejs)_[a-z_]+\b/g;

interface Target {
  expr: string;
}
interface Dashboard {
  panels: { title: string; targets?: Target[] }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
}

const read = (path: string) => readFileSync(join(PROJECT_DIR, path), 'utf8');
const dashboard = JSON.parse(read('ops/grafana-dashboard.json')) as Dashboard;
const alerts = read('ops/alerts.yml');

/** Expressions of the dashboard, with the name of their panel. */
const expressions = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.templating.list.flatMap(({ name, query }) =>
    typeof query === 'string' ? [] : [[`variable ${name}`, query.query] as const],
  ),
  ...alerts
    .split(/^ +- alert: /m)
    .slice(1)
    .map((rule): readonly [string, string] => {
      const expr = /expr:([\s\S]*?)\n +(?:for|labels):/.exec(rule)?.[1] ?? '';
      return [`alert ${rule.split('\n')[0]}`, expr];
    }),
];

let scraped: { metrics: ReadMetrics; declared: Set<string> };

beforeAll(async () => {
  const bursar = startBursar({
    DATABASE_URL: await newDatabase(),
    BURSAR_DATA_DIR: newDataDir(),
    BURSAR_API_TOKEN: TOKEN,
    BURSAR_METRICS_TOKEN: `${TOKEN}-2`,
  });
  const url = await bursar.ready();
  await untilReady(url);
  // one refusal of a use, so that each counter of requests has a sample
  await fetch(`${url}/api/v1/billing/quota/consume`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ external_id: 'ada', product_key: 'AI_POOL', amount: 1 }),
  });
  const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}-2` } })).text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  const declared = types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  scraped = { metrics: readMetrics(text), declared: new Set(declared) };
});

describe('the dashboard and the alerts', () => {
  it('are many', () => {
    expect(expressions.length).toBeGreaterThan(30);
    for (const [name, expr] of expressions) expect(expr.trim(), name).not.toBe('');
  });

  it('name metrics that a process tells', () => {
    const unknown = expressions.flatMap(([where, expr]) =>
      (expr.match(NAME) ?? []).filter((name) => !scraped.declared.has(name)).map((name) => `${where}: ${name}`),
    );
    expect(unknown).toEqual([]);
    const named = new Set(expressions.flatMap(([, expr]) => expr.match(NAME) ?? []));
    expect(named.size).toBeGreaterThan(20);
  });

  it('select by labels that these metrics have', () => {
    const wrong = expressions.flatMap(([where, expr]) =>
      [...expr.matchAll(/\b((?:bursar|process|nodejs)_[a-z_]+)\{([^}]*)\}/g)].flatMap(
        ([, name = '', selector = '']) => {
          const samples = scraped.metrics.labelsOf(name);
          const known = [...OF_PROMETHEUS, ...samples.flatMap((labels) => Object.keys(labels))];
          const used = [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
          // what has no sample yet can't be looked at
          return samples.length === 0
            ? []
            : used.filter((label) => !known.includes(label)).map((label) => `${where}: ${name}{${label}}`);
        },
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('send whoever is woken to a part of the documents that exists', () => {
    const runbooks = [...alerts.matchAll(/runbook: (\S+?)#(\S+)/g)];
    expect(runbooks).toHaveLength((alerts.match(/- alert:/g) ?? []).length);
    for (const [, path = '', anchor = ''] of runbooks) {
      const anchors = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(anchors, path).toContain(anchor);
    }
  });

  it('are told of completely: every metric of Bursar stands in the documents', () => {
    const told = read('docs/operations.md');
    const names = [...scraped.metrics.text.matchAll(/^# TYPE (bursar_\S+)/gm)].map(([, name = '']) => name);
    expect(names.filter((name) => !told.includes(name))).toEqual([]);
  });
});
