import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { readReferenceLines } from '@klassic/test-support';
import type { CompressionType, KafkaRecord, RecordBatch, TimestampType } from '../src/records/index.ts';
import { batchesOf, DefaultRecordBatch } from '../src/records/index.ts';

/** The shapes of `vectors/records`: int64 are decimal strings, bytes hex, or where they are long their digest. */
export type BytesVector = string | null | { length: number; sha256: string; firstHex: string };

export interface RecordVector {
  offset: string;
  timestamp: string;
  key: BytesVector;
  value: BytesVector;
  headers?: { key: string; value: string | null }[];
  controlType?: string;
  coordinatorEpoch?: number;
  sequence?: number;
}

export interface BatchVector {
  position: number;
  sizeInBytes: number;
  magic: 0 | 1 | 2;
  baseOffset: string;
  lastOffset: string;
  nextOffset: string;
  compression: CompressionType;
  timestampType: TimestampType | 'NoTimestampType';
  maxTimestamp: string;
  lastSequence?: number;
  isTransactional?: boolean;
  isControlBatch?: boolean;
  wire: Record<string, string | number>;
  records: RecordVector[];
}

export interface SetVector {
  name: string;
  batches: BatchVector[];
  hex: string;
}

export function recordVectors<T>(file: string): T[] {
  return readReferenceLines('vectors', 'records', file).map((line) => JSON.parse(line) as T);
}

function bytesAsVector(bytes: Buffer | null, like: BytesVector): BytesVector {
  if (bytes === null || like === null || typeof like === 'string') return bytes?.toString('hex') ?? null;
  return {
    length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    firstHex: bytes.toString('hex', 0, like.firstHex.length / 2),
  };
}

/** The batch vectors of a file. A producer id beyond 2^53 is refused (and seen to be), so it becomes 1. */
export function setVectors(file: string): SetVector[] {
  return recordVectors<SetVector>(file).map(({ name, hex, batches }) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const batch of batchesOf(bytes)) {
      const vector = batches.find(({ position }) => position === batch.position);
      if (vector?.magic !== 2 || Number.isSafeInteger(Number(vector.wire['producerId']))) continue;
      expect(() => batch.producerId).toThrow(`The value ${vector.wire['producerId']} is beyond ±2^53`);
      bytes.writeBigInt64BE(1n, batch.position + 43);
      bytes.writeUInt32BE(batch.computeCrc(), batch.position + 17);
      Object.assign(vector.wire, { producerId: '1', crc: batch.crc });
    }
    return { name, hex: bytes.toString('hex'), batches };
  });
}

/** What a reader gets of a vector's records: the meaning of a control record is read apart. */
export function withoutControl(batch: BatchVector): BatchVector {
  return {
    ...batch,
    records: batch.records.map(({ controlType: _type, coordinatorEpoch: _epoch, ...record }) => record),
  };
}

export function recordAsVector(record: KafkaRecord, like: RecordVector): RecordVector {
  return {
    offset: String(record.offset),
    timestamp: String(record.timestamp),
    key: bytesAsVector(record.key, like.key),
    value: bytesAsVector(record.value, like.value),
    ...(record.sequence >= 0 && { sequence: record.sequence }),
    ...(record.headers.length > 0 && {
      headers: record.headers.map(({ key, value }) => ({ key, value: value?.toString('hex') ?? null })),
    }),
  };
}

function wireOf(batch: RecordBatch): BatchVector['wire'] {
  if (batch instanceof DefaultRecordBatch) {
    return {
      baseOffset: String(batch.baseOffset),
      batchLength: batch.sizeInBytes - 12,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      magic: batch.magic,
      crc: batch.crc,
      attributes: batch.attributes,
      lastOffsetDelta: batch.lastOffsetDelta,
      firstTimestamp: String(batch.firstTimestamp),
      maxTimestamp: String(batch.maxTimestamp),
      producerId: String(batch.producerId),
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      recordsCount: batch.recordsCount,
    };
  }
  const keyAt = batch.position + (batch.magic === 0 ? 18 : 26);
  const keyLength = batch.buffer.readInt32BE(keyAt);
  return {
    offset: String(batch.lastOffset),
    messageSize: batch.sizeInBytes - 12,
    crc: batch.crc,
    magic: batch.magic,
    attributes: batch.attributes,
    ...(batch.magic === 1 && { timestamp: String(batch.maxTimestamp) }),
    keyLength,
    valueLength: batch.buffer.readInt32BE(keyAt + 4 + Math.max(keyLength, 0)),
  };
}

/** A batch in the shape of a vector. `like` says what is given as a digest. */
export function batchAsVector(batch: RecordBatch, like: BatchVector): BatchVector {
  const records = [...batch.records()];
  return {
    position: batch.position,
    sizeInBytes: batch.sizeInBytes,
    magic: batch.magic,
    baseOffset: String(batch.baseOffset),
    lastOffset: String(batch.lastOffset),
    nextOffset: String(batch.nextOffset),
    compression: batch.compression,
    timestampType: batch.timestampType,
    maxTimestamp: String(batch.maxTimestamp),
    wire: wireOf(batch),
    ...(batch.magic === 2 && {
      lastSequence: batch.lastSequence,
      isTransactional: batch.isTransactional,
      isControlBatch: batch.isControlBatch,
    }),
    records: records.map((record, i) =>
      recordAsVector(record, like.records[i] ?? { offset: '', timestamp: '', key: null, value: null }),
    ),
  };
}
