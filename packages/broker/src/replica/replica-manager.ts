import { prefixed } from '@klassic/common';
import type { Cancel, Logger, TopicPartition } from '@klassic/common';
import type { Log, LogDirDescription, TimestampAndOffset } from '@klassic/log';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import { DelayedOperations } from './delayed-operations.ts';
import { HighWatermarkCheckpoints } from './high-watermark-checkpoints.ts';
import { HostedPartitions } from './hosted-partitions.ts';
import { ZkIsrManager } from './isr-manager.ts';
import { LocalAppends } from './local-appends.ts';
import { LocalFetches } from './local-fetches.ts';
import { LocalDeletes } from './local-deletes.ts';
import type { DeleteRecordsOptions, DeleteRecordsResult } from './local-deletes.ts';
import { LogDirMoves } from './log-dir-moves.ts';
import type { LogDirMove } from './log-dir-moves.ts';
import type { AppendRecordsOptions, FetchMessagesOptions, FetchPartitionData, PartitionResponse } from './messages.ts';
import type { ReplicaManagerOptions } from './options.ts';
import { Partition } from './partition.ts';
import type { PartitionContext } from './partition-context.ts';
import {
  fetchOffsetForTimestamp,
  lastOffsetForLeaderEpoch,
  legacyFetchOffsetsForTimestamp,
} from './partition-reads.ts';
import type { EpochEndOffset } from './partition-reads.ts';
import { ReplicaAlterLogDirsThread } from './replica-alter-log-dirs-thread.ts';
import { ReplicaFetcherManager } from './replica-fetcher-manager.ts';
import { partitionMetrics } from './replica-metrics.ts';
import type { ReplicaManagerMetrics } from './replica-metrics.ts';
import { ReplicaStateChanges } from './replica-state-changes.ts';
import type { LeadershipListener } from './replica-state-changes.ts';
import type { OnReplicaDeleted } from './replica-stops.ts';
import { ReplicationQuotaManager } from './replication-quota-manager.ts';
import type { ReplicationQuotas } from './replication-quota-manager.ts';

/**
 * The replicas of a broker: appends to those it leads, serves fetches of consumers and followers, follows the leaders of
 * the others, keeps ISRs and high watermarks. Counterpart of `kafka.server.ReplicaManager`; `Partition` is where one
 * partition's rules are, `ReplicaStateChanges` where the controller's requests are carried out.
 */
export class ReplicaManager {
  /** Limits of replication; they may be changed at any time. */
  readonly quotas: ReplicationQuotas;
  private readonly options: ReplicaManagerOptions;
  private readonly logger: Logger;
  private readonly partitions: HostedPartitions;
  private readonly isrManager: ZkIsrManager;
  private readonly fetcherManager: ReplicaFetcherManager;
  private readonly checkpoints: HighWatermarkCheckpoints;
  private readonly stateChanges: ReplicaStateChanges;
  private readonly fetches: LocalFetches;
  private readonly appends: LocalAppends;
  private readonly deletes: LocalDeletes;
  private readonly alterLogDirs: ReplicaAlterLogDirsThread;
  private readonly moves: LogDirMoves;
  private readonly delayed: DelayedOperations;
  private readonly isrChanges = { expands: 0, shrinks: 0, failed: 0 };
  private cancels: Cancel[] = [];
  private shuttingDown = false;

