// The hash of a UUID as Postgres computes it (`uuid_hash`, Bob Jenkins' lookup3 over its 16 bytes), by which its hash partitions, and engines that
// distribute tables, place a row. test/db/uuid-hash.test.ts compares it with the database.

const UUID_BYTES = 16;
const START = (0x9e3779b9 + UUID_BYTES + 3_923_095) | 0;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Four bytes of the text of a UUID without hyphens, the first the lowest. */
function wordAt(digits: string, at: number): number {
  const value = Number.parseInt(digits.slice(at, at + 8), 16);
  return (value << 24) | ((value << 8) & 0xff0000) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** The hash of a UUID, an integer from 0 to 2^32-1. */
export function uuidHash(uuid: string): number {
  const digits = uuid.replaceAll('-', '');
  let a = (START + wordAt(digits, 0)) | 0;
  let b = (START + wordAt(digits, 8)) | 0;
  let c = (START + wordAt(digits, 16)) | 0;
  // the first twelve bytes
  a = ((a - c) | 0) ^ rotate(c, 4);
  c = (c + b) | 0;
  b = ((b - a) | 0) ^ rotate(a, 6);
  a = (a + c) | 0;
  c = ((c - b) | 0) ^ rotate(b, 8);
  b = (b + a) | 0;
  a = ((a - c) | 0) ^ rotate(c, 16);
  c = (c + b) | 0;
  b = ((b - a) | 0) ^ rotate(a, 19);
  a = (a + c) | 0;
  c = ((c - b) | 0) ^ rotate(b, 4);
  b = (b + a) | 0;
  // the last four
  a = (a + wordAt(digits, 24)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}
