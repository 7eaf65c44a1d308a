import type { Logger } from '@klassic/common';

import type { Acl } from '../acl.ts';
import { ZooKeeperError } from '../errors.ts';
import { ensureOk, matchAnyVersion } from '../requests.ts';
import type { ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import type { ZooKeeperSession } from '../session/zookeeper-session.ts';
import type { Stat } from '../stat.ts';

/** How a `CheckedEphemeral` asks ZooKeeper. */
export interface EphemeralRequests {
  request(request: ZooKeeperRequest): Promise<ZooKeeperResponse>;
  acl(path: string): readonly Acl[];
}

/**
 * Creates an ephemeral znode that this process alone may own. Found there, it is fine if our session owns it (an earlier
 * try whose reply was lost); if our own expired session does, it is made anew (ZOOKEEPER-2985); else it is a conflict.
 * Counterpart of `KafkaZkClient.CheckedEphemeral`.
 */
export class CheckedEphemeral {
  private readonly session: ZooKeeperSession;
  private readonly log: Logger;
  private readonly zk: EphemeralRequests;
  /** The session that made the last one. */
  private lastOwner: string | undefined;

  constructor(session: ZooKeeperSession, log: Logger, zk: EphemeralRequests) {
    this.session = session;
    this.log = log;
    this.zk = zk;
  }

  /** Created empty and written at once, in one transaction, so that the stat comes back with it. */
  async create(path: string, data: Buffer): Promise<Stat> {
    const response = await this.zk.request({
      op: 'multi',
      ops: [
        { op: 'create', path, data: null, ephemeral: true, acl: this.zk.acl(path) },
        { op: 'setData', path, data, version: 0 },
      ],
    });
    if (response.code !== 'NODE_EXISTS') ensureOk(response);
    const stat = response.code === 'OK' ? response.results![1]!.stat! : await this.afterNodeExists(path, data);
    this.lastOwner = this.session.sessionId;
    return stat;
  }

  private async afterNodeExists(path: string, data: Buffer): Promise<Stat> {
    const response = await this.zk.request({ op: 'getData', path });
    if (response.code === 'NO_NODE') {
      this.log.info(`The ephemeral node at ${path} went away while reading it, attempting create() again`);
      return this.create(path, data);
    }
    ensureOk(response);
    const stat = response.stat!;
    const { sessionId } = this.session;
    if (stat.ephemeralOwner === sessionId) return stat;
    const facts = `Error while creating ephemeral at ${path}, node already exists and owner '${stat.ephemeralOwner}' does not match current session '${sessionId}'`;
    if (stat.ephemeralOwner !== this.lastOwner) {
      this.log.error(facts);
      throw new ZooKeeperError('NODE_EXISTS', path, facts);
    }
    this.log.info(`${facts}, trying to delete and re-create it with the newest Zookeeper session`);
    const deleted = await this.zk.request({ op: 'delete', path, version: matchAnyVersion });
    if (deleted.code !== 'NO_NODE') ensureOk(deleted);
    return this.create(path, data);
  }
}
