import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { isRetriable, kafkaError } from '../client-errors.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import type { OffsetAndMetadata } from './committed-offsets.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { isSamePosition } from './fetch-position.ts';
import { LogTruncationError } from './log-truncation.ts';
import type { LogTruncation } from './log-truncation.ts';
import { canValidateOffsets, offsetsForLeaderEpoch } from './offsets-for-leader-epoch.ts';
import type { PositionToValidate } from './offsets-for-leader-epoch.ts';
import type { SubscriptionState } from './subscription-state.ts';
import type { TopicPartitionState } from './topic-partition-state.ts';

interface Validation extends PositionToValidate {
  readonly state: TopicPartitionState;
}

export interface OffsetFetcherOptions {
  readonly parts: ClientParts;
  readonly config: ConsumerConfig;
  readonly subscriptions: SubscriptionState;
  /** Committed offsets by topicPartitionKey; undefined for a consumer without a group. */
  readonly committed: ((partitions: readonly TopicPartition[]) => Promise<Map<string, OffsetAndMetadata>>) | undefined;
  /** Called when a validation under way has ended. */
  readonly onValidated: () => void;
}

/**
 * Finds out where the consumer stands: from committed offsets, from the ends of logs, and after a change of leader by asking
 * the new one whether its log holds what was read (KIP-320). Counterpart of the part of `Fetcher` that is about offsets
 * (`OffsetFetcher` since 3.5).
 */
export class OffsetFetcher {
  private readonly options: OffsetFetcherOptions;
  private readonly logger: Logger;
  private failure: Error | undefined;

  constructor(options: OffsetFetcherOptions) {
    this.options = options;
    this.logger = options.config.loggers('org.apache.kafka.clients.consumer.internals.Fetcher');
  }

  /**
   * Finds the positions that are missing, and has those validated that need it; validation goes on in the background.
   *
   * @throws LogTruncationError, KafkaError, TimeoutError
   */
  async updateFetchPositions(): Promise<void> {
    this.validateOffsetsIfNeeded();
    if (this.options.subscriptions.hasAllFetchPositions) return;
    await this.refreshCommittedOffsets();
    this.resetInitializingPositions();
    await this.resetOffsetsIfNeeded();
  }

  private async refreshCommittedOffsets(): Promise<void> {
    const { committed: fetchCommitted, subscriptions, parts } = this.options;
    const initializing = subscriptions.assigned.filter(({ fetchState }) => fetchState === 'INITIALIZING');
    if (fetchCommitted === undefined || initializing.length === 0) return;
    const committed = await fetchCommitted(initializing);
    for (const state of initializing) {
      const found = committed.get(topicPartitionKey(state.topic, state.partition));
      // A seek or a rebalance may have come first.
      if (found === undefined || state.fetchState !== 'INITIALIZING') continue;
      parts.metadata.updateLastSeenEpochIfNewer(state, found.leaderEpoch);
      const currentLeader = parts.metadata.currentLeader(state);
      state.seekUnvalidated({ offset: found.offset, offsetEpoch: found.leaderEpoch, currentLeader });
    }
  }

  private resetInitializingPositions(): void {
    const { subscriptions } = this.options;
    const initializing = subscriptions.assigned.filter(({ fetchState }) => fetchState === 'INITIALIZING');
    if (initializing.length === 0) return;
    const strategy = subscriptions.defaultResetStrategy;
    if (strategy === undefined) {
      const partitions = initializing.map(({ topic, partition }) => topicPartitionKey(topic, partition));
      throw kafkaError(
        Errors.OFFSET_OUT_OF_RANGE.code,
        `Undefined offset with no reset policy for partitions: ${partitions.join(', ')}`,
      );
    }
    for (const state of initializing) state.reset(strategy);
  }

  private async resetOffsetsIfNeeded(): Promise<void> {
    const { parts, config, subscriptions } = this.options;
    const toReset = subscriptions.assigned.flatMap((state) =>
      state.resetStrategy === undefined ? [] : [{ state, strategy: state.resetStrategy }],
    );
    if (toReset.length === 0) return;
    const queries = toReset.map(({ state: { topic, partition }, strategy }) => ({
      topic,
      partition,
      timestamp: strategy === 'earliest' ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP,
    }));
    const found = await listOffsets(parts, queries, config.isolationLevel);
    for (const { state, strategy } of toReset) {
      // A seek, or another reset, may have come first.
      if (state.resetStrategy !== strategy) continue;
      const { offset } = found.get(topicPartitionKey(state.topic, state.partition))!;
      // Without an epoch of its own: what the leader has just told needs no validation.
      state.seekUnvalidated({ offset, offsetEpoch: -1, currentLeader: parts.metadata.currentLeader(state) });
    }
  }

  private validateOffsetsIfNeeded(): void {
    if (this.failure !== undefined) {
      const { failure } = this;
      this.failure = undefined;
      throw failure;
    }
    const { parts, config, subscriptions } = this.options;
    subscriptions.maybeValidatePositions(parts.metadata);
    const now = config.time.hiResMs();
    const byLeader = new Map<Node, Validation[]>();
    for (const state of subscriptions.assigned) {
      const { topic, partition, position } = state;
      if (position === undefined || state.fetchState !== 'AWAIT_VALIDATION' || state.awaitsRetry(now)) continue;
      const { leader } = position.currentLeader;
      if (leader === undefined) {
        parts.metadata.requestUpdate();
        continue;
      }
      // One request for a position at a time.
      state.setNextAllowedRetry(now + config.requestTimeoutMs);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), { topic, partition, position, state }]);
    }
    for (const [leader, validations] of byLeader) void this.validate(leader, validations);
  }

  private async validate(leader: Node, validations: readonly Validation[]): Promise<void> {
    const { parts, subscriptions, onValidated } = this.options;
    try {
      if (!(await canValidateOffsets(parts.client, leader))) {
        const { host, port } = leader;
        this.logger.debug(`Skipping validation of fetch offsets since the broker ${host}:${port} is older than 2.3`);
        for (const { state, position } of validations) {
          if (state.position !== undefined && isSamePosition(state.position, position)) state.completeValidation();
        }
        return;
      }
      const ends = await offsetsForLeaderEpoch(parts.client, leader, validations);
      const truncations: LogTruncation[] = [];
      for (const [{ state, position }, end] of ends) {
        if (end === undefined) {
          this.askAgain(state);
          continue;
        }
        const truncation = subscriptions.maybeCompleteValidation(state, position, end);
        if (truncation !== undefined) truncations.push(truncation);
      }
      if (truncations.length > 0) this.failure = new LogTruncationError(truncations);
    } catch (error) {
      for (const { state } of validations) this.askAgain(state);
      if (!isRetriable(error)) this.failure ??= error as Error;
    } finally {
      onValidated();
    }
  }

  /** The leader may have moved on: after a pause, and by fresh metadata. */
  private askAgain(state: TopicPartitionState): void {
    const { parts, config } = this.options;
    state.setNextAllowedRetry(config.time.hiResMs() + config.retryBackoffMs);
    parts.metadata.requestUpdate();
  }
}
