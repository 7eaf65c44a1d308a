import type { Logger, LoggerFactory, TopicPartition } from '@klassic/common';
import { invariant } from '@klassic/common';
import type { BrokerInfo, LeaderIsrAndControllerEpoch, ReplicaAssignment, SecurityProtocol } from '@klassic/zookeeper';
import { epochDuringDelete } from '@klassic/zookeeper';
import type { LeaderAndIsrPartition, StopReplicaPartition, UpdateMetadataPartition } from './control-requests.ts';
import type { ControllerChannelManager } from './controller-channel-manager.ts';
import { brokerNode } from './controller-channel-manager.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { ControllerContext } from './controller-context.ts';
import { keyOf } from './controller-context.ts';
import type { ControllerEvent } from './controller-events.ts';
import { duringDelete, noEpoch } from './leader-and-isr.ts';
import { queueItem } from './request-send-thread.ts';
import type { StateChangeLogger } from './state-change-logger.ts';

/** The versions that brokers of inter.broker.protocol.version 2.6 exchange. */
const LEADER_AND_ISR_VERSION = 4;
const UPDATE_METADATA_VERSION = 6;
const STOP_REPLICA_VERSION = 3;

const securityProtocolIds: Readonly<Record<SecurityProtocol, number>> = {
  PLAINTEXT: 0,
  SSL: 1,
  SASL_PLAINTEXT: 2,
  SASL_SSL: 3,
};

interface Entry<T> {
  readonly partition: TopicPartition;
  readonly state: T;
}
/** What a request tells, by partition key. */
type Entries<T> = Map<string, Entry<T>>;

/**
 * Gathers what brokers are to be told within one state change, and sends each broker one request of each kind: first
 * LeaderAndIsr, then UpdateMetadata, then StopReplica (`kafka.controller.ControllerBrokerRequestBatch`).
 */
export class ControllerBrokerRequestBatch {
  private readonly config: ControllerConfig;
  private readonly channelManager: ControllerChannelManager;
  private readonly context: ControllerContext;
  private readonly putEvent: (event: ControllerEvent) => void;
  private readonly stateChangeLogger: StateChangeLogger;
  private readonly log: Logger;
  private readonly leaderAndIsr = new Map<number, Entries<LeaderAndIsrPartition>>();
  private readonly stopReplica = new Map<number, Entries<StopReplicaPartition>>();
  private readonly updateMetadataBrokers = new Set<number>();
  private readonly updateMetadata: Entries<UpdateMetadataPartition> = new Map();

  constructor(
    config: ControllerConfig,
    channelManager: ControllerChannelManager,
    context: ControllerContext,
    putEvent: (event: ControllerEvent) => void,
    stateChangeLogger: StateChangeLogger,
    loggers: LoggerFactory,
  ) {
    this.config = config;
    this.channelManager = channelManager;
    this.context = context;
    this.putEvent = putEvent;
    this.stateChangeLogger = stateChangeLogger;
    this.log = loggers('kafka.controller.ControllerBrokerRequestBatch');
  }

  /** Begins a batch; the one before must have been sent or cleared. */
  newBatch(): void {
    invariant(
      this.leaderAndIsr.size === 0 && this.stopReplica.size === 0 && this.updateMetadataBrokers.size === 0,
      'the controller to broker state change requests batch is not empty while creating a new one',
    );
  }

  clear(): void {
    this.leaderAndIsr.clear();
    this.stopReplica.clear();
    this.updateMetadataBrokers.clear();
    this.updateMetadata.clear();
  }

  /** The brokers get LeaderAndIsr for the partition, and every live broker UpdateMetadata. */
  addLeaderAndIsrRequestForBrokers(
    brokerIds: readonly number[],
    partition: TopicPartition,
    { leaderAndIsr, controllerEpoch }: LeaderIsrAndControllerEpoch,
    assignment: ReplicaAssignment,
    isNew: boolean,
  ): void {
    const key = keyOf(partition);
    for (const brokerId of brokerIds) {
      if (brokerId < 0) continue;
      const entries = entriesOf(this.leaderAndIsr, brokerId);
      const alreadyNew = entries.get(key)?.state.isNew === true;
      const state: LeaderAndIsrPartition = {
        partitionIndex: partition.partition,
        controllerEpoch,
        leader: leaderAndIsr.leader,
        leaderEpoch: leaderAndIsr.leaderEpoch,
        isr: [...leaderAndIsr.isr],
        zkVersion: leaderAndIsr.zkVersion,
        replicas: [...assignment.replicas],
        addingReplicas: [...assignment.addingReplicas],
        removingReplicas: [...assignment.removingReplicas],
        isNew: isNew || alreadyNew,
      };
      entries.set(key, { partition, state });
    }
    this.addUpdateMetadataRequestForBrokers(this.context.liveOrShuttingDownBrokerIds, [partition]);
  }

