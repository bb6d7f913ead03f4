// Runs what docs/recipes/verify-a-webhook.md shows, as its reader would, against messages that the service sent: each takes what is ours, and nothing else.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, type Json, startTestApp, useTestApp } from '../support/app.js';
import { findFreePort } from '../support/free-port.js';
import { cleanUpReceivers, startReceiver } from '../support/receiver.js';

const PROJECT_DIR = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(join(PROJECT_DIR, 'docs/recipes/verify-a-webhook.md'), 'utf8');
const require = createRequire(import.meta.url);
const app = useTestApp();
cleanUpReceivers();
let local: Awaited<ReturnType<typeof startTestApp>>;
beforeAll(async () => {
  local = await startTestApp(app.url, app.clock, undefined, { isPrivateWebhookAllowed: true });
});
afterAll(() => local.close());

/** The code of a section of the page. */
function snippet(section: string, language: string): string {
  const [, rest = ''] = PAGE.split(`\n## ${section}\n`);
  const [own = ''] = rest.split('\n## ');
  const code = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(own)?.[1];
  if (code === undefined) throw new Error(`the section ${section} has no ${language}`);
  return code;
}

async function call(method: 'PUT' | 'POST', path: string, payload: Json): Promise<Json> {
  const headers = { authorization: `Bearer ${API_TOKEN}` };
  const answer = await local.app.inject({ method, url: `${BASE_PATH}/webhook-endpoints/${path}`, headers, payload });
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json() as Json;
}

interface Message {
  headers: Record<string, string>;
  body: Buffer;
}

/** A message as the service sends it, and the secret that it is signed with. */
async function receive(more: Json = {}): Promise<{ secret: string; message: Message }> {
  const receiver = await startReceiver();
  const messages: Message[] = [];
  receiver.answerBy((outgoing, { text }, { headers }) => {
    messages.push({ headers: headers as Record<string, string>, body: Buffer.from(text) });
    outgoing.writeHead(204).end();
  });
  const { secret } = await call('PUT', 'recipe', { url: receiver.url, types: ['order.*'], ...more });
  expect(await call('POST', 'recipe/test', {})).toMatchObject({ delivered: true });
  const [message] = messages;
  if (!message) throw new Error('nothing came');
  return { secret: String(secret), message };
}

/** What must not be taken: forged, changed, or old. */
function counterfeits({ headers, body }: Message): [string, Message][] {
  const [version, signature = ''] = String(headers['webhook-signature']).split(',');
  const other = `${version},${Buffer.from(signature, 'base64').reverse().toString('base64')}`;
  return [
    ['another body', { headers, body: Buffer.concat([body, Buffer.from(' ')]) }],
    ['another signature', { headers: { ...headers, 'webhook-signature': other }, body }],
    ['a shorter signature', { headers: { ...headers, 'webhook-signature': signature.slice(1) }, body }],
    ['another id', { headers: { ...headers, 'webhook-id': 'another' }, body }],
    [
      'another time',
      { headers: { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) }, body },
    ],
    ['an old time', { headers: { ...headers, 'webhook-timestamp': '1700000000' }, body }],
  ];
}

