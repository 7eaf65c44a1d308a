/** No answer of ZooKeeper is near this size (`jute.maxbuffer` is 1 MiB by default): a larger one is nonsense. */
const maxFrameBytes = 64 * 1024 * 1024;

/** Cuts the bytes of a connection into whole frames: int32 size and body. */
export class FrameSplitter {
  private chunks: Buffer[] = [];
  private bufferedBytes = 0;

  /**
   * Takes the next bytes of the connection.
   *
   * @returns the frames that are now whole, each with its size in front
   * @throws RangeError on a size that cannot be one
   */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.bufferedBytes += chunk.length;
    const frames: Buffer[] = [];
    for (let size = this.nextFrameBytes(); size <= this.bufferedBytes; size = this.nextFrameBytes()) {
      const bytes = this.joined();
      frames.push(bytes.subarray(0, size));
      this.chunks = [bytes.subarray(size)];
      this.bufferedBytes -= size;
    }
    return frames;
  }

  private nextFrameBytes(): number {
    if (this.bufferedBytes < 4) return Infinity;
    if (this.chunks[0]!.length < 4) this.joined();
    const size = this.chunks[0]!.readInt32BE(0);
    if (size < 0 || size > maxFrameBytes) throw new RangeError(`frame of ${size} bytes`);
    return size + 4;
  }

  private joined(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.bufferedBytes)];
    return this.chunks[0]!;
  }
}
