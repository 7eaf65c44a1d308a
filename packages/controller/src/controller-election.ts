import { InvariantViolation } from '@klassic/common';
import type { BrokerInfo } from '@klassic/zookeeper';
import { ControllerMovedError } from '@klassic/zookeeper';
import type { AutoLeaderRebalance } from './auto-leader-rebalance.ts';
import type { ElectionEvent } from './controller-events.ts';
import type { ControllerFailover } from './controller-failover.ts';
import type { ControllerParts } from './controller-parts.ts';

const NO_CONTROLLER = -1;

/** A broker's part in the election of the controller: it stands, takes office, and resigns when another is elected. */
export class ControllerElection {
  private readonly parts: ControllerParts;
  private readonly failover: ControllerFailover;
  private readonly autoLeaderRebalance: AutoLeaderRebalance;
  private activeControllerId = NO_CONTROLLER;
  private currentBrokerInfo: BrokerInfo;
  private currentBrokerEpoch: number;

  /** @param brokerEpoch czxid of the broker's present registration */
  constructor(
    parts: ControllerParts,
    failover: ControllerFailover,
    autoLeaderRebalance: AutoLeaderRebalance,
    brokerInfo: BrokerInfo,
    brokerEpoch: number,
  ) {
    this.parts = parts;
    this.failover = failover;
    this.autoLeaderRebalance = autoLeaderRebalance;
    this.currentBrokerInfo = brokerInfo;
    this.currentBrokerEpoch = brokerEpoch;
  }

  get isActive(): boolean {
    return this.activeControllerId === this.parts.config.brokerId;
  }

  /** The czxid of this broker's registration, which changes when it registers anew after a lost session. */
  get brokerEpoch(): number {
    return this.currentBrokerEpoch;
  }

  /** What is registered from now on, after a change of listeners. */
  updateBrokerInfo(brokerInfo: BrokerInfo): void {
    this.currentBrokerInfo = brokerInfo;
  }

  /** Lays the office down without asking ZooKeeper: the session is gone, or the broker stops. */
  resign(): void {
    this.activeControllerId = NO_CONTROLLER;
    this.onControllerResignation();
  }

  async process(event: ElectionEvent): Promise<void> {
    switch (event.kind) {
      case 'Startup':
        await this.parts.watches.watchController();
        await this.elect();
        break;
      case 'ControllerChange':
        await this.maybeResign();
        break;
      case 'Reelect':
        await this.maybeResign();
        await this.elect();
        break;
      case 'RegisterBrokerAndReelect':
        this.currentBrokerEpoch = await this.parts.store.registerBroker(this.currentBrokerInfo);
        await this.maybeResign();
        await this.elect();
        break;
      case 'Expire':
        this.resign();
        break;
    }
  }

  private async elect(): Promise<void> {
    this.activeControllerId = (await this.parts.store.getControllerId()) ?? NO_CONTROLLER;
    if (this.activeControllerId !== NO_CONTROLLER) {
      this.parts.log.debug(
        `Broker ${this.activeControllerId} has been elected as the controller, so stopping the election process.`,
      );
      return;
    }
    const { config, context, store, log } = this.parts;
    const { brokerId } = config;
    try {
      const { epoch, epochZkVersion } = await store.registerControllerAndIncrementControllerEpoch(brokerId);
      context.epoch = epoch;
      context.epochZkVersion = epochZkVersion;
      this.activeControllerId = brokerId;
      log.info(
        `${brokerId} successfully elected as the controller. Epoch incremented to ${epoch} ` +
          `and epoch zk version is now ${epochZkVersion}`,
      );
      await this.failover.onControllerFailover();
      this.autoLeaderRebalance.start();
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof ControllerMovedError) await this.lostElection();
      else {
        log.error(
          `Error while electing or becoming controller on broker ${brokerId}. Trigger controller movement immediately`,
          error,
        );
        await this.triggerControllerMove();
      }
    }
  }

  private async lostElection(): Promise<void> {
    await this.maybeResign();
    if (this.activeControllerId === NO_CONTROLLER) {
      this.parts.log.warn(
        'A controller has been elected but just resigned, this will result in another round of election',
      );
    } else {
      this.parts.log.debug(
        `Broker ${this.activeControllerId} was elected as controller instead of broker ${this.parts.config.brokerId}`,
      );
    }
  }

  /** Gives `/controller` up, so that all brokers, this one too, are elected anew. */
  private async triggerControllerMove(): Promise<void> {
    this.activeControllerId = (await this.parts.store.getControllerId()) ?? NO_CONTROLLER;
    if (!this.isActive) {
      this.parts.log.warn('Controller has already moved when trying to trigger controller movement');
      return;
    }
    const { epochZkVersion } = this.parts.context;
    this.activeControllerId = NO_CONTROLLER;
    this.onControllerResignation();
    try {
      await this.parts.store.deleteController(epochZkVersion);
    } catch (error) {
      if (!(error instanceof ControllerMovedError)) throw error;
      this.parts.log.warn('Controller has already moved when trying to trigger controller movement');
    }
  }

  /** Reads who the controller is, and resigns if it is no longer this broker. */
  async maybeResign(): Promise<void> {
    const wasActive = this.isActive;
    await this.parts.watches.watchController();
    this.activeControllerId = (await this.parts.store.getControllerId()) ?? NO_CONTROLLER;
    if (wasActive && !this.isActive) this.onControllerResignation();
  }

  private onControllerResignation(): void {
    const { watches, partitionStateMachine, replicaStateMachine, channelManager, context } = this.parts;
    this.parts.log.debug('Resigning');
    watches.unwatchCluster();
    this.autoLeaderRebalance.stop();
    partitionStateMachine.shutdown();
    replicaStateMachine.shutdown();
    channelManager.shutdown();
    context.resetContext();
    this.parts.log.info('Resigned');
  }
}
