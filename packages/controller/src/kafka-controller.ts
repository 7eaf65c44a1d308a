import type { Cancel, Logger, TopicPartition } from '@klassic/common';
import { InvariantViolation, prefixed } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { BrokerInfo } from '@klassic/zookeeper';
import { ControllerMovedError } from '@klassic/zookeeper';
import { BrokerChanges } from './broker-changes.ts';
import { ControlledShutdowns } from './controlled-shutdowns.ts';
import type { ControllerConfig } from './controller-config.ts';
import { ControllerContext } from './controller-context.ts';
import { ControllerEventManager } from './controller-event-manager.ts';
import type {
  ControllerEvent,
  ElectionEvent,
  ElectionResults,
  ElectionType,
  PartitionError,
  Reply,
} from './controller-events.ts';
import { isElectionEvent, preemptEvent, rejectReply } from './controller-events.ts';
import { ControllerFailover } from './controller-failover.ts';
import { controllerGauges } from './controller-gauges.ts';
import type { ControllerParts, KafkaControllerOptions } from './controller-parts.ts';
import { assembleParts } from './controller-parts.ts';
import { controllerStateView } from './controller-state.ts';
import type { ControllerStateView } from './controller-state.ts';
import type { ControllerStats } from './controller-stats.ts';
import type { ControllerStore } from './controller-store.ts';
import { IsrChangeNotifications } from './isr-change-notifications.ts';
import { LeaderElections } from './leader-elections.ts';
import type { ReassignmentRequest } from './partition-reassignments.ts';
import { PartitionReassignments } from './partition-reassignments.ts';
import { TopicChanges } from './topic-changes.ts';

/** The first check of the leader balance comes this long after election, in milliseconds. */
const FIRST_REBALANCE_CHECK_MS = 5000;
const NO_CONTROLLER = -1;
const SESSION_HANDLER = 'controller-state-change-handler';

/**
 * One broker's part in the election of the controller, and the controller itself while it is elected: it watches the
 * cluster through ZooKeeper, decides, writes its decisions there and tells the brokers (`kafka.controller.KafkaController`).
 */
export class KafkaController {
  readonly controllerContext = new ControllerContext();
  private readonly options: KafkaControllerOptions;
  private readonly config: ControllerConfig;
  private readonly store: ControllerStore;
  private readonly log: Logger;
  private readonly eventManager: ControllerEventManager;
  private readonly parts: ControllerParts;
  private readonly brokerChanges: BrokerChanges;
  private readonly topicChanges: TopicChanges;
  private readonly leaderElections: LeaderElections;
  private readonly reassignments: PartitionReassignments;
  private readonly controlledShutdowns: ControlledShutdowns;
  private readonly isrChanges: IsrChangeNotifications;
  private readonly failover: ControllerFailover;
  private activeControllerId = NO_CONTROLLER;
  private currentBrokerInfo: BrokerInfo;
  private currentBrokerEpoch: number;
  private cancelRebalance: Cancel | undefined;

  constructor(options: KafkaControllerOptions) {
    this.options = options;
    this.config = options.config;
    this.store = options.zkClient;
    this.currentBrokerInfo = options.brokerInfo;
    this.currentBrokerEpoch = options.brokerEpoch;
    this.log = prefixed(
      options.loggers('kafka.controller.KafkaController'),
      `[Controller id=${options.config.brokerId}] `,
    );
    this.eventManager = new ControllerEventManager(
      options.config.brokerId,
      { process: (event) => this.process(event), preempt: preemptEvent },
      options.time,
      options.loggers,
    );
    this.parts = assembleParts(options, this.controllerContext, (event) => this.putEvent(event), this.log);
    this.reassignments = new PartitionReassignments(this.parts);
    this.brokerChanges = new BrokerChanges(this.parts, this.reassignments);
    this.topicChanges = new TopicChanges(this.parts);
    this.leaderElections = new LeaderElections(this.parts);
    this.controlledShutdowns = new ControlledShutdowns(this.parts);
    this.isrChanges = new IsrChangeNotifications(this.parts, this.reassignments);
    this.failover = new ControllerFailover(this.parts, this.reassignments, this.leaderElections);
  }

