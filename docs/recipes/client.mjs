// The few lines of client that the recipes share: Node's fetch, a token, and problems as errors.
// BURSAR_URL says where Bursar is and BURSAR_API_TOKEN its token, else the file that `npm start` writes for programs on its machine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';

const project = fileURLToPath(new URL('../..', import.meta.url));
const file = join(process.env.BURSAR_DATA_DIR || join(project, '.bursar'), 'api.env');
const running = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
export const url = process.env.BURSAR_URL || running.BURSAR_URL || 'http://127.0.0.1:3000';
export const token = process.env.BURSAR_API_TOKEN || running.BURSAR_API_TOKEN;

/** Sends a request below the base path and returns the status and the parsed body, whatever the status. */
export async function send(method, path, body, key) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  if (key !== undefined) headers['idempotency-key'] = key;
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(`${url}/api/v1/billing${path}`, init);
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

/** Like `send`, for a call that must succeed: returns the body, throws the problem otherwise. */
export async function call(method, path, body, key) {
  const answer = await send(method, path, body, key);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.body.code}: ${answer.body.detail}`);
  return answer.body;
}
