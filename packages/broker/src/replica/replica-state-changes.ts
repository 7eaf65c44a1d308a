import type { Logger, LoggerFactory, Time, TopicPartition } from '@klassic/common';
import { prefixed, topicPartitionKey } from '@klassic/common';
import { KafkaStorageError } from '@klassic/log';
import type { LogManager } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { InitialFetchState } from './fetch-state.ts';
import type { HighWatermarkCheckpoints, OffsetCheckpoints } from './high-watermark-checkpoints.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { describePartitionState, partitionStatesOf, stopReplicaStatesOf } from './controller-requests.ts';
import type { TopicPartitionState } from './controller-requests.ts';
import { Partition } from './partition.ts';
import type { PartitionContext } from './partition.ts';
import type { ReplicaFetcherManager } from './replica-fetcher-manager.ts';

/** Leader epochs by which StopReplica asks whatever the epoch here: deletion, and controllers that do not tell it. */
const epochDuringDelete = -2;
const noEpoch = -1;

/** Called after LeaderAndIsr with the partitions this broker has begun to lead, or to follow. */
export type OnLeadershipChange = (leaders: Partition[], followers: Partition[]) => void;

/** What the controller's requests are carried out with. */
export interface ReplicaStateChangesOptions {
  readonly brokerId: number;
  readonly interBrokerListenerName: string;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  readonly partitions: HostedPartitions;
  readonly partitionContext: PartitionContext;
  readonly metadataCache: MetadataCache;
  readonly logManager: LogManager;
  readonly fetcherManager: ReplicaFetcherManager;
  readonly checkpoints: HighWatermarkCheckpoints;
  /** Looks again at what waits for a partition. */
  readonly completeDelayedRequests: (key: string) => void;
  /** Called after the first LeaderAndIsr, when the high watermarks of this life are known. */
  readonly startHighWatermarkCheckpoints: () => void;
  readonly isShuttingDown: () => boolean;
}

/** What one LeaderAndIsr request is carried out with. */
interface Transition {
  readonly sentBy: string;
  readonly correlationId: number;
  readonly checkpoints: OffsetCheckpoints;
  readonly errors: Map<string, ErrorEntry>;
}

type Transitions = Map<Partition, TopicPartitionState>;

/**
 * Carries out the controller's three requests: LeaderAndIsr, StopReplica, UpdateMetadata. A request of an older
 * controller epoch is refused whole, a partition's of an older or the same leader epoch by itself, so that a request
 * that comes twice changes nothing. Part of the reference's `ReplicaManager`.
 */
export class ReplicaStateChanges {
  private readonly options: ReplicaStateChangesOptions;
  private readonly logger: Logger;
  private controllerEpoch = 0;

  constructor(options: ReplicaStateChangesOptions) {
    this.options = options;
    this.logger = prefixed(options.loggers('state.change.logger'), `[Broker id=${options.brokerId}] `);
  }

  /** The greatest controller epoch seen. */
  get latestControllerEpoch(): number {
    return this.controllerEpoch;
  }

  /** @throws KafkaError STALE_CONTROLLER_EPOCH */
  maybeUpdateMetadataCache(correlationId: number, request: RequestOf<'UpdateMetadata'>): TopicPartition[] {
    if (request.controllerEpoch < this.controllerEpoch) {
      const message =
        `Received update metadata request with correlation id ${correlationId} from an old controller ` +
        `${request.controllerId} with epoch ${request.controllerEpoch}. Latest known controller epoch is ${this.controllerEpoch}`;
      this.logger.warn(message);
      throw new KafkaError(Errors.STALE_CONTROLLER_EPOCH, message);
    }
    const deleted = this.options.metadataCache.updateMetadata(correlationId, request);
    this.controllerEpoch = request.controllerEpoch;
    return deleted;
  }

  becomeLeaderOrFollower(
    correlationId: number,
    request: RequestOf<'LeaderAndIsr'>,
    onLeadershipChange: OnLeadershipChange,
  ): ResponseInit<'LeaderAndIsr'> {
    const startMs = this.options.time.milliseconds();
    const { controllerId, controllerEpoch } = request;
    const states = partitionStatesOf(request);
    const from = `correlationId ${correlationId} from controller ${controllerId} for ${states.length} partitions`;
    this.logger.info(`Handling LeaderAndIsr request ${from}`);
    for (const state of this.logger.isEnabled('TRACE') ? states : []) {
      this.logger.trace(
        `Received LeaderAndIsr request ${describePartitionState(state)} correlation id ${correlationId} ` +
          `from controller ${controllerId} epoch ${controllerEpoch}`,
      );
    }
    const response = this.isStale('LeaderAndIsr', controllerId, controllerEpoch, correlationId)
      ? {
          errorCode: Errors.STALE_CONTROLLER_EPOCH.code,
          partitionErrors: partitionErrors(states, () => Errors.STALE_CONTROLLER_EPOCH),
        }
      : this.changeLeadership(correlationId, request, states, onLeadershipChange);
    const elapsedMs = this.options.time.milliseconds() - startMs;
    this.logger.info(`Finished LeaderAndIsr request in ${elapsedMs}ms ${from}`);
    return response;
  }