describe('the receiver in Node', () => {
  it('takes what the service sends, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bursar-recipe-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    symlinkSync(join(PROJECT_DIR, 'node_modules'), join(folder, 'node_modules'));
    const port = await findFreePort();
    const code = snippet('Node', 'js');
    expect(code).toContain('.listen(8000)');
    // One more line than the page has, which tells that it listens.
    writeFileSync(
      join(folder, 'receiver.mjs'),
      code.replace('.listen(8000)', `.listen(${port}, () => console.log('listening'))`),
    );
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const env = { ...process.env, WEBHOOK_SECRET: secret };
    const receiver = spawn(process.execPath, ['receiver.mjs'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      receiver.kill();
      await once(receiver, 'exit');
    });
    const lines = createInterface({ input: receiver.stdout });
    expect(await once(lines, 'line')).toEqual(['listening']);
    const printed = once(lines, 'line');
    const url = `http://127.0.0.1:${port}/hooks`;
    await call('PUT', 'recipe', { url, types: ['order.*'], secret });
    expect(await call('POST', 'recipe/test', {})).toMatchObject({ delivered: true, answer_status: 204 });
    expect(await printed).toEqual(['webhook_endpoint.test 0']);
    await call('PUT', 'recipe', { url, types: ['order.*'], rotate_secret: true });
    expect(await call('POST', 'recipe/test', {})).toMatchObject({ delivered: true });

    const { message } = await receive({ secret });
    for (const [what, { headers, body }] of counterfeits(message)) {
      const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': signature = '' } = headers;
      const sent = { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature };
      const answer = await fetch(url, { method: 'POST', headers: sent, body: new Uint8Array(body) });
      expect([what, answer.status]).toEqual([what, 401]);
    }
  });
});

const hasPython = (() => {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' }).startsWith('Python 3');
  } catch {
    return false; // not every machine has it
  }
})();

describe.skipIf(!hasPython)('the function in Python', () => {
  const ASK = `
import json, sys
for secret, headers, body in json.load(sys.stdin):
    print(is_ours(secret, headers, base64.b64decode(body)))
`;
  const areOurs = (asked: [string, Message][]): string[] => {
    const input = JSON.stringify(
      asked.map(([secret, { headers, body }]) => [secret, headers, body.toString('base64')]),
    );
    const code = `${snippet('Python', 'python')}\n${ASK}`;
    return execFileSync('python3', ['-c', code], { input, encoding: 'utf8' }).trim().split('\n');
  };

  it('takes what the service sends, and nothing else', async () => {
    const { secret, message } = await receive();
    const { secret: next, message: rotated } = await receive({ rotate_secret: true });
    const ours: [string, Message][] = [
      [secret, message],
      [secret, rotated],
      [next, rotated],
    ];
    const others: [string, Message][] = [
      ...counterfeits(message).map(([, one]): [string, Message] => [secret, one]),
      [next, message],
    ];
    expect(areOurs([...ours, ...others])).toEqual([...ours.map(() => 'True'), ...others.map(() => 'False')]);
  });
});

describe('the Code node of n8n', () => {
  const code = snippet('n8n', 'js');
  /** Runs it as n8n does: the body of an asynchronous function, with what the node before gave and the modules that are allowed. */
  const run = async (secret: string, { headers, body }: Message): Promise<Json[]> => {
    const context = {
      $input: { first: () => ({ json: { headers, params: {}, query: {}, body: {} }, binary: { data: {} } }) },
      $env: { WEBHOOK_SECRET: secret },
      helpers: {
        getBinaryDataBuffer: async (item: number, name: string) => (item === 0 && name === 'data' ? body : undefined),
      },
      Buffer,
      require: (name: string) => {
        if (name !== 'crypto') throw new Error(`the module ${name} is not allowed`);
        return require(name);
      },
    };
    const items = await runInNewContext(`(async function () {\n${code}\n}).call({ helpers })`, context);
    return JSON.parse(JSON.stringify(items)) as Json[];
  };

  it('takes what the service sends, and nothing else', async () => {
    const { secret, message } = await receive();
    const { secret: next, message: rotated } = await receive({ rotate_secret: true });
    const told = (one: Message) => [{ json: JSON.parse(one.body.toString()) }];
    expect(await run(secret, message)).toEqual(told(message));
    for (const one of [secret, next]) expect(await run(one, rotated)).toEqual(told(rotated));
    for (const [what, one] of counterfeits(message))
      await expect(run(secret, one), what).rejects.toThrow(what === 'an old time' ? 'too old' : 'not signed by Bursar');
    await expect(run(next, message)).rejects.toThrow('not signed by Bursar');
  });
});