  get isActive(): boolean {
    return this.activeControllerId === this.config.brokerId;
  }

  /** The controller's epoch; 0 when this broker is not the controller. */
  get epoch(): number {
    return this.controllerContext.epoch;
  }

  /** The czxid of this broker's registration, which changes when it registers anew after a lost session. */
  get brokerEpoch(): number {
    return this.currentBrokerEpoch;
  }

  /** The event under way, `Idle` when there is none. */
  get state(): ControllerEvent['kind'] | 'Idle' {
    return this.eventManager.state;
  }

  /** The gauges of `kafka.controller:type=KafkaController`; 0 where this broker is not the controller. */
  get metrics(): Readonly<Record<string, number>> {
    return {
      ...controllerGauges(this.controllerContext, this.isActive),
      EventQueueSize: this.eventManager.size,
      TotalQueueSize: this.parts.channelManager.totalQueueSize,
    };
  }

  /** How long events waited and took. */
  get stats(): ControllerStats {
    return this.eventManager.stats;
  }

  /** The context and the event queue as plain data; undefined where this broker is not the controller. */
  get stateView():
    (ControllerStateView & { readonly event: string; readonly eventQueue: readonly string[] }) | undefined {
    if (!this.isActive) return undefined;
    const { state, queued } = this.eventManager;
    return { event: state, eventQueue: queued, ...controllerStateView(this.controllerContext) };
  }

  /** Joins the election and follows the session: each new one means to register the broker and be elected anew. */
  startup(): void {
    this.store.registerStateChangeHandler({
      name: SESSION_HANDLER,
      beforeInitializingSession: () => this.eventManager.clearAndPut({ kind: 'Expire' }),
      afterInitializingSession: () => {
        this.putEvent({ kind: 'RegisterBrokerAndReelect' });
      },
    });
    this.putEvent({ kind: 'Startup' });
    this.eventManager.start();
  }

  /** Ends the event under way, drops the others and resigns. `/controller` goes with the session. */
  async shutdown(): Promise<void> {
    this.store.unregisterStateChangeHandler(SESSION_HANDLER);
    await this.eventManager.close();
    this.onControllerResignation();
    this.activeControllerId = NO_CONTROLLER;
  }

  /** What is registered from now on, after a change of listeners. */
  updateBrokerInfo(brokerInfo: BrokerInfo): void {
    this.currentBrokerInfo = brokerInfo;
  }

  /**
   * Moves the leadership of a broker that is about to stop to others.
   *
   * @returns the partitions that it still leads
   * @throws KafkaError NOT_CONTROLLER, STALE_BROKER_EPOCH or BROKER_NOT_AVAILABLE
   */
  controlledShutdown(brokerId: number, brokerEpoch: number): Promise<TopicPartition[]> {
    return this.ask((reply) => ({ kind: 'ControlledShutdown', brokerId, brokerEpoch, reply }));
  }

  /**
   * Elects leaders for the partitions by request (KIP-460).
   *
   * @returns per partition key its new leader, or the error and message of its answer
   * @throws KafkaError NOT_CONTROLLER
   */
  electLeaders(partitions: readonly TopicPartition[], electionType: ElectionType): Promise<ElectionResults> {
    const trigger = 'AdminClientTriggered';
    return this.ask((reply) => ({ kind: 'ReplicaLeaderElection', partitions, electionType, trigger, reply }));
  }

  /**
   * Begins or cancels reassignments (KIP-455).
   *
   * @returns NONE, or the error and message of the answer, in the order of the request
   * @throws KafkaError NOT_CONTROLLER
   */
  alterPartitionReassignments(reassignments: readonly ReassignmentRequest[]): Promise<PartitionError[]> {
    return this.ask((reply) => ({ kind: 'ApiPartitionReassignment', reassignments, reply }));
  }

  /**
   * The partitions under reassignment, among those given or all; `controllerContext` has their assignments.
   *
   * @throws KafkaError NOT_CONTROLLER
   */
  listPartitionReassignments(partitions: readonly TopicPartition[] | null): Promise<TopicPartition[]> {
    return this.ask((reply) => ({ kind: 'ListPartitionReassignments', partitions, reply }));
  }

