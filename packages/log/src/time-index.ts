import { invariant } from '@klassic/common';
import { IndexFile, InvalidOffsetError } from './index-file.ts';

const ENTRY_SIZE = 12;
const NO_TIMESTAMP = -1;

/** The greatest timestamp seen up to a point of a segment, and the offset that bears it. */
export interface TimestampOffset {
  /** ms */
  readonly timestamp: number;
  readonly offset: number;
}

/**
 * The sparse `.timeindex` of a segment: entries of int64 timestamp and int32 relative offset, both never falling.
 * Counterpart of `kafka.log.TimeIndex`.
 */
export class TimeIndex extends IndexFile {
  private last: TimestampOffset = { timestamp: NO_TIMESTAMP, offset: 0 };

  constructor(path: string, baseOffset: number, maxIndexSize: number) {
    super(path, baseOffset, maxIndexSize, ENTRY_SIZE);
  }

  /** One slot stays free for the entry that rolling the segment appends. */
  override get isFull(): boolean {
    return this.entries >= this.maxEntries - 1;
  }

  /** The last entry; timestamp -1 at the base offset when there is none. */
  get lastEntry(): TimestampOffset {
    this.open();
    return this.last;
  }

  /** Entry `slot`, from 0. */
  entry(slot: number): TimestampOffset {
    const bytes = this.content();
    return {
      timestamp: Number(bytes.readBigInt64BE(slot * ENTRY_SIZE)),
      offset: this.baseOffset + bytes.readInt32BE(slot * ENTRY_SIZE + 8),
    };
  }

  /**
   * Appends when `timestamp` is above the last one, else does nothing.
   *
   * @param evenIfFull for the entry that closing or rolling a segment appends
   * @throws InvalidOffsetError when the offset falls behind the last one
   */
  maybeAppend(timestamp: number, offset: number, evenIfFull = false): void {
    invariant(evenIfFull || !this.isFull, () => `Attempt to append to a full time index (size = ${this.entries}).`);
    const last = this.lastEntry;
    if (this.entries > 0 && offset < last.offset) {
      throw new InvalidOffsetError(
        `Attempt to append an offset (${offset}) to slot ${this.entries} no larger than the last offset appended ` +
          `(${last.offset}) to ${this.path}.`,
      );
    }
    invariant(
      this.entries === 0 || timestamp >= last.timestamp,
      () => `Attempt to append a timestamp (${timestamp}) below the last one (${last.timestamp}) to ${this.path}.`,
    );
    if (timestamp <= last.timestamp) return;
    const { bytes, at } = this.nextSlot();
    bytes.writeBigInt64BE(BigInt(timestamp), at);
    bytes.writeInt32BE(offset - this.baseOffset, at + 8);
    this.entryAdded();
    this.last = { timestamp, offset };
  }

  /** The last entry whose timestamp is not above `timestamp`; timestamp -1 at the base offset when there is none. */
  lookup(timestamp: number): TimestampOffset {
    const slot = this.slotAtOrBelow(timestamp);
    return slot === -1 ? { timestamp: NO_TIMESTAMP, offset: this.baseOffset } : this.entry(slot);
  }

  /** Drops entries at and above `offset`. */
  truncateTo(offset: number): void {
    const slot = this.slotAtOrBelow(offset, (at) => this.entry(at).offset);
    const keep = slot >= 0 && this.entry(slot).offset === offset ? slot : slot + 1;
    this.truncateToEntries(keep);
  }

  protected override keyAt(slot: number): number {
    return Number(this.content().readBigInt64BE(slot * ENTRY_SIZE));
  }

  protected override onReloaded(): void {
    this.last =
      this.entries === 0 ? { timestamp: NO_TIMESTAMP, offset: this.baseOffset } : this.entry(this.entries - 1);
  }
}
