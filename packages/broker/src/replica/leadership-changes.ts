import type { Logger, LoggerFactory } from '@klassic/common';
import { inParallel, prefixed, topicPartitionKey } from '@klassic/common';
import { KafkaStorageError } from '@klassic/log';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { partitionStatesOf } from './controller-requests.ts';
import type { TopicPartitionState } from './controller-requests.ts';
import type { InitialFetchState } from './fetch-state.ts';
import type { HighWatermarkCheckpoints, OffsetCheckpoints } from './high-watermark-checkpoints.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { Partition } from './partition.ts';
import type { PartitionContext } from './partition-context.ts';
import type { ReplicaFetcherManager } from './replica-fetcher-manager.ts';
import type { Slices } from './state-change-turns.ts';

/** More than libuv's threads for files, so that none of them waits for the event loop; fewer are flushed on the spot. */
const EPOCH_FLUSHES_AT_ONCE = 16;

/** What a LeaderAndIsr request brought about. */
export interface LeadershipChange {
  /** By `topicPartitionKey`. */
  readonly errors: ReadonlyMap<string, ErrorEntry>;
  /** Partitions this broker has begun to lead. */
  readonly leaders: Partition[];
  /** Partitions it has begun to follow, or follows under a new epoch. */
  readonly followers: Partition[];
}

/** What leadership changes are carried out with. */
export interface LeadershipChangesOptions {
  readonly brokerId: number;
  readonly interBrokerListenerName: string;
  readonly loggers: LoggerFactory;
  readonly partitions: HostedPartitions;
  readonly partitionContext: PartitionContext;
  readonly metadataCache: MetadataCache;
  readonly fetcherManager: ReplicaFetcherManager;
  readonly checkpoints: HighWatermarkCheckpoints;
  /** Looks again at what waits for a partition. */
  readonly completeDelayedRequests: (key: string) => void;
  /** Goes on with copies to other log dirs. */
  readonly resumeMoves: (partitions: readonly Partition[]) => void;
  readonly isShuttingDown: () => boolean;
}

/** What one LeaderAndIsr request is carried out with. */
interface Transition {
  readonly sentBy: string;
  readonly correlationId: number;
  readonly checkpoints: OffsetCheckpoints;
  readonly errors: Map<string, ErrorEntry>;
  readonly slices: Slices;
}

type Transitions = Map<Partition, TopicPartitionState>;

/**
 * Makes partitions of this broker leaders and followers, in slices: a broker that gets thousands of partitions at once
 * goes on answering meanwhile. Part of the reference's `ReplicaManager` (`becomeLeaderOrFollower`, `makeLeaders`,
 * `makeFollowers`).
 */
export class LeadershipChanges {
  private readonly options: LeadershipChangesOptions;
  private readonly logger: Logger;

  constructor(options: LeadershipChangesOptions) {
    this.options = options;
    this.logger = prefixed(options.loggers('state.change.logger'), `[Broker id=${options.brokerId}] `);
  }

  /** Carries out a request whose controller epoch has been checked. */
  async apply(correlationId: number, request: RequestOf<'LeaderAndIsr'>, slices: Slices): Promise<LeadershipChange> {
    const { brokerId, partitions, checkpoints } = this.options;
    const { controllerId, controllerEpoch } = request;
    const states = partitionStatesOf(request);
    const errors = new Map<string, ErrorEntry>();
    const toLead: Transitions = new Map();
    const toFollow: Transitions = new Map();
    await slices.each(states, (state) => {
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      const partition = this.checkTransition(key, state, () => {
        return (
          `Ignoring LeaderAndIsr request from controller ${controllerId} with correlation id ${correlationId} ` +
          `epoch ${controllerEpoch} for partition ${key}`
        );
      });
      if (partition instanceof Partition) (state.leader === brokerId ? toLead : toFollow).set(partition, state);
      else errors.set(key, partition);
    });
    const transition = {
      sentBy: `from controller ${controllerId} epoch ${controllerEpoch}`,
      correlationId,
      checkpoints: checkpoints.lazyReader(),
      errors,
      slices,
    };
    const leaders = toLead.size > 0 ? await this.makeLeaders(toLead, transition) : [];
    const followers = toFollow.size > 0 ? await this.makeFollowers(toFollow, transition) : [];
    for (const state of states) {
      // A log that could not be opened, its log dir having failed, leaves a partition without a log behind.
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      if (partitions.getOnline(key)?.log === undefined) partitions.markOffline(key);
    }
    this.options.resumeMoves([...toLead.keys(), ...toFollow.keys()].filter((partition) => this.isHosted(partition)));
    return { errors, leaders, followers };
  }

  /** The partition, if the request brings it a newer leader epoch. */
  private checkTransition(key: string, state: TopicPartitionState, ignoring: () => string): Partition | ErrorEntry {
    const { partitions, partitionContext, brokerId } = this.options;
    const hosted = partitions.get(key);
    if (hosted === 'offline') {
      this.logger.warn(`${ignoring()} as the local replica for the partition is in an offline log directory`);
      return Errors.KAFKA_STORAGE_ERROR;
    }
    const partition = hosted ?? partitions.create(state.topicName, state.partitionIndex, partitionContext);
    const { leaderEpoch } = partition;
    const since = `since its associated leader epoch ${state.leaderEpoch}`;
    if (state.leaderEpoch < leaderEpoch) {
      this.logger.warn(`${ignoring()} ${since} is smaller than the current leader epoch ${leaderEpoch}`);
      return Errors.STALE_CONTROLLER_EPOCH;
    }
    if (state.leaderEpoch === leaderEpoch) {
      this.logger.info(`${ignoring()} ${since} matches the current leader epoch`);
      return Errors.STALE_CONTROLLER_EPOCH;
    }
    if (!state.replicas.includes(brokerId)) {
      this.logger.warn(`${ignoring()} as itself is not in assigned replica list ${state.replicas.join(',')}`);
      return Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }
    return partition;
  }

