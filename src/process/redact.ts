// Takes what lets somebody in out of the lines of a log, wherever in them it stands: what has the form of a token, and the secrets of this process.

/** API keys, JSON Web Tokens, secrets of webhooks, and whatever follows the word Bearer or Basic. */
const FORMS =
  /\bbur_live_[0-9A-Za-z]+|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|\bwhsec_[\w+/=-]+|\b(?:Bearer|Basic) +[\w.~+/=-]+/gi;
/** Passwords in URLs. */
const PASSWORDS = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*:)[^\s@"]+@/gi;
const REDACTED = '[redacted]';
/** What is shorter may be a word. */
const SECRET_LENGTH_MIN = 12;

/** Makes a function that redacts lines; `secrets` may each be several, separated by commas. */
export function redactor(secrets: readonly (string | undefined)[]): (line: string) => string {
  const texts = secrets.flatMap((secret) => secret?.split(',') ?? []).map((text) => text.trim());
  const own = texts.filter((text) => text.length >= SECRET_LENGTH_MIN);
  return (line) => {
    let redacted = line.replace(FORMS, REDACTED).replace(PASSWORDS, `$1${REDACTED}@`);
    for (const text of own) redacted = redacted.replaceAll(text, REDACTED);
    return redacted;
  };
}
