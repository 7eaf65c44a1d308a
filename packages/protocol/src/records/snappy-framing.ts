import { compressSync, uncompressSync } from 'snappy';
import { IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { readUnsignedVarint } from './varint.ts';

/** The start of a stream of xerial's snappy-java: its name, then version 1 and the oldest reader's version 1. */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const NAME_LENGTH = 8;
const BLOCK_SIZE = 32 * 1024;

/** Copying these small blocks out of native memory is many times faster than handing that memory over. */
const COPY = { asBuffer: true, copyOutputData: true };

/** Snappy's best is a copy of 64 bytes in three. */
const MAX_EXPANSION = 22;

/** Raw snappy blocks of 32 KB, each behind its int32 length: what Java's SnappyOutputStream writes. */
export function snappyCompress(data: Buffer): Buffer {
  const parts: Buffer[] = [HEADER];
  for (let at = 0; at < data.length; at += BLOCK_SIZE) {
    const block = compressSync(data.subarray(at, at + BLOCK_SIZE), COPY);
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/**
 * Unfolds a stream of snappy-java, or one raw block without any framing, as that library reads both.
 *
 * @throws IllegalRecordsError when it is neither
 * @throws InvalidRecordError when it unfolds to more than `maxBytes`
 */
export function snappyDecompress(data: Buffer, maxBytes: number): Buffer {
  if (!hasHeader(data, 0)) return uncompressBlock(data, maxBytes);
  const parts: Buffer[] = [];
  let total = 0;
  let at = HEADER.length;
  while (at < data.length) {
    if (hasHeader(data, at)) {
      at += HEADER.length;
      continue;
    }
    if (data.length - at < 4) throw new IllegalRecordsError('The snappy stream ends inside a length');
    const size = data.readInt32BE(at);
    at += 4;
    if (size < 0 || size > data.length - at) {
      throw new IllegalRecordsError(`A snappy block of ${size} bytes does not fit into its stream`);
    }
    const part = uncompressBlock(data.subarray(at, at + size), maxBytes - total);
    total += part.length;
    at += size;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
}

function hasHeader(data: Buffer, at: number): boolean {
  return data.length - at >= HEADER.length && data.compare(HEADER, 0, NAME_LENGTH, at, at + NAME_LENGTH) === 0;
}

function uncompressBlock(block: Buffer, maxBytes: number): Buffer {
  const declared = readUnsignedVarint(block, 0).value;
  if (declared > block.length * MAX_EXPANSION + 64) {
    throw new IllegalRecordsError(`${block.length} bytes of snappy cannot unfold to ${declared}`);
  }
  if (declared > maxBytes) throw new InvalidRecordError('The records unfold to more bytes than are allowed');
  return uncompressSync(block, COPY) as Buffer;
}