  constructor(options: ReplicaManagerOptions) {
    const { config, time, loggers, logManager, metadataCache, connectToLeader, topicStats } = options;
    this.options = options;
    this.logger = prefixed(loggers('kafka.server.ReplicaManager'), `[ReplicaManager broker=${config.brokerId}] `);
    this.partitions = new HostedPartitions(metadataCache);
    this.isrManager = new ZkIsrManager(options.isrStore, time, loggers('kafka.server.ZkIsrManager'));
    this.checkpoints = new HighWatermarkCheckpoints({
      logDirs: logManager.liveLogDirs,
      logs: () => this.partitions.logs(),
      time,
      intervalMs: config.replicaHighWatermarkCheckpointIntervalMs,
      logger: this.logger,
      onFailure: (error) => {
        logManager.reportFailure(error);
      },
    });
    this.delayed = new DelayedOperations(time, loggers('kafka.server.DelayedOperationPurgatory'));
    const { partitions, delayed } = this;
    this.quotas = {
      leader: new ReplicationQuotaManager(time, config.replicationQuota),
      follower: new ReplicationQuotaManager(time, config.replicationQuota),
      alterLogDirs: new ReplicationQuotaManager(time, config.alterLogDirsQuota),
    };
    this.alterLogDirs = new ReplicaAlterLogDirsThread({
      time,
      logger: loggers('kafka.server.ReplicaAlterLogDirsThread'),
      partitions,
      quota: this.quotas.alterLogDirs,
      maxBytes: Math.min(config.replicaFetchMaxBytes, config.replicaFetchResponseMaxBytes),
      backoffMs: config.replicaFetchBackoffMs,
    });
    this.fetcherManager = new ReplicaFetcherManager(
      {
        config,
        time,
        partitions,
        connectToLeader,
        topicStats,
        quota: this.quotas.follower,
        onTruncated: (key, offset) => {
          this.alterLogDirs.markForTruncation(key, offset);
        },
      },
      loggers,
    );
    const completeDelayedRequests = (key: string): void => {
      delayed.checkAndCompleteAll(key);
    };
    this.moves = new LogDirMoves({
      brokerId: config.brokerId,
      logger: this.logger,
      partitions,
      logManager,
      fetcherManager: this.fetcherManager,
      alterLogDirs: this.alterLogDirs,
      checkpoints: this.checkpoints,
      completeDelayedRequests,
    });
    this.fetches = new LocalFetches({
      config,
      time,
      logger: this.logger,
      partitions,
      metadataCache,
      topicStats,
      purgatory: delayed.fetch,
      quota: this.quotas.leader,
    });
    this.appends = new LocalAppends({
      partitions,
      topicStats,
      logger: this.logger,
      delayed,
    });
    this.deletes = new LocalDeletes(partitions, delayed.deleteRecords, this.logger);
    this.stateChanges = new ReplicaStateChanges({
      brokerId: config.brokerId,
      interBrokerListenerName: config.interBrokerListenerName,
      time,
      loggers,
      partitions,
      partitionContext: this.partitionContext(),
      metadataCache,
      logManager,
      fetcherManager: this.fetcherManager,
      alterLogDirs: this.alterLogDirs,
      checkpoints: this.checkpoints,
      completeDelayedRequests,
      resumeMoves: (moving) => {
        this.moves.resume(moving);
      },
      startHighWatermarkCheckpoints: () => {
        if (!this.shuttingDown) this.checkpoints.start();
      },
      isShuttingDown: () => this.shuttingDown,
    });
  }

  /** Begins the periodic work: ISR expiration every half `replica.lag.time.max.ms`, ISR change notifications. */
  startup(): void {
    const { config, time } = this.options;
    this.isrManager.start();
    this.cancels.push(
      time.scheduleEvery(config.replicaLagTimeMaxMs / 2, () => {
        this.maybeShrinkIsr();
      }),
    );
  }

  /**
   * Ends fetchers and timers, and answers whoever still waits. Call `prepareShutdown` first when LeaderAndIsr may come
   * in between.
   *
   * @param checkpointHW whether to write the high watermarks a last time
   */
  async shutdown(checkpointHW = true): Promise<void> {
    this.logger.info('Shutting down');
    this.shuttingDown = true;
    for (const cancel of this.cancels) cancel();
    this.cancels = [];
    this.checkpoints.stop();
    this.stateChanges.stop();
    this.isrManager.shutdown();
    await this.fetcherManager.shutdown();
    this.alterLogDirs.shutdown();
    this.delayed.shutdown();
    for (const partition of this.partitions.online()) partition.close();
    if (checkpointHW) this.checkpoints.write();
    await this.checkpoints.settled();
    this.logger.info('Shut down completely');
  }