  addStopReplicaRequestForBrokers(
    brokerIds: readonly number[],
    partition: TopicPartition,
    deletePartition: boolean,
  ): void {
    const known = this.context.partitionLeadershipInfo(partition)?.leaderAndIsr.leaderEpoch ?? noEpoch;
    const leaderEpoch = this.context.isTopicQueuedUpForDeletion(partition.topic) ? epochDuringDelete : known;
    const key = keyOf(partition);
    for (const brokerId of brokerIds) {
      if (brokerId < 0) continue;
      const entries = entriesOf(this.stopReplica, brokerId);
      const alreadyDelete = entries.get(key)?.state.deletePartition === true;
      const state = {
        partitionIndex: partition.partition,
        leaderEpoch,
        deletePartition: deletePartition || alreadyDelete,
      };
      entries.set(key, { partition, state });
    }
  }

  /** The brokers get UpdateMetadata with the live brokers and the given partitions as they are now. */
  addUpdateMetadataRequestForBrokers(brokerIds: readonly number[], partitions: readonly TopicPartition[]): void {
    for (const brokerId of brokerIds) if (brokerId >= 0) this.updateMetadataBrokers.add(brokerId);
    for (const partition of partitions) {
      const state = this.updateMetadataState(partition);
      if (state === undefined) {
        this.log.info(`Leader not yet assigned for partition ${keyOf(partition)}. Skip sending UpdateMetadataRequest.`);
      } else {
        this.updateMetadata.set(keyOf(partition), { partition, state });
      }
    }
  }

  sendRequestsToBrokers(controllerEpoch: number): void {
    const log = this.stateChangeLogger.withControllerEpoch(controllerEpoch);
    this.sendLeaderAndIsrRequests(controllerEpoch, log);
    this.sendUpdateMetadataRequests(controllerEpoch, log);
    this.sendStopReplicaRequests(controllerEpoch, log);
  }

  private updateMetadataState(partition: TopicPartition): UpdateMetadataPartition | undefined {
    const info = this.context.partitionLeadershipInfo(partition);
    if (info === undefined) return undefined;
    const beingDeleted = this.context.isTopicQueuedUpForDeletion(partition.topic);
    const told = beingDeleted ? duringDelete(info.leaderAndIsr.isr) : info.leaderAndIsr;
    const replicas = this.context.partitionReplicaAssignment(partition);
    return {
      partitionIndex: partition.partition,
      controllerEpoch: info.controllerEpoch,
      leader: told.leader,
      leaderEpoch: told.leaderEpoch,
      isr: [...told.isr],
      zkVersion: told.zkVersion,
      replicas: [...replicas],
      offlineReplicas: replicas.filter((id) => !this.context.isReplicaOnline(id, partition)),
    };
  }

  private sendLeaderAndIsrRequests(controllerEpoch: number, log: Logger): void {
    for (const [brokerId, entries] of this.leaderAndIsr) {
      const brokerEpoch = this.context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      let becomeLeaders = 0;
      const leaderIds = new Set<number>();
      for (const { partition, state } of entries.values()) {
        leaderIds.add(state.leader);
        const leads = state.leader === brokerId;
        if (leads) becomeLeaders += 1;
        if (log.isEnabled('TRACE')) {
          log.trace(
            `Sending ${leads ? 'become-leader' : 'become-follower'} LeaderAndIsr request ` +
              `${leaderAndIsrPartitionText(partition.topic, state)} to broker ${brokerId} for partition ${keyOf(partition)}`,
          );
        }
      }
      log.info(
        `Sending LeaderAndIsr request to broker ${brokerId} with ${becomeLeaders} become-leader ` +
          `and ${entries.size - becomeLeaders} become-follower partitions`,
      );
      const liveLeaders = this.context.liveOrShuttingDownBrokers
        .filter(({ id }) => leaderIds.has(id))
        .map((broker) => this.leaderAddress(broker));
      const controllerId = this.config.brokerId;
      const body = { controllerId, controllerEpoch, brokerEpoch, topicStates: byTopic(entries), liveLeaders };
      this.channelManager.sendRequest(
        brokerId,
        queueItem('LeaderAndIsr', LEADER_AND_ISR_VERSION, body, (response) =>
          this.putEvent({ kind: 'LeaderAndIsrResponseReceived', brokerId, response }),
        ),
      );
    }
    this.leaderAndIsr.clear();
  }

