import type { BufferSource } from './log-file.ts';

/** Smaller reads cost less than keeping their buffers. */
const SMALLEST_BYTES = 32 * 1024;
const LARGEST_BYTES = 8 * 1024 * 1024;

/**
 * Buffers for reads, used again: each is memory outside the heap, and where every read of a busy consumer takes a new one
 * of a mebibyte, collecting them is most of a broker's work.
 */
export class ReadBuffers {
  private readonly maxIdleBytes: number;
  /** By size, a power of two. */
  private readonly idle = new Map<number, Buffer[]>();
  private idleTotal = 0;

  /** @param maxIdleBytes how many bytes are kept at most for the next reads */
  constructor(maxIdleBytes: number) {
    this.maxIdleBytes = maxIdleBytes;
  }

  /** Bytes that wait to be used again. */
  get idleBytes(): number {
    return this.idleTotal;
  }

  /** For the reads of one request. */
  lease(): BufferLease {
    return new BufferLease(this);
  }

  /** A buffer of `size` bytes, a power of two. For leases only. */
  take(size: number): Buffer {
    const buffer = this.idle.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.idleTotal -= size;
    return buffer;
  }

  /** Takes a buffer back that nobody looks at any more. For leases only. */
  giveBack(buffer: Buffer): void {
    const size = buffer.length;
    if (this.idleTotal + size > this.maxIdleBytes) return;
    this.idleTotal += size;
    const others = this.idle.get(size);
    if (others === undefined) this.idle.set(size, [buffer]);
    else others.push(buffer);
  }
}

/** The buffers that one request has read into. */
export class BufferLease {
  private readonly buffers: ReadBuffers;
  private taken: Buffer[] = [];

  constructor(buffers: ReadBuffers) {
    this.buffers = buffers;
  }

  /** Gives a buffer of `bytes` bytes, which counts as in use until `release`. */
  readonly source: BufferSource = (bytes) => {
    if (bytes < SMALLEST_BYTES || bytes > LARGEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const whole = this.buffers.take(2 ** Math.ceil(Math.log2(bytes)));
    this.taken.push(whole);
    return whole.length === bytes ? whole : whole.subarray(0, bytes);
  };

  /** What was read has been sent: the next reads may write over it. A lease that is not released leaves all to the collector. */
  release(): void {
    for (const buffer of this.taken) this.buffers.giveBack(buffer);
    this.taken = [];
  }
}
