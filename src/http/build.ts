// Which build answers.
import packageJson from '../../package.json' with { type: 'json' };

export interface Build {
  readonly version: string;
  /** The commit that it was made of; null when that is not known. */
  readonly commit: string | null;
}

/** This version, made of this commit. */
export function buildOf(commit: string | null): Build {
  return { version: packageJson.version, commit };
}
