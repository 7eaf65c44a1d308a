import { InvalidRecordError } from './record-errors.ts';
import { buildBatch } from './memory-records-builder.ts';
import type { KafkaRecord } from './types.ts';

/** The kinds of control record (ControlRecordType); others are of a later release and are skipped by readers. */
export type ControlRecordType = 'ABORT' | 'COMMIT' | 'LEADER_CHANGE' | 'UNKNOWN';

const types = new Map<number, ControlRecordType>([
  [0, 'ABORT'],
  [1, 'COMMIT'],
  [2, 'LEADER_CHANGE'],
]);

/**
 * The kind of a control record, from its key: int16 version, int16 type.
 *
 * @throws InvalidRecordError when the key is too short or its version negative
 */
export function controlRecordTypeOf(record: KafkaRecord): ControlRecordType {
  const key = record.key;
  if (key === null || key.length < 4) {
    throw new InvalidRecordError('Invalid value size found for end control record key. Must have at least 4 bytes');
  }
  const version = key.readInt16BE(0);
  if (version < 0) {
    throw new InvalidRecordError(`Invalid version found for control record: ${version}. May indicate data corruption`);
  }
  return types.get(key.readInt16BE(2)) ?? 'UNKNOWN';
}

/** The end of a transaction as its coordinator writes it into every partition (KIP-98). */
export interface EndTransactionMarker {
  readonly type: 'ABORT' | 'COMMIT';
  readonly coordinatorEpoch: number;
}

/**
 * Reads a marker.
 *
 * @throws InvalidRecordError when the record is none
 */
export function endTransactionMarkerOf(record: KafkaRecord): EndTransactionMarker {
  const type = controlRecordTypeOf(record);
  if (type !== 'ABORT' && type !== 'COMMIT') {
    throw new InvalidRecordError(`Invalid control record type for end transaction marker: ${type}`);
  }
  const value = record.value;
  if (value === null || value.length < 6) {
    throw new InvalidRecordError('Invalid value of an end transaction marker. Must have at least 6 bytes');
  }
  return { type, coordinatorEpoch: value.readInt32BE(2) };
}

export interface EndTransactionMarkerBatch extends EndTransactionMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
}

/** The control batch that holds one marker. */
export function buildEndTransactionMarker(marker: EndTransactionMarkerBatch): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(marker.type === 'COMMIT' ? 1 : 0, 2);
  const value = Buffer.alloc(6);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  return buildBatch({
    ...marker,
    isTransactional: true,
    isControlBatch: true,
    records: [{ timestamp: marker.timestamp, key, value }],
  });
}
