import { compressSync, uncompressSync } from 'lz4-napi';
import { IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { xxhash32 } from './xxhash32.ts';

// The frame of https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md as far as Kafka's streams use it:
// independent blocks, no dictionary. The blocks themselves are compressed by the library, which keeps the
// decompressed length in front of each (little endian), so that it is written and read here by hand.
const MAGIC = 0x184d2204;
const VERSION_AND_INDEPENDENT_BLOCKS = 0x60;
const BLOCK_CHECKSUM_FLAG = 0x10;
const CONTENT_SIZE_FLAG = 0x08;
const CONTENT_CHECKSUM_FLAG = 0x04;
const RESERVED_FLAGS = 0x03;
const UNCOMPRESSED_BLOCK = 0x8000_0000;
const BLOCKS_OF_64_KB = 4;

/** LZ4 cannot unfold a byte to more than this many. */
const MAX_EXPANSION = 255;

/**
 * A frame as KafkaLZ4BlockOutputStream writes it: blocks of 64 KB, without checksums of blocks or content.
 *
 * @param brokenChecksum the header checksum of magic 0, which counts the frame's magic number in (KAFKA-3160)
 */
export function lz4Compress(data: Buffer, brokenChecksum: boolean): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = VERSION_AND_INDEPENDENT_BLOCKS;
  header[5] = BLOCKS_OF_64_KB << 4;
  header[6] = (xxhash32(header, brokenChecksum ? 0 : 4, 6) >>> 8) & 0xff;

  const parts: Buffer[] = [header];
  const blockSize = maxBlockSize(BLOCKS_OF_64_KB);
  for (let at = 0; at < data.length; at += blockSize) {
    const block = data.subarray(at, at + blockSize);
    const compressed = compressSync(block);
    const size = Buffer.alloc(4);
    if (compressed.length - 4 < block.length) {
      size.writeUInt32LE(compressed.length - 4);
      parts.push(size, compressed.subarray(4));
    } else {
      size.writeUInt32LE((block.length | UNCOMPRESSED_BLOCK) >>> 0);
      parts.push(size, block);
    }
  }
  parts.push(Buffer.alloc(4));
  return Buffer.concat(parts);
}

/**
 * Unfolds a frame by the rules of KafkaLZ4BlockInputStream.
 *
 * @param ignoreHeaderChecksum true for magic 0, whose writers got it wrong
 * @throws IllegalRecordsError when it is not such a frame
 * @throws InvalidRecordError when it unfolds to more than `maxBytes`
 */
export function lz4Decompress(data: Buffer, ignoreHeaderChecksum: boolean, maxBytes: number): Buffer {
  const { flags, blockSize, start } = readHeader(data, ignoreHeaderChecksum);
  const parts: Buffer[] = [];
  let total = 0;
  let at = start;
  for (;;) {
    const field = need(data, at, 4).readUInt32LE(at);
    at += 4;
    if (field === 0) break;
    const size = (field & ~UNCOMPRESSED_BLOCK) >>> 0;
    if (size > blockSize) throw new IllegalRecordsError(`Block size ${size} exceeded max: ${blockSize}`);
    const block = need(data, at, size).subarray(at, at + size);
    at += size;
    if ((flags & BLOCK_CHECKSUM_FLAG) !== 0) {
      if (need(data, at, 4).readUInt32LE(at) !== xxhash32(block)) {
        throw new IllegalRecordsError('Stream unsupported (block checksum mismatch)');
      }
      at += 4;
    }
    const part = field >= UNCOMPRESSED_BLOCK ? block : uncompressBlock(block, blockSize);
    total += part.length;
    if (total > maxBytes) throw new InvalidRecordError(`The records unfold to more than ${maxBytes} bytes`);
    parts.push(part);
  }
  if ((flags & CONTENT_CHECKSUM_FLAG) !== 0) need(data, at, 4);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
}

function readHeader(data: Buffer, ignoreChecksum: boolean): { flags: number; blockSize: number; start: number } {
  if (need(data, 0, 7).readUInt32LE(0) !== MAGIC) {
    throw new IllegalRecordsError('Stream unsupported (invalid magic bytes)');
  }
  const flags = data[4]!;
  const descriptor = data[5]!;
  if ((flags & RESERVED_FLAGS) !== 0) throw new IllegalRecordsError('Reserved bits must be 0');
  if ((flags & VERSION_AND_INDEPENDENT_BLOCKS) !== VERSION_AND_INDEPENDENT_BLOCKS || flags >= 0x80) {
    throw new IllegalRecordsError('Dependent block stream or another version is unsupported');
  }
  if ((descriptor & 0x8f) !== 0 || descriptor >>> 4 < BLOCKS_OF_64_KB) {
    throw new IllegalRecordsError('Block size value must be between 4 and 7');
  }
  const checksumAt = (flags & CONTENT_SIZE_FLAG) === 0 ? 6 : 14;
  need(data, checksumAt, 1);
  if (!ignoreChecksum && data[checksumAt] !== ((xxhash32(data, 4, checksumAt) >>> 8) & 0xff)) {
    throw new IllegalRecordsError('Stream frame descriptor corrupted');
  }
  return { flags, blockSize: maxBlockSize(descriptor >>> 4), start: checksumAt + 1 };
}

/** 64 KB, 256 KB, 1 MB, 4 MB for 4 to 7. */
function maxBlockSize(code: number): number {
  return 2 ** (2 * code + 8);
}

function uncompressBlock(block: Buffer, blockSize: number): Buffer {
  const sized = Buffer.allocUnsafe(block.length + 4);
  sized.writeUInt32LE(Math.min(blockSize, block.length * MAX_EXPANSION + 64), 0);
  block.copy(sized, 4);
  return uncompressSync(sized);
}

function need(data: Buffer, at: number, bytes: number): Buffer {
  if (data.length - at < bytes) throw new IllegalRecordsError('Stream ended prematurely');
  return data;
}