  /** `unclean.leader.election.enable` has been switched on for all topics. */
  enableDefaultUncleanLeaderElection(): void {
    this.putEvent({ kind: 'UncleanLeaderElectionEnable' });
  }

  /** `unclean.leader.election.enable` has been switched on for a topic. */
  enableTopicUncleanLeaderElection(topic: string): void {
    if (this.isActive) this.putEvent({ kind: 'TopicUncleanLeaderElectionEnable', topic });
  }

  private putEvent(event: ControllerEvent): void {
    void this.eventManager.put(event);
  }

  private ask<T>(event: (reply: Reply<T>) => ControllerEvent): Promise<T> {
    return new Promise((resolve, reject) => {
      this.putEvent(event({ resolve, reject }));
    });
  }

  private async process(event: ControllerEvent): Promise<void> {
    try {
      if (isElectionEvent(event)) await this.processElectionEvent(event);
      else if (this.isActive) await this.processAsController(event);
      else preemptEvent(event);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof ControllerMovedError) {
        preemptEvent(event);
        this.log.info(`Controller moved to another broker when processing ${event.kind}.`);
        await this.maybeResign();
      } else {
        rejectReply(event, error);
        if (!(error instanceof KafkaError)) this.log.error(`Error processing event ${event.kind}`, error);
      }
    }
  }

  private async processElectionEvent(event: ElectionEvent): Promise<void> {
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
        this.currentBrokerEpoch = await this.store.registerBroker(this.currentBrokerInfo);
        await this.maybeResign();
        await this.elect();
        break;
      case 'Expire':
        this.activeControllerId = NO_CONTROLLER;
        this.onControllerResignation();
        break;
    }
  }

  private async processAsController(event: Exclude<ControllerEvent, ElectionEvent>): Promise<void> {
    switch (event.kind) {
      case 'BrokerChange':
        return this.brokerChanges.processBrokerChange();
      case 'BrokerModifications':
        return this.brokerChanges.processBrokerModification(event.brokerId);
      case 'LogDirEventNotification':
        return this.brokerChanges.processLogDirEventNotification();
      case 'LeaderAndIsrResponseReceived':
        return this.brokerChanges.processLeaderAndIsrResponse(event.brokerId, event.response);
      case 'UpdateMetadataResponseReceived':
        if (event.errorCode !== Errors.NONE.code) {
          this.parts.stateChangeLogger
            .withControllerEpoch(this.epoch)
            .error(`Received error ${event.errorCode} in UpdateMetadata response from broker ${event.brokerId}`);
        }
        return;
      case 'TopicChange':
        return this.topicChanges.processTopicChange();
      case 'PartitionModifications':
        return this.topicChanges.processPartitionModifications(event.topic);
      case 'TopicDeletion':
        return this.topicChanges.processTopicDeletion();
      case 'TopicDeletionStopReplicaResponseReceived':
        return this.topicChanges.processStopReplicaResponse(event.brokerId, event.errorCode, event.partitionErrors);
      case 'IsrChangeNotification':
        return this.isrChanges.processIsrChangeNotification();
      case 'ReplicaLeaderElection': {
        const { partitions, electionType, trigger, reply } = event;
        const results = await this.leaderElections.processReplicaLeaderElection(partitions, electionType, trigger);
        if (results !== undefined) reply?.resolve(results);
        return;
      }
      case 'AutoPreferredReplicaLeaderElection':
        return this.processAutoPreferredReplicaLeaderElection();
      case 'UncleanLeaderElectionEnable':
        this.log.info('Unclean leader election has been enabled by default');
        return this.parts.partitionStateMachine.triggerOnlinePartitionStateChange();
      case 'TopicUncleanLeaderElectionEnable':
        this.log.info(`Unclean leader election has been enabled for topic ${event.topic}`);
        return this.parts.partitionStateMachine.triggerOnlinePartitionStateChange(event.topic);
      case 'ControlledShutdown':
        event.reply.resolve(await this.controlledShutdowns.process(event.brokerId, event.brokerEpoch));
        return;
      case 'ZkPartitionReassignment':
        await this.reassignments.processZkPartitionReassignment();
        return;
      case 'PartitionReassignmentIsrChange':
        return this.reassignments.maybeCompleteReassignment(event.partition);
      case 'ApiPartitionReassignment':
        event.reply.resolve(await this.reassignments.processApiPartitionReassignment(event.reassignments));
        return;
      case 'ListPartitionReassignments':
        event.reply.resolve(this.reassignments.list(event.partitions));
        return;
    }
  }

  private async elect(): Promise<void> {
    this.activeControllerId = (await this.store.getControllerId()) ?? NO_CONTROLLER;
    if (this.activeControllerId !== NO_CONTROLLER) {
      this.log.debug(
        `Broker ${this.activeControllerId} has been elected as the controller, so stopping the election process.`,
      );
      return;
    }
    const { brokerId } = this.config;
    try {
      const { epoch, epochZkVersion } = await this.store.registerControllerAndIncrementControllerEpoch(brokerId);
      this.controllerContext.epoch = epoch;
      this.controllerContext.epochZkVersion = epochZkVersion;
      this.activeControllerId = brokerId;
      this.log.info(
        `${brokerId} successfully elected as the controller. Epoch incremented to ${epoch} ` +
          `and epoch zk version is now ${epochZkVersion}`,
      );
      await this.failover.onControllerFailover();
      this.startAutoLeaderRebalance();
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof ControllerMovedError) await this.lostElection();
      else {
        this.log.error(
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
      this.log.warn('A controller has been elected but just resigned, this will result in another round of election');
    } else {
      this.log.debug(
        `Broker ${this.activeControllerId} was elected as controller instead of broker ${this.config.brokerId}`,
      );
    }
  }

  /** Gives `/controller` up, so that all brokers, this one too, are elected anew. */
  private async triggerControllerMove(): Promise<void> {
    this.activeControllerId = (await this.store.getControllerId()) ?? NO_CONTROLLER;
    if (!this.isActive) {
      this.log.warn('Controller has already moved when trying to trigger controller movement');
      return;
    }
    const { epochZkVersion } = this.controllerContext;
    this.activeControllerId = NO_CONTROLLER;
    this.onControllerResignation();
    try {
      await this.store.deleteController(epochZkVersion);
    } catch (error) {
      if (!(error instanceof ControllerMovedError)) throw error;
      this.log.warn('Controller has already moved when trying to trigger controller movement');
    }
  }

  private async maybeResign(): Promise<void> {
    const wasActive = this.isActive;
    await this.parts.watches.watchController();
    this.activeControllerId = (await this.store.getControllerId()) ?? NO_CONTROLLER;
    if (wasActive && !this.isActive) this.onControllerResignation();
  }

  private onControllerResignation(): void {
    const { watches, partitionStateMachine, replicaStateMachine, channelManager, context } = this.parts;
    this.log.debug('Resigning');
    watches.unwatchCluster();
    this.cancelRebalance?.();
    this.cancelRebalance = undefined;
    partitionStateMachine.shutdown();
    replicaStateMachine.shutdown();
    channelManager.shutdown();
    context.resetContext();
    this.log.info('Resigned');
  }

  private startAutoLeaderRebalance(): void {
    this.log.info('Starting the controller scheduler');
    if (this.config.autoLeaderRebalanceEnable) this.scheduleAutoLeaderRebalance(FIRST_REBALANCE_CHECK_MS);
  }

  private scheduleAutoLeaderRebalance(delayMs: number): void {
    this.cancelRebalance?.();
    this.cancelRebalance = this.options.time.schedule(delayMs, () => {
      this.putEvent({ kind: 'AutoPreferredReplicaLeaderElection' });
    });
  }

  private async processAutoPreferredReplicaLeaderElection(): Promise<void> {
    try {
      this.log.info('Processing automatic preferred replica leader election');
      await this.leaderElections.checkAndTriggerAutoLeaderRebalance();
    } finally {
      this.scheduleAutoLeaderRebalance(this.config.leaderImbalanceCheckIntervalSeconds * 1000);
    }
  }
}
