// One plain form of what is written in many ways: text, e-mail addresses, phone numbers. For comparing only: what is stored or sent keeps its spelling.
// Pure functions, each of its own result too. What they give must stay the same from version to version: hashes are made of it.
import { domainToASCII } from 'node:url';

/** Format characters, variation selectors, fillers: what is there and not seen. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const FOREIGN_DIGIT = /[^\P{Nd}0-9]/gu;
/** With one of these a domain would be read as something else of a URL. */
const NO_DOMAIN = /[/\\?#:@%[\]]/;
/** Providers whose mailboxes ignore dots in the local part, and the name that each goes by. */
const DOTLESS_DOMAINS: ReadonlyMap<string, string> = new Map([
  ['gmail.com', 'gmail.com'],
  ['googlemail.com', 'gmail.com'],
]);
/** A plus, digits, and the signs between them. */
const PHONE = /^\(?\+?[\d\s().,/·\p{Pd}]+$/u;
const PHONE_DIGITS_MIN = 7;

/** Text in compatibility composition (NFKC), lower-case, trimmed, with ASCII digits and nothing unseen. */
export function plainText(text: string): string {
  const folded = text.normalize('NFKC').replace(UNSEEN, '').toLowerCase().normalize('NFKC');
  return folded.replace(FOREIGN_DIGIT, toAsciiDigit).trim();
}

/** The digits of a script stand in a row, from 0 to 9. */
function toAsciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((code - zero) % 10);
}

/**
 * An e-mail address: local part without quotes and sub-address, and without dots where its provider ignores them; domain in ASCII, without a
 * trailing dot. What is no address is only plain text.
 */
export function plainEmail(text: string): string {
  const plain = plainText(text);
  const address = (/<([^<>]*)>$/.exec(plain)?.[1] ?? plain.replace(/^mailto:/, '')).replace(/\s/g, '');
  const at = address.lastIndexOf('@');
  if (at < 1) return plain;
  const domain = plainDomain(address.slice(at + 1));
  const local = unquoted(address.slice(0, at));
  const mailbox = local.split('+')[0] || local;
  const dotless = DOTLESS_DOMAINS.get(domain);
  return dotless === undefined ? `${mailbox}@${domain}` : `${mailbox.replaceAll('.', '')}@${dotless}`;
}

function plainDomain(domain: string): string {
  const ascii = NO_DOMAIN.test(domain) ? '' : domainToASCII(domain);
  return (ascii || domain).replace(/\.+$/, '');
}

/** `"a\b"` is `ab`. */
function unquoted(local: string): string {
  return /^".+"$/.test(local) ? local.slice(1, -1).replace(/\\(.)/g, '$1') : local;
}

/**
 * A phone number as its digits with the country code. One that is written without it is taken to have it, but for ten digits of the North American
 * plan (+1) and Russian mobiles behind the trunk prefix 8 (+7). What is no number is only plain text.
 */
export function plainPhone(text: string): string {
  const plain = plainText(text);
  const written = plain.replace(/^tel:/, '');
  const digits = written.replace(/(?<=\d\s*)\(0\)/, '').replace(/\D/g, '');
  if (!PHONE.test(written) || digits.length < PHONE_DIGITS_MIN) return plain;
  if (written.includes('+')) return digits;
  if (/^(?:00|011)[1-9]/.test(digits)) return digits.replace(/^(?:00|011)/, '');
  if (/^[2-9]\d\d[2-9]\d{6}$/.test(digits)) return `1${digits}`;
  return digits.replace(/^8(?=9\d{9}$)/, '7');
}
