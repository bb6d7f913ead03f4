// The payment providers that have a file of their own, one line for each. Others are sources, which are put over the API (generic.ts).
import type { Config } from '../config.js';
import type { Provider } from './provider.js';
import { createStripe } from './stripe.js';
import { createTelegram } from './telegram.js';
import { createYookassa } from './yookassa.js';

type Settings = Config['payments'];

/** Each makes its provider, where it is configured. */
const PROVIDERS: readonly ((settings: Settings) => Provider | undefined)[] = [
  ({ stripe }) => (stripe && stripe.webhookSecrets.length > 0 ? createStripe(stripe) : undefined),
  ({ telegram }) => (telegram ? createTelegram(telegram) : undefined),
  ({ yookassa }) => (yookassa ? createYookassa(yookassa) : undefined),
];

/** Those that are configured, by their names. */
export function createProviders({ payments }: Config): ReadonlyMap<string, Provider> {
  const made = PROVIDERS.flatMap((create) => create(payments) ?? []);
  return new Map(made.map((provider) => [provider.name, provider]));
}
