import { basename, resolve } from 'node:path';
import { controlRecordTypeOf, endTransactionMarkerOf } from '@klassic/protocol';
import type { KafkaRecord } from '@klassic/protocol';
import type { ToolIo } from '../tool.ts';
import { BatchFile } from './batch-file.ts';
import type { FileBatch } from './batch-file.ts';
import type { Findings } from './findings.ts';
import type { MessageParser } from './message-parsers.ts';
import { requireFile } from './require-file.ts';

const FIRST_MAGIC_WITH_BATCHES = 2;

export interface DumpLogFileOptions {
  readonly isDeep: boolean;
  readonly printsContents: boolean;
  readonly skipsRecordMetadata: boolean;
  readonly parser: MessageParser;
}

/** Prints the batches of a `.log` file, and their records when asked. */
export function dumpLogFile(path: string, io: ToolIo, options: DumpLogFileOptions, findings: Findings): void {
  io.out(`Starting offset: ${Number(basename(path).split('.')[0])}\n`);
  const file = new BatchFile(requireFile(path));
  try {
    let validBytes = 0;
    let lastOffset = -1;
    for (const at of file.batches()) {
      io.out(`${batchLine(at)}\n`);
      if (options.isDeep) {
        for (const record of at.batch.records()) {
          if (lastOffset !== -1 && record.offset !== lastOffset + 1) {
            findings.noteNonConsecutive(resolve(path), lastOffset, record.offset);
          }
          lastOffset = record.offset;
          io.out(`${recordLine(at, record, options)}\n`);
        }
      }
      validBytes = at.position + at.batch.sizeInBytes;
    }
    const trailing = file.sizeInBytes - validBytes;
    if (trailing > 0) io.out(`Found ${trailing} invalid bytes at the end of ${basename(path)}\n`);
  } finally {
    file.close();
  }
}

function batchLine({ batch, position }: FileBatch): string {
  const head =
    batch.magic >= FIRST_MAGIC_WITH_BATCHES
      ? `baseOffset: ${batch.baseOffset} lastOffset: ${batch.lastOffset} count: ${batch.recordsCount} ` +
        `baseSequence: ${batch.baseSequence} lastSequence: ${batch.lastSequence} producerId: ${batch.producerId} ` +
        `producerEpoch: ${batch.producerEpoch} partitionLeaderEpoch: ${batch.partitionLeaderEpoch} ` +
        `isTransactional: ${batch.isTransactional} isControl: ${batch.isControlBatch}`
      : `offset: ${batch.lastOffset}`;
  return (
    `${head} position: ${position} ${batch.timestampType}: ${batch.maxTimestamp} size: ${batch.sizeInBytes} ` +
    `magic: ${batch.magic} compresscodec: ${batch.compression.toUpperCase()} crc: ${batch.crc} isvalid: ${batch.isValid()}`
  );
}

function recordLine(at: FileBatch, record: KafkaRecord, options: DumpLogFileOptions): string {
  const { batch } = at;
  const parts = options.skipsRecordMetadata ? [] : [recordMetadata(at, record)];
  if (options.printsContents && !batch.isControlBatch) {
    const { key, payload } = options.parser(record);
    if (key !== null) parts.push(`key: ${key}`);
    if (payload !== null) parts.push(`payload: ${payload}`);
  }
  return `| ${parts.join(' ')}`;
}

function recordMetadata({ batch, position }: FileBatch, record: KafkaRecord): string {
  const isBatch = batch.magic >= FIRST_MAGIC_WITH_BATCHES;
  const crc = isBatch ? 'null' : String(batch.crc);
  const isValid = isBatch || batch.isValid();
  const common =
    `offset: ${record.offset} isValid: ${isValid} crc: ${crc} keySize: ${record.key?.length ?? -1} ` +
    `valueSize: ${record.value?.length ?? -1} ${batch.timestampType}: ${record.timestamp} ` +
    `baseOffset: ${batch.baseOffset} lastOffset: ${batch.lastOffset} baseSequence: ${batch.baseSequence} ` +
    `lastSequence: ${batch.lastSequence} producerEpoch: ${batch.producerEpoch} ` +
    `partitionLeaderEpoch: ${batch.partitionLeaderEpoch} batchSize: ${batch.sizeInBytes} magic: ${batch.magic} ` +
    `compressType: ${batch.compression.toUpperCase()} position: ${position}`;
  const headerKeys = record.headers.map(({ key }) => key).join(',');
  const rest = isBatch ? `sequence: ${record.sequence} headerKeys: [${headerKeys}]` : `crc: ${crc} isvalid: ${isValid}`;
  return batch.isControlBatch ? `${common} ${rest} ${controlText(record)}` : `${common} ${rest}`;
}

function controlText(record: KafkaRecord): string {
  const type = controlRecordTypeOf(record);
  if (type === 'ABORT' || type === 'COMMIT') {
    return `endTxnMarker: ${type} coordinatorEpoch: ${endTransactionMarkerOf(record).coordinatorEpoch}`;
  }
  return `controlType: ${type}(${record.key!.readInt16BE(2)})`;
}
