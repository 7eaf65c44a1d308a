import { closeSync, fsyncSync, ftruncateSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { invariant } from '@klassic/common';
import { deleteIfExists, exists, openFile, writeFully } from './files.ts';

const ENTRY_SIZE = 34;
const CURRENT_VERSION = 0;

/** One aborted transaction of a segment's `.txnindex`; offsets are inclusive. */
export interface AbortedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the abort marker. */
  readonly lastOffset: number;
  /** Last stable offset when the marker was appended. */
  readonly lastStableOffset: number;
}

/** The `.txnindex` is unusable: Kafka's `CorruptIndexException`. The segment is recovered from its log. */
export class CorruptIndexError extends Error {
  override readonly name = 'CorruptIndexError';
}

/**
 * The aborted transactions whose markers lie in a segment: int16 version, then int64 producer id, first offset, last
 * offset and last stable offset. The file is made with the first entry. Counterpart of `kafka.log.TransactionIndex`.
 */
export class TransactionIndex {
  private readonly startOffset: number;
  private file: string;
  private fd: number | undefined;
  private loaded: AbortedTxn[] | undefined;

  constructor(path: string, startOffset: number) {
    this.file = path;
    this.startOffset = startOffset;
  }

  get path(): string {
    return this.file;
  }

  /** All entries, in the order of their markers. @throws CorruptIndexError */
  allAbortedTxns(): readonly AbortedTxn[] {
    this.loaded ??= this.readAll();
    return this.loaded;
  }

  append(txn: AbortedTxn): void {
    const txns = this.allAbortedTxns();
    const last = txns.at(-1);
    invariant(
      last === undefined || last.lastOffset < txn.lastOffset,
      () => `Aborted transactions must come in order: ${txn.lastOffset} after ${last?.lastOffset} in ${this.file}`,
    );
    const bytes = Buffer.alloc(ENTRY_SIZE);
    bytes.writeInt16BE(CURRENT_VERSION, 0);
    bytes.writeBigInt64BE(BigInt(txn.producerId), 2);
    bytes.writeBigInt64BE(BigInt(txn.firstOffset), 10);
    bytes.writeBigInt64BE(BigInt(txn.lastOffset), 18);
    bytes.writeBigInt64BE(BigInt(txn.lastStableOffset), 26);
    writeFully(this.handle(), bytes, txns.length * ENTRY_SIZE);
    this.loaded!.push(txn);
  }

  /**
   * Aborted transactions that touch offsets from `fetchOffset` to below `upperBoundOffset`.
   *
   * @returns also whether later segments need not be asked
   */
  collectAbortedTxns(fetchOffset: number, upperBoundOffset: number): { txns: AbortedTxn[]; isComplete: boolean } {
    const txns: AbortedTxn[] = [];
    for (const txn of this.allAbortedTxns()) {
      if (txn.lastOffset >= fetchOffset && txn.firstOffset < upperBoundOffset) txns.push(txn);
      if (txn.lastStableOffset >= upperBoundOffset) return { txns, isComplete: true };
    }
    return { txns, isComplete: false };
  }

  /** Drops transactions whose marker lies at or above `offset`. */
  truncateTo(offset: number): void {
    const txns = this.allAbortedTxns();
    const keep = txns.findIndex((txn) => txn.lastOffset >= offset);
    if (keep !== -1) this.cutTo(keep);
  }

  /** Drops everything, whatever the file holds. */
  reset(): void {
    this.loaded = [];
    if (exists(this.file)) ftruncateSync(this.handle(), 0);
  }

  /** @throws CorruptIndexError when an entry ends before the segment begins */
  sanityCheck(): void {
    for (const txn of this.allAbortedTxns()) {
      if (txn.lastOffset < this.startOffset) {
        throw new CorruptIndexError(
          `Last offset of aborted transaction ${txn.lastOffset} in index ${this.file} is less than start offset ${this.startOffset}`,
        );
      }
    }
  }

  flush(): void {
    if (this.fd !== undefined) fsyncSync(this.fd);
  }

  updateParentDir(dir: string): void {
    this.file = join(dir, basename(this.file));
  }

  renameTo(path: string): void {
    if (exists(this.file)) renameSync(this.file, path);
    this.file = path;
  }

  deleteIfExists(): boolean {
    this.close();
    return deleteIfExists(this.file);
  }

  close(): void {
    if (this.fd === undefined) return;
    closeSync(this.fd);
    this.fd = undefined;
  }

  private cutTo(entries: number): void {
    this.loaded = this.loaded!.slice(0, entries);
    ftruncateSync(this.handle(), entries * ENTRY_SIZE);
  }

  private readAll(): AbortedTxn[] {
    if (!exists(this.file)) return [];
    const bytes = readFileSync(this.file);
    const size = bytes.length;
    const txns: AbortedTxn[] = [];
    for (let at = 0; at + ENTRY_SIZE <= size; at += ENTRY_SIZE) {
      const version = bytes.readInt16BE(at);
      if (version > CURRENT_VERSION) {
        throw new CorruptIndexError(
          `Unexpected aborted transaction version ${version} in transaction index ${this.file}`,
        );
      }
      txns.push({
        producerId: Number(bytes.readBigInt64BE(at + 2)),
        firstOffset: Number(bytes.readBigInt64BE(at + 10)),
        lastOffset: Number(bytes.readBigInt64BE(at + 18)),
        lastStableOffset: Number(bytes.readBigInt64BE(at + 26)),
      });
    }
    return txns;
  }

  private handle(): number {
    this.fd ??= openFile(this.file);
    return this.fd;
  }
}
