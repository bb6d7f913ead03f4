// The few lines that tell whoever has just started Bursar what to do with it.

export interface Greeting {
  url: string;
  apiToken: string;
  /** The folder of the embedded Postgres; undefined when another one is used. */
  embeddedIn: string | undefined;
  isDemoLoaded: boolean;
  hasReference: boolean;
}

/** The text, which ends with a command that works when pasted into a shell. */
export function formatBanner({ url, apiToken, embeddedIn, isDemoLoaded, hasReference }: Greeting): string {
  return [
    '',
    `  Bursar is ready:  ${url}`,
    ...(hasReference ? [`  API reference:    ${url}/docs`] : []),
    `  Token:            ${apiToken}`,
    ...(embeddedIn === undefined ? [] : [`  Data:             ${embeddedIn} (embedded Postgres)`]),
    ...(isDemoLoaded ? ['  The database was empty; it now holds a demo catalogue.'] : []),
    '',
    '  Try it:',
    '',
    `curl -s ${url}/api/v1/billing/identify -H 'Authorization: Bearer ${apiToken}' -H 'Content-Type: application/json' -d '{"external_id":"alice"}'`,
    '',
    '',
  ].join('\n');
}
