// Where a text stops being JSON (RFC 8259). JSON.parse says it in words that differ from release to release of Node, and often not at all.
// Makes no values: it is only asked about what JSON.parse refused.

export interface JsonFault {
  /** UTF-16 code units before the fault; the length of the text when it ends too soon. */
  offset: number;
  /** Counted from 1; CR, LF and CRLF end lines. */
  line: number;
  /** Characters (code points) from the start of the line, counted from 1. */
  column: number;
  /** What would have had to stand there. */
  expected: string;
}

const SPACES = ' \t\n\r';
const NUMBER_PARTS = /-?(?:(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d*)?)?/y;
const HEX = /^[0-9A-Fa-f]$/;
const LITERALS = ['true', 'false', 'null'];
const VALUE = 'a value';

type Found = { offset: number; expected: string };

/** The first place at which `text` can't go on to be JSON; undefined when it is JSON. Iterative: a body may be nested a hundred thousand levels deep. */
export function findJsonFault(text: string): JsonFault | undefined {
  const found = scan(text);
  return found && { ...found, ...placeOf(text, found.offset) };
}

/** Line and column, both from 1, of the character behind `offset` code units. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
}

function scan(text: string): Found | undefined {
  /** The closing characters of what is open. */
  const open: string[] = [];
  let at = skipSpaces(text, 0);
  let isValueNext = true;
  for (;;) {
    if (isValueNext) {
      const character = text[at];
      if (character === '{' || character === '[') {
        const closing = character === '{' ? '}' : ']';
        at = skipSpaces(text, at + 1);
        if (text[at] === closing) at += 1;
        else {
          open.push(closing);
          const key = closing === '}' ? readKey(text, at, 'a key in double quotes or }') : at;
          if (typeof key !== 'number') return key;
          at = key;
          if (closing === ']' && !startsValue(text[at])) return { offset: at, expected: `${VALUE} or ]` };
          continue;
        }
      } else {
        const end = readScalar(text, at);
        if (typeof end !== 'number') return end;
        at = end;
      }
      isValueNext = false;
    }
    at = skipSpaces(text, at);
    const closing = open.at(-1);
    if (closing === undefined) return at === text.length ? undefined : { offset: at, expected: 'the end' };
    if (text[at] === closing) {
      open.pop();
      at += 1;
    } else if (text[at] === ',') {
      at = skipSpaces(text, at + 1);
      const next = closing === '}' ? readKey(text, at, 'a key in double quotes') : at;
      if (typeof next !== 'number') return next;
      at = next;
      isValueNext = true;
    } else return { offset: at, expected: `, or ${closing}` };
  }
}

function startsValue(character: string | undefined): boolean {
  return character !== undefined && '{["-0123456789tfn'.includes(character);
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACES.includes(text.charAt(at))) at += 1;
  return at;
}

/** Where the value after the key at `from` begins. */
function readKey(text: string, from: number, expected: string): number | Found {
  if (text[from] !== '"') return { offset: from, expected };
  const end = readString(text, from);
  if (typeof end !== 'number') return end;
  const colon = skipSpaces(text, end);
  return text[colon] === ':' ? skipSpaces(text, colon + 1) : { offset: colon, expected: ':' };
}

function readScalar(text: string, from: number): number | Found {
  const character = text[from];
  if (character === '"') return readString(text, from);
  if (!startsValue(character)) return { offset: from, expected: VALUE };
  const literal = LITERALS.find((word) => word[0] === character);
  return literal === undefined ? readNumber(text, from) : readLiteral(text, from, literal);
}

function readLiteral(text: string, from: number, literal: string): number | Found {
  let length = 0;
  while (length < literal.length && text[from + length] === literal[length]) length += 1;
  return length === literal.length ? from + length : { offset: from + length, expected: literal };
}

/** The end of the string that begins at `from`. */
function readString(text: string, from: number): number | Found {
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character < ' ') return { offset: at, expected: 'a control character of a text as an escape, such as \\n' };
    if (character !== '\\') continue;
    at += 1;
    if (text[at] === 'u') {
      for (let digits = 0; digits < 4; digits += 1) {
        at += 1;
        if (!HEX.test(text.charAt(at))) return { offset: at, expected: 'four hexadecimal digits after \\u' };
      }
    } else if (at === text.length || !'"\\/bfnrt'.includes(text.charAt(at)))
      return { offset: at, expected: 'one of " \\ / b f n r t u after \\' };
  }
  return { offset: text.length, expected: 'a closing "' };
}

function readNumber(text: string, from: number): number | Found {
  NUMBER_PARTS.lastIndex = from;
  const [whole = '', integer, fraction, exponent] = NUMBER_PARTS.exec(text) ?? [];
  const end = from + whole.length;
  const lacksDigit = integer === undefined || fraction === '.' || (exponent !== undefined && !/\d$/.test(exponent));
  if (!lacksDigit) return end;
  // `1.e5` lacks it in the middle.
  const offset = fraction === '.' && exponent !== undefined ? end - exponent.length : end;
  return { offset, expected: 'a digit' };
}
