import { describe, expect, it } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import {
  batchesOf,
  buildBatch,
  downConvert,
  RecordsError,
  RecordValidationError,
  validateMessagesAndAssignOffsets,
} from '../src/records/index.ts';
import type { LogValidatorOptions } from '../src/records/index.ts';
import type { BatchVector } from './records-vectors.ts';
import { batchAsVector, recordVectors, withoutControl } from './records-vectors.ts';

interface AppendVector {
  name: string;
  inputHex: string;
  arguments: Record<'startOffset' | 'now' | 'timestampDiffMaxMs', string> &
    Omit<LogValidatorOptions, 'startOffset' | 'now' | 'timestampDiffMaxMs' | 'topicPartition'>;
  result?: {
    nextOffset: string;
    maxTimestamp: string;
    offsetOfMaxTimestamp: string;
    messageSizeMaybeChanged: boolean;
    batches: BatchVector[];
    hex: string;
  };
  error?: { message: string; error: string; recordErrors?: { batchIndex: number; message: string }[] };
}

interface ConversionVector {
  name: string;
  toMagic: 0 | 1;
  inputHex: string;
  outputHex: string;
  output: BatchVector[];
}

const optionsOf = ({
  startOffset,
  now,
  timestampDiffMaxMs,
  ...rest
}: AppendVector['arguments']): LogValidatorOptions => ({
  ...rest,
  topicPartition: 'topic-0',
  startOffset: Number(startOffset),
  now: Number(now),
  timestampDiffMaxMs: Number(timestampDiffMaxMs),
});

/** Compressors differ in the bytes they make, and so in sizes, positions and CRCs. */
function comparable(batch: BatchVector, sameBytes: boolean): unknown {
  if (sameBytes) return batch;
  const { position: _p, sizeInBytes: _s, wire, ...rest } = batch;
  const { batchLength: _b, crc: _c, messageSize: _m, valueLength: _v, ...sameOnWire } = wire;
  return { ...rest, wire: sameOnWire };
}

function expectBatches(name: string, bytes: Buffer, expected: BatchVector[], sameBytes: boolean): void {
  const batches = [...batchesOf(bytes)];
  expect([name, batches.length]).toEqual([name, expected.length]);
  for (const [i, batch] of batches.entries()) {
    batch.ensureValid();
    const like = expected[i]!;
    expect([name, comparable(batchAsVector(batch, like), sameBytes)]).toEqual([
      name,
      comparable(withoutControl(like), sameBytes),
    ]);
  }
}

