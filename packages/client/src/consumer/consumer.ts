import type { Logger, TopicPartition } from '@klassic/common';
import { IllegalStateError, isRetriable, TimeoutError } from '../client-errors.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from '../list-offsets.ts';
import type { ClientParts, ListedOffset, OffsetQuery } from '../list-offsets.ts';
import type { TopicInfo } from '../metadata/cluster.ts';
import { Metadata } from '../metadata/metadata.ts';
import { NetworkClient } from '../network-client.ts';
import { commitOffsets, fetchCommittedOffsets } from './committed-offsets.ts';
import type { OffsetAndMetadata, OffsetToCommit } from './committed-offsets.ts';
import type { ConsumerRecord } from './completed-fetch.ts';
import { consumerConfig } from './consumer-config.ts';
import type { ConsumerConfig, ConsumerOptions } from './consumer-config.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMembership } from './group-membership.ts';
import { OffsetFetcher } from './offset-fetcher.ts';
import { ConsumerRebalances } from './rebalances.ts';
import type { RebalanceListener } from './rebalances.ts';
import { SubscriptionState } from './subscription-state.ts';

/** While it waits for records, a member looks this often, in milliseconds, whether it is to join again. */
const REBALANCE_CHECK_MS = 500;

/**
 * Reads records, alone (`assign`) or as a member of a group (`subscribe`). For one caller at a time. Counterpart of
 * `KafkaConsumer`.
 */
export class Consumer {
  private readonly config: ConsumerConfig;
  private readonly parts: ClientParts;
  private readonly subscriptions: SubscriptionState;
  private readonly fetcher: Fetcher;
  private readonly offsetFetcher: OffsetFetcher;
  private readonly membership: GroupMembership | undefined;
  private readonly rebalances: ConsumerRebalances | undefined;
  private readonly logger: Logger;
  private topics: readonly string[] | undefined;
  private nextAutoCommitHiResMs: number;
  private committing: Promise<void> | undefined;
  private closed = false;

  /** @throws ConfigError */
  constructor(options: ConsumerOptions) {
    this.config = consumerConfig(options);
    const client = new NetworkClient(this.config);
    const metadata = new Metadata(client, this.config, {
      allowAutoTopicCreation: this.config.allowAutoCreateTopics,
    });
    this.parts = { client, metadata, config: this.config };
    this.subscriptions = new SubscriptionState(this.config);
    this.fetcher = new Fetcher(this.parts, this.config, this.subscriptions);
    this.membership =
      this.config.groupId === undefined ? undefined : new GroupMembership(this.parts, this.config, this.config.groupId);
    this.rebalances = this.membership === undefined ? undefined : this.rebalancesOf(this.membership);
    this.offsetFetcher = this.offsetFetcherOf(this.membership);
    this.logger = this.config.loggers('org.apache.kafka.clients.consumer.KafkaConsumer');
    this.nextAutoCommitHiResMs = this.config.time.hiResMs() + this.config.autoCommitIntervalMs;
  }

  /** Joins the group at the next poll and reads what it is assigned. @throws IllegalStateError without a group id */
  subscribe(topics: readonly string[], listener: RebalanceListener = {}): void {
    this.group();
    this.topics = [...new Set(topics)];
    this.parts.metadata.add(this.topics);
    this.rebalances!.subscribe(this.topics, listener);
  }

  /** Reads these partitions, without a group's coordination. */
  assign(partitions: readonly TopicPartition[]): void {
    if (this.topics !== undefined) {
      throw new IllegalStateError('Subscription to topics and partitions are mutually exclusive');
    }
    this.subscriptions.assign(partitions);
    this.parts.metadata.add(partitions.map(({ topic }) => topic));
  }

