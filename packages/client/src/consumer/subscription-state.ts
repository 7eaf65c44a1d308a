import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { IllegalStateError } from '../client-errors.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { isSamePosition } from './fetch-position.ts';
import type { FetchPosition } from './fetch-position.ts';
import type { LogTruncation } from './log-truncation.ts';
import { TopicPartitionState } from './topic-partition-state.ts';
import type { ResetStrategy } from './topic-partition-state.ts';

/** Where a leader epoch ends, as the leader tells it; both -1 when it knows no epoch as old. */
export interface EpochEndOffset {
  /** The largest one not above that asked for. */
  readonly leaderEpoch: number;
  /** Of the first record of the next epoch, or the end of the log. */
  readonly endOffset: number;
}

/** Which partitions a consumer has, and where it stands in each. Counterpart of `SubscriptionState`. */
export class SubscriptionState {
  private readonly partitions = new Map<string, TopicPartitionState>();
  private readonly autoOffsetReset: ConsumerConfig['autoOffsetReset'];
  private readonly logger: Logger;
  /** As of the last look at leaders. */
  private metadataVersion = 0;

  constructor(config: Pick<ConsumerConfig, 'autoOffsetReset' | 'loggers'>) {
    this.autoOffsetReset = config.autoOffsetReset;
    this.logger = config.loggers('org.apache.kafka.clients.consumer.internals.SubscriptionState');
  }

  /** Replaces the assignment; partitions that stay keep their position. */
  assign(assigned: readonly TopicPartition[]): void {
    const kept = new Map(this.partitions);
    this.partitions.clear();
    for (const each of assigned) {
      const key = topicPartitionKey(each.topic, each.partition);
      this.partitions.set(key, kept.get(key) ?? new TopicPartitionState(each));
    }
  }

  get assigned(): readonly TopicPartitionState[] {
    return [...this.partitions.values()];
  }

  /** True when every partition may be fetched from. */
  get hasAllFetchPositions(): boolean {
    return this.assigned.every(({ validPosition }) => validPosition !== undefined);
  }

  /** `auto.offset.reset`; undefined for `none`. */
  get defaultResetStrategy(): ResetStrategy | undefined {
    return this.autoOffsetReset === 'none' ? undefined : this.autoOffsetReset;
  }

  find({ topic, partition }: TopicPartition): TopicPartitionState | undefined {
    return this.partitions.get(topicPartitionKey(topic, partition));
  }

  /** @throws IllegalStateError when the partition is not assigned */
  get(partition: TopicPartition): TopicPartitionState {
    const found = this.find(partition);
    if (found === undefined) {
      throw new IllegalStateError(
        `No current assignment for partition ${topicPartitionKey(partition.topic, partition.partition)}`,
      );
    }
    return found;
  }

  /** When there is news, compares every position with the leader that metadata tell: after a change it awaits validation. */
  maybeValidatePositions(metadata: Metadata): void {
    if (metadata.updateVersion === this.metadataVersion) return;
    this.metadataVersion = metadata.updateVersion;
    for (const state of this.partitions.values()) state.maybeValidatePosition(metadata.currentLeader(state));
  }

  /**
   * Takes the leader's answer about the position that was asked for. Where the log ends sooner, records that were read are
   * gone: with a reset policy reading goes on at the first offset that may differ, or by the policy where that is not known.
   *
   * @returns the truncation that nobody has said how to go on from
   */
  maybeCompleteValidation(
    partition: TopicPartition,
    asked: FetchPosition,
    { leaderEpoch, endOffset }: EpochEndOffset,
  ): LogTruncation | undefined {
    const state = this.find(partition);
    // The partition was taken away, or a seek, a reset or yet another leader came first.
    if (state?.position === undefined || state.fetchState !== 'AWAIT_VALIDATION') return undefined;
    if (!isSamePosition(state.position, asked)) return undefined;
    const isKnown = endOffset >= 0 && leaderEpoch >= 0;
    if (isKnown && endOffset >= asked.offset) {
      state.completeValidation();
      return undefined;
    }
    const what = `Truncation detected for partition ${topicPartitionKey(state.topic, state.partition)} at offset ${asked.offset}`;
    const strategy = this.defaultResetStrategy;
    if (strategy === undefined) {
      this.logger.warn(`${what}${isKnown ? ` (the leader's ends at ${endOffset})` : ''}, but no reset policy is set`);
      const { topic } = state;
      const divergentOffset = isKnown ? { offset: endOffset, leaderEpoch } : undefined;
      return { topic, partition: state.partition, position: asked, divergentOffset };
    }
    if (isKnown) {
      this.logger.info(`${what}, resetting offset to the first offset known to diverge ${endOffset}`);
      state.seekValidated({ offset: endOffset, offsetEpoch: leaderEpoch, currentLeader: asked.currentLeader });
    } else {
      this.logger.info(`${what}, resetting offset`);
      state.reset(strategy);
    }
    return undefined;
  }
}
