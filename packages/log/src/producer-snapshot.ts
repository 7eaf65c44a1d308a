import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { crc32c } from '@klassic/protocol';
import { readInt64 } from './batch-header.ts';
import { writeFully } from './files.ts';
import { ProducerStateEntry } from './producer-state-entry.ts';

const VERSION = 1;
const HEADER_SIZE = 10;
const CRC_AT = 2;
const CRC_FROM = 6;
const ENTRY_SIZE = 46;
const FIRST_TABLE_SIZE = 16;
const TABLE_LOAD = 0.75;

/** A `.snapshot` that cannot be used: an older one is taken, and the log is read from there. */
export class CorruptSnapshotError extends Error {
  override readonly name = 'CorruptSnapshotError';
}

/**
 * Reads a `.snapshot` file: int16 version, uint32 CRC-32C of what follows, then an array of producers.
 *
 * @throws CorruptSnapshotError
 */
export function readSnapshot(path: string): ProducerStateEntry[] {
  const bytes = readFileSync(path);
  if (bytes.length < HEADER_SIZE)
    throw new CorruptSnapshotError(`Snapshot failed schema validation: ${bytes.length} bytes`);
  const version = bytes.readInt16BE(0);
  if (version !== VERSION) throw new CorruptSnapshotError(`Snapshot contained an unknown file version ${version}`);
  const stored = bytes.readUInt32BE(CRC_AT);
  const computed = crc32c(bytes, CRC_FROM, bytes.length);
  if (stored !== computed) {
    throw new CorruptSnapshotError(
      `Snapshot is corrupt (CRC is no longer valid). Stored crc: ${stored}. Computed crc: ${computed}`,
    );
  }
  const count = bytes.readInt32BE(CRC_FROM);
  if (count < 0 || HEADER_SIZE + count * ENTRY_SIZE > bytes.length) {
    throw new CorruptSnapshotError(`Snapshot failed schema validation: ${count} entries in ${bytes.length} bytes`);
  }
  return Array.from({ length: count }, (_, index) => readEntry(bytes, HEADER_SIZE + index * ENTRY_SIZE));
}

/** Writes a `.snapshot` file and flushes it. */
export function writeSnapshot(path: string, producers: ReadonlyMap<number, ProducerStateEntry>): void {
  const entries = inTableOrder([...producers.values()]);
  const bytes = Buffer.alloc(HEADER_SIZE + entries.length * ENTRY_SIZE);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(entries.length, CRC_FROM);
  entries.forEach((entry, index) => {
    writeEntry(bytes, HEADER_SIZE + index * ENTRY_SIZE, entry);
  });
  bytes.writeUInt32BE(crc32c(bytes, CRC_FROM, bytes.length), CRC_AT);
  const fd = openSync(path, 'w');
  try {
    writeFully(fd, bytes, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readEntry(bytes: Buffer, at: number): ProducerStateEntry {
  const entry = new ProducerStateEntry(readInt64(bytes, at));
  entry.producerEpoch = bytes.readInt16BE(at + 8);
  const lastOffset = readInt64(bytes, at + 14);
  entry.lastTimestamp = readInt64(bytes, at + 26);
  if (lastOffset >= 0) {
    entry.batches.push({
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset,
      offsetDelta: bytes.readInt32BE(at + 22),
      timestamp: entry.lastTimestamp,
    });
  }
  entry.coordinatorEpoch = bytes.readInt32BE(at + 34);
  const currentTxnFirstOffset = readInt64(bytes, at + 38);
  entry.currentTxnFirstOffset = currentTxnFirstOffset >= 0 ? currentTxnFirstOffset : null;
  return entry;
}

function writeEntry(bytes: Buffer, at: number, entry: ProducerStateEntry): void {
  bytes.writeBigInt64BE(BigInt(entry.producerId), at);
  bytes.writeInt16BE(entry.producerEpoch, at + 8);
  bytes.writeInt32BE(entry.lastSequence, at + 10);
  bytes.writeBigInt64BE(BigInt(entry.lastDataOffset), at + 14);
  bytes.writeInt32BE(entry.lastOffsetDelta, at + 22);
  bytes.writeBigInt64BE(BigInt(entry.lastTimestamp), at + 26);
  bytes.writeInt32BE(entry.coordinatorEpoch, at + 34);
  bytes.writeBigInt64BE(BigInt(entry.currentTxnFirstOffset ?? -1), at + 38);
}

/** The order in which the reference writes producers: that of Scala's hash table, so that files compare byte for byte. */
function inTableOrder(entries: ProducerStateEntry[]): ProducerStateEntry[] {
  let tableSize = FIRST_TABLE_SIZE;
  while (entries.length >= tableSize * TABLE_LOAD) tableSize *= 2;
  return entries
    .map((entry) => ({ entry, hash: hashOf(entry.producerId) }))
    .sort((a, b) => (a.hash & (tableSize - 1)) - (b.hash & (tableSize - 1)) || a.hash - b.hash)
    .map(({ entry }) => entry);
}

function hashOf(producerId: number): number {
  const low = producerId | 0;
  const hash = low === producerId ? low : low ^ Math.floor(producerId / 2 ** 32);
  return hash ^ (hash >>> 16);
}
