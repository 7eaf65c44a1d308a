import { compressionTypeOf, LOG_OVERHEAD } from '../records/record-batch.ts';
import { AnnotationError } from './annotation.ts';
import type { Annotator } from './annotation.ts';

/** Names the bytes of a record set, batch by batch, up to `end`. */
export function annotateRecords(a: Annotator, end: number, path: string): void {
  const outer = a.end;
  a.end = end;
  for (let i = 0; a.position < end; i++) {
    const batch = `${path}[${i}]`;
    if (end - a.position < LOG_OVERHEAD + 5) {
      a.raw(end - a.position, batch, 'incomplete batch');
      break;
    }
    const size = a.bytes.readInt32BE(a.position + 8);
    const magic = a.bytes.readInt8(a.position + 16);
    if (a.position + LOG_OVERHEAD + size > end) {
      a.raw(end - a.position, batch, 'incomplete batch');
      break;
    }
    if (size < 14 || magic < 0 || magic > 2) {
      throw new AnnotationError(`${batch} at ${a.position} has size ${size} and magic ${magic}`);
    }
    a.inside(batch, `record batch, magic ${magic}`, () => {
      const batchEnd = a.position + LOG_OVERHEAD + size;
      if (magic === 2) annotateBatch(a, batchEnd, batch);
      else annotateLegacyRecord(a, batchEnd, batch, magic);
    });
  }
  a.end = outer;
}

function annotateBatch(a: Annotator, end: number, path: string): void {
  a.int64(`${path}.baseOffset`);
  a.int32(`${path}.batchLength`);
  a.int32(`${path}.partitionLeaderEpoch`);
  a.int8(`${path}.magic`);
  a.uint32(`${path}.crc`, 'uint32, CRC-32C of all that follows');
  const attributes = a.bytes.readInt16BE(a.position);
  const { compression, text } = shownAttributes(attributes);
  a.int16(`${path}.attributes`, `int16: ${text}`);
  a.int32(`${path}.lastOffsetDelta`);
  a.int64(`${path}.firstTimestamp`);
  a.int64(`${path}.maxTimestamp`);
  a.int64(`${path}.producerId`);
  a.int16(`${path}.producerEpoch`);
  a.int32(`${path}.baseSequence`);
  const count = a.int32(`${path}.recordsCount`);
  if (compression !== 'none') {
    a.raw(end - a.position, `${path}.records`, `${count} records, ${compression}`);
    return;
  }
  for (let i = 0; i < count; i++) annotateRecord(a, `${path}.records[${i}]`);
}

function shownAttributes(attributes: number): { compression: string; text: string } {
  // Five to seven stand for no codec.
  const compression = (attributes & 7) > 4 ? `codec ${attributes & 7}` : compressionTypeOf(attributes);
  const flags = [
    compression,
    (attributes & 8) !== 0 ? 'LogAppendTime' : 'CreateTime',
    ...((attributes & 16) !== 0 ? ['transactional'] : []),
    ...((attributes & 32) !== 0 ? ['control'] : []),
  ];
  return { compression, text: flags.join(', ') };
}

function annotateRecord(a: Annotator, path: string): void {
  a.inside(path, 'record', () => {
    a.varint(`${path}.length`, 'varint');
    a.int8(`${path}.attributes`);
    a.varint(`${path}.timestampDelta`, 'varlong');
    a.varint(`${path}.offsetDelta`, 'varint');
    sized(a, `${path}.key`);
    sized(a, `${path}.value`);
    const headers = a.varint(`${path}.headersCount`, 'varint');
    for (let i = 0; i < headers; i++) {
      sized(a, `${path}.headers[${i}].key`);
      sized(a, `${path}.headers[${i}].value`);
    }
  });
}

function sized(a: Annotator, path: string): void {
  const length = a.varint(`${path}.length`, 'varint');
  if (length >= 0) a.raw(length, path, 'bytes');
}

function annotateLegacyRecord(a: Annotator, end: number, path: string, magic: number): void {
  a.int64(`${path}.offset`);
  a.int32(`${path}.size`);
  a.uint32(`${path}.crc`, 'uint32, CRC-32 of all that follows');
  a.int8(`${path}.magic`);
  const { compression, text } = shownAttributes(a.bytes.readInt8(a.position));
  a.int8(`${path}.attributes`, `int8: ${text}`);
  if (magic === 1) a.int64(`${path}.timestamp`);
  for (const part of ['key', 'value']) {
    const length = a.int32(`${path}.${part}.length`);
    const codec = part === 'value' && compression !== 'none' ? `message set, ${compression}` : 'bytes';
    if (length >= 0) a.raw(length, `${path}.${part}`, codec);
  }
  if (a.position < end) a.raw(end - a.position, `${path}.rest`, 'bytes');
}
