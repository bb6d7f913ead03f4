// The file of the data folder by which a shell, or a program, on this machine finds the running service: its URL and its token. Only its owner can read it.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeForOwner } from './secrets.js';

const NAME = 'api.env';

export interface ShellFile {
  path: string;
  /** Removes it, unless another process wrote its own over it. */
  remove(): void;
}

/** Writes it, for shells (`. api.env`) and readers of .env files alike. Throws: StartError. */
export function writeShellFile(dataDir: string, { url, apiToken }: { url: string; apiToken: string }): ShellFile {
  const path = join(dataDir, NAME);
  const content = `BURSAR_URL='${url}'\nBURSAR_API_TOKEN='${apiToken}'\n`; // of characters that end no quotes
  writeForOwner(path, content);
  return { path, remove: () => removeOwn(path, content) };
}

function removeOwn(path: string, content: string): void {
  try {
    if (readFileSync(path, 'utf8') === content) rmSync(path, { force: true });
  } catch {
    // gone already
  }
}
