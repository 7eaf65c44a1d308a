import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { invariant } from '@klassic/common';
import { deleteIfExists, exists, isNotFound, openFile, readFully, sizeOf, writeFully } from './files.ts';
import { indexMemory } from './index-memory.ts';

const MAX_RELATIVE_OFFSET = 0x7fffffff;
const FIRST_CAPACITY_ENTRIES = 512;
/** Entries that may wait to be written to the file. */
const PENDING_LIMIT = 64;

/** An append that would break the order of an index (Kafka's `InvalidOffsetException`): the index and its log disagree. */
export class InvalidOffsetError extends Error {
  override readonly name = 'InvalidOffsetError';
}

/**
 * What the offset and the time index share: fixed-size entries, sorted, of offsets relative to the segment's base offset.
 * A new index file is as long as it may ever get, filled with zeros, and trimmed when its segment is rolled or closed.
 * Counterpart of `kafka.log.AbstractIndex`; where Kafka maps the file, this holds a copy of the entries in memory and
 * writes them a few at a time: a crash can only lose entries of the active segment, whose index recovery builds anew
 * in any case. The file is touched on first use only.
 */
export abstract class IndexFile {
  readonly baseOffset: number;
  readonly maxIndexSize: number;
  readonly entrySize: number;
  private file: string;
  private opened = false;
  /** Entries in memory; may be longer than what is filled. Undefined while released. */
  private bytes: Buffer | undefined;
  private count = 0;
  /** How many of the entries the file has. */
  private onDisk = 0;
  /** Length of the file in bytes. */
  private length = 0;

  constructor(path: string, baseOffset: number, maxIndexSize: number, entrySize: number) {
    this.file = path;
    this.baseOffset = baseOffset;
    this.maxIndexSize = maxIndexSize;
    this.entrySize = entrySize;
  }

  get path(): string {
    return this.file;
  }

  get entries(): number {
    this.open();
    return this.count;
  }

  /** Bytes of the entries, not of the file. */
  get sizeInBytes(): number {
    return this.entries * this.entrySize;
  }

  get maxEntries(): number {
    this.open();
    return Math.floor(this.length / this.entrySize);
  }

  get isFull(): boolean {
    return this.entries >= this.maxEntries;
  }

  get residentBytes(): number {
    return this.bytes?.length ?? 0;
  }

  get isOpened(): boolean {
    return this.opened;
  }

  /** Whether the offset fits in the four bytes an entry has for it. */
  canAppendOffset(offset: number): boolean {
    const relative = offset - this.baseOffset;
    return relative >= 0 && relative <= MAX_RELATIVE_OFFSET;
  }

  /** Makes the file `newSize` bytes long, rounded down to whole entries; false when it had that length. */
  resize(newSize: number): boolean {
    this.open();
    const rounded = this.roundDown(newSize);
    this.writePending();
    if (rounded === this.length) return false;
    this.withFile((fd) => {
      ftruncateSync(fd, rounded);
    });
    this.length = rounded;
    this.count = Math.min(this.count, this.maxEntries);
    this.onDisk = this.count;
    this.onReloaded();
    return true;
  }

  /** Cuts the file after the last entry. */
  trimToValidSize(): void {
    this.resize(this.entries * this.entrySize);
    indexMemory.touch(this);
  }

  /** Forgets all entries and gives the file its full length again. */
  reset(): void {
    if (!this.opened) {
      // What the file holds is of no interest: it may be mangled.
      this.opened = true;
      this.length = sizeOf(this.file);
      this.bytes = Buffer.alloc(0);
    }
    this.truncateToEntries(0);
    this.resize(this.maxIndexSize);
  }

  /** fsync. An index that was never touched has nothing to flush. */
  flush(): void {
    if (!this.opened) return;
    this.writePending();
    this.withFile((fd) => {
      fsyncSync(fd);
    });
  }

  /** Writes entries that wait in memory. */
  writePending(): void {
    if (this.onDisk === this.count) return;
    const at = this.onDisk * this.entrySize;
    const bytes = this.bytes!.subarray(at, this.count * this.entrySize);
    this.withFile((fd) => {
      writeFully(fd, bytes, at);
    });
    this.onDisk = this.count;
  }

