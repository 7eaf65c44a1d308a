import { invariant } from '@klassic/common';
import { IndexFile, InvalidOffsetError } from './index-file.ts';

const ENTRY_SIZE = 8;

/** An offset and the byte position in the `.log` file of the batch it stands for. */
export interface OffsetPosition {
  readonly offset: number;
  readonly position: number;
}

/**
 * The sparse `.index` of a segment: entries of int32 relative offset (the *last* offset of a batch) and int32 position
 * (where that batch begins). Counterpart of `kafka.log.OffsetIndex`.
 */
export class OffsetIndex extends IndexFile {
  private lastOffsetSeen = 0;

  constructor(path: string, baseOffset: number, maxIndexSize: number) {
    super(path, baseOffset, maxIndexSize, ENTRY_SIZE);
  }

  /** Offset of the last entry; the base offset when there is none. */
  get lastOffset(): number {
    this.open();
    return this.lastOffsetSeen;
  }

  /** Entry `slot`, from 0. */
  entry(slot: number): OffsetPosition {
    const bytes = this.content();
    return {
      offset: this.baseOffset + bytes.readInt32BE(slot * ENTRY_SIZE),
      position: bytes.readInt32BE(slot * ENTRY_SIZE + 4),
    };
  }

  /** The greatest entry not above `targetOffset`; the segment's beginning when there is none. */
  lookup(targetOffset: number): OffsetPosition {
    const slot = this.slotAtOrBelow(targetOffset);
    return slot === -1 ? { offset: this.baseOffset, position: 0 } : this.entry(slot);
  }

  /** An offset above all that a fetch of `fetchSize` bytes from `position` on can hold; null when the index has none. */
  fetchUpperBoundOffset(position: number, fetchSize: number): number | null {
    if (this.entries === 0) return null;
    const target = position + fetchSize;
    const slot = this.slotAtOrBelow(target, (at) => this.positionAt(at));
    if (slot !== -1 && this.positionAt(slot) === target) return this.entry(slot).offset;
    return slot + 1 < this.entries ? this.entry(slot + 1).offset : null;
  }

  /** @throws InvalidOffsetError when the offset is not above the last one */
  append(offset: number, position: number): void {
    invariant(!this.isFull, () => `Attempt to append to a full index (size = ${this.entries}).`);
    if (this.entries > 0 && offset <= this.lastOffsetSeen) {
      throw new InvalidOffsetError(
        `Attempt to append an offset (${offset}) to position ${this.entries} no larger than the last offset appended ` +
          `(${this.lastOffsetSeen}) to ${this.path}.`,
      );
    }
    const { bytes, at } = this.nextSlot();
    bytes.writeInt32BE(offset - this.baseOffset, at);
    bytes.writeInt32BE(position, at + 4);
    this.entryAdded();
    this.lastOffsetSeen = offset;
  }

  /** Drops entries at and above `offset`. */
  truncateTo(offset: number): void {
    const slot = this.slotAtOrBelow(offset);
    const keep = slot >= 0 && this.entry(slot).offset === offset ? slot : slot + 1;
    this.truncateToEntries(keep);
  }

  protected override keyAt(slot: number): number {
    return this.baseOffset + this.content().readInt32BE(slot * ENTRY_SIZE);
  }

  protected override onReloaded(): void {
    this.lastOffsetSeen = this.entries === 0 ? this.baseOffset : this.entry(this.entries - 1).offset;
  }

  private positionAt(slot: number): number {
    return this.content().readInt32BE(slot * ENTRY_SIZE + 4);
  }
}
