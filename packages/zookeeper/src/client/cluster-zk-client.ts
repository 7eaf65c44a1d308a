import type { BrokerAndEpoch, BrokerInfo } from '../broker-info.ts';
import { ControllerMovedError, ZNodeFormatError, ZooKeeperError } from '../errors.ts';
import { ensureOk, matchAnyVersion, unknownVersion } from '../requests.ts';
import type { Stat } from '../stat.ts';
import { BrokerIdsZNode, BrokerIdZNode, BrokerSequenceIdZNode, connectionString } from '../znodes/broker.ts';
import { ClusterIdZNode, FeatureZNode, ProducerIdBlockZNode } from '../znodes/cluster.ts';
import type { FeatureState, ProducerIdBlock } from '../znodes/cluster.ts';
import { ControllerEpochZNode, ControllerZNode } from '../znodes/controller.ts';
import { persistentPaths } from '../znodes/paths.ts';
import { CheckedEphemeral } from './checked-ephemeral.ts';
import { ZkRequests } from './zk-requests.ts';

const producerIdBlockSize = 1000;
/** Of `/controller_epoch`, as the first broker of a cluster makes it. */
const initialControllerEpoch = 0;
const initialControllerEpochZkVersion = 0;

/** The cluster: its id, its brokers, its controller, its features and producer ids. */
export abstract class ClusterZkClient extends ZkRequests {
  private readonly brokerRegistration = new CheckedEphemeral(this.session, this.log, {
    request: (request) => this.request(request),
    acl: (path) => this.defaultAcl(path),
  });

  /** Makes the paths every broker expects, where they are missing. */
  async createTopLevelPaths(): Promise<void> {
    for (const path of persistentPaths) await this.makeSurePersistentPathExists(path);
  }

  /** @returns undefined before the first broker. @throws ZNodeFormatError */
  async getClusterId(): Promise<string | undefined> {
    const found = await this.getDataAndStat(ClusterIdZNode.path);
    return found === undefined ? undefined : ClusterIdZNode.decode(found.data);
  }

  /** @returns the proposed id, or the one that another broker was faster to write */
  async createOrGetClusterId(proposedClusterId: string): Promise<string> {
    try {
      await this.createRecursive(ClusterIdZNode.path, ClusterIdZNode.encode(proposedClusterId));
      return proposedClusterId;
    } catch (error) {
      if (!(error instanceof ZooKeeperError) || error.code !== 'NODE_EXISTS') throw error;
      const clusterId = await this.getClusterId();
      if (clusterId === undefined)
        throw new ZNodeFormatError(`Failed to get cluster id: ${ClusterIdZNode.path} is gone`);
      return clusterId;
    }
  }

  /** A broker id nobody else gets (from 1; the caller adds `reserved.broker.max.id`): the dataVersion of a write. */
  async generateBrokerSequenceId(): Promise<number> {
    const { path } = BrokerSequenceIdZNode;
    const response = await this.request({ op: 'setData', path, data: Buffer.alloc(0), version: matchAnyVersion });
    if (response.code === 'NO_NODE') {
      await this.createRecursive(path, Buffer.alloc(0), false);
      return this.generateBrokerSequenceId();
    }
    ensureOk(response);
    return response.stat!.version;
  }

  /**
   * Registers a broker.
   *
   * @returns the broker epoch: the czxid of its registration
   * @throws ZooKeeperError NODE_EXISTS, with a message for the user, while another session holds that id
   */
  async registerBroker(info: BrokerInfo): Promise<number> {
    const path = BrokerIdZNode.path(info.id);
    const stat = await this.brokerRegistration.create(path, BrokerIdZNode.encode(info, this.time.milliseconds()));
    const addresses = info.endPoints.map(connectionString).join(',');
    this.log.info(
      `Registered broker ${info.id} at path ${path} with addresses: ${addresses}, czxid (broker epoch): ${stat.czxid}`,
    );
    return stat.czxid;
  }