  stopReplicas(correlationId: number, request: RequestOf<'StopReplica'>): ResponseInit<'StopReplica'> {
    const { controllerId, controllerEpoch } = request;
    const states = stopReplicaStatesOf(request);
    this.logger.info(
      `Handling StopReplica request correlationId ${correlationId} from controller ${controllerId} for ` +
        `${states.length} partitions`,
    );
    for (const state of this.logger.isEnabled('TRACE') ? states : []) {
      const { topicName, partitionIndex, leaderEpoch, deletePartition } = state;
      this.logger.trace(
        `Received StopReplica request StopReplicaPartitionState(partitionIndex=${partitionIndex}, ` +
          `leaderEpoch=${leaderEpoch}, deletePartition=${deletePartition}) correlation id ${correlationId} from ` +
          `controller ${controllerId} epoch ${controllerEpoch} for partition ${topicPartitionKey(topicName, partitionIndex)}`,
      );
    }
    if (this.isStale('StopReplica', controllerId, controllerEpoch, correlationId)) {
      return { errorCode: Errors.STALE_CONTROLLER_EPOCH.code, partitionErrors: [] };
    }
    this.controllerEpoch = controllerEpoch;
    const stopped: { key: string; topicPartition: TopicPartition; deletePartition: boolean }[] = [];
    const errors = new Map<string, ErrorEntry>();
    for (const state of states) {
      const topicPartition = { topic: state.topicName, partition: state.partitionIndex };
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      const ignoring =
        `Ignoring StopReplica request (delete=${state.deletePartition}) from controller ${controllerId} with ` +
        `correlation id ${correlationId} epoch ${controllerEpoch} for partition ${key}`;
      const error = this.checkStop(key, state.leaderEpoch, ignoring);
      errors.set(key, error);
      if (error === Errors.NONE) stopped.push({ key, topicPartition, deletePartition: state.deletePartition });
    }
    this.options.fetcherManager.removeFetcherForPartitions(stopped.map(({ key }) => key));
    for (const { key, topicPartition, deletePartition } of stopped) {
      if (deletePartition) this.deletePartition(key, topicPartition, errors);
      this.options.completeDelayedRequests(key);
    }
    return {
      errorCode: Errors.NONE.code,
      partitionErrors: partitionErrors(states, (key) => errors.get(key) ?? Errors.NONE),
    };
  }

  private isStale(request: string, controllerId: number, controllerEpoch: number, correlationId: number): boolean {
    if (controllerEpoch >= this.controllerEpoch) return false;
    this.logger.warn(
      `Ignoring ${request} request from controller ${controllerId} with correlation id ${correlationId} since its ` +
        `controller epoch ${controllerEpoch} is old. Latest known controller epoch is ${this.controllerEpoch}`,
    );
    return true;
  }

  private checkStop(key: string, requestEpoch: number, ignoring: string): ErrorEntry {
    const partition = this.options.partitions.get(key);
    if (partition === 'offline') {
      this.logger.warn(`${ignoring} as the local replica for the partition is in an offline log directory`);
      return Errors.KAFKA_STORAGE_ERROR;
    }
    if (partition === undefined || requestEpoch === epochDuringDelete || requestEpoch === noEpoch) return Errors.NONE;
    const { leaderEpoch } = partition;
    if (requestEpoch > leaderEpoch) return Errors.NONE;
    const since = `since its associated leader epoch ${requestEpoch}`;
    if (requestEpoch < leaderEpoch) {
      this.logger.warn(`${ignoring} ${since} is smaller than the current leader epoch ${leaderEpoch}`);
    } else {
      this.logger.info(`${ignoring} ${since} matches the current leader epoch`);
    }
    return Errors.FENCED_LEADER_EPOCH;
  }

