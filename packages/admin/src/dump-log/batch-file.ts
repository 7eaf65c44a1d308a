import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { batchesOf, batchSizeAt } from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';

const CHUNK_BYTES = 1024 * 1024;

/** A batch of a `.log` file, and where it lies. */
export interface FileBatch {
  readonly batch: RecordBatch;
  readonly position: number;
}

/** A `.log` file that is only read, a piece at a time, however long it is. */
export class BatchFile {
  readonly sizeInBytes: number;
  private readonly fd: number;

  constructor(path: string) {
    this.fd = openSync(path, 'r');
    this.sizeInBytes = fstatSync(this.fd).size;
  }

  /**
   * The whole batches from `position` on.
   *
   * @throws CorruptRecordError where a length makes no sense
   */
  *batches(position = 0): Generator<FileBatch> {
    let wanted = CHUNK_BYTES;
    for (let at = position; at < this.sizeInBytes;) {
      const chunk = this.read(at, wanted);
      let end = 0;
      for (const batch of batchesOf(chunk)) {
        end = batch.position + batch.sizeInBytes;
        yield { batch, position: at + batch.position };
      }
      const next = batchSizeAt(chunk, end);
      if (end === 0 && (next === undefined || next <= chunk.length || at + next > this.sizeInBytes)) return;
      wanted = end === 0 ? Math.max(CHUNK_BYTES, next ?? 0) : CHUNK_BYTES;
      at += end;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private read(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.min(length, this.sizeInBytes - position));
    return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, position));
  }
}
