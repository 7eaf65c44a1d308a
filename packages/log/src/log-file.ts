import { closeSync, fstatSync, fsyncSync, ftruncateSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { invariant } from '@klassic/common';
import {
  batchSizeAt,
  CorruptBatchError,
  HEADER_SIZE_TO_SCAN,
  HEADER_SIZE_UP_TO_MAGIC,
  locateBatch,
} from './batch-header.ts';
import type { BatchLocation } from './batch-header.ts';
import { deleteIfExists, openFile, readFully, sizeOf, writeFully } from './files.ts';

/** Headers are read in pieces of this many bytes; one piece covers the gap between two index entries in most logs. */
const SCAN_BYTES = 4096;
/** Whole batches are read in pieces of this many bytes, or of one batch where that is larger. */
const CHUNK_BYTES = 1024 * 1024;
const POOLED_BYTES = 2048;

/** Gives the buffer that a read fills, of exactly so many bytes. */
export type BufferSource = (bytes: number) => Buffer;

const newBuffer: BufferSource = (bytes) =>
  bytes <= POOLED_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);

const scanBuffer = Buffer.alloc(SCAN_BYTES);

/**
 * The `.log` file of a segment: batches one after the other, appended at a position that is known, never asked for.
 * Its handle is opened on first use. Counterpart of `org.apache.kafka.common.record.FileRecords`.
 */
export class LogFile {
  private file: string;
  private fd: number | undefined;
  private validBytes: number;

  private constructor(path: string, validBytes: number) {
    this.file = path;
    this.validBytes = validBytes;
  }

  /** A file that is there (or not yet: then it is made). Every byte in it counts. */
  static open(path: string): LogFile {
    const log = new LogFile(path, sizeOf(path));
    if (log.validBytes === 0) log.handle();
    return log;
  }

  /** A new file that takes up `bytes` bytes of disk at once (`preallocate`); none of them count yet. */
  static preallocate(path: string, bytes: number): LogFile {
    const log = new LogFile(path, 0);
    ftruncateSync(log.handle(), bytes);
    return log;
  }

  get path(): string {
    return this.file;
  }

  get sizeInBytes(): number {
    return this.validBytes;
  }

  /** ms since 1970, of the last write; 0 when there is no such file (any more), as `File.lastModified` has it. */
  get lastModifiedMs(): number {
    return Math.floor(statSync(this.file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }

  append(bytes: Buffer): void {
    invariant(this.validBytes + bytes.length <= 0x7fffffff, () => `${this.file} would exceed 2^31-1 bytes`);
    writeFully(this.handle(), bytes, this.validBytes);
    this.validBytes += bytes.length;
  }

  /** Bytes from `position` on: `length` of them, or fewer at the file's end, in a buffer that `source` gives. */
  read(position: number, length: number, source: BufferSource = newBuffer): Buffer {
    const wanted = Math.max(0, Math.min(length, this.validBytes - position));
    const bytes = source(wanted);
    const got = readFully(this.handle(), bytes, position);
    return got === wanted ? bytes : bytes.subarray(0, got);
  }

  /**
   * The first batch at or after `position` that satisfies `wanted`, by reading headers only.
   *
   * @param position of a batch's beginning
   * @throws CorruptBatchError at a length that cannot be
   */
  find(position: number, wanted: (batch: BatchLocation) => boolean): BatchLocation | null {
    for (let at = position; at < this.validBytes - HEADER_SIZE_UP_TO_MAGIC;) {
      const held = readFully(this.handle(), scanBuffer.subarray(0, Math.min(SCAN_BYTES, this.validBytes - at)), at);
      let offset = 0;
      while (offset + HEADER_SIZE_TO_SCAN <= held || (offset === 0 && held > HEADER_SIZE_UP_TO_MAGIC)) {
        const size = batchSizeAt(scanBuffer, offset);
        if (at + offset + size > this.validBytes) return null;
        const batch = locateBatch(scanBuffer, offset, at + offset);
        if (wanted(batch)) return batch;
        offset += size;
      }
      if (offset === 0) return null;
      at += offset;
    }
    return null;
  }

  /**
   * Whole batches from `position` on, as runs of bytes that hold one batch or more and end on a batch's boundary.
   *
   * @param endPosition exclusive
   * @param chunkBytes how much is read at once; a larger batch is read whole
   * @throws CorruptBatchError at a length that cannot be, after what came before it
   */
  *chunks(
    position = 0,
    endPosition = this.validBytes,
    chunkBytes = CHUNK_BYTES,
  ): Generator<{ position: number; bytes: Buffer }> {
    let at = position;
    let wanted = chunkBytes;
    while (at < endPosition - HEADER_SIZE_UP_TO_MAGIC) {
      const bytes = this.read(at, Math.min(wanted, endPosition - at));
      const { whole, nextSize, corrupt } = measureBatches(bytes);
      if (whole > 0) yield { position: at, bytes: bytes.subarray(0, whole) };
      if (corrupt !== undefined) throw corrupt;
      at += whole;
      if (at + nextSize > endPosition || whole + nextSize === 0) return;
      wanted = Math.max(nextSize, chunkBytes);
    }
  }

  /** Cuts the file to `size` bytes. Returns how many bytes went. */
  truncateTo(size: number): number {
    const removed = this.validBytes - size;
    invariant(size >= 0 && removed >= 0, () => `Cannot truncate ${this.file} of ${this.validBytes} bytes to ${size}`);
    if (removed > 0 || fstatSync(this.handle()).size > size) ftruncateSync(this.handle(), size);
    this.validBytes = size;
    return removed;
  }

  /** Gives back preallocated bytes that were not used. */
  trim(): void {
    this.truncateTo(this.validBytes);
  }

  flush(): void {
    fsyncSync(this.handle());
  }

  updateParentDir(dir: string): void {
    this.file = join(dir, basename(this.file));
  }

  renameTo(path: string): void {
    renameSync(this.file, path);
    this.file = path;
  }

  deleteIfExists(): boolean {
    this.closeHandler();
    return deleteIfExists(this.file);
  }

  close(): void {
    if (this.fd !== undefined) this.trim();
    this.closeHandler();
  }

  closeHandler(): void {
    if (this.fd === undefined) return;
    closeSync(this.fd);
    this.fd = undefined;
  }

  private handle(): number {
    this.fd ??= openFile(this.file);
    return this.fd;
  }
}

/** How many bytes of whole batches stand at the beginning of `bytes`, and the size of the batch that did not fit. */
function measureBatches(bytes: Buffer): { whole: number; nextSize: number; corrupt: CorruptBatchError | undefined } {
  let whole = 0;
  while (bytes.length - whole > HEADER_SIZE_UP_TO_MAGIC) {
    let size;
    try {
      size = batchSizeAt(bytes, whole);
    } catch (error) {
      if (!(error instanceof CorruptBatchError)) throw error;
      return { whole, nextSize: 0, corrupt: error };
    }
    if (whole + size > bytes.length) return { whole, nextSize: size, corrupt: undefined };
    whole += size;
  }
  return { whole, nextSize: 0, corrupt: undefined };
}
