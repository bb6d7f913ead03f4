#!/usr/bin/env node
// What the README's tour asks of curl (-sS, -i, -H, -d and a URL), for machines without it. Knows nothing else, and says so.
const headers = {};
let url;
let body;
let showsHead = false;

const args = process.argv.slice(2);
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === '-H') {
    const [name, ...value] = String(args.shift()).split(':');
    headers[name] = value.join(':').trim();
  } else if (arg === '-d') body = args.shift();
  else if (arg === '-i') showsHead = true;
  else if (!arg.startsWith('-')) url = arg;
  else if (arg !== '-sS') throw new Error(`this stand-in for curl does not know ${arg}`);
}

const response = await fetch(url, { method: body === undefined ? 'GET' : 'POST', headers, body });
if (showsHead) {
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`);
  process.stdout.write(`HTTP/1.1 ${response.status} ${response.statusText}\r\n${lines.join('')}\r\n`);
}
process.stdout.write(await response.text());
