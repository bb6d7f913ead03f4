// HTTP as bytes on a socket, for requests that no client would send.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Sends bytes over a connection of their own and gives back all that comes until the server closes it. */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<string> {
  const { socket, received } = openRaw(port);
  socket.write(bytes);
  await once(socket, 'close');
  return received();
}

/** Opens a connection and collects what comes over it. */
export function openRaw(port: number): { socket: Socket; received: () => string } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // A server that refuses early may reset while we still write; what it answered is what counts.
  socket.on('error', () => {});
  return { socket, received: () => text };
}

/** The parts of the first answer in what was received; `code` is that of a problem. */
export function readAnswer(received: string): { status: number; head: string; type: string; code: string | undefined } {
  const [head = '', body = ''] = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
    head,
    type: /^content-type: *([^;\r\n]*)/im.exec(head)?.[1] ?? '',
    code: /^\{.*?"code":"([a-z_]+)"/.exec(body)?.[1],
  };
}