  /** Writes a changed registration (listeners, by dynamic config). @throws ZooKeeperError */
  async updateBrokerInfo(info: BrokerInfo): Promise<void> {
    const path = BrokerIdZNode.path(info.id);
    const data = BrokerIdZNode.encode(info, this.time.milliseconds());
    ensureOk(await this.request({ op: 'setData', path, data, version: matchAnyVersion }));
    this.log.info(
      `Updated broker ${info.id} at path ${path} with addresses: ${info.endPoints.map(connectionString).join(',')}`,
    );
  }

  /** @returns undefined when the broker is not alive. @throws ZNodeFormatError */
  async getBroker(id: number): Promise<BrokerInfo | undefined> {
    const found = await this.getDataAndStat(BrokerIdZNode.path(id));
    return found === undefined ? undefined : BrokerIdZNode.decode(id, found.data);
  }

  /** Ids of the brokers alive, ascending. Sets the watch of a child change handler of `/brokers/ids`. */
  async getSortedBrokerList(): Promise<number[]> {
    return (await this.getChildren(BrokerIdsZNode.path)).map(Number).sort((a, b) => a - b);
  }

  /** The brokers alive, ascending by id. */
  async getAllBrokersInCluster(): Promise<BrokerInfo[]> {
    return [...(await this.getAllBrokerAndEpochs()).values()].map(({ broker }) => broker);
  }

  /** The brokers alive with their epochs, ascending by id. @throws ZNodeFormatError */
  async getAllBrokerAndEpochs(): Promise<Map<number, BrokerAndEpoch>> {
    const ids = await this.getSortedBrokerList();
    const responses = await this.requests(ids.map((id) => ({ op: 'getData', path: BrokerIdZNode.path(id) })));
    const brokers = new Map<number, BrokerAndEpoch>();
    for (const [position, id] of ids.entries()) {
      const response = responses[position]!;
      if (response.code === 'NO_NODE') continue;
      ensureOk(response);
      brokers.set(id, { broker: BrokerIdZNode.decode(id, response.data ?? null), epoch: response.stat!.czxid });
    }
    return brokers;
  }

  /**
   * Races for `/controller`; who creates it raises `/controller_epoch` in the same transaction.
   *
   * @returns the new epoch, and the version of its znode that every write as controller must name
   * @throws ControllerMovedError when another broker was faster
   */
  async registerControllerAndIncrementControllerEpoch(
    controllerId: number,
  ): Promise<{ epoch: number; epochZkVersion: number }> {
    const timestampMs = this.time.milliseconds();
    const current = await this.getControllerEpoch();
    const { epoch: currentEpoch, epochZkVersion } =
      current === undefined
        ? await this.createControllerEpochZNode()
        : { epoch: current.epoch, epochZkVersion: current.stat.version };
    const epoch = currentEpoch + 1;
    this.log.debug(
      `Try to create ${ControllerZNode.path} and increment controller epoch to ${epoch} with expected controller epoch zkVersion ${epochZkVersion}`,
    );
    const response = await this.request({
      op: 'multi',
      ops: [
        {
          op: 'create',
          path: ControllerZNode.path,
          data: ControllerZNode.encode(controllerId, timestampMs),
          ephemeral: true,
          acl: this.defaultAcl(ControllerZNode.path),
        },
        {
          op: 'setData',
          path: ControllerEpochZNode.path,
          data: ControllerEpochZNode.encode(epoch),
          version: epochZkVersion,
        },
      ],
    });
    if (response.code === 'NODE_EXISTS' || response.code === 'BAD_VERSION') {
      return this.checkWhetherElected(controllerId, epoch);
    }
    ensureOk(response);
    return { epoch, epochZkVersion: response.results![1]!.stat!.version };
  }

  /** @returns undefined while there is no controller. @throws ZNodeFormatError */
  async getControllerId(): Promise<number | undefined> {
    const found = await this.getDataAndStat(ControllerZNode.path);
    return found === undefined ? undefined : ControllerZNode.decode(found.data);
  }

  /** @returns undefined before the first election. @throws ZNodeFormatError */
  async getControllerEpoch(): Promise<{ epoch: number; stat: Stat } | undefined> {
    const found = await this.getDataAndStat(ControllerEpochZNode.path);
    return found === undefined ? undefined : { epoch: ControllerEpochZNode.decode(found.data), stat: found.stat };
  }