  /** The partitions this consumer has now. */
  assignment(): TopicPartition[] {
    return this.subscriptions.assigned.map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * The next record returned is the one at `offset`.
   *
   * @param leaderEpoch of the record before it, where it is known: then the position is validated first (KIP-320)
   * @throws IllegalStateError when the partition is not assigned
   */
  seek(partition: TopicPartition, offset: number, leaderEpoch = -1): void {
    const { metadata } = this.parts;
    const state = this.subscriptions.get(partition);
    metadata.updateLastSeenEpochIfNewer(partition, leaderEpoch);
    state.seekUnvalidated({ offset, offsetEpoch: leaderEpoch, currentLeader: metadata.currentLeader(partition) });
  }

  /** From the log start offset; all assigned partitions when none is named. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const partition of partitions) this.subscriptions.get(partition).reset('earliest');
  }

  /** From the end of the log; all assigned partitions when none is named. */
  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const partition of partitions) this.subscriptions.get(partition).reset('latest');
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.subscriptions.get(partition).isPaused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.subscriptions.get(partition).isPaused = false;
  }

  /**
   * The next records, as soon as there are any.
   *
   * @param timeoutMs how long to wait for the first one, in milliseconds
   * @throws LogTruncationError when records that were read are gone, and no reset policy says how to go on
   * @throws KafkaError, CorruptRecordError, TimeoutError
   */
  async poll(timeoutMs: number): Promise<ConsumerRecord[]> {
    this.ensureOpen();
    if (this.topics === undefined && this.subscriptions.assigned.length === 0) {
      throw new IllegalStateError('Consumer is not subscribed to any topics or assigned any partitions');
    }
    const { time, retryBackoffMs } = this.config;
    const deadline = time.hiResMs() + timeoutMs;
    for (;;) {
      this.autoCommit();
      await this.parts.metadata.maybeRefresh();
      const remainingMs = Math.max(0, deadline - time.hiResMs());
      if ((this.topics === undefined || (await this.rebalances!.ensureJoined(remainingMs))) && !this.closed) {
        await this.offsetFetcher.updateFetchPositions();
        const records = this.fetcher.collect(this.config.maxPollRecords);
        this.fetcher.sendFetches();
        if (records.length > 0) return records;
      }
      const leftMs = deadline - time.hiResMs();
      if (leftMs <= 0 || this.closed) return [];
      // Heartbeats may ask for a rejoin meanwhile; where nothing can be asked for, a leader is to be found or asked again.
      const isBusy = this.fetcher.isFetching && this.subscriptions.hasAllFetchPositions;
      const waitMs = isBusy ? REBALANCE_CHECK_MS : retryBackoffMs;
      await this.fetcher.wait(Math.min(leftMs, waitMs));
    }
  }

  /**
   * Offset of the next record that `poll` returns from a partition; finds and validates it first if need be.
   *
   * @throws IllegalStateError, LogTruncationError, KafkaError, TimeoutError
   */
  async position(partition: TopicPartition): Promise<number> {
    const { time, retryBackoffMs, defaultApiTimeoutMs } = this.config;
    const deadline = time.hiResMs() + defaultApiTimeoutMs;
    for (;;) {
      const { validPosition, topic } = this.subscriptions.get(partition);
      if (validPosition !== undefined) return validPosition.offset;
      if (time.hiResMs() >= deadline) {
        throw new TimeoutError(
          `Timeout of ${defaultApiTimeoutMs}ms expired before the position for partition ${topic}-${partition.partition} could be determined`,
        );
      }
      await this.parts.metadata.maybeRefresh();
      await this.offsetFetcher.updateFetchPositions();
      if (!this.subscriptions.hasAllFetchPositions) await this.fetcher.wait(retryBackoffMs);
    }
  }

  /** Commits the given offsets, or the positions of all assigned partitions. @throws KafkaError, TimeoutError */
  async commit(offsets: readonly OffsetToCommit[] = this.consumed()): Promise<void> {
    await commitOffsets(this.membershipOf(), this.config, this.group(), offsets);
  }

  /** Committed offsets by topicPartitionKey; what has none is missing. @throws KafkaError, TimeoutError */
  async committed(partitions: readonly TopicPartition[]): Promise<Map<string, OffsetAndMetadata>> {
    return await fetchCommittedOffsets(this.membershipOf(), this.config, this.group(), partitions);
  }

  /** Log start offsets by topicPartitionKey. @throws KafkaError, TimeoutError */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return offsetsOf(await this.offsets(partitions, EARLIEST_TIMESTAMP));
  }

  /** Ends of the logs as this consumer may read them, by topicPartitionKey. @throws KafkaError, TimeoutError */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return offsetsOf(await this.offsets(partitions, LATEST_TIMESTAMP));
  }

  /** The first records not older than the given times, by topicPartitionKey. @throws KafkaError, TimeoutError */
  async offsetsForTimes(queries: readonly OffsetQuery[]): Promise<Map<string, ListedOffset>> {
    return await listOffsets(this.parts, queries, this.config.isolationLevel);
  }

  /** The partitions of a topic. @throws TimeoutError, KafkaError */
  async partitionsFor(topic: string): Promise<TopicInfo> {
    return await this.parts.metadata.awaitTopic(topic, this.config.defaultApiTimeoutMs);
  }

  /** Every topic there is, by name. @throws DisconnectError */
  async listTopics(): Promise<ReadonlyMap<string, TopicInfo>> {
    return (await this.parts.metadata.ask('all')).topics;
  }

  /** Ends a `poll` of another caller early: it returns what there is. */
  wakeup(): void {
    this.fetcher.wake();
  }

  /** Commits if it does so by itself, leaves the group and closes the connections. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.commitConsumed();
      if (this.topics !== undefined) await this.rebalances?.prepareLeave();
      await this.membership?.leave();
    } finally {
      this.parts.client.close();
      this.fetcher.wake();
    }
  }

  private ensureOpen(): void {
    if (this.closed) throw new IllegalStateError('This consumer has already been closed.');
  }

  private group(): string {
    const { groupId } = this.config;
    if (groupId === undefined) {
      throw new IllegalStateError(
        'To use the group management or offset commit APIs, you must provide a valid group.id in the consumer configuration.',
      );
    }
    return groupId;
  }

  private membershipOf(): GroupMembership {
    this.group();
    return this.membership!;
  }

  private offsets(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, ListedOffset>> {
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    return listOffsets(this.parts, queries, this.config.isolationLevel);
  }

  private rebalancesOf(membership: GroupMembership): ConsumerRebalances {
    return new ConsumerRebalances({
      membership,
      config: this.config,
      subscriptions: this.subscriptions,
      commitConsumed: () => this.commitConsumed(),
      onJoined: () => {
        this.fetcher.wake();
      },
    });
  }

  private offsetFetcherOf(membership: GroupMembership | undefined): OffsetFetcher {
    const { parts, config, subscriptions } = this;
    return new OffsetFetcher({
      ...{ parts, config, subscriptions },
      committed:
        membership === undefined
          ? undefined
          : (partitions) => fetchCommittedOffsets(membership, config, this.group(), partitions),
      onValidated: () => {
        this.fetcher.wake();
      },
    });
  }

  private consumed(): OffsetToCommit[] {
    return this.subscriptions.assigned.flatMap(({ topic, partition, validPosition }) =>
      validPosition === undefined
        ? []
        : [{ topic, partition, offset: validPosition.offset, leaderEpoch: validPosition.offsetEpoch }],
    );
  }

  /** Commits in the background what earlier polls returned. */
  private autoCommit(): void {
    const { time, enableAutoCommit, autoCommitIntervalMs } = this.config;
    if (!enableAutoCommit || this.committing !== undefined || time.hiResMs() < this.nextAutoCommitHiResMs) return;
    this.nextAutoCommitHiResMs = time.hiResMs() + autoCommitIntervalMs;
    this.committing = commitOffsets(this.membershipOf(), this.config, this.group(), this.consumed())
      .catch((error: unknown) => {
        this.logger.warn(`Asynchronous auto-commit of offsets failed: ${(error as Error).message}`);
      })
      .finally(() => {
        this.committing = undefined;
      });
  }

  /** Commits what earlier polls returned, if this consumer does so by itself. */
  private async commitConsumed(): Promise<void> {
    if (!this.config.enableAutoCommit || this.membership === undefined) return;
    try {
      await commitOffsets(
        this.membershipOf(),
        this.config,
        this.group(),
        this.consumed(),
        this.config.requestTimeoutMs,
      );
    } catch (error) {
      if (!isRetriable(error) || !this.closed) {
        this.logger.warn(`Auto-commit before the rebalance failed: ${(error as Error).message}`);
        return;
      }
      throw error;
    }
  }
}

function offsetsOf(listed: ReadonlyMap<string, ListedOffset>): Map<string, number> {
  return new Map([...listed].map(([key, { offset }]) => [key, offset]));
}
