import { ZNodeFormatError } from '../errors.ts';
import { arrayOf, intOf, jsonBytes, parseObject, stringOf } from './json.ts';
import { desanitize, sanitize } from './sanitizer.ts';

export const DelegationTokenAuthZNode = { path: '/delegation_token' };

/** `/delegation_token/token_changes`: every broker watches its children where tokens are on. */
export const DelegationTokenChangeNotificationZNode = { path: '/delegation_token/token_changes' };

/** `/delegation_token/token_changes/token_change_<n>`: the id of a token to read again, as plain text. */
export const DelegationTokenChangeNotificationSequenceZNode = {
  prefix: 'token_change_',
  createPath: `${DelegationTokenChangeNotificationZNode.path}/token_change_`,
  encode: (tokenId: string): Buffer => Buffer.from(tokenId, 'utf8'),
  decode: (bytes: Buffer | null): string => bytes?.toString('utf8') ?? '',
};

export const DelegationTokensZNode = { path: '/delegation_token/tokens' };

/** What is kept of a token (KIP-48); its HMAC is computed anew from the id. Times are wall clock, ms. */
export interface TokenInformation {
  readonly tokenId: string;
  /** `User:alice`. */
  readonly owner: string;
  readonly renewers: readonly string[];
  readonly issueTimestamp: number;
  readonly maxTimestamp: number;
  readonly expiryTimestamp: number;
}

/** `/delegation_token/tokens/<id>`. */
export const DelegationTokenInfoZNode = {
  path: (tokenId: string): string => `${DelegationTokensZNode.path}/${tokenId}`,
  encode: (token: TokenInformation): Buffer =>
    jsonBytes({
      version: 1,
      owner: sanitize(token.owner),
      renewers: token.renewers.map(sanitize),
      issueTimestamp: token.issueTimestamp,
      maxTimestamp: token.maxTimestamp,
      expiryTimestamp: token.expiryTimestamp,
      tokenId: token.tokenId,
    }),
  /** @returns undefined when it cannot be read. @throws ZNodeFormatError */
  decode(tokenId: string, bytes: Buffer | null): TokenInformation | undefined {
    const path = this.path(tokenId);
    const object = parseObject(path, bytes);
    if (object === undefined) return undefined;
    if (intOf(path, object, 'version') !== 1) throw new ZNodeFormatError(`${path}: unsupported version of token`);
    return {
      tokenId: stringOf(path, object, 'tokenId'),
      owner: desanitize(stringOf(path, object, 'owner')),
      renewers: arrayOf(path, object, 'renewers').map((renewer) => desanitize(String(renewer))),
      issueTimestamp: intOf(path, object, 'issueTimestamp'),
      maxTimestamp: intOf(path, object, 'maxTimestamp'),
      expiryTimestamp: intOf(path, object, 'expiryTimestamp'),
    };
  },
};
