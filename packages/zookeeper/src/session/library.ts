import { ACL, CreateMode, createClient, Exception, Id } from 'node-zookeeper-client';
import type { Client, Stat as LibraryStat } from 'node-zookeeper-client';
import type { Socket } from 'node:net';

import type { Acl } from '../acl.ts';
import type { ZooKeeperErrorCode } from '../errors.ts';
import { exactInt64, sessionIdText } from '../stat.ts';
import type { Stat } from '../stat.ts';

/** States of node-zookeeper-client's connection manager, from its source. */
export const managerStates = {
  DISCONNECTED: 0,
  CONNECTING: 1,
  CONNECTED: 2,
  CONNECTED_READ_ONLY: 3,
  CLOSING: -1,
  CLOSED: -2,
  SESSION_EXPIRED: -3,
  AUTHENTICATION_FAILED: -4,
} as const;

/** A watch event as it comes from the wire. */
export interface WatcherEvent {
  readonly type: number;
  readonly path: string;
}

export interface QueuedPacket {
  readonly callback?: (error: unknown) => void;
}

/** The inside of node-zookeeper-client 1.1.3 that `SessionClient` has to reach into. */
export interface ConnectionManager {
  state: number;
  socket: Socket | undefined;
  servers: { host: string; port: number | string }[];
  nextServerIndex: number;
  serverAttempts: number;
  xid: number;
  readonly sessionTimeout: number;
  readonly connectTimeout: number;
  connectTimeoutHandler: NodeJS.Timeout | null;
  readonly pendingQueue: unknown[];
  readonly packetQueue: { readonly queue: readonly QueuedPacket[]; shift(): QueuedPacket | undefined };
  readonly watcherManager: { emit(event: WatcherEvent): void };
  findNextServer(callback: (server: ConnectionManager['servers'][number]) => void): void;
  cleanupPendingQueue(errorCode: number): void;
  onSocketConnected(): void;
  onSocketData(buffer: Buffer): void;
  onSocketClosed(hasError: boolean): void;
  onSocketTimeout(): void;
  on(event: 'state', listener: (state: number) => void): void;
}

/** A step of a transaction as the library keeps it before it is sent. */
export interface LibraryOp {
  readonly type: number;
  readonly path: string;
  readonly data?: Buffer | undefined;
  readonly acls?: ACL[];
  readonly mode?: number;
  readonly version?: number;
}

/** A step's result as the library reads it. */
export interface LibraryOpResult {
  readonly type: number;
  readonly path?: string;
  readonly stat?: LibraryStat;
  readonly err?: number;
}

/** Operation codes of ZooKeeper's protocol (`ZooDefs.OpCode`). */
export const opCodes = { create: 1, delete: 2, setData: 5, check: 13, error: -1 } as const;

/** A client of the library and the manager of its connection. */
export function newLibraryClient(
  connectString: string,
  sessionTimeoutMs: number,
): { client: Client; manager: ConnectionManager } {
  const client = createClient(connectString, { sessionTimeout: sessionTimeoutMs, spinDelay: 1000, retries: 0 });
  return { client, manager: (client as unknown as { connectionManager: ConnectionManager }).connectionManager };
}

const codeNames = new Map<number, string>(
  Object.entries(Exception as unknown as Record<string, unknown>).flatMap(([name, code]) =>
    typeof code === 'number' ? [[code, name] as const] : [],
  ),
);

/** Whether the library knows the code; it throws on others. */
export function isKnownCode(code: number): boolean {
  return codeNames.has(code);
}

/** Name of a result code; `OK` for 0. */
export function resultCode(code: number | undefined): 'OK' | ZooKeeperErrorCode {
  return (codeNames.get(code ?? 0) as 'OK' | ZooKeeperErrorCode | undefined) ?? 'UNKNOWN';
}

export function codeOfError(error: unknown): ZooKeeperErrorCode | undefined {
  if (!(error instanceof Exception)) return undefined;
  return resultCode(error.getCode()) as ZooKeeperErrorCode;
}

export function createMode(ephemeral: boolean, sequential: boolean): number {
  if (sequential) return ephemeral ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.PERSISTENT_SEQUENTIAL;
  return ephemeral ? CreateMode.EPHEMERAL : CreateMode.PERSISTENT;
}

export function toLibraryAcl(acl: readonly Acl[]): ACL[] {
  return acl.map(({ perms, scheme, id }) => new ACL(perms, new Id(scheme, id)));
}

export function fromLibraryAcl(acl: readonly ACL[]): Acl[] {
  return acl.map(({ perms, permission, id }: ACL & { permission?: number }) => ({
    perms: permission ?? perms,
    scheme: id.scheme,
    id: id.id,
  }));
}

export function fromLibraryStat(stat: LibraryStat): Stat {
  return {
    czxid: exactInt64(stat.czxid),
    mzxid: exactInt64(stat.mzxid),
    pzxid: exactInt64(stat.pzxid),
    ctime: exactInt64(stat.ctime),
    mtime: exactInt64(stat.mtime),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: sessionIdText(stat.ephemeralOwner),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}
