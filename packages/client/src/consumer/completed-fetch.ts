import type { TopicPartition } from '@klassic/common';
import { batchesOf, controlRecordTypeOf } from '@klassic/protocol';
import type { RecordBatch, RecordHeader } from '@klassic/protocol';
import type { IsolationLevel } from '../list-offsets.ts';
import type { FetchPosition } from './fetch-position.ts';

export interface ConsumerRecord extends TopicPartition {
  readonly offset: number;
  /** Milliseconds since 1970; -1 for none. */
  readonly timestamp: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType';
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** -1 where the batch has none. */
  readonly leaderEpoch: number;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The records of one partition that one fetch brought, read as they are asked for. */
export class CompletedFetch {
  readonly topic: string;
  readonly partition: number;
  /** Under which the records were asked for: after a change of leader they are nobody's. */
  readonly currentLeaderEpoch: number;
  /** Where the next record is looked for: first the fetched offset, then after each record what comes after it. */
  nextOffset: number;
  /** Leader epoch of the batch that was read last; -1 before, or where it has none. */
  lastEpoch = -1;
  private readonly records: Iterator<ConsumerRecord, undefined>;

  /** @param isolation under read_committed records of aborted transactions are left out */
  constructor(
    { topic, partition }: TopicPartition,
    { offset, currentLeader }: FetchPosition,
    records: Buffer,
    aborted: readonly AbortedTransaction[] | null,
    isolation: IsolationLevel,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.currentLeaderEpoch = currentLeader.epoch;
    this.nextOffset = offset;
    this.records = this.read(records, isolation === 'read_committed' ? (aborted ?? []) : undefined);
  }

  /**
   * The next record; undefined at the end, with `nextOffset` then after the last batch.
   *
   * @throws CorruptRecordError when a batch's CRC is wrong
   */
  next(): ConsumerRecord | undefined {
    const { value } = this.records.next();
    if (value !== undefined) this.nextOffset = value.offset + 1;
    return value;
  }

  private *read(
    buffer: Buffer,
    aborted: readonly AbortedTransaction[] | undefined,
  ): Generator<ConsumerRecord, undefined> {
    const { topic, partition } = this;
    const toBegin = aborted?.toSorted((one, other) => one.firstOffset - other.firstOffset);
    const abortedProducers = new Set<number>();
    for (const batch of batchesOf(buffer)) {
      batch.ensureValid();
      this.lastEpoch = batch.partitionLeaderEpoch;
      while (toBegin?.[0] !== undefined && toBegin[0].firstOffset <= batch.lastOffset) {
        abortedProducers.add(toBegin.shift()!.producerId);
      }
      const leftOut = toBegin !== undefined && this.isLeftOut(batch, abortedProducers);
      if (!leftOut && !batch.isControlBatch) {
        for (const record of batch.records()) {
          // A compressed or compacted batch may begin before the offset that was asked for.
          if (record.offset < this.nextOffset) continue;
          yield {
            topic,
            partition,
            offset: record.offset,
            timestamp: record.timestamp,
            timestampType: batch.timestampType,
            key: record.key,
            value: record.value,
            headers: record.headers,
            leaderEpoch: batch.partitionLeaderEpoch,
          };
        }
      }
      this.nextOffset = Math.max(this.nextOffset, batch.nextOffset);
    }
    return undefined;
  }

  private isLeftOut(batch: RecordBatch, abortedProducers: Set<number>): boolean {
    if (batch.isControlBatch) {
      for (const marker of batch.records()) {
        if (controlRecordTypeOf(marker) === 'ABORT') abortedProducers.delete(batch.producerId);
      }
      return true;
    }
    return batch.isTransactional && abortedProducers.has(batch.producerId);
  }
}