  updateParentDir(dir: string): void {
    this.file = join(dir, basename(this.file));
  }

  /** Renames the file; an index not yet made is made under the new name. */
  renameTo(path: string): void {
    try {
      renameSync(this.file, path);
    } catch (error) {
      if (!isNotFound(error) || this.opened) throw error;
    } finally {
      this.file = path;
    }
  }

  deleteIfExists(): boolean {
    this.closeHandler();
    return deleteIfExists(this.file);
  }

  /** Trims and closes; an index that was never touched stays untouched. */
  close(): void {
    if (this.opened) this.trimToValidSize();
    this.closeHandler();
  }

  /** Closes without writing anything. */
  closeHandler(): void {
    indexMemory.forget(this);
    this.drop();
  }

  /** Drops the copy in memory, unless the index is still growing; it is read again on the next use. */
  release(): void {
    const isGrowing = this.onDisk !== this.count || this.length !== this.count * this.entrySize;
    if (!isGrowing) this.drop();
  }

  exists(): boolean {
    return exists(this.file);
  }

  protected open(): void {
    if (this.opened) {
      return;
    }
    if (!exists(this.file)) {
      invariant(this.maxIndexSize >= this.entrySize, () => `Invalid max index size: ${this.maxIndexSize}`);
      this.length = this.roundDown(this.maxIndexSize);
      this.withFile((fd) => {
        ftruncateSync(fd, this.length);
      });
      this.bytes = Buffer.alloc(0);
      this.count = 0;
    } else {
      this.readEntries();
      indexMemory.touch(this);
    }
    this.opened = true;
    this.onReloaded();
  }

  /** Called when entries were read from the file or cut off, so that a subclass can refresh what it remembers of the last. */
  protected abstract onReloaded(): void;

  /** The search key of entry `slot`, to be compared as is. */
  protected abstract keyAt(slot: number): number;

  /** The bytes of all entries. */
  protected content(): Buffer {
    this.open();
    return this.bytes!;
  }

  /** Room for one more entry, already counted; fill it, then call `entryAdded`. */
  protected nextSlot(): { bytes: Buffer; at: number } {
    const at = this.entries * this.entrySize;
    const needed = at + this.entrySize;
    if (needed > this.bytes!.length) {
      const grown = Buffer.alloc(Math.max(needed * 2, FIRST_CAPACITY_ENTRIES * this.entrySize));
      this.bytes!.copy(grown, 0, 0, at);
      this.bytes = grown;
    }
    return { bytes: this.bytes!, at };
  }

  /** Counts the entry that was filled in. */
  protected entryAdded(): void {
    this.count += 1;
    if (this.count - this.onDisk >= PENDING_LIMIT) this.writePending();
  }

  protected truncateToEntries(entries: number): void {
    this.open();
    if (entries < this.count) {
      // What a mapped file would keep of the entries cut off is overwritten or trimmed later; zeros are as good.
      this.count = entries;
      this.onDisk = Math.min(this.onDisk, entries);
    }
    this.onReloaded();
  }

  /** Greatest slot whose key is not above `target`; -1 when there is none. */
  protected slotAtOrBelow(target: number, keyAt: (slot: number) => number = (slot) => this.keyAt(slot)): number {
    let low = -1;
    let high = this.entries - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (keyAt(middle) <= target) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private drop(): void {
    this.bytes = undefined;
    this.count = 0;
    this.onDisk = 0;
    this.opened = false;
  }

  private readEntries(): void {
    const fd = openSync(this.file, 'r');
    try {
      this.length = sizeOf(this.file);
      const wanted = Buffer.alloc(this.roundDown(this.length));
      const got = readFully(fd, wanted, 0);
      this.count = Math.floor(got / this.entrySize);
      this.onDisk = this.count;
      this.bytes = wanted;
    } finally {
      closeSync(fd);
    }
  }

  /** The file is open only while it is written, every so many entries: a broker has two indexes for each partition. */
  private withFile(use: (fd: number) => void): void {
    const fd = openFile(this.file);
    try {
      use(fd);
    } finally {
      closeSync(fd);
    }
  }

  private roundDown(size: number): number {
    return size - (size % this.entrySize);
  }
}
