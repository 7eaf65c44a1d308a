import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { FetchPosition } from './fetch-position.ts';

/** The first offset of a log that may differ from what was read, and the leader epoch that ends there. */
export interface DivergentOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
}

/** The leader's log does not hold what was read from a partition. Counterpart of `SubscriptionState.LogTruncation`. */
export interface LogTruncation extends TopicPartition {
  readonly position: FetchPosition;
  /** undefined when the leader knows no epoch as old as that of the position. */
  readonly divergentOffset: DivergentOffset | undefined;
}

/**
 * Records that were read are gone from the leader's log, and there is no reset policy that says how to go on. As Kafka's
 * `LogTruncationException` it is an OFFSET_OUT_OF_RANGE with more to say (KIP-320).
 */
export class LogTruncationError extends KafkaError {
  /** The positions that cannot be gone on from, by topicPartitionKey. */
  readonly fetchOffsets: ReadonlyMap<string, number>;
  /** By topicPartitionKey; what is not known is missing. */
  readonly divergentOffsets: ReadonlyMap<string, DivergentOffset>;

  constructor(truncations: readonly LogTruncation[]) {
    super(Errors.OFFSET_OUT_OF_RANGE, `Detected truncated partitions: ${truncations.map(describe).join(', ')}`);
    this.name = 'LogTruncationError';
    this.fetchOffsets = new Map(truncations.map((each) => [keyOf(each), each.position.offset]));
    this.divergentOffsets = new Map(
      truncations.flatMap((each) => (each.divergentOffset === undefined ? [] : [[keyOf(each), each.divergentOffset]])),
    );
  }
}

function describe(truncation: LogTruncation): string {
  const { position, divergentOffset } = truncation;
  return (
    `(partition=${keyOf(truncation)}, fetchOffset=${position.offset}, fetchEpoch=${position.offsetEpoch}, ` +
    `divergentOffset=${divergentOffset?.offset ?? 'unknown'}, divergentEpoch=${divergentOffset?.leaderEpoch ?? 'unknown'})`
  );
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}
