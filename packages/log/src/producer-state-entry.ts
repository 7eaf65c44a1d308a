import type { RecordBatch } from '@klassic/protocol';

const BATCHES_TO_RETAIN = 5;
const MAX_SEQUENCE = 0x7fffffff;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
const NO_TIMESTAMP = -1;

/** What is remembered of a batch to know it again when its producer sends it twice. Offsets and sequences are inclusive. */
export interface BatchMetadata {
  readonly lastSequence: number;
  readonly lastOffset: number;
  /** Number of records minus one. */
  readonly offsetDelta: number;
  /** ms */
  readonly timestamp: number;
}

/** Sequence of a batch's first record; sequences wrap from 2^31-1 to 0. */
export function firstSequence(batch: BatchMetadata): number {
  const first = batch.lastSequence - batch.offsetDelta;
  return first >= 0 ? first : first + MAX_SEQUENCE + 1;
}

export function firstOffset(batch: BatchMetadata): number {
  return batch.lastOffset - batch.offsetDelta;
}

/** What a partition knows of one producer id. Counterpart of `kafka.log.ProducerStateEntry`. */
export class ProducerStateEntry {
  readonly producerId: number;
  /** The last five batches at most, oldest first. */
  batches: BatchMetadata[] = [];
  producerEpoch = NO_PRODUCER_EPOCH;
  coordinatorEpoch = -1;
  lastTimestamp = NO_TIMESTAMP;
  /** First offset of the open transaction; null when there is none. */
  currentTxnFirstOffset: number | null = null;

  constructor(producerId: number) {
    this.producerId = producerId;
  }

  get isEmpty(): boolean {
    return this.batches.length === 0;
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? NO_SEQUENCE;
  }

  get lastDataOffset(): number {
    return this.batches.at(-1)?.lastOffset ?? -1;
  }

  get lastOffsetDelta(): number {
    return this.batches.at(-1)?.offsetDelta ?? 0;
  }

  addBatch(producerEpoch: number, batch: BatchMetadata): void {
    this.maybeUpdateProducerEpoch(producerEpoch);
    this.remember(batch);
    this.lastTimestamp = batch.timestamp;
  }

  /** A new epoch makes the batches of the old one worthless. */
  maybeUpdateProducerEpoch(producerEpoch: number): void {
    if (this.producerEpoch === producerEpoch) return;
    this.batches = [];
    this.producerEpoch = producerEpoch;
  }

  /** Takes over what an append has gathered in `next`. */
  update(next: ProducerStateEntry): void {
    this.maybeUpdateProducerEpoch(next.producerEpoch);
    for (const batch of next.batches) this.remember(batch);
    this.coordinatorEpoch = next.coordinatorEpoch;
    this.currentTxnFirstOffset = next.currentTxnFirstOffset;
    this.lastTimestamp = next.lastTimestamp;
  }

  /** The remembered batch with the very same epoch and sequences. */
  findDuplicateBatch(batch: RecordBatch): BatchMetadata | undefined {
    if (batch.producerEpoch !== this.producerEpoch) return undefined;
    return this.batches.find(
      (known) => firstSequence(known) === batch.baseSequence && known.lastSequence === batch.lastSequence,
    );
  }

  private remember(batch: BatchMetadata): void {
    if (this.batches.length === BATCHES_TO_RETAIN) this.batches.shift();
    this.batches.push(batch);
  }
}