  private async makeLeaders(toLead: Transitions, transition: Transition): Promise<Partition[]> {
    const { sentBy, correlationId, checkpoints, slices } = transition;
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
    await slices.each(toLead, ([partition, state]) => {
      const about = (): string => describeTransition(partition, state, transition);
      this.onDisk(
        partition,
        transition,
        () => `Skipped the become-leader state change ${about()}`,
        () => {
          if (partition.makeLeader(state, checkpoints)) leaders.push(partition);
          else {
            this.logger.info(
              `Skipped the become-leader state change after marking its partition as leader ${about()} since it is ` +
                `already the leader for the partition.`,
            );
          }
        },
      );
    });
    await this.flushLeaderEpochs(toLead, transition);
    this.traceEach(toLead, ({ key }) => `Completed ${request} for the become-leader transition for partition ${key}`);
    return leaders;
  }

  /** New epochs are on the disk before the controller hears of them, as with the reference, which writes them one by one. */
  private async flushLeaderEpochs(toLead: Transitions, { errors }: Transition): Promise<void> {
    const logs = [...toLead.keys()].flatMap(({ key, log }) => (log?.hasUnwrittenLeaderEpoch ? [{ key, log }] : []));
    const failed = (key: string, error: unknown): void => {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.logger.error(`The leader epoch of partition ${key} could not be written due to disk error`, error);
      errors.set(key, Errors.KAFKA_STORAGE_ERROR);
    };
    if (logs.length >= EPOCH_FLUSHES_AT_ONCE) {
      await inParallel(logs, EPOCH_FLUSHES_AT_ONCE, ({ key, log }) =>
        log.flushLeaderEpochs().catch((error: unknown) => failed(key, error)),
      );
      return;
    }
    for (const { key, log } of logs) {
      try {
        log.flushLeaderEpochsNow();
      } catch (error) {
        failed(key, error);
      }
    }
  }

  private async makeFollowers(toFollow: Transitions, transition: Transition): Promise<Partition[]> {
    const { sentBy, correlationId, checkpoints, slices } = transition;
    const { fetcherManager, completeDelayedRequests, isShuttingDown, metadataCache } = this.options;
    const request = `LeaderAndIsr request correlationId ${correlationId} ${sentBy}`;
    this.traceEach(
      toFollow,
      ({ key }, { leader }) =>
        `Handling ${request} starting the become-follower transition for partition ${key} with leader ${leader}`,
    );
    const followers: Partition[] = [];
    await slices.each(toFollow, ([partition, state]) => {
      const about = (): string => describeTransition(partition, state, transition);
      this.onDisk(
        partition,
        transition,
        () => `Skipped the become-follower state change ${about()}`,
        () => {
          if (metadataCache.getAliveBroker(state.leader) === undefined) {
            this.logger.error(
              `Received LeaderAndIsrRequest ${about()} but cannot become follower since the new leader ${state.leader} ` +
                `is unavailable.`,
            );
            partition.createLogIfNotExists(state.isNew, checkpoints);
          } else if (partition.makeFollower(state, checkpoints)) followers.push(partition);
          else {
            this.logger.info(
              `Skipped the become-follower state change after marking its partition as follower ${about()} since the ` +
                `new leader ${state.leader} is the same as the old leader`,
            );
          }
        },
      );
    });
    fetcherManager.removeFetcherForPartitions(followers.map(({ key }) => key));
    this.logger.info(
      `Stopped fetchers as part of become-follower request ${sentBy} with correlation id ${correlationId} for ` +
        `${followers.length} partitions`,
    );
    await slices.each(followers, ({ key }) => {
      completeDelayedRequests(key);
    });
    if (!isShuttingDown()) this.startFetching(followers.filter((follower) => this.isHosted(follower)));
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

  /**
   * Carries out a change that needs the log; a disk that fails concerns the partitions on it only. It may have failed
   * since the request began.
   */
  private onDisk(partition: Partition, { errors }: Transition, skipped: () => string, change: () => void): void {
    if (!this.isHosted(partition)) {
      errors.set(partition.key, Errors.KAFKA_STORAGE_ERROR);
      return;
    }
    errors.set(partition.key, Errors.NONE);
    try {
      change();
    } catch (error) {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.logger.error(`${skipped()} since the replica for the partition is offline due to disk error`, error);
      errors.set(partition.key, Errors.KAFKA_STORAGE_ERROR);
    }
  }

  private isHosted(partition: Partition): boolean {
    return this.options.partitions.getOnline(partition.key) === partition;
  }

  private traceEach(
    transitions: Transitions,
    message: (partition: Partition, state: TopicPartitionState) => string,
  ): void {
    if (!this.logger.isEnabled('TRACE')) return;
    for (const [partition, state] of transitions) this.logger.trace(message(partition, state));
  }
}

function describeTransition(
  { key }: Partition,
  { controllerEpoch }: TopicPartitionState,
  { correlationId, sentBy }: Transition,
): string {
  return (
    `with correlation id ${correlationId} ${sentBy} for partition ${key} ` +
    `(last update controller epoch ${controllerEpoch})`
  );
}
