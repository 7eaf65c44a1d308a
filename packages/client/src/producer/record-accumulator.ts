import { topicPartitionKey } from '@klassic/common';
import { estimatedSize, ProducerBatch } from './producer-batch.ts';
import type { PendingRecord } from './producer-batch.ts';

/** What waits for one partition, oldest batch first, and what is on its way. */
export interface PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly waiting: ProducerBatch[];
  readonly inFlight: Set<ProducerBatch>;
  /** Of the next batch that goes out for the first time. */
  nextSequence: number;
}

/** Gathers records into batches by partition. Counterpart of `RecordAccumulator`. */
export class RecordAccumulator {
  private readonly batchSize: number;
  private readonly queues = new Map<string, PartitionQueue>();
  private used = 0;

  constructor(batchSize: number) {
    this.batchSize = batchSize;
  }

  /** Bytes of all records not yet acknowledged or failed, as estimated. */
  get usedBytes(): number {
    return this.used;
  }

  get partitions(): Iterable<PartitionQueue> {
    return this.queues.values();
  }

  /** Every batch that is not done, waiting or on its way. */
  *incomplete(): Iterable<ProducerBatch> {
    for (const queue of this.queues.values()) {
      yield* queue.waiting;
      yield* queue.inFlight;
    }
  }

  queue(topic: string, partition: number): PartitionQueue {
    const key = topicPartitionKey(topic, partition);
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = { topic, partition, waiting: [], inFlight: new Set(), nextSequence: 0 };
      this.queues.set(key, queue);
    }
    return queue;
  }

  /** True when a record of this size would begin a new batch. */
  wouldBeginBatch(topic: string, partition: number, size: number): boolean {
    return this.openBatch(this.queue(topic, partition), size) === undefined;
  }

  append(topic: string, partition: number, record: PendingRecord, nowHiResMs: number): void {
    const size = estimatedSize(record);
    const queue = this.queue(topic, partition);
    let batch = this.openBatch(queue, size);
    if (batch === undefined) {
      const last = queue.waiting.at(-1);
      if (last !== undefined) last.isClosed = true;
      batch = new ProducerBatch(topic, partition, nowHiResMs);
      queue.waiting.push(batch);
      this.used += batch.sizeInBytes;
    }
    batch.add(record, size);
    this.used += size;
    if (batch.sizeInBytes >= this.batchSize) batch.isClosed = true;
  }

  /** Gives back the memory of a batch that is done. */
  release(batch: ProducerBatch): void {
    this.used -= batch.sizeInBytes;
  }

  /** Puts a batch back to be sent again, in its place by sequence; without sequences, in front. */
  requeue(queue: PartitionQueue, batch: ProducerBatch): void {
    const place = queue.waiting.findIndex(
      ({ attempts, baseSequence }) => attempts === 0 || baseSequence < 0 || baseSequence > batch.baseSequence,
    );
    queue.waiting.splice(place < 0 ? queue.waiting.length : place, 0, batch);
  }

  private openBatch(queue: PartitionQueue, size: number): ProducerBatch | undefined {
    const last = queue.waiting.at(-1);
    if (last === undefined || last.isClosed || last.attempts > 0) return undefined;
    return last.sizeInBytes + size <= this.batchSize ? last : undefined;
  }
}
