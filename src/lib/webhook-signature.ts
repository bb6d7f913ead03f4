// Signatures of Standard Webhooks: the form of secrets, the headers of what is sent, and whether what comes in is signed. Knows no endpoint.
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

const SECRET_BYTES = 32;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const PREFIX = 'whsec_';
const MS_PER_S = 1_000;

/** Draws a secret. */
export function makeWebhookSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Whether a text is a secret: `whsec_` and the base64 of 24 to 64 bytes. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const given = text.slice(PREFIX.length);
  const bytes = Buffer.from(given, 'base64');
  return bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX && bytes.toString('base64') === given;
}

/** The headers of a message, signed by each of the secrets, the newest first. `at` in whole seconds counts. */
export function signedHeaders(
  { id, at, body }: { id: string; at: Date; body: string },
  secrets: readonly string[],
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / MS_PER_S)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

/** Whether one of the secrets signed it, at most five minutes ago. */
export function isSigned(
  body: Buffer,
  headers: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[],
): boolean {
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(body.toString('utf8'), headers as Record<string, string>, { jsonParse: false });
      return true;
    } catch {
      return false; // whatever is wrong with it: headers that can't be read are none
    }
  });
}
