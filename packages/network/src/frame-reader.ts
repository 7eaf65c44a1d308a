import { InvalidReceiveError } from './network-errors.ts';

const SIZE_BYTES = 4;

/**
 * Cuts a byte stream into frames: an int32 size, then as many bytes. A frame that lies in one chunk is a view of it; one
 * that spans chunks is gathered in a buffer of its size, allocated once. Counterpart of `NetworkReceive`.
 */
export class FrameReader {
  private readonly maxFrameBytes: number;
  private readonly sizeField = Buffer.alloc(SIZE_BYTES);
  private sizeFilled = 0;
  private body: Buffer | undefined;
  private bodyFilled = 0;

  /** @param maxFrameBytes largest size a frame may claim, without the size field */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * Takes the next chunk and hands each frame it completes, without the size field, to `onFrame`.
   *
   * @throws InvalidReceiveError when a size is not positive or beyond the limit; the stream cannot be read further
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.body !== undefined) {
        const taken = Math.min(this.body.length - this.bodyFilled, chunk.length - at);
        chunk.copy(this.body, this.bodyFilled, at, at + taken);
        this.bodyFilled += taken;
        at += taken;
        if (this.bodyFilled === this.body.length) {
          const frame = this.body;
          this.body = undefined;
          onFrame(frame);
        }
        continue;
      }
      let size: number;
      if (this.sizeFilled === 0 && chunk.length - at >= SIZE_BYTES) {
        size = chunk.readInt32BE(at);
        at += SIZE_BYTES;
      } else {
        const taken = Math.min(SIZE_BYTES - this.sizeFilled, chunk.length - at);
        chunk.copy(this.sizeField, this.sizeFilled, at, at + taken);
        this.sizeFilled += taken;
        at += taken;
        if (this.sizeFilled < SIZE_BYTES) return;
        this.sizeFilled = 0;
        size = this.sizeField.readInt32BE(0);
      }
      this.checkSize(size);
      if (chunk.length - at >= size) {
        onFrame(chunk.subarray(at, at + size));
        at += size;
      } else {
        this.body = Buffer.allocUnsafeSlow(size);
        this.bodyFilled = 0;
      }
    }
  }

  /** True when a frame has begun and is not complete. */
  get isMidFrame(): boolean {
    return this.sizeFilled > 0 || this.body !== undefined;
  }

  private checkSize(size: number): void {
    if (size <= 0) throw new InvalidReceiveError(`Invalid receive (size = ${size})`);
    if (size > this.maxFrameBytes) {
      throw new InvalidReceiveError(`Invalid receive (size = ${size} larger than ${this.maxFrameBytes})`);
    }
  }
}
