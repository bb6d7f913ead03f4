// The one Host of a request. Which it is makes no difference to us; that nobody reads another than a proxy before us does.
import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors/app-error.js';

/** The refusal of a request with several Host headers, or of one in HTTP/1.1 with none (RFC 9112, 3.2); undefined when all is well. */
export function hostFault({ rawHeaders, httpVersion }: IncomingMessage): AppError | undefined {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  if (count === 1 || (count === 0 && httpVersion !== '1.1')) return undefined;
  return new AppError('invalid_request', `The request has ${count === 0 ? 'no Host' : 'several Host headers'}.`, {
    pointer: 'header/host',
  });
}
