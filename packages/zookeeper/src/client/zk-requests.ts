import type { Logger, LoggerFactory, Time } from '@klassic/common';

import type { Acl } from '../acl.ts';
import { ControllerMovedError, ZooKeeperError } from '../errors.ts';
import { ensureOk, matchAnyVersion, unknownVersion } from '../requests.ts';
import type { CreateOp, DeleteOp, SetDataOp, ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import type { StateChangeHandler, ZNodeChangeHandler, ZNodeChildChangeHandler } from '../session/handlers.ts';
import type { ZooKeeperSession } from '../session/zookeeper-session.ts';
import type { Stat } from '../stat.ts';
import { ControllerEpochZNode } from '../znodes/controller.ts';
import { defaultAcl } from '../znodes/paths.ts';

/** Outcome of a conditional write: `version` is the new dataVersion, or `unknownVersion` where it did not succeed. */
export interface ConditionalUpdateResult {
  readonly succeeded: boolean;
  readonly version: number;
}

/** Told that the version did not match, finds out whether what stands there is all right after all. */
export type ConditionalUpdateChecker = (path: string, data: Buffer) => Promise<ConditionalUpdateResult>;

export interface KafkaZkClientOptions {
  /** `zookeeper.set.acl`: new znodes belong to their creator. */
  readonly secure?: boolean;
}

/**
 * How Kafka asks ZooKeeper: again after a lost connection, and, as controller, only while its epoch is the last. A write
 * whose reply was lost is looked at after the repetition, so that it recognises its own success.
 */
export abstract class ZkRequests {
  readonly session: ZooKeeperSession;
  /** `zookeeper.set.acl`. */
  readonly secure: boolean;
  protected readonly time: Time;
  protected readonly log: Logger;

  constructor(session: ZooKeeperSession, time: Time, loggers: LoggerFactory, options: KafkaZkClientOptions = {}) {
    this.session = session;
    this.secure = options.secure ?? false;
    this.time = time;
    this.log = loggers('kafka.zk.KafkaZkClient');
  }

  /** The ACL that a znode made at `path` gets. */
  defaultAcl(path: string): readonly Acl[] {
    return defaultAcl(this.secure, path);
  }

  /** @returns undefined where there is no znode. @throws ZooKeeperError */
  async getDataAndStat(path: string): Promise<{ data: Buffer | null; stat: Stat } | undefined> {
    const response = await this.request({ op: 'getData', path });
    if (response.code === 'NO_NODE') return undefined;
    ensureOk(response);
    return { data: response.data ?? null, stat: response.stat! };
  }

  /** Where there is no znode: null and `unknownVersion`. @throws ZooKeeperError */
  async getDataAndVersion(path: string): Promise<{ data: Buffer | null; version: number }> {
    const found = await this.getDataAndStat(path);
    return { data: found?.data ?? null, version: found?.stat.version ?? unknownVersion };
  }

  /** Names of the children, in no order; none where there is no znode. @throws ZooKeeperError */
  async getChildren(path: string, registerWatch = true): Promise<string[]> {
    const response = await this.request({ op: 'getChildren', path, registerWatch });
    if (response.code === 'NO_NODE') return [];
    ensureOk(response);
    return [...response.children!];
  }

  /** @throws ZooKeeperError */
  async pathExists(path: string): Promise<boolean> {
    const response = await this.request({ op: 'exists', path });
    if (response.code === 'NO_NODE') return false;
    ensureOk(response);
    return true;
  }

  /** Makes `path`, and its parents where they are missing. @throws ZooKeeperError NODE_EXISTS unless told otherwise */
  async createRecursive(path: string, data: Buffer | null = null, throwIfPathExists = true): Promise<void> {
    const create: CreateOp = { op: 'create', path, data, acl: this.defaultAcl(path) };
    let response = await this.request(create);
    if (response.code === 'NO_NODE') {
      await this.createRecursive(path.slice(0, path.lastIndexOf('/')), null, false);
      response = await this.request(create);
    }
    if (response.code === 'NODE_EXISTS' && !throwIfPathExists) return;
    ensureOk({ ...response, path });
  }

  /** Makes an empty persistent znode, with its parents, unless it is there. @throws ZooKeeperError */
  makeSurePersistentPathExists(path: string): Promise<void> {
    return this.createRecursive(path, null, false);
  }

  /**
   * Deletes a znode and all below it, from the leaves up.
   *
   * @returns false where there is none
   * @throws ZooKeeperError, ControllerMovedError
   */
  async deleteRecursive(path: string, epochZkVersion = matchAnyVersion): Promise<boolean> {
    const response = await this.request({ op: 'getChildren', path });
    if (response.code === 'NO_NODE') return false;
    ensureOk(response);
    for (const child of response.children!) await this.deleteRecursive(`${path}/${child}`, epochZkVersion);
    await this.deletePath(path, epochZkVersion, false);
    return true;
  }

  /** Deletes a znode if it is there, with all below it when `recursive`. @throws ZooKeeperError, ControllerMovedError */
  async deletePath(path: string, epochZkVersion = matchAnyVersion, recursive = true): Promise<void> {
    if (recursive) {
      await this.deleteRecursive(path, epochZkVersion);
      return;
    }
    const response = await this.request({ op: 'delete', path, version: matchAnyVersion }, epochZkVersion);
    if (response.code !== 'NO_NODE') ensureOk(response);
  }

  /**
   * Writes if the dataVersion is `expectedVersion`. Where it is not, `checker` (if any) has the last word.
   *
   * @throws ZooKeeperError other than NO_NODE and BAD_VERSION
   */
  async conditionalUpdatePath(
    path: string,
    data: Buffer,
    expectedVersion: number,
    checker?: ConditionalUpdateChecker,
  ): Promise<ConditionalUpdateResult> {
    const response = await this.request({ op: 'setData', path, data, version: expectedVersion });
    const attempt = `Conditional update of path ${path} with data ${data.toString('utf8')} and expected version ${expectedVersion}`;
    if (response.code === 'OK') {
      const { version } = response.stat!;
      this.log.debug(`${attempt} succeeded, returning the new version: ${version}`);
      return { succeeded: true, version };
    }
    if (response.code === 'BAD_VERSION' && checker !== undefined) return checker(path, data);
    this.log.debug(`${attempt} failed due to ${response.code}`);
    if (response.code !== 'BAD_VERSION' && response.code !== 'NO_NODE') ensureOk(response);
    return { succeeded: false, version: unknownVersion };
  }

  /** Registers the handler and sets its watch, also where there is no znode yet. @returns whether there is one */
  registerZNodeChangeHandlerAndCheckExistence(handler: ZNodeChangeHandler): Promise<boolean> {
    this.session.registerZNodeChangeHandler(handler);
    return this.pathExists(handler.path);
  }

  registerZNodeChangeHandler(handler: ZNodeChangeHandler): void {
    this.session.registerZNodeChangeHandler(handler);
  }

  unregisterZNodeChangeHandler(path: string): void {
    this.session.unregisterZNodeChangeHandler(path);
  }

  registerZNodeChildChangeHandler(handler: ZNodeChildChangeHandler): void {
    this.session.registerZNodeChildChangeHandler(handler);
  }

  unregisterZNodeChildChangeHandler(path: string): void {
    this.session.unregisterZNodeChildChangeHandler(path);
  }

  registerStateChangeHandler(handler: StateChangeHandler): void {
    this.session.registerStateChangeHandler(handler);
  }

  unregisterStateChangeHandler(name: string): void {
    this.session.unregisterStateChangeHandler(name);
  }

  /** Ends the session. */
  close(): Promise<void> {
    return this.session.close();
  }

  /** One request: see `requests`. */
  protected async request(request: ZooKeeperRequest, epochZkVersion = matchAnyVersion): Promise<ZooKeeperResponse> {
    return (await this.requests([request], epochZkVersion))[0]!;
  }

  /**
   * Pipelined requests, repeated after a lost connection until there is an answer. With an `epochZkVersion` each is a
   * multi of two steps: check that version of the controller epoch znode, and the write.
   *
   * @returns the responses in the order of the requests; never CONNECTION_LOSS
   * @throws ControllerMovedError when the epoch has moved on
   * @throws ZooKeeperError SESSION_EXPIRED when that came while waiting for a connection
   */
  protected async requests(
    requests: readonly ZooKeeperRequest[],
    epochZkVersion = matchAnyVersion,
  ): Promise<ZooKeeperResponse[]> {
    const fenced = epochZkVersion !== matchAnyVersion;
    const responses = new Array<ZooKeeperResponse>(requests.length);
    const lost = new Set<number>();
    let remaining = [...requests.keys()];
    while (remaining.length > 0) {
      const asked = remaining.map((index) => (fenced ? fence(requests[index]!, epochZkVersion) : requests[index]!));
      const answers = await this.session.handleRequests(asked);
      const again: number[] = [];
      for (const [position, index] of remaining.entries()) {
        const answer = answers[position]!;
        if (answer.code === 'CONNECTION_LOSS') again.push(index);
        else responses[index] = fenced ? unfence(answer, epochZkVersion) : answer;
      }
      for (const index of again) lost.add(index);
      remaining = again;
      if (remaining.length > 0) await this.session.waitUntilConnected();
    }
    for (const index of lost) responses[index] = await this.recogniseOwnSuccess(requests[index]!, responses[index]!);
    return responses;
  }

  /** A repeated write is refused because its first try, whose reply was lost, had succeeded: then it has succeeded. */
  private async recogniseOwnSuccess(
    request: ZooKeeperRequest,
    response: ZooKeeperResponse,
  ): Promise<ZooKeeperResponse> {
    const { code } = response;
    const suspicious =
      (request.op === 'create' && request.sequential !== true && code === 'NODE_EXISTS') ||
      (request.op === 'setData' && request.version >= 0 && code === 'BAD_VERSION');
    if (!suspicious) return response;
    const found = await this.getDataAndStat(request.path);
    if (found === undefined || !(found.data ?? Buffer.alloc(0)).equals(request.data ?? Buffer.alloc(0)))
      return response;
    const { stat } = found;
    const ours =
      request.op === 'setData'
        ? stat.version === request.version + 1
        : stat.ephemeralOwner === (request.ephemeral === true ? this.session.sessionId : '0x0');
    if (!ours) return response;
    this.log.info(`The ${request.op} of ${request.path} had succeeded before its connection was lost`);
    return { code: 'OK', path: request.path, stat };
  }
}

/** @throws ZooKeeperError for a request that is no write: a programmer's mistake that would lose the fence */
function fence(request: ZooKeeperRequest, epochZkVersion: number): ZooKeeperRequest {
  if (request.op !== 'create' && request.op !== 'setData' && request.op !== 'delete') {
    throw new ZooKeeperError('BAD_ARGUMENTS', undefined, `${request.op} does not need a controller epoch check`);
  }
  const write: CreateOp | SetDataOp | DeleteOp = request;
  return { op: 'multi', ops: [{ op: 'check', path: ControllerEpochZNode.path, version: epochZkVersion }, write] };
}

function unfence(answer: ZooKeeperResponse, epochZkVersion: number): ZooKeeperResponse {
  if (answer.results === undefined) throw new ZooKeeperError(answer.code === 'OK' ? 'UNKNOWN' : answer.code);
  const [check, write] = answer.results;
  if (check!.code === 'BAD_VERSION') {
    throw new ControllerMovedError(`Controller epoch zkVersion check fails. Expected zkVersion = ${epochZkVersion}`);
  }
  if (check!.code !== 'OK') throw new ZooKeeperError(check!.code, ControllerEpochZNode.path);
  return { path: answer.path, ...write!, code: answer.code };
}
