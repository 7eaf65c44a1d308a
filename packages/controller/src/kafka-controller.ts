import type { Logger, TopicPartition } from '@klassic/common';
import { InvariantViolation, prefixed } from '@klassic/common';
import { errorByCode, Errors, KafkaError } from '@klassic/protocol';
import type { BrokerInfo } from '@klassic/zookeeper';
import { ControllerMovedError } from '@klassic/zookeeper';
import { AutoLeaderRebalance } from './auto-leader-rebalance.ts';
import { BrokerChanges } from './broker-changes.ts';
import { ControlledShutdowns } from './controlled-shutdowns.ts';
import type { BrokerQueueMetrics } from './controller-channel-manager.ts';
import { ControllerContext } from './controller-context.ts';
import { ControllerElection } from './controller-election.ts';
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

const SESSION_HANDLER = 'controller-state-change-handler';

/**
 * One broker's part in the election of the controller, and the controller itself while it is elected: it watches the
 * cluster through ZooKeeper, decides, writes its decisions there and tells the brokers (`kafka.controller.KafkaController`).
 */
export class KafkaController {
  readonly controllerContext = new ControllerContext();
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
  private readonly autoLeaderRebalance: AutoLeaderRebalance;
  private readonly election: ControllerElection;

  constructor(options: KafkaControllerOptions) {
    this.store = options.zkClient;
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
    this.autoLeaderRebalance = new AutoLeaderRebalance(this.parts, this.leaderElections, options.time);
    const failover = new ControllerFailover(this.parts, this.reassignments, this.leaderElections);
    const { brokerInfo, brokerEpoch } = options;
    this.election = new ControllerElection(this.parts, failover, this.autoLeaderRebalance, brokerInfo, brokerEpoch);
  }

  get isActive(): boolean {
    return this.election.isActive;
  }

  /** The controller's epoch; 0 when this broker is not the controller. */
  get epoch(): number {
    return this.controllerContext.epoch;
  }

  /** The czxid of this broker's registration, which changes when it registers anew after a lost session. */
  get brokerEpoch(): number {
    return this.election.brokerEpoch;
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

  /** The queues of requests to brokers, by broker id; none where this broker is not the controller. */
  get brokerQueues(): ReadonlyMap<number, BrokerQueueMetrics> {
    return this.parts.channelManager.queues;
  }

  /** Ends a period of all histograms. */
  rotateHistograms(): void {
    this.stats.rotate();
    for (const { queueTimeMs } of this.brokerQueues.values()) queueTimeMs.rotate();
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
    this.election.resign();
  }

  /** What is registered from now on, after a change of listeners. */
  updateBrokerInfo(brokerInfo: BrokerInfo): void {
    this.election.updateBrokerInfo(brokerInfo);
  }

  /**
   * Waits until the brokers have answered this controller's requests, at the longest `limitMs` milliseconds. Before `shutdown`,
   * which gives up what is queued, so that they are told of the leaders that its own leaving has moved.
   */
  whenRequestsAnswered(limitMs: number): Promise<void> {
    return this.parts.channelManager.whenIdle(limitMs);
  }

  /**
   * Moves the leadership of a broker that is about to stop to others.
   *
   * @returns the partitions that it still leads
   * @throws KafkaError STALE_CONTROLLER_EPOCH (not the controller), STALE_BROKER_EPOCH or BROKER_NOT_AVAILABLE
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
      if (isElectionEvent(event)) await this.election.process(event);
      else if (this.isActive) await this.processAsController(event);
      else preemptEvent(event);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof ControllerMovedError) {
        preemptEvent(event);
        this.log.info(`Controller moved to another broker when processing ${event.kind}.`);
        await this.election.maybeResign();
      } else {
        rejectReply(event, error);
        if (!(error instanceof KafkaError)) this.log.error(`Error processing event ${event.kind}`, error);
      }
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
            .error(
              `Received error ${errorByCode(event.errorCode).name} in UpdateMetadata response from broker ${event.brokerId}`,
            );
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
        return this.autoLeaderRebalance.process();
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
}