  /** From now on no fetcher is started: the broker is about to leave. */
  prepareShutdown(): void {
    this.shuttingDown = true;
  }

  /**
   * Carries out LeaderAndIsr. Each partition counts by its leader epoch: one that is not newer is answered
   * STALE_CONTROLLER_EPOCH and changes nothing (scenario 03). Like the two that follow, it waits for its turn.
   */
  becomeLeaderOrFollower(
    correlationId: number,
    request: RequestOf<'LeaderAndIsr'>,
    listener: LeadershipListener,
  ): Promise<ResponseInit<'LeaderAndIsr'>> {
    return this.stateChanges.becomeLeaderOrFollower(correlationId, request, listener);
  }

  /** Carries out StopReplica, with or without deletion of the replica. */
  stopReplicas(
    correlationId: number,
    request: RequestOf<'StopReplica'>,
    onReplicaDeleted: OnReplicaDeleted,
  ): Promise<ResponseInit<'StopReplica'>> {
    return this.stateChanges.stopReplicas(correlationId, request, onReplicaDeleted);
  }

  /**
   * Hands UpdateMetadata to the metadata cache, unless it comes from an old controller.
   *
   * @returns the partitions that the cache no longer holds
   * @throws KafkaError STALE_CONTROLLER_EPOCH
   */
  maybeUpdateMetadataCache(correlationId: number, request: RequestOf<'UpdateMetadata'>): Promise<TopicPartition[]> {
    return this.stateChanges.maybeUpdateMetadataCache(correlationId, request);
  }

  /**
   * Appends to the partitions led here. Resolves at once, or with acks=all when every partition's records are on its ISR
   * or `timeoutMs` is over. Errors are told in the responses; it never rejects. Keys as in `entries`.
   */
  appendRecords(options: AppendRecordsOptions): Promise<Map<string, PartitionResponse>> {
    return this.appends.appendRecords(options);
  }

  /**
   * Reads for a consumer or a follower. Resolves when `minBytes` are there, `maxWaitMs` is over, or a partition has an
   * error; partitions in the order asked. It never rejects.
   */
  fetchMessages(options: FetchMessagesOptions): Promise<FetchPartitionData[]> {
    return this.fetches.fetchMessages(options);
  }

  /** Moves log start offsets up; resolves when all live replicas have, or `timeoutMs` is over. It never rejects. */
  deleteRecords(options: DeleteRecordsOptions): Promise<Map<string, DeleteRecordsResult>> {
    return this.deletes.deleteRecords(options);
  }

  /**
   * Answers ListOffsets for one partition.
   *
   * @throws KafkaError the epoch errors, NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, OFFSET_NOT_AVAILABLE
   */
  fetchOffsetForTimestamp(
    { topic, partition }: TopicPartition,
    timestamp: number,
    isolation: 'read_uncommitted' | 'read_committed' | undefined,
    currentLeaderEpoch: number,
    fetchOnlyFromLeader: boolean,
  ): TimestampAndOffset | null {
    const found = this.partitions.getOrThrow(topic, partition);
    return fetchOffsetForTimestamp(found, timestamp, isolation, currentLeaderEpoch, fetchOnlyFromLeader);
  }

  /** Answers ListOffsets version 0 for one partition. @throws KafkaError NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION */
  legacyFetchOffsetsForTimestamp(
    { topic, partition }: TopicPartition,
    timestamp: number,
    maxNumOffsets: number,
    isFromConsumer: boolean,
    fetchOnlyFromLeader: boolean,
  ): number[] {
    const found = this.partitions.getOrThrow(topic, partition);
    return legacyFetchOffsetsForTimestamp(found, timestamp, maxNumOffsets, isFromConsumer, fetchOnlyFromLeader);
  }

  /** Answers OffsetForLeaderEpoch for one partition; it never throws. */
  lastOffsetForLeaderEpoch(
    { topic, partition }: TopicPartition,
    currentLeaderEpoch: number,
    leaderEpoch: number,
  ): EpochEndOffset {
    const found = this.partitions.getOrError(topic, partition);
    if (found instanceof Partition) return lastOffsetForLeaderEpoch(found, currentLeaderEpoch, leaderEpoch, true);
    return { errorCode: found.code, leaderEpoch: -1, endOffset: -1 };
  }

