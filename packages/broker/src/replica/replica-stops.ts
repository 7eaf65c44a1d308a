import type { Logger, TopicPartition } from '@klassic/common';
import { topicPartitionKey } from '@klassic/common';
import type { LogManager } from '@klassic/log';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf } from '@klassic/protocol';
import type { StopReplicaState } from './controller-requests.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { ReplicaAlterLogDirsThread } from './replica-alter-log-dirs-thread.ts';
import type { ReplicaFetcherManager } from './replica-fetcher-manager.ts';
import type { Slices } from './state-change-turns.ts';

/** Leader epochs by which StopReplica asks whatever the epoch here: deletion, and controllers that do not tell it. */
const epochDuringDelete = -2;
const noEpoch = -1;
/** Logs deleted between two writes of their log dirs' checkpoints. */
const deletedAtOnce = 50;

/**
 * Called for each replica that was deleted, at its request's turn.
 *
 * @param leaderEpoch undefined when the controller did not tell it
 */
export type OnReplicaDeleted = (topicPartition: TopicPartition, leaderEpoch: number | undefined) => void;

/** What replicas are stopped with. */
export interface ReplicaStopsOptions {
  readonly partitions: HostedPartitions;
  readonly logManager: LogManager;
  readonly fetcherManager: ReplicaFetcherManager;
  readonly alterLogDirs: ReplicaAlterLogDirsThread;
  /** Looks again at what waits for a partition. */
  readonly completeDelayedRequests: (key: string) => void;
}

/** Stops replicas, in slices, and deletes those that are to go. Part of the reference's `ReplicaManager` (`stopReplicas`). */
export class ReplicaStops {
  private readonly options: ReplicaStopsOptions;
  private readonly logger: Logger;

  /** @param logger `state.change.logger` */
  constructor(options: ReplicaStopsOptions, logger: Logger) {
    this.options = options;
    this.logger = logger;
  }

  /**
   * Carries out a request whose controller epoch has been checked.
   *
   * @returns errors by `topicPartitionKey`
   */
  async apply(
    correlationId: number,
    { controllerId, controllerEpoch }: RequestOf<'StopReplica'>,
    states: readonly StopReplicaState[],
    onReplicaDeleted: OnReplicaDeleted,
    slices: Slices,
  ): Promise<Map<string, ErrorEntry>> {
    const stopped: { key: string; topicPartition: TopicPartition; state: StopReplicaState }[] = [];
    const errors = new Map<string, ErrorEntry>();
    for (const state of states) {
      const topicPartition = { topic: state.topicName, partition: state.partitionIndex };
      const key = topicPartitionKey(state.topicName, state.partitionIndex);
      const ignoring =
        `Ignoring StopReplica request (delete=${state.deletePartition}) from controller ${controllerId} with ` +
        `correlation id ${correlationId} epoch ${controllerEpoch} for partition ${key}`;
      const error = this.checkStop(key, state.leaderEpoch, ignoring);
      errors.set(key, error);
      if (error === Errors.NONE) stopped.push({ key, topicPartition, state });
    }
    const keys = stopped.map(({ key }) => key);
    this.options.fetcherManager.removeFetcherForPartitions(keys);
    this.options.alterLogDirs.removePartitions(keys);
    await slices.each(stopped, ({ key, state: { deletePartition } }) => {
      if (deletePartition) this.forget(key);
      this.options.completeDelayedRequests(key);
    });
    const deleted = stopped.filter(({ state }) => state.deletePartition);
    await slices.each(groupsOf(deleted, deletedAtOnce), (group) => {
      this.deleteLogs(
        group.map(({ topicPartition }) => topicPartition),
        errors,
      );
    });
    for (const { key, topicPartition, state } of deleted) {
      if (errors.get(key) !== Errors.NONE) continue;
      onReplicaDeleted(topicPartition, state.leaderEpoch < 0 ? undefined : state.leaderEpoch);
    }
    return errors;
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

  private forget(key: string): void {
    const { partitions } = this.options;
    const partition = partitions.getOnline(key);
    if (partition === undefined) return;
    partitions.remove(key);
    partition.delete();
  }

  private deleteLogs(topicPartitions: readonly TopicPartition[], errors: Map<string, ErrorEntry>): void {
    this.options.logManager.asyncDeleteAll(topicPartitions, ({ topic, partition }, error) => {
      const key = topicPartitionKey(topic, partition);
      this.logger.error(`The log of partition ${key} is in an offline log directory and is not deleted`, error);
      errors.set(key, Errors.KAFKA_STORAGE_ERROR);
    });
  }
}

function* groupsOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