  private deletePartition(key: string, topicPartition: TopicPartition, errors: Map<string, ErrorEntry>): void {
    const partition = this.options.partitions.getOnline(key);
    if (partition !== undefined) {
      this.options.partitions.remove(key);
      partition.delete();
    }
    try {
      this.options.logManager.asyncDelete(topicPartition);
    } catch (error) {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.logger.error(`The log of partition ${key} is in an offline log directory and is not deleted`, error);
      errors.set(key, Errors.KAFKA_STORAGE_ERROR);
    }
  }

  private changeLeadership(
    correlationId: number,
    { controllerId, controllerEpoch }: RequestOf<'LeaderAndIsr'>,
    states: readonly TopicPartitionState[],
    onLeadershipChange: OnLeadershipChange,
  ): ResponseInit<'LeaderAndIsr'> {
    const { brokerId, partitions, checkpoints, fetcherManager } = this.options;
    this.controllerEpoch = controllerEpoch;
    const errors = new Map<string, ErrorEntry>();
    const toLead: Transitions = new Map();
    const toFollow: Transitions = new Map();
    for (const state of states) {
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      const ignoring =
        `Ignoring LeaderAndIsr request from controller ${controllerId} with correlation id ${correlationId} ` +
        `epoch ${controllerEpoch} for partition ${key}`;
      const partition = this.checkTransition(key, state, ignoring);
      if (partition instanceof Partition) (state.leader === brokerId ? toLead : toFollow).set(partition, state);
      else errors.set(key, partition);
    }
    const transition = {
      sentBy: `from controller ${controllerId} epoch ${controllerEpoch}`,
      correlationId,
      checkpoints: checkpoints.lazyReader(),
      errors,
    };
    const leaders = toLead.size > 0 ? this.makeLeaders(toLead, transition) : [];
    const followers = toFollow.size > 0 ? this.makeFollowers(toFollow, transition) : [];
    for (const state of states) {
      // A log that could not be opened, its log dir having failed, leaves a partition without a log behind.
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      if (partitions.getOnline(key)?.log === undefined) partitions.markOffline(key);
    }
    this.options.startHighWatermarkCheckpoints();
    fetcherManager.shutdownIdleFetcherThreads();
    onLeadershipChange(leaders, followers);
    return {
      errorCode: Errors.NONE.code,
      partitionErrors: partitionErrors(states, (key) => errors.get(key) ?? Errors.NONE),
    };
  }

  /** The partition, if the request brings it a newer leader epoch. */
  private checkTransition(key: string, state: TopicPartitionState, ignoring: string): Partition | ErrorEntry {
    const { partitions, partitionContext, brokerId } = this.options;
    const hosted = partitions.get(key);
    if (hosted === 'offline') {
      this.logger.warn(`${ignoring} as the local replica for the partition is in an offline log directory`);
      return Errors.KAFKA_STORAGE_ERROR;
    }
    const partition = hosted ?? partitions.create(state.topicName, state.partitionIndex, partitionContext);
    const { leaderEpoch } = partition;
    const since = `since its associated leader epoch ${state.leaderEpoch}`;
    if (state.leaderEpoch < leaderEpoch) {
      this.logger.warn(`${ignoring} ${since} is smaller than the current leader epoch ${leaderEpoch}`);
      return Errors.STALE_CONTROLLER_EPOCH;
    }
    if (state.leaderEpoch === leaderEpoch) {
      this.logger.info(`${ignoring} ${since} matches the current leader epoch`);
      return Errors.STALE_CONTROLLER_EPOCH;
    }
    if (!state.replicas.includes(brokerId)) {
      this.logger.warn(`${ignoring} as itself is not in assigned replica list ${state.replicas.join(',')}`);
      return Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }
    return partition;
  }

  private makeLeaders(toLead: Transitions, transition: Transition): Partition[] {
    const { sentBy, correlationId, checkpoints, errors } = transition;
    const request = `LeaderAndIsr request correlationId ${correlationId} ${sentBy}`;
    this.traceEach(
      toLead,
      ({ key }) => `Handling ${request} starting the become-leader transition for partition ${key}`,
    );
    this.options.fetcherManager.removeFetcherForPartitions([...toLead.keys()].map(({ key }) => key));
    this.logger.info(
      `Stopped fetchers as part of ${request} as part of the become-leader transition for ${toLead.size} partitions`,
    );
    const leaders: Partition[] = [];
    for (const [partition, state] of toLead) {
      errors.set(partition.key, Errors.NONE);
      const about =
        `with correlation id ${correlationId} ${sentBy} for partition ${partition.key} ` +
        `(last update controller epoch ${state.controllerEpoch})`;
      this.onDisk(partition, errors, `Skipped the become-leader state change ${about}`, () => {
        if (partition.makeLeader(state, checkpoints)) leaders.push(partition);
        else {
          this.logger.info(
            `Skipped the become-leader state change after marking its partition as leader ${about} since it is ` +
              `already the leader for the partition.`,
          );
        }
      });
    }
    this.traceEach(toLead, ({ key }) => `Completed ${request} for the become-leader transition for partition ${key}`);
    return leaders;
  }

