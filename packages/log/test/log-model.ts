import type { KafkaRecord, RecordBatch } from '@klassic/protocol';
import { batchesOf } from '@klassic/protocol';

/** A batch as the model keeps it: a copy of its bytes, and what is asked of it. */
export interface ModelBatch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly epoch: number;
  readonly records: readonly KafkaRecord[];
}

/** A log as simple as can be: a list of batches in memory. */
export class LogModel {
  batches: ModelBatch[] = [];
  logStartOffset = 0;
  logEndOffset = 0;
  epoch = 0;

  append(bytes: Buffer): void {
    for (const batch of batchesOf(Buffer.from(bytes))) {
      this.batches.push(toModel(batch));
      this.logEndOffset = batch.lastOffset + 1;
    }
  }

  truncateTo(offset: number): void {
    if (offset >= this.logEndOffset) return;
    this.batches = this.batches.filter((batch) => batch.lastOffset < offset);
    this.logStartOffset = Math.min(this.logStartOffset, offset);
    this.logEndOffset = offset;
  }

  startAt(offset: number): void {
    this.batches = [];
    this.logStartOffset = offset;
    this.logEndOffset = offset;
  }

  /** What a restart makes of the end: offsets that no batch bears are not remembered. */
  reopen(activeBaseOffset: number): void {
    this.logEndOffset = Math.max(activeBaseOffset, (this.batches.at(-1)?.lastOffset ?? -1) + 1);
  }

  dropFrom(index: number): void {
    this.batches.splice(index);
  }

  bytesFrom(offset: number): Buffer {
    return Buffer.concat(this.batches.filter((batch) => batch.lastOffset >= offset).map((batch) => batch.bytes));
  }

  findByTimestamp(timestamp: number): { offset: number; timestamp: number } | null {
    for (const batch of this.batches) {
      for (const record of batch.records) {
        if (record.offset < this.logStartOffset) continue;
        if (record.timestamp >= timestamp) return { offset: record.offset, timestamp: record.timestamp };
      }
    }
    return null;
  }

  /** Where an epoch may end: after its last batch, up to the first batch of a later one. */
  endOfEpoch(epoch: number): [from: number, to: number] {
    const last = this.batches.findLast((batch) => batch.epoch <= epoch);
    const next = this.batches.find((batch) => batch.epoch > epoch);
    return [last!.lastOffset + 1, next?.baseOffset ?? this.logEndOffset];
  }
}

function toModel(batch: RecordBatch): ModelBatch {
  return {
    bytes: batch.bytes,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    epoch: batch.partitionLeaderEpoch,
    records: [...batch.records()],
  };
}
