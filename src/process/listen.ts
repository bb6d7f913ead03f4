// Opens the port, and says in words why it can't be opened.
import type { FastifyInstance } from 'fastify';
import { StartError } from '../errors/start-error.js';

/** Listens, and returns the URL under which a client on this machine reaches the service. Throws: StartError. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explainListenError(error, host, port);
  }
  const address = app.server.address();
  return localUrl(host, address !== null && typeof address === 'object' ? address.port : port);
}

/** An address that stands for all addresses can't be called; the loopback one can. */
function localUrl(host: string, port: number): string {
  const callable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${callable.includes(':') ? `[${callable}]` : callable}:${port}`;
}

/** Why a port can't be opened, as a StartError where it is known what to do. */
export function explainListenError(error: unknown, host: string, port: number): unknown {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is taken: stop what listens there, or set PORT to another one`,
    EACCES: `port ${port} may not be opened by this user: set PORT to one above 1023`,
    EADDRNOTAVAIL: `${host} is not an address of this machine: correct HOST`,
    ENOTFOUND: `${host} is not a known host name: correct HOST`,
    EAI_AGAIN: `${host} could not be resolved: correct HOST`,
  };
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''];
  return reason === undefined ? error : new StartError(reason, { cause: error });
}