  private leaderAddress(broker: BrokerInfo): { brokerId: number; hostName: string; port: number } {
    const node = brokerNode(broker, this.config.interBrokerListenerName);
    return { brokerId: broker.id, hostName: node?.host ?? '', port: node?.port ?? -1 };
  }

  private sendUpdateMetadataRequests(controllerEpoch: number, log: Logger): void {
    const receivers = [...this.updateMetadataBrokers].sort((a, b) => a - b);
    log.info(
      `Sending UpdateMetadata request to brokers HashSet(${receivers.join(', ')}) for ${this.updateMetadata.size} partitions`,
    );
    const topicStates = byTopic(this.updateMetadata);
    const liveBrokers = this.context.liveOrShuttingDownBrokers.map(({ id, endPoints, rack }) => ({
      id,
      endpoints: endPoints.map(({ host, port, listenerName, securityProtocol }) => ({
        port,
        host,
        listener: listenerName,
        securityProtocol: securityProtocolIds[securityProtocol],
      })),
      rack,
    }));
    for (const brokerId of receivers) {
      const brokerEpoch = this.context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      const body = { controllerId: this.config.brokerId, controllerEpoch, brokerEpoch, topicStates, liveBrokers };
      this.channelManager.sendRequest(
        brokerId,
        queueItem('UpdateMetadata', UPDATE_METADATA_VERSION, body, ({ errorCode }) =>
          this.putEvent({ kind: 'UpdateMetadataResponseReceived', brokerId, errorCode }),
        ),
      );
    }
    this.updateMetadataBrokers.clear();
    this.updateMetadata.clear();
  }

  private sendStopReplicaRequests(controllerEpoch: number, log: Logger): void {
    for (const [brokerId, entries] of this.stopReplica) {
      const brokerEpoch = this.context.brokerEpoch(brokerId);
      if (brokerEpoch === undefined) continue;
      if (log.isEnabled('TRACE')) {
        for (const { partition, state } of entries.values()) {
          log.trace(
            `Sending StopReplica request StopReplicaPartitionState(partitionIndex=${state.partitionIndex}, ` +
              `leaderEpoch=${state.leaderEpoch}, deletePartition=${state.deletePartition}) to broker ${brokerId} ` +
              `for partition ${keyOf(partition)}`,
          );
        }
      }
      log.info(`Sending StopReplica request for ${entries.size} replicas to broker ${brokerId}`);
      const body = { controllerId: this.config.brokerId, controllerEpoch, brokerEpoch, topicStates: byTopic(entries) };
      this.channelManager.sendRequest(
        brokerId,
        queueItem('StopReplica', STOP_REPLICA_VERSION, body, (response) => {
          const partitionErrors = response.partitionErrors
            .map(({ topicName, partitionIndex, errorCode }) => ({
              partition: { topic: topicName, partition: partitionIndex },
              errorCode,
            }))
            .filter(
              ({ partition }) =>
                this.context.isTopicDeletionInProgress(partition.topic) &&
                entries.get(keyOf(partition))?.state.deletePartition === true,
            );
          if (partitionErrors.length === 0) return;
          const { errorCode } = response;
          this.putEvent({ kind: 'TopicDeletionStopReplicaResponseReceived', brokerId, errorCode, partitionErrors });
        }),
      );
    }
    this.stopReplica.clear();
  }
}

function entriesOf<T>(map: Map<number, Entries<T>>, brokerId: number): Entries<T> {
  let entries = map.get(brokerId);
  if (entries === undefined) {
    entries = new Map<string, Entry<T>>();
    map.set(brokerId, entries);
  }
  return entries;
}

function byTopic<T>(entries: Entries<T>): { topicName: string; partitionStates: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const { partition, state } of entries.values()) {
    const states = topics.get(partition.topic);
    if (states === undefined) topics.set(partition.topic, [state]);
    else states.push(state);
  }
  return [...topics].map(([topicName, partitionStates]) => ({ topicName, partitionStates }));
}

function leaderAndIsrPartitionText(topic: string, state: LeaderAndIsrPartition): string {
  return (
    `LeaderAndIsrPartitionState(topicName='${topic}', partitionIndex=${state.partitionIndex}, ` +
    `controllerEpoch=${state.controllerEpoch}, leader=${state.leader}, leaderEpoch=${state.leaderEpoch}, ` +
    `isr=[${state.isr.join(', ')}], zkVersion=${state.zkVersion}, replicas=[${state.replicas.join(', ')}], ` +
    `addingReplicas=[${state.addingReplicas.join(', ')}], removingReplicas=[${state.removingReplicas.join(', ')}], ` +
    `isNew=${state.isNew})`
  );
}
