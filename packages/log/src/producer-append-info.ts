import type { Logger } from '@klassic/common';
import { endTransactionMarkerOf, Errors, KafkaError } from '@klassic/protocol';
import type { EndTransactionMarker, RecordBatch } from '@klassic/protocol';
import { offsetOnly } from './log-offset-metadata.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { AppendOrigin } from './log-types.ts';
import { NO_PRODUCER_EPOCH, NO_SEQUENCE, ProducerStateEntry } from './producer-state-entry.ts';

const MAX_SEQUENCE = 0x7fffffff;

/** A transaction that begins in the log; `lastOffset` is its marker's, null while it is open. */
export interface TxnMetadata {
  readonly producerId: number;
  readonly firstOffset: LogOffsetMetadata;
  lastOffset: number | null;
}

/** A transaction whose marker was appended. Offsets inclusive; the last is the marker's. */
export interface CompletedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly isAborted: boolean;
}

/**
 * Checks the batches that one append holds of one producer id, and gathers what they change, so that nothing is
 * changed when a later batch is refused. Counterpart of `kafka.log.ProducerAppendInfo` (KIP-98).
 */
export class ProducerAppendInfo {
  readonly producerId: number;
  /** The state after the append; to be merged by `ProducerStateEntry.update`. */
  readonly updatedEntry: ProducerStateEntry;
  readonly startedTransactions: TxnMetadata[] = [];
  private readonly current: ProducerStateEntry;
  private readonly origin: AppendOrigin;
  private readonly partitionName: string;
  private readonly logger: Logger;

  constructor(partitionName: string, current: ProducerStateEntry, origin: AppendOrigin, logger: Logger) {
    this.partitionName = partitionName;
    this.producerId = current.producerId;
    this.current = current;
    this.origin = origin;
    this.logger = logger;
    this.updatedEntry = new ProducerStateEntry(current.producerId);
    this.updatedEntry.producerEpoch = current.producerEpoch;
    this.updatedEntry.coordinatorEpoch = current.coordinatorEpoch;
    this.updatedEntry.lastTimestamp = current.lastTimestamp;
    this.updatedEntry.currentTxnFirstOffset = current.currentTxnFirstOffset;
  }

  /**
   * @param firstOffset where the batch will lie, when known
   * @returns the transaction that the batch ends, or null
   * @throws KafkaError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED
   * @throws InvalidRecordError when a control batch holds no marker
   */
  append(batch: RecordBatch, firstOffset: LogOffsetMetadata | null): CompletedTxn | null {
    if (batch.isControlBatch) {
      const found = readMarker(batch);
      // Compaction empties a control batch when its whole transaction is gone: nothing ends then.
      if (found === null) return null;
      return this.appendEndTxnMarker(found.marker, found.timestamp, batch.producerEpoch, batch.baseOffset);
    }
    this.appendDataBatch(batch, firstOffset ?? offsetOnly(batch.baseOffset));
    return null;
  }

  private appendDataBatch(batch: RecordBatch, firstOffset: LogOffsetMetadata): void {
    const offset = firstOffset.messageOffset;
    this.checkProducerEpoch(batch.producerEpoch, offset);
    if (this.origin === 'Client') this.checkSequence(batch.producerEpoch, batch.baseSequence, offset);
    this.updatedEntry.addBatch(batch.producerEpoch, {
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - offset,
      timestamp: batch.maxTimestamp,
    });
    const isOpen = this.updatedEntry.currentTxnFirstOffset !== null;
    if (isOpen && !batch.isTransactional) {
      throw new KafkaError(
        Errors.INVALID_TXN_STATE,
        `Expected transactional write from producer ${this.producerId} at offset ${offset} in partition ${this.partitionName}`,
      );
    }
    if (!isOpen && batch.isTransactional) {
      this.updatedEntry.currentTxnFirstOffset = offset;
      this.startedTransactions.push({ producerId: this.producerId, firstOffset, lastOffset: null });
    }
  }

  private appendEndTxnMarker(
    marker: EndTransactionMarker,
    timestamp: number,
    producerEpoch: number,
    offset: number,
  ): CompletedTxn | null {
    this.checkProducerEpoch(producerEpoch, offset);
    this.checkCoordinatorEpoch(marker.coordinatorEpoch, offset);
    const firstOffset = this.updatedEntry.currentTxnFirstOffset;
    this.updatedEntry.maybeUpdateProducerEpoch(producerEpoch);
    this.updatedEntry.currentTxnFirstOffset = null;
    this.updatedEntry.coordinatorEpoch = marker.coordinatorEpoch;
    this.updatedEntry.lastTimestamp = timestamp;
    // A marker without data before it moves no last stable offset and needs no entry in the transaction index.
    if (firstOffset === null) return null;
    return { producerId: this.producerId, firstOffset, lastOffset: offset, isAborted: marker.type === 'ABORT' };
  }

  private checkProducerEpoch(producerEpoch: number, offset: number): void {
    if (producerEpoch >= this.updatedEntry.producerEpoch) return;
    const message =
      `Epoch of producer ${this.producerId} at offset ${offset} in ${this.partitionName} is ${producerEpoch}, ` +
      `which is smaller than the last seen epoch ${this.updatedEntry.producerEpoch}`;
    if (this.origin !== 'Replication') throw new KafkaError(Errors.INVALID_PRODUCER_EPOCH, message);
    this.logger.warn(message);
  }

  private checkSequence(producerEpoch: number, sequence: number, offset: number): void {
    if (producerEpoch !== this.updatedEntry.producerEpoch) {
      if (sequence === 0 || this.updatedEntry.producerEpoch === NO_PRODUCER_EPOCH) return;
      throw new KafkaError(
        Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `Invalid sequence number for new epoch of producer ${this.producerId} at offset ${offset} in partition ` +
          `${this.partitionName}: ${producerEpoch} (request epoch), ${sequence} (seq. number), ` +
          `${this.updatedEntry.producerEpoch} (current producer epoch)`,
      );
    }
    // All records of the producer may have been deleted: then any sequence will do.
    if (this.current.producerEpoch === NO_PRODUCER_EPOCH) return;
    const last = this.lastSequenceOf(producerEpoch);
    if (sequence === last + 1 || (sequence === 0 && last === MAX_SEQUENCE)) return;
    throw new KafkaError(
      Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Out of order sequence number for producer ${this.producerId} at offset ${offset} in partition ` +
        `${this.partitionName}: ${sequence} (incoming seq. number), ${last} (current end sequence number)`,
    );
  }

  private lastSequenceOf(producerEpoch: number): number {
    if (!this.updatedEntry.isEmpty) return this.updatedEntry.lastSequence;
    return producerEpoch === this.current.producerEpoch ? this.current.lastSequence : NO_SEQUENCE;
  }

  private checkCoordinatorEpoch(coordinatorEpoch: number, offset: number): void {
    if (coordinatorEpoch >= this.updatedEntry.coordinatorEpoch) return;
    const message =
      `Invalid coordinator epoch for producerId ${this.producerId} at offset ${offset} in partition ` +
      `${this.partitionName}: ${coordinatorEpoch} (zombie), ${this.updatedEntry.coordinatorEpoch} (current)`;
    if (this.origin !== 'Replication') throw new KafkaError(Errors.TRANSACTION_COORDINATOR_FENCED, message);
    this.logger.info(message);
  }
}

/** The marker in a control batch; null when compaction has emptied the batch. */
function readMarker(batch: RecordBatch): { marker: EndTransactionMarker; timestamp: number } | null {
  for (const record of batch.records()) return { marker: endTransactionMarkerOf(record), timestamp: record.timestamp };
  return null;
}