  /** Gives up `/controller`. @throws ControllerMovedError */
  async deleteController(epochZkVersion: number): Promise<void> {
    await this.request({ op: 'delete', path: ControllerZNode.path, version: matchAnyVersion }, epochZkVersion);
  }

  /** @returns undefined where there is none. @throws ZNodeFormatError */
  async getFeatureZNode(): Promise<{ state: FeatureState; version: number } | undefined> {
    const found = await this.getDataAndStat(FeatureZNode.path);
    return found === undefined ? undefined : { state: FeatureZNode.decode(found.data), version: found.stat.version };
  }

  /** @throws ZooKeeperError */
  async createFeatureZNode(state: FeatureState): Promise<void> {
    const { path } = FeatureZNode;
    ensureOk(await this.request({ op: 'create', path, data: FeatureZNode.encode(state), acl: this.defaultAcl(path) }));
  }

  /** @returns the new dataVersion: the features' epoch. @throws ZooKeeperError */
  async updateFeatureZNode(state: FeatureState): Promise<number> {
    const data = FeatureZNode.encode(state);
    const response = await this.request({ op: 'setData', path: FeatureZNode.path, data, version: matchAnyVersion });
    ensureOk(response);
    return response.stat!.version;
  }

  deleteFeatureZNode(): Promise<void> {
    return this.deletePath(FeatureZNode.path, matchAnyVersion, false);
  }

  /** Claims the next thousand producer ids for a broker, against all others. Rule of `ProducerIdManager`. */
  async claimProducerIdBlock(brokerId: number): Promise<ProducerIdBlock> {
    for (;;) {
      const { data, version } = await this.getDataAndVersion(ProducerIdBlockZNode.path);
      if (version === unknownVersion) {
        await this.makeSurePersistentPathExists(ProducerIdBlockZNode.path);
        continue;
      }
      const last = data === null || data.length === 0 ? undefined : ProducerIdBlockZNode.decode(data);
      const blockStart = last === undefined ? 0 : last.blockEnd + 1;
      const block = { brokerId, blockStart, blockEnd: blockStart + producerIdBlockSize - 1 };
      const written = ProducerIdBlockZNode.encode(block);
      const { succeeded } = await this.conditionalUpdatePath(ProducerIdBlockZNode.path, written, version);
      if (succeeded) return block;
    }
  }

  private async createControllerEpochZNode(): Promise<{ epoch: number; epochZkVersion: number }> {
    const { path } = ControllerEpochZNode;
    const data = ControllerEpochZNode.encode(initialControllerEpoch);
    const response = await this.request({ op: 'create', path, data, acl: this.defaultAcl(path) });
    if (response.code === 'OK') {
      this.log.info(`Successfully created ${path} with initial epoch ${initialControllerEpoch}`);
      return { epoch: initialControllerEpoch, epochZkVersion: initialControllerEpochZkVersion };
    }
    if (response.code !== 'NODE_EXISTS') ensureOk(response);
    const { epoch, stat } = await this.existingControllerEpoch();
    return { epoch, epochZkVersion: stat.version };
  }

  /** After a lost race, or a lost reply: our id with our epoch stands there only if our transaction went through. */
  private async checkWhetherElected(
    controllerId: number,
    epoch: number,
  ): Promise<{ epoch: number; epochZkVersion: number }> {
    const elected = await this.getControllerId();
    if (elected === undefined) {
      throw new ControllerMovedError(
        `The ephemeral node at ${ControllerZNode.path} went away while checking whether the controller election succeeds. Aborting controller startup procedure`,
      );
    }
    if (elected === controllerId) {
      const current = await this.existingControllerEpoch();
      if (current.epoch === epoch) return { epoch, epochZkVersion: current.stat.version };
    }
    throw new ControllerMovedError('Controller moved to another broker. Aborting controller startup procedure');
  }

  private async existingControllerEpoch(): Promise<{ epoch: number; stat: Stat }> {
    const current = await this.getControllerEpoch();
    if (current !== undefined) return current;
    throw new ZNodeFormatError(`${ControllerEpochZNode.path} existed before but goes away while trying to read it`);
  }
}
