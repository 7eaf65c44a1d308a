import type { LoggerFactory, Random, Time } from '@klassic/common';

import type { Acl } from './acl.ts';
import type { MultiOp, MultiResult, ZooKeeperRequest, ZooKeeperResponse } from './requests.ts';
import type { StateChangeHandler, ZNodeChangeHandler, ZNodeChildChangeHandler } from './session/handlers.ts';
import type { Stat } from './stat.ts';

export type SessionState = 'CONNECTING' | 'CONNECTED' | 'EXPIRED' | 'AUTH_FAILED' | 'CLOSED';

export interface ZooKeeperSessionOptions {
  readonly connectString: string;
  readonly sessionTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly time: Time;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  readonly maxInFlightRequests?: number;
  readonly name?: string;
}

export declare class ZooKeeperSession {
  private constructor();
  static connect(options: ZooKeeperSessionOptions): Promise<ZooKeeperSession>;
  readonly sessionId: string;
  readonly state: SessionState;
  readonly sessionTimeoutMs: number;
  handleRequest(request: ZooKeeperRequest): Promise<ZooKeeperResponse>;
  handleRequests(requests: readonly ZooKeeperRequest[]): Promise<ZooKeeperResponse[]>;
  waitUntilConnected(): Promise<void>;
  create(
    path: string,
    data: Buffer | null,
    options?: { ephemeral?: boolean; sequential?: boolean; acl?: readonly Acl[] },
  ): Promise<string>;
  getData(path: string): Promise<{ data: Buffer | null; stat: Stat }>;
  setData(path: string, data: Buffer | null, expectedVersion: number): Promise<Stat>;
  delete(path: string, expectedVersion: number): Promise<void>;
  exists(path: string): Promise<Stat | undefined>;
  getChildren(path: string): Promise<string[]>;
  multi(ops: readonly MultiOp[]): Promise<MultiResult[]>;
  registerZNodeChangeHandler(handler: ZNodeChangeHandler): void;
  unregisterZNodeChangeHandler(path: string): void;
  registerZNodeChildChangeHandler(handler: ZNodeChildChangeHandler): void;
  unregisterZNodeChildChangeHandler(path: string): void;
  registerStateChangeHandler(handler: StateChangeHandler): void;
  unregisterStateChangeHandler(name: string): void;
  close(): Promise<void>;
}
