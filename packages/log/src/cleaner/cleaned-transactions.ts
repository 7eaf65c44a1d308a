import { controlRecordTypeOf } from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';
import type { AbortedTxn, TransactionIndex } from '../transaction-index.ts';

interface OngoingAbort {
  readonly txn: AbortedTxn;
  /** Whether a batch of it was seen, and may still be there. */
  isSeen: boolean;
}

/**
 * Follows the transactions while a log is read from its beginning, and says which markers are still needed: those of
 * transactions that have batches left. Counterpart of `kafka.log.CleanedTransactionMetadata`.
 */
export class CleanedTransactions {
  /** Where aborted transactions whose markers stay are written down again; null while only reading. */
  cleanedIndex: TransactionIndex | null = null;
  private readonly ongoingCommitted = new Set<number>();
  private readonly ongoingAborted = new Map<number, OngoingAbort>();
  /** By first offset, rising; to be met yet. */
  private aborted: AbortedTxn[] = [];

  /** Aborted transactions that the batches to come may belong to. */
  add(transactions: readonly AbortedTxn[]): void {
    this.aborted = [...this.aborted, ...transactions].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Takes notice of a control batch; returns whether nothing needs it any more. */
  onControlBatch(batch: RecordBatch): boolean {
    this.meetUpTo(batch.lastOffset);
    const [record] = batch.records();
    // Emptied by an earlier cleaning.
    if (record === undefined) return true;
    const type = controlRecordTypeOf(record);
    if (type === 'ABORT') return this.onAbort(batch.producerId);
    return type === 'COMMIT' && !this.ongoingCommitted.delete(batch.producerId);
  }

  /** Takes notice of a batch of data; returns whether its transaction was aborted. */
  onDataBatch(batch: RecordBatch): boolean {
    this.meetUpTo(batch.lastOffset);
    if (!batch.isTransactional) return false;
    const abort = this.ongoingAborted.get(batch.producerId);
    if (abort === undefined) {
      this.ongoingCommitted.add(batch.producerId);
      return false;
    }
    abort.isSeen = true;
    return true;
  }

  private onAbort(producerId: number): boolean {
    const abort = this.ongoingAborted.get(producerId);
    this.ongoingAborted.delete(producerId);
    if (abort?.isSeen !== true) return true;
    // A batch may be kept for its producer's sequence: as long as one is seen the marker stays.
    this.cleanedIndex?.append(abort.txn);
    return false;
  }

  private meetUpTo(offset: number): void {
    while (this.aborted.length > 0 && this.aborted[0]!.firstOffset <= offset) {
      const txn = this.aborted.shift()!;
      if (!this.ongoingAborted.has(txn.producerId)) this.ongoingAborted.set(txn.producerId, { txn, isSeen: false });
    }
  }
}
