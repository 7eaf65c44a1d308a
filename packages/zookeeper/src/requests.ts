import { ZooKeeperError } from './errors.ts';
import type { ResultCode } from './errors.ts';
import type { Acl } from './acl.ts';
import type { Stat } from './stat.ts';

/** A version that matches whatever stands there (`ZkVersion.MatchAnyVersion`). */
export const matchAnyVersion = -1;
/** What reads report as version where there is no znode (`ZkVersion.UnknownVersion`); never sent. */
export const unknownVersion = -2;

export interface CreateOp {
  readonly op: 'create';
  readonly path: string;
  readonly data: Buffer | null;
  readonly ephemeral?: boolean;
  readonly sequential?: boolean;
  /** Open to the world when absent. */
  readonly acl?: readonly Acl[];
}
export interface SetDataOp {
  readonly op: 'setData';
  readonly path: string;
  readonly data: Buffer | null;
  readonly version: number;
}
export interface DeleteOp {
  readonly op: 'delete';
  readonly path: string;
  readonly version: number;
}
export interface CheckOp {
  readonly op: 'check';
  readonly path: string;
  readonly version: number;
}
/** One step of a `multi`. */
export type MultiOp = CreateOp | SetDataOp | DeleteOp | CheckOp;

/** How one step of a `multi` ended. Of a refused `multi` the culprit has its own code; what stands before it says `OK`. */
export interface MultiResult {
  readonly code: ResultCode;
  /** The path created (with its sequence number): of a `create` that was carried out. */
  readonly path?: string;
  /** Of a `setData` that was carried out. */
  readonly stat?: Stat;
}

export interface ExistsRequest {
  readonly op: 'exists';
  readonly path: string;
}
export interface GetDataRequest {
  readonly op: 'getData';
  readonly path: string;
}
export interface GetChildrenRequest {
  readonly op: 'getChildren';
  readonly path: string;
  /** False: no watch even where a handler is registered. */
  readonly registerWatch?: boolean;
}
export interface GetAclRequest {
  readonly op: 'getAcl';
  readonly path: string;
}
export interface SetAclRequest {
  readonly op: 'setAcl';
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly version: number;
}
export interface MultiRequest {
  readonly op: 'multi';
  readonly ops: readonly MultiOp[];
}

/** What can be asked of ZooKeeper. */
export type ZooKeeperRequest =
  | CreateOp
  | SetDataOp
  | DeleteOp
  | ExistsRequest
  | GetDataRequest
  | GetChildrenRequest
  | GetAclRequest
  | SetAclRequest
  | MultiRequest;

/** What came back; the optional fields are there where `code` is `OK` and the operation has them. */
export interface ZooKeeperResponse {
  readonly code: ResultCode;
  /** Of a create: the path created. Else the path asked for (of a multi, its first). */
  readonly path: string;
  /** Of getData: null where the znode was created without data. */
  readonly data?: Buffer | null;
  readonly stat?: Stat;
  readonly children?: readonly string[];
  readonly acl?: readonly Acl[];
  readonly results?: readonly MultiResult[];
}

/** @throws ZooKeeperError unless `response` is `OK` */
export function ensureOk(response: ZooKeeperResponse): void {
  if (response.code !== 'OK') throw new ZooKeeperError(response.code, response.path);
}
