// One keep-alive HTTP/1.1 connection with one request under way at a time. As plain as can be, because the generator shares the machine with
// what it measures: it knows only answers with a content-length, as Fastify sends them.
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const STATUS_AT = 9;
const LENGTH = /\r\ncontent-length: (\d+)/i;

export interface Answer {
  status: number;
  body: string;
}

export interface Connection {
  /** Sends a request. Precondition: the one before is answered. Rejects when the connection is lost; the next request opens it again. */
  send(request: string): Promise<Answer>;
  close(): void;
}

export function openConnection(url: string): Connection {
  const { hostname, port } = new URL(url);
  let socket: Socket | undefined;
  let pending: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  let received = '';

  function lose(error: Error): void {
    socket = undefined;
    received = '';
    pending?.reject(error);
    pending = undefined;
  }

  function open(): Socket {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true });
    opened.setEncoding('latin1');
    opened.on('data', (text: string) => {
      received += text;
      const headEnd = received.indexOf(HEAD_END);
      if (headEnd === -1) return;
      const length = LENGTH.exec(received);
      const start = headEnd + HEAD_END.length;
      const end = start + Number(length?.[1] ?? 0);
      if (received.length < end) return;
      const answer = { status: Number(received.slice(STATUS_AT, STATUS_AT + 3)), body: received.slice(start, end) };
      received = received.slice(end);
      const waiting = pending;
      pending = undefined;
      waiting?.resolve(answer);
    });
    opened.on('error', (error) => socket === opened && lose(error));
    opened.on('close', () => socket === opened && lose(Object.assign(new Error('closed'), { code: 'CLOSED' })));
    return opened;
  }

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject };
        socket ??= open();
        socket.write(request, 'latin1');
      }),
    close: () => {
      const closed = socket;
      socket = undefined;
      closed?.destroy();
    },
  };
}
