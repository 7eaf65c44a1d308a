import { invariant, topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import type { RecordBatch } from '@klassic/protocol';
import { offsetFromFileName, SNAPSHOT_SUFFIX, snapshotPath } from './file-names.ts';
import { deleteIfExists, exists, fileNamesIn } from './files.ts';
import { offsetOnly } from './log-offset-metadata.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { ActiveProducer, AppendOrigin } from './log-types.ts';
import { ProducerAppendInfo } from './producer-append-info.ts';
import type { CompletedTxn, TxnMetadata } from './producer-append-info.ts';
import { CorruptSnapshotError, readSnapshot, writeSnapshot } from './producer-snapshot.ts';
import { NO_PRODUCER_ID, ProducerStateEntry } from './producer-state-entry.ts';

/**
 * What a partition knows of the producer ids that wrote to it: their last sequences, their open transactions, and so
 * the first unstable offset. Snapshots at segment boundaries save reading the log again after a restart.
 * Counterpart of `kafka.log.ProducerStateManager`.
 */
export class ProducerStateManager {
  private readonly partitionName: string;
  private readonly expirationMs: number;
  private readonly logger: Logger;
  private dir: string;
  /** Offsets of the snapshot files, rising. */
  private snapshots: number[] = [];
  private readonly producers = new Map<number, ProducerStateEntry>();
  private mapEnd = 0;
  private lastSnapshot = 0;
  /** Open transactions by first offset. */
  private readonly ongoingTxns = new Map<number, TxnMetadata>();
  /** Ended transactions whose marker is not below the high watermark yet, by first offset. */
  private readonly unreplicatedTxns = new Map<number, TxnMetadata>();

  /**
   * @param expirationMs idle ms after which a producer id is forgotten
   * @param isFolderNew whether the folder is known to hold no snapshots
   */
  constructor(topicPartition: TopicPartition, dir: string, expirationMs: number, logger: Logger, isFolderNew = false) {
    this.partitionName = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    this.dir = dir;
    this.expirationMs = expirationMs;
    this.logger = logger;
    if (!isFolderNew) this.snapshots = this.listSnapshots();
  }

  get isEmpty(): boolean {
    return this.producers.size === 0 && this.unreplicatedTxns.size === 0;
  }

  /** The state covers offsets below this one. */
  get mapEndOffset(): number {
    return this.mapEnd;
  }

  get latestSnapshotOffset(): number | null {
    return this.snapshots.at(-1) ?? null;
  }

  get oldestSnapshotOffset(): number | null {
    return this.snapshots[0] ?? null;
  }

  get activeProducers(): ReadonlyMap<number, ProducerStateEntry> {
    return this.producers;
  }

  /** As `Log.activeProducers`. */
  describeProducers(): ActiveProducer[] {
    return [...this.producers.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: entry.lastSequence,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset ?? -1,
    }));
  }

  /** The least offset of a transaction that is open, or whose marker is not replicated yet; null when there is none. */
  get firstUnstableOffset(): LogOffsetMetadata | null {
    const unreplicated = earliest(this.unreplicatedTxns);
    const ongoing = earliest(this.ongoingTxns);
    if (unreplicated === null || ongoing === null) return (unreplicated ?? ongoing)?.firstOffset ?? null;
    return ongoing.firstOffset.messageOffset < unreplicated.firstOffset.messageOffset
      ? ongoing.firstOffset
      : unreplicated.firstOffset;
  }

  lastEntry(producerId: number): ProducerStateEntry | undefined {
    return this.producers.get(producerId);
  }

  prepareUpdate(producerId: number, origin: AppendOrigin): ProducerAppendInfo {
    const current = this.producers.get(producerId) ?? new ProducerStateEntry(producerId);
    return new ProducerAppendInfo(this.partitionName, current, origin, this.logger);
  }

  update(appendInfo: ProducerAppendInfo): void {
    invariant(appendInfo.producerId !== NO_PRODUCER_ID, 'a producer state needs a producer id');
    const current = this.producers.get(appendInfo.producerId);
    if (current === undefined) this.producers.set(appendInfo.producerId, appendInfo.updatedEntry);
    else current.update(appendInfo.updatedEntry);
    for (const txn of appendInfo.startedTransactions) this.ongoingTxns.set(txn.firstOffset.messageOffset, txn);
  }

  /** Takes in a batch read back from the log; returns the transaction it ends. */
  load(batch: RecordBatch): CompletedTxn | null {
    const appendInfo = this.prepareUpdate(batch.producerId, 'Replication');
    const completed = appendInfo.append(batch, null);
    this.update(appendInfo);
    return completed;
  }

  updateMapEndOffset(offset: number): void {
    this.mapEnd = offset;
  }

  /** What the last stable offset will be once `completed` is replicated: the first offset of another open transaction, or past the marker. */
  lastStableOffset(completed: CompletedTxn): number {
    let first: number | null = null;
    for (const txn of this.ongoingTxns.values()) {
      const offset = txn.firstOffset.messageOffset;
      if (txn.producerId !== completed.producerId && (first === null || offset < first)) first = offset;
    }
    return first ?? completed.lastOffset + 1;
  }

  completeTxn(completed: CompletedTxn): void {
    const txn = this.ongoingTxns.get(completed.firstOffset);
    invariant(
      txn !== undefined,
      () => `Attempted to complete a transaction on ${this.partitionName} that was not started`,
    );
    this.ongoingTxns.delete(completed.firstOffset);
    txn.lastOffset = completed.lastOffset;
    this.unreplicatedTxns.set(completed.firstOffset, txn);
  }

  onHighWatermarkUpdated(highWatermark: number): void {
    if (this.unreplicatedTxns.size > 0) this.removeUnreplicatedTransactions(highWatermark);
  }

  onLogStartOffsetIncremented(logStartOffset: number): void {
    this.removeUnreplicatedTransactions(logStartOffset);
    this.mapEnd = Math.max(this.mapEnd, logStartOffset);
    this.lastSnapshot = this.latestSnapshotOffset ?? logStartOffset;
  }

  removeExpiredProducers(nowMs: number): void {
    for (const [producerId, entry] of this.producers) {
      if (this.isExpired(nowMs, entry)) this.producers.delete(producerId);
    }
  }

  /** Forgets what lies outside `[logStartOffset, logEndOffset)`, then loads the latest snapshot that is left. */
  truncateAndReload(logStartOffset: number, logEndOffset: number, nowMs: number): void {
    for (const offset of [...this.snapshots]) {
      if (offset > logEndOffset || offset <= logStartOffset) this.removeAndDeleteSnapshot(offset);
    }
    if (logEndOffset === this.mapEnd) {
      this.onLogStartOffsetIncremented(logStartOffset);
      return;
    }
    this.clear();
    this.loadFromSnapshot(logStartOffset, nowMs);
  }

  truncateFullyAndStartAt(offset: number): void {
    this.clear();
    for (const snapshot of [...this.snapshots]) this.removeAndDeleteSnapshot(snapshot);
    this.lastSnapshot = 0;
    this.mapEnd = offset;
  }

  /** Writes a snapshot at the end offset, unless the last one lies there too. */
  takeSnapshot(): void {
    if (this.mapEnd <= this.lastSnapshot) return;
    this.logger.debug(`Writing producer snapshot at offset ${this.mapEnd}`);
    writeSnapshot(snapshotPath(this.dir, this.mapEnd), this.producers);
    if (!this.snapshots.includes(this.mapEnd)) {
      this.snapshots.push(this.mapEnd);
      this.snapshots.sort((a, b) => a - b);
    }
    this.lastSnapshot = this.mapEnd;
  }

  removeAndDeleteSnapshot(offset: number): void {
    if (!this.snapshots.includes(offset)) return;
    this.snapshots = this.snapshots.filter((known) => known !== offset);
    deleteIfExists(snapshotPath(this.dir, offset));
  }

  /**
   * Reads the folder again and deletes snapshots that belong to no segment, except the latest when it lies beyond the
   * last segment's base offset: that one was written by a clean stop.
   */
  removeStraySnapshots(segmentBaseOffsets: readonly number[]): void {
    this.snapshots = this.listSnapshots();
    const bases = new Set(segmentBaseOffsets);
    const strays = this.snapshots.filter((offset) => !bases.has(offset));
    const latest = strays.at(-1);
    const lastBase = segmentBaseOffsets.at(-1);
    for (const offset of strays) {
      if (offset !== latest || (lastBase !== undefined && offset < lastBase)) this.removeAndDeleteSnapshot(offset);
    }
  }

  updateParentDir(dir: string): void {
    this.dir = dir;
  }

  private clear(): void {
    this.producers.clear();
    this.ongoingTxns.clear();
    this.unreplicatedTxns.clear();
  }

  private loadFromSnapshot(logStartOffset: number, nowMs: number): void {
    for (let offset = this.latestSnapshotOffset; offset !== null; offset = this.latestSnapshotOffset) {
      const path = snapshotPath(this.dir, offset);
      try {
        this.logger.info(`Loading producer state from snapshot file '${path}'`);
        for (const entry of readSnapshot(path)) {
          if (!this.isExpired(nowMs, entry)) this.loadEntry(entry);
        }
        this.lastSnapshot = offset;
        this.mapEnd = offset;
        return;
      } catch (error) {
        if (!(error instanceof CorruptSnapshotError)) throw error;
        this.logger.warn(`Failed to load producer snapshot from '${path}': ${error.message}`);
        this.removeAndDeleteSnapshot(offset);
      }
    }
    this.lastSnapshot = logStartOffset;
    this.mapEnd = logStartOffset;
  }

  private loadEntry(entry: ProducerStateEntry): void {
    this.producers.set(entry.producerId, entry);
    const offset = entry.currentTxnFirstOffset;
    if (offset === null) return;
    this.ongoingTxns.set(offset, { producerId: entry.producerId, firstOffset: offsetOnly(offset), lastOffset: null });
  }

  private isExpired(nowMs: number, entry: ProducerStateEntry): boolean {
    return entry.currentTxnFirstOffset === null && nowMs - entry.lastTimestamp >= this.expirationMs;
  }

  private removeUnreplicatedTransactions(offset: number): void {
    for (const [firstOffset, txn] of this.unreplicatedTxns) {
      if (txn.lastOffset !== null && txn.lastOffset < offset) this.unreplicatedTxns.delete(firstOffset);
    }
  }

  private listSnapshots(): number[] {
    if (!exists(this.dir)) return [];
    return fileNamesIn(this.dir)
      .filter((name) => name.endsWith(SNAPSHOT_SUFFIX))
      .map(offsetFromFileName)
      .sort((a, b) => a - b);
  }
}

function earliest(txns: ReadonlyMap<number, TxnMetadata>): TxnMetadata | null {
  let found: TxnMetadata | null = null;
  for (const txn of txns.values()) {
    if (found === null || txn.firstOffset.messageOffset < found.firstOffset.messageOffset) found = txn;
  }
  return found;
}
