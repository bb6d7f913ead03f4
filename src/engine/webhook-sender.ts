// What is sent to an endpoint: an event as the feed shows it, signed with the endpoint's secrets. Opens what is sealed, and tells nobody.

import type { StoredEvent } from '../db/events.js';
import type { Foundations } from '../foundations.js';
import type { Endpoint } from '../ledger/management-entities.js';
import { systemClock } from '../lib/clock.js';
import { toEventView } from '../lib/event-view.js';
import { anywhere, createPoster, faultOfUrl, type HttpOutcome, publicOnly } from '../lib/guarded-http.js';
import { seal, unseal } from '../lib/sealed.js';
import { readSecretKeys } from '../lib/secret-keys.js';
import { signedHeaders } from '../lib/webhook-signature.js';

const PURPOSE = 'webhook secrets';

export interface Sender {
  /** Sends an event under its id, or anything else under one of its own. Never throws for what the receiver does. */
  send(endpoint: Endpoint, id: string, message: unknown): Promise<HttpOutcome>;
  /** Why a URL may not be called; undefined when it may, as far as it says so itself. */
  faultOf(url: string): string | undefined;
  sealSecret(endpointId: string, secret: string): string;
  openSecret(endpoint: Endpoint): string | null;
}

/** An event as it is sent, with the number of the event of its customer that the endpoint was sent before. */
export function toMessage(event: StoredEvent, previous: number | null): Record<string, unknown> {
  const { data, ...view } = toEventView(event);
  return { ...view, previous_sequence: previous, data };
}

export function createSender({ config, clock }: Pick<Foundations, 'config' | 'clock'>): Sender {
  const guard = config.isPrivateWebhookAllowed ? anywhere : publicOnly;
  const poster = createPoster(guard);
  const keys = readSecretKeys(config.secretKey);
  const open = (owner: string, sealed: string) => unseal(keys, { purpose: PURPOSE, owner }, sealed);
  return {
    send: async (endpoint, id, message) => {
      const { url, sealedSecret, oldSealedSecret, oldSecretUntil } = endpoint;
      if (url === null || sealedSecret === null) throw new Error('an endpoint without a URL is sent nothing');
      const isOldKept = oldSealedSecret !== null && oldSecretUntil !== null && oldSecretUntil > clock.now();
      const secrets = [sealedSecret, ...(isOldKept ? [oldSealedSecret] : [])].map((one) => open(endpoint.id, one));
      const body = JSON.stringify(message);
      // The receiver compares with the time that it is, whatever a test clock shows.
      const signed = signedHeaders({ id, at: systemClock.now(), body }, secrets);
      const headers = { 'content-type': 'application/json', 'user-agent': 'bursar', ...signed };
      return poster.post(url, headers, body);
    },
    faultOf: (url) => faultOfUrl(url, guard),
    sealSecret: (owner, secret) => seal(keys, { purpose: PURPOSE, owner }, secret),
    openSecret: ({ id, sealedSecret }) => (sealedSecret === null ? null : open(id, sealedSecret)),
  };
}
