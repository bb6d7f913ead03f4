// Customer tokens: JSON Web Tokens (RFC 7519) that name one customer and what he may do, signed by keys that are derived from the service's. Knows the
// format alone.
import { errors, jwtVerify, SignJWT } from 'jose';
import { type Ability, isAbility } from './scopes.js';
import { deriveKey, type SecretKey } from './secret-keys.js';

const PURPOSE = 'customer tokens';
const ALGORITHM = 'HS256';
const ISSUER = 'bursar';
const AUDIENCE = 'bursar/customer';
const TYPE = 'bursar-customer+jwt';
const LOOKS_LIKE_ONE = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const MS_PER_S = 1_000;

export interface CustomerTokenClaims {
  /** Of the token. */
  id: string;
  customerId: string;
  abilities: readonly Ability[];
  /** The API key that asked for it, or `bootstrap`. */
  issuedBy: string;
  issuedAt: Date;
  /** Whole seconds count. */
  expiresAt: Date;
}

export interface CustomerTokens {
  sign(claims: CustomerTokenClaims): Promise<string>;
  /** What a token says at an instant, or why it is not taken. */
  verify(token: string, now: Date): Promise<CustomerTokenClaims | 'expired' | 'invalid'>;
}

/** Whether a token has the form of one. */
export function isCustomerToken(token: string): boolean {
  return LOOKS_LIKE_ONE.test(token);
}

/** Makes what signs by the first of the keys and verifies by all. Precondition: there is one. */
export function createCustomerTokens(keys: readonly SecretKey[]): CustomerTokens {
  const derived = new Map(keys.map(({ id, secret }) => [id, deriveKey(secret, PURPOSE)]));
  const [first] = derived;
  if (!first) throw new Error('there is no secret key');
  const [firstId, firstKey] = first;
  const options = { algorithms: [ALGORITHM], issuer: ISSUER, audience: AUDIENCE, typ: TYPE };
  const requiredClaims = ['jti', 'sub', 'iat', 'exp', 'abilities', 'key'];
  return {
    sign: ({ id, customerId, abilities, issuedBy, issuedAt, expiresAt }) =>
      new SignJWT({ abilities, key: issuedBy })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: firstId })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(customerId)
        .setJti(id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(firstKey),
    verify: async (token, now) => {
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid = '' }) => {
            const key = derived.get(kid);
            if (!key) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          { ...options, requiredClaims, currentDate: now },
        );
        return readClaims(payload);
      } catch (error) {
        return error instanceof errors.JWTExpired ? 'expired' : 'invalid';
      }
    },
  };
}

/** What we signed has this form; an ability that was taken away since is left out. */
function readClaims({
  jti = '',
  sub = '',
  iat = 0,
  exp = 0,
  abilities,
  key,
}: Record<string, unknown> & {
  jti?: string;
  sub?: string;
  iat?: number;
  exp?: number;
}): CustomerTokenClaims {
  return {
    id: jti,
    customerId: sub,
    abilities: Array.isArray(abilities) ? abilities.filter(isAbility) : [],
    issuedBy: String(key),
    issuedAt: new Date(iat * MS_PER_S),
    expiresAt: new Date(exp * MS_PER_S),
  };
}
