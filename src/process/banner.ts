// The few lines that tell whoever has just started Bursar what to do with it.

export interface Greeting {
  url: string;
  apiToken: string;
  /** The data folder; undefined when there is none. */
  dataDir: string | undefined;
  /** Whether the embedded Postgres is in it. */
  isEmbedded: boolean;
  /** The file with URL and token for a shell; undefined when there is none. */
  shellFile: string | undefined;
  isDemoLoaded: boolean;
  hasReference: boolean;
}

/** The text, which ends with a command that works when pasted into a shell. */
export function formatBanner({
  url,
  apiToken,
  dataDir,
  isEmbedded,
  shellFile,
  isDemoLoaded,
  hasReference,
}: Greeting): string {
  const data =
    dataDir === undefined ? [] : [`  Data:             ${dataDir}${isEmbedded ? ' (embedded Postgres)' : ''}`];
  return [
    '',
    `  Bursar is ready:  ${url}`,
    ...(hasReference ? [`  API reference:    ${url}/docs`] : []),
    `  Token:            ${apiToken}`,
    ...data,
    ...(shellFile === undefined ? [] : [`  In a shell:       . ${quote(shellFile)}`]),
    ...(isDemoLoaded ? ['  The database was empty; it now holds a demo catalogue.'] : []),
    '',
    '  Try it:',
    '',
    `curl -s ${url}/api/v1/billing/identify -H 'Authorization: Bearer ${apiToken}' -H 'Content-Type: application/json' -d '{"external_id":"alice"}'`,
    '',
    '',
  ].join('\n');
}

/** As a word of a shell. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
