// A reader of n8n workflow files that follows one item through them: as much of n8n as our example workflows use (their HTTP, Set, If and trigger nodes,
// expressions, the wires between them), and a complaint about anything else. It sends what n8n's nodes would send; it retries nothing.
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import type { Json } from './app.js';

export interface WorkflowNode {
  name: string;
  type: string;
  typeVersion: number;
  parameters: Json;
  retryOnFail?: boolean;
  maxTries?: number;
  waitBetweenTries?: number;
  credentials?: Json;
}

export interface Workflow {
  id: string;
  nodes: WorkflowNode[];
  connections: Record<string, { main: { node: string; type: string; index: number }[][] }>;
}

interface Pair {
  name: string;
  value: unknown;
}

/** What n8n sends in Accept when the response's format is set to JSON. */
const ACCEPT = 'application/json,text/*;q=0.99';
const STEPS_MAX = 50;
const ERROR_STATUS_LEAST = 400;

export function readWorkflow(path: string): Workflow {
  return JSON.parse(readFileSync(path, 'utf8')) as Workflow;
}

export interface Run {
  /** The item that each node gave, in the order in which they ran. */
  items: Map<string, Json>;
  /** The headers of the answer that an HTTP node got. */
  headers: Map<string, Headers>;
}

export interface RunOptions {
  token: string;
  /** Members that take the place of those that Set nodes make, by node. */
  instead: Record<string, Json>;
}

/** Runs a workflow from its trigger until a node leads nowhere. A status of error ends it, where the node does not never error. */
export async function runWorkflow(workflow: Workflow, options: RunOptions): Promise<Run> {
  const run: Run = { items: new Map(), headers: new Map() };
  let node = workflow.nodes.find(({ type }) => type === 'n8n-nodes-base.manualTrigger');
  let item: Json = {};
  for (let step = 0; node !== undefined; step += 1) {
    if (step === STEPS_MAX) throw new Error('the workflow goes round in circles');
    const { output, item: made } = await runNode(node, item, run, options);
    item = made;
    run.items.set(node.name, item);
    const next = workflow.connections[node.name]?.main[output]?.[0]?.node;
    node = next === undefined ? undefined : nodeOf(workflow, next);
  }
  return run;
}

export function nodeOf({ nodes }: Workflow, name: string): WorkflowNode {
  const found = nodes.find((node) => node.name === name);
  if (!found) throw new Error(`there is no node ${name}`);
  return found;
}

async function runNode(node: WorkflowNode, item: Json, run: Run, options: RunOptions) {
  const { parameters, name, type } = node;
  const resolve = (value: unknown) => resolveExpression(value, item, run);
  switch (type) {
    case 'n8n-nodes-base.manualTrigger':
      return { output: 0, item };
    case 'n8n-nodes-base.set': {
      const { assignments } = parameters.assignments as { assignments: Pair[] };
      const made = assignments.map((each) => [each.name, resolve(each.value)] as const);
      const kept = parameters.includeOtherFields === true ? item : {};
      return { output: 0, item: { ...kept, ...Object.fromEntries(made), ...options.instead[name] } };
    }
    case 'n8n-nodes-base.if': {
      const { conditions } = parameters.conditions as { conditions: { leftValue: unknown }[] };
      const values = conditions.map(({ leftValue }) => resolve(leftValue));
      if (values.some((value) => typeof value !== 'boolean')) throw new Error(`${name} compares ${values.join()}`);
      return { output: values.every(Boolean) ? 0 : 1, item };
    }
    case 'n8n-nodes-base.httpRequest':
      return { output: 0, item: await request(node, resolve, run, options.token) };
    default:
      throw new Error(`${name} is of the type ${type}`);
  }
}

async function request(
  { name, parameters }: WorkflowNode,
  resolve: (value: unknown) => unknown,
  run: Run,
  token: string,
): Promise<Json> {
  const pairsOf = (member: string): [string, string][] =>
    ((parameters[member] as { parameters: Pair[] } | undefined)?.parameters ?? []).map((pair) => [
      pair.name,
      resolve(pair.value) as string,
    ]);
  const query = new URLSearchParams(pairsOf('queryParameters')).toString();
  const url = `${resolve(parameters.url)}${query === '' ? '' : `?${query}`}`;
  const json = parameters.jsonBody === undefined ? Object.fromEntries(pairsOf('bodyParameters')) : undefined;
  const answer = await fetch(url, {
    method: String(parameters.method),
    headers: {
      accept: ACCEPT,
      authorization: `Bearer ${token}`,
      ...Object.fromEntries(pairsOf('headerParameters')),
      ...(parameters.sendBody === true && { 'content-type': 'application/json' }),
    },
    ...(parameters.sendBody === true && { body: json ? JSON.stringify(json) : String(resolve(parameters.jsonBody)) }),
  });
  const text = await answer.text();
  const { response } = (parameters.options as { response: { response: { neverError?: boolean } } }).response;
  if (answer.status >= ERROR_STATUS_LEAST && response.neverError !== true)
    throw new Error(`${name}: ${answer.status} ${text}`);
  run.headers.set(name, answer.headers);
  return JSON.parse(text) as Json;
}

/** The value of a parameter: an expression alone keeps its type, text with expressions in it is text. What an expression does not find is a complaint here. */
function resolveExpression(value: unknown, $json: Json, run: Run): unknown {
  if (typeof value !== 'string' || !value.startsWith('=')) return value;
  const text = value.slice(1);
  const $ = (name: string) => ({ item: { json: run.items.get(name) } });
  const evaluate = (expression: string): unknown => {
    const found: unknown = runInNewContext(`(${expression})`, { $json, $ });
    if (found === undefined) throw new Error(`{{${expression}}} finds nothing`);
    return found;
  };
  const alone = /^\{\{((?:(?!\}\}).)*)\}\}$/s.exec(text);
  if (alone) return evaluate(alone[1] ?? '');
  return text.replaceAll(/\{\{(.*?)\}\}/gs, (_whole, expression: string) => String(evaluate(expression)));
}
