export { compress, decompress, MAX_DECOMPRESSED_BYTES } from './compression.ts';
export { buildEndTransactionMarker, controlRecordTypeOf, endTransactionMarkerOf } from './control-records.ts';
export type { ControlRecordType, EndTransactionMarker, EndTransactionMarkerBatch } from './control-records.ts';
export { crc32, crc32c } from './crc.ts';
export { DefaultRecordBatch, emptyBatch, RECORD_BATCH_OVERHEAD } from './default-record-batch.ts';
export { downConvert } from './down-conversion.ts';
export { readInt64, writeInt64 } from './int64.ts';
export { validateMessagesAndAssignOffsets } from './log-validator.ts';
export type { LogValidatorOptions, ValidationAndOffsetAssignResult } from './log-validator.ts';
export { batchAt, batchesOf, batchSizeAt } from './memory-records.ts';
export { buildBatch, MemoryRecordsBuilder } from './memory-records-builder.ts';
export type {
  BatchOptions,
  MemoryRecordsBuilderOptions,
  ProducerState,
  RecordsInfo,
} from './memory-records-builder.ts';
export { HEADER_SIZE_UP_TO_MAGIC, LOG_OVERHEAD, MAGIC_OFFSET, RecordBatch, SIZE_OFFSET } from './record-batch.ts';
export {
  CorruptRecordError,
  IllegalRecordsError,
  InvalidRecordError,
  InvalidTimestampError,
  RecordsError,
  RecordValidationError,
  UnsupportedCompressionTypeError,
  UnsupportedForMessageFormatError,
} from './record-errors.ts';
export type { RecordError, RecordsErrorName } from './record-errors.ts';
export { decrementSequence, incrementSequence } from './sequence.ts';
export { NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP } from './types.ts';
export type {
  AppendOrigin,
  BatchTimestampType,
  CompressionType,
  KafkaRecord,
  Magic,
  RecordHeader,
  SimpleRecord,
  TimestampType,
} from './types.ts';
export {
  readUnsignedVarint,
  readVarint,
  readVarlong,
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from './varint.ts';
export type { VarintRead } from './varint.ts';