  /** The partition, if this broker hosts it and its log dir is online. Keys as `topicPartitionKey` makes them. */
  getPartition(key: string): Partition | undefined {
    return this.partitions.getOnline(key);
  }

  /** The partition or why it cannot be used. */
  getPartitionOrError(topic: string, partition: number): Partition | ErrorEntry {
    return this.partitions.getOrError(topic, partition);
  }

  /** The local log of a partition, led here or not. */
  getLog(key: string): Log | undefined {
    return this.partitions.getOnline(key)?.log;
  }

  /** Every partition hosted here whose log dir is online. */
  onlinePartitions(): IterableIterator<Partition> {
    return this.partitions.online();
  }

  /** Writes `replication-offset-checkpoint` of every log dir; resolves when that is done. */
  checkpointHighWatermarks(): Promise<void> {
    return this.checkpoints.writeInBackground();
  }

  /**
   * Takes the partitions of a log dir offline that the disk has refused. The log manager tells of it
   * (`onLogDirFailure`); the caller tells the controller.
   */
  handleLogDirFailure(logDir: string): void {
    this.moves.handleLogDirFailure(logDir);
  }

  /**
   * Begins to move replicas to other log dirs (AlterReplicaLogDirs), between two requests of the controller.
   *
   * @returns errors by `topicPartitionKey`
   */
  alterReplicaLogDirs(moves: Iterable<LogDirMove>): Promise<Map<string, ErrorEntry>> {
    return this.stateChanges.inTurn(() => this.moves.alterReplicaLogDirs(moves));
  }

  /** What lies in each log dir, replicas on the move twice (DescribeLogDirs). */
  describeLogDirs(): LogDirDescription[] {
    return this.options.logManager.describeLogDirs();
  }

  /** Follows each leader with another number of fetchers from now on (`num.replica.fetchers`). */
  resizeFetcherThreadPool(newSize: number): void {
    this.fetcherManager.resizeThreadPool(newSize);
  }

  /** Counts what a follower was sent of throttled partitions. */
  recordLeaderThrottled(fetched: readonly FetchPartitionData[]): void {
    this.fetches.recordLeaderThrottled(fetched);
  }

  /** What the broker's metrics show of replication. */
  metrics(): ReplicaManagerMetrics {
    return {
      ...partitionMetrics(this.partitions),
      isrExpands: this.isrChanges.expands,
      isrShrinks: this.isrChanges.shrinks,
      failedIsrUpdates: this.isrChanges.failed,
      failedFetchPartitions: this.fetcherManager.failedPartitionsCount,
      maxLag: this.fetcherManager.maxLag,
      purgatorySizes: this.delayed.sizes,
      purgatoryWatches: this.delayed.watches,
    };
  }

  private partitionContext(): PartitionContext {
    const { config, time, loggers, logManager, metadataCache } = this.options;
    return {
      localBrokerId: config.brokerId,
      replicaLagTimeMaxMs: config.replicaLagTimeMaxMs,
      time,
      logManager,
      metadataCache,
      isrManager: this.isrManager,
      isrChangeListener: {
        markExpand: () => (this.isrChanges.expands += 1),
        markShrink: () => (this.isrChanges.shrinks += 1),
        markFailed: () => (this.isrChanges.failed += 1),
      },
      logger: loggers('kafka.cluster.Partition'),
      stateChangeLogger: prefixed(loggers('state.change.logger'), `[Broker id=${config.brokerId}] `),
      completeDelayedRequests: (key) => {
        this.delayed.checkAndCompleteAll(key);
      },
      hasDelayedDeleteRecords: () => this.delayed.deleteRecords.numDelayed > 0,
    };
  }

  private maybeShrinkIsr(): void {
    for (const partition of this.partitions.online()) partition.maybeShrinkIsr();
  }
}
