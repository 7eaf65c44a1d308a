import { invariant } from '@klassic/common';
import type { LogSegment } from './log-segment.ts';

/** The segments of a log in the order of their base offsets, found by binary search. */
export class LogSegments implements Iterable<LogSegment> {
  private readonly sorted: LogSegment[] = [];

  get length(): number {
    return this.sorted.length;
  }

  /** The first segment. */
  get first(): LogSegment {
    invariant(this.sorted.length > 0, 'a log has at least one segment');
    return this.sorted[0]!;
  }

  /** The last segment, which takes the appends. */
  get active(): LogSegment {
    invariant(this.sorted.length > 0, 'a log has at least one segment');
    return this.sorted[this.sorted.length - 1]!;
  }

  get sizeInBytes(): number {
    let bytes = 0;
    for (const segment of this.sorted) bytes += segment.size;
    return bytes;
  }

  [Symbol.iterator](): Iterator<LogSegment> {
    return this.sorted[Symbol.iterator]();
  }

  /** A copy that stays as it is while segments come and go. */
  toArray(): LogSegment[] {
    return [...this.sorted];
  }

  /** Adds a segment, in the place of one with the same base offset. */
  add(segment: LogSegment): void {
    const at = this.slotAtOrBelow(segment.baseOffset);
    const replaces = at >= 0 && this.sorted[at]!.baseOffset === segment.baseOffset;
    this.sorted.splice(replaces ? at : at + 1, replaces ? 1 : 0, segment);
  }

  remove(baseOffset: number): void {
    const at = this.slotAtOrBelow(baseOffset);
    if (at >= 0 && this.sorted[at]!.baseOffset === baseOffset) this.sorted.splice(at, 1);
  }

  clear(): void {
    this.sorted.length = 0;
  }

  has(baseOffset: number): boolean {
    return this.floor(baseOffset)?.baseOffset === baseOffset;
  }

  /** The segment with the greatest base offset not above `offset`. */
  floor(offset: number): LogSegment | undefined {
    const last = this.sorted[this.sorted.length - 1];
    if (last !== undefined && last.baseOffset <= offset) return last;
    return this.sorted[this.slotAtOrBelow(offset)];
  }

  /** The segment with the greatest base offset below `baseOffset`. */
  lower(baseOffset: number): LogSegment | undefined {
    return this.floor(baseOffset - 1);
  }

  /** The segment with the least base offset above `baseOffset`. */
  higher(baseOffset: number): LogSegment | undefined {
    return this.sorted[this.slotAtOrBelow(baseOffset) + 1];
  }

  /** Segments that may hold offsets from `from` to below `to`. */
  range(from: number, to: number): LogSegment[] {
    if (from >= to) return [];
    const first = Math.max(0, this.slotAtOrBelow(from));
    return this.sorted.slice(first).filter((segment) => segment.baseOffset < to);
  }

  private slotAtOrBelow(offset: number): number {
    let low = -1;
    let high = this.sorted.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.sorted[middle]!.baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
