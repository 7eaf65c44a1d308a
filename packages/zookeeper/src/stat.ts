import { invariant } from '@klassic/common';

/** What ZooKeeper keeps about a znode besides its data. */
export interface Stat {
  /** The zxid that created it: a broker's epoch, for its registration. */
  readonly czxid: number;
  /** The zxid that last changed its data. */
  readonly mzxid: number;
  /** The zxid that last changed its children. */
  readonly pzxid: number;
  /** Wall clock of the server, ms. */
  readonly ctime: number;
  /** Wall clock of the server, ms. */
  readonly mtime: number;
  /** How often its data has been set since its creation: what a conditional write must name. */
  readonly version: number;
  /** Version of its children. */
  readonly cversion: number;
  /** Version of its ACL. */
  readonly aversion: number;
  /** Session that owns it, as `sessionId` prints it; `0x0` for a persistent one. */
  readonly ephemeralOwner: string;
  readonly dataLength: number;
  readonly numChildren: number;
}

/** An int64 of ZooKeeper as number. Zxids stay below 2^53 until 2^21 elections of a ZooKeeper leader. */
export function exactInt64(bytes: Buffer): number {
  const value = bytes.readBigInt64BE(0);
  const exact = Number(value);
  invariant(Number.isSafeInteger(exact), () => `int64 ${value} of ZooKeeper cannot be held exactly`);
  return exact;
}

/** A session id as ZooKeeper's logs print it: `0x` and hex digits. */
export function sessionIdText(bytes: Buffer): string {
  return `0x${bytes.readBigUInt64BE(0).toString(16)}`;
}
