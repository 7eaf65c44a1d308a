/** Cuts a stream of bytes into frames as Kafka and ZooKeeper send them: an int32 size, then that many bytes. */
export class FrameSplitter {
  private readonly onFrame: (frame: Buffer) => void;
  private readonly maxBytes: number;
  private pending: Buffer = Buffer.alloc(0);
  private lost = false;

  /**
   * @param onFrame takes each whole frame, without its size
   * @param maxBytes a larger (or negative) size means that this is no stream of frames: the rest is ignored
   */
  constructor(onFrame: (frame: Buffer) => void, maxBytes = 100 * 1024 * 1024) {
    this.onFrame = onFrame;
    this.maxBytes = maxBytes;
  }

  /** True once the bytes made no sense. */
  get isLost(): boolean {
    return this.lost;
  }

  push(chunk: Buffer): void {
    if (this.lost) return;
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    while (this.pending.length >= 4) {
      const size = this.pending.readInt32BE(0);
      if (size < 0 || size > this.maxBytes) {
        this.lost = true;
        this.pending = Buffer.alloc(0);
        return;
      }
      if (this.pending.length < 4 + size) return;
      const frame = this.pending.subarray(4, 4 + size);
      this.pending = this.pending.subarray(4 + size);
      this.onFrame(frame);
    }
  }
}