describeWithReference(describe)('LogValidator against the reference', () => {
  it('appends as a broker does', () => {
    for (const { name, inputHex, arguments: given, result } of recordVectors<AppendVector>('broker-appends.jsonl')) {
      if (result === undefined) continue;
      const input = Buffer.from(inputHex, 'hex');
      const { records, ...info } = validateMessagesAndAssignOffsets(input, optionsOf(given));
      expect([name, info]).toMatchObject([
        name,
        {
          nextOffset: Number(result.nextOffset),
          maxTimestamp: Number(result.maxTimestamp),
          offsetOfMaxTimestamp: Number(result.offsetOfMaxTimestamp),
          messageSizeMaybeChanged: result.messageSizeMaybeChanged,
        },
      ]);
      const sameBytes = !info.messageSizeMaybeChanged || given.targetCodec === 'none';
      if (sameBytes) expect([name, records.toString('hex')]).toEqual([name, result.hex]);
      if (!info.messageSizeMaybeChanged) expect(records).toBe(input);
      expectBatches(name, records, result.batches, sameBytes);
    }
  });

  it('refuses as a broker does', () => {
    let refused = 0;
    for (const { name, inputHex, arguments: given, error } of recordVectors<AppendVector>('broker-appends.jsonl')) {
      if (error === undefined) continue;
      refused++;
      const thrown = thrownBy(() => validateMessagesAndAssignOffsets(Buffer.from(inputHex, 'hex'), optionsOf(given)));
      expect(thrown).toBeInstanceOf(RecordsError);
      const { errorName, message } = thrown as RecordsError;
      expect([name, errorName, message]).toEqual([name, error.error, error.message]);
      const recordErrors = thrown instanceof RecordValidationError ? thrown.recordErrors : undefined;
      expect([name, recordErrors]).toEqual([name, error.recordErrors]);
    }
    expect(refused).toBe(6);
  });

  it('down-converts as a broker does', () => {
    for (const { name, toMagic, inputHex, outputHex, output } of recordVectors<ConversionVector>(
      'down-conversions.jsonl',
    )) {
      const converted = downConvert(Buffer.from(inputHex, 'hex'), toMagic, 0);
      const sameBytes = output.every(({ compression }) => compression === 'none');
      if (sameBytes) expect([name, converted.toString('hex')]).toEqual([name, outputHex]);
      expectBatches(name, converted, output, sameBytes);
    }
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('LogValidator', () => {
  const options: LogValidatorOptions = {
    topicPartition: 'orders-3',
    startOffset: 10,
    now: 1_000,
    sourceCodec: 'none',
    targetCodec: 'none',
    compactedTopic: false,
    targetMagic: 2,
    timestampType: 'CreateTime',
    timestampDiffMaxMs: 2 ** 62,
    partitionLeaderEpoch: 3,
    origin: 'Client',
  };
  const record = { timestamp: 900, key: null, value: Buffer.from('v') };

  it('refuses LogAppendTime set by a producer, naming every record', () => {
    const batch = buildBatch({ timestampType: 'LogAppendTime', logAppendTime: 5, records: [record, record] });
    const thrown = thrownBy(() => validateMessagesAndAssignOffsets(batch, options)) as RecordValidationError;
    expect(thrown.errorName).toBe('INVALID_TIMESTAMP');
    expect(thrown.recordErrors).toEqual(
      [0, 1].map((batchIndex) => ({
        batchIndex,
        message: `Invalid timestamp type in message DefaultRecord(offset=${batchIndex}, timestamp=5, key=0 bytes, value=1 bytes). Producer should not set timestamp type to LogAppendTime.`,
      })),
    );
  });

  it('leaves the bytes of a refused batch as they came', () => {
    const batch = buildBatch({ records: [record] });
    const before = Buffer.from(batch);
    expect(() => validateMessagesAndAssignOffsets(batch, { ...options, compactedTopic: true })).toThrow('rejected');
    expect(batch.equals(before)).toBe(true);
  });

  it.each([0, 1] as const)('refuses producer ids where the topic keeps magic %d', (targetMagic) => {
    const batch = buildBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0, records: [record] });
    const thrown = thrownBy(() => validateMessagesAndAssignOffsets(batch, { ...options, targetMagic }));
    expect((thrown as RecordsError).errorName).toBe('UNSUPPORTED_FOR_MESSAGE_FORMAT');
  });

  it('refuses timestamps beyond 2^53 instead of rounding them', () => {
    const batch = buildBatch({ records: [record] });
    batch.writeBigInt64BE(1_600_000_000_000_000_000n, 27);
    const thrown = thrownBy(() => validateMessagesAndAssignOffsets(batch, options));
    expect((thrown as RecordsError).errorName).toBe('INVALID_TIMESTAMP');
  });

  it('refuses an empty record set', () => {
    expect(() => validateMessagesAndAssignOffsets(Buffer.alloc(0), options)).toThrow('no batches at all');
  });

  it('refuses to down-convert zstd', () => {
    const batch = buildBatch({ compression: 'zstd', records: [record] });
    const thrown = thrownBy(() => downConvert(batch, 1, 0));
    expect((thrown as RecordsError).errorName).toBe('UNSUPPORTED_COMPRESSION_TYPE');
  });

  it('drops the uncompressed records before the offset asked for', () => {
    const batch = buildBatch({ baseOffset: 5, records: [record, record, record] });
    const offsets = [...batchesOf(downConvert(batch, 1, 6))].map(({ baseOffset }) => baseOffset);
    expect(offsets).toEqual([6, 7]);
    const compressed = buildBatch({ baseOffset: 5, compression: 'gzip', records: [record, record, record] });
    expect([...batchesOf(downConvert(compressed, 1, 6))][0]?.baseOffset).toBe(5);
  });
});