  private makeFollowers(toFollow: Transitions, transition: Transition): Partition[] {
    const { sentBy, correlationId, checkpoints, errors } = transition;
    const { fetcherManager, completeDelayedRequests, isShuttingDown, metadataCache } = this.options;
    const request = `LeaderAndIsr request correlationId ${correlationId} ${sentBy}`;
    this.traceEach(
      toFollow,
      ({ key }, { leader }) =>
        `Handling ${request} starting the become-follower transition for partition ${key} with leader ${leader}`,
    );
    const followers: Partition[] = [];
    for (const [partition, state] of toFollow) {
      errors.set(partition.key, Errors.NONE);
      const about =
        `with correlation id ${correlationId} ${sentBy} for partition ${partition.key} ` +
        `(last update controller epoch ${state.controllerEpoch})`;
      this.onDisk(partition, errors, `Skipped the become-follower state change ${about}`, () => {
        if (metadataCache.getAliveBroker(state.leader) === undefined) {
          this.logger.error(
            `Received LeaderAndIsrRequest ${about} but cannot become follower since the new leader ${state.leader} ` +
              `is unavailable.`,
          );
          partition.createLogIfNotExists(state.isNew, checkpoints);
        } else if (partition.makeFollower(state, checkpoints)) followers.push(partition);
        else {
          this.logger.info(
            `Skipped the become-follower state change after marking its partition as follower ${about} since the ` +
              `new leader ${state.leader} is the same as the old leader`,
          );
        }
      });
    }
    fetcherManager.removeFetcherForPartitions(followers.map(({ key }) => key));
    this.logger.info(
      `Stopped fetchers as part of become-follower request ${sentBy} with correlation id ${correlationId} for ` +
        `${followers.length} partitions`,
    );
    for (const { key } of followers) completeDelayedRequests(key);
    if (!isShuttingDown()) this.startFetching(followers);
    this.traceEach(
      toFollow,
      ({ key }, { leader }) =>
        `Completed ${request} for the become-follower transition for partition ${key} with leader ${leader}`,
    );
    return followers;
  }

  private startFetching(followers: readonly Partition[]): void {
    const { metadataCache, interBrokerListenerName, fetcherManager } = this.options;
    const initialStates = new Map<string, InitialFetchState>();
    for (const follower of followers) {
      const { topic, partitionId: partition, leaderEpoch: currentLeaderEpoch, leaderReplicaId } = follower;
      const leader =
        leaderReplicaId === undefined
          ? undefined
          : metadataCache.getAliveNode(leaderReplicaId, interBrokerListenerName);
      if (leader === undefined) {
        this.logger.error(`Leader ${leaderReplicaId} of ${follower.key} has no listener ${interBrokerListenerName}`);
        continue;
      }
      const { id, host, port } = leader;
      const initOffset = follower.localLogOrException().highWatermark;
      initialStates.set(follower.key, { topic, partition, leader: { id, host, port }, currentLeaderEpoch, initOffset });
    }
    fetcherManager.addFetcherForPartitions(initialStates);
  }

  /** Carries out a change that needs the log; a disk that fails concerns the partitions on it only. */
  private onDisk(partition: Partition, errors: Map<string, ErrorEntry>, skipped: string, change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.logger.error(`${skipped} since the replica for the partition is offline due to disk error`, error);
      errors.set(partition.key, Errors.KAFKA_STORAGE_ERROR);
    }
  }

  private traceEach(
    transitions: Transitions,
    message: (partition: Partition, state: TopicPartitionState) => string,
  ): void {
    if (!this.logger.isEnabled('TRACE')) return;
    for (const [partition, state] of transitions) this.logger.trace(message(partition, state));
  }
}

function partitionErrors(
  states: readonly { readonly topicName: string; readonly partitionIndex: number }[],
  errorOf: (key: string) => ErrorEntry,
): { topicName: string; partitionIndex: number; errorCode: number }[] {
  return states.map(({ topicName, partitionIndex }) => ({
    topicName,
    partitionIndex,
    errorCode: errorOf(topicPartitionKey(topicName, partitionIndex)).code,
  }));
}
