import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { lz4Compress, lz4Decompress } from './lz4-frame.ts';
import { IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { snappyCompress, snappyDecompress } from './snappy-framing.ts';
import type { CompressionType, Magic } from './types.ts';

/** The most bytes the records of one batch may unfold to: a bomb is refused before it is unpacked. */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/** Compresses the records of a batch as Kafka's own writers frame them. `magic` 0 has its own lz4 checksum. */
export function compress(type: CompressionType, data: Buffer, magic: Magic): Buffer {
  switch (type) {
    case 'none':
      return data;
    case 'gzip':
      return gzipSync(data);
    case 'snappy':
      return snappyCompress(data);
    case 'lz4':
      return lz4Compress(data, magic === 0);
    case 'zstd':
      return zstdCompressSync(data);
  }
}

/**
 * Unfolds the compressed records of a batch.
 *
 * @param maxBytes the most they may unfold to
 * @throws IllegalRecordsError when the bytes are not of that codec
 * @throws InvalidRecordError when they unfold to more than `maxBytes`
 */
export function decompress(
  type: CompressionType,
  data: Buffer,
  magic: Magic,
  maxBytes: number = MAX_DECOMPRESSED_BYTES,
): Buffer {
  try {
    switch (type) {
      case 'none':
        return data;
      case 'gzip':
        return gunzipSync(data, zlibLimits(data, maxBytes));
      case 'snappy':
        return snappyDecompress(data, maxBytes);
      case 'lz4':
        return lz4Decompress(data, magic === 0, maxBytes);
      case 'zstd':
        return zstdDecompress(data, maxBytes);
    }
  } catch (error) {
    if (error instanceof IllegalRecordsError || error instanceof InvalidRecordError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new InvalidRecordError(`The records unfold to more than ${maxBytes} bytes`);
    }
    throw new IllegalRecordsError(`Failed to decompress record stream (${type})`, { cause: error });
  }
}

/** Node.js stops after the first frame where Java goes on to the next. */
function zstdDecompress(data: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  let at = 0;
  do {
    const options = { ...zlibLimits(data, Math.max(maxBytes - total, 1)), info: true };
    const frame = zstdDecompressSync(data.subarray(at), options) as unknown as FrameWithInfo;
    if (frame.engine.bytesWritten === 0) break;
    parts.push(frame.buffer);
    total += frame.buffer.length;
    at += frame.engine.bytesWritten;
  } while (at < data.length);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
}

/** What `info: true` makes of the answer; `bytesWritten` are the compressed bytes that were taken. */
interface FrameWithInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** One chunk of output holds the records of most batches; a small batch does not ask for a large one. */
function zlibLimits(data: Buffer, maxBytes: number): { maxOutputLength: number; chunkSize: number } {
  const guess = Math.min(Math.max(data.length * 8, 1024), 256 * 1024);
  return { maxOutputLength: maxBytes, chunkSize: Math.max(guess, constants.Z_MIN_CHUNK) };
}
