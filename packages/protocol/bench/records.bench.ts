// Record batches, beside kafkajs in the same run:
//   node --conditions=klassic-source packages/protocol/bench/records.bench.ts
import { createRequire } from 'node:module';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { bench, do_not_optimize, group, run, summary } from 'mitata';
import {
  batchesOf,
  buildBatch,
  crc32c,
  DefaultRecordBatch,
  validateMessagesAndAssignOffsets,
} from '../src/records/index.ts';
import type { CompressionType, SimpleRecord } from '../src/records/index.ts';

const MIB = 1024 * 1024;
const require = createRequire(import.meta.url);

interface KafkaJsRecord {
  key: Buffer | null;
  value: Buffer | null;
}
type KafkaJsDecode = (decoder: unknown) => Promise<{ records: KafkaJsRecord[] }>;
type KafkaJsBatch = (batch: object) => Promise<{ buffer: Buffer }>;
const KafkaJsDecoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => unknown;
const kafkaJsDecode = require('kafkajs/src/protocol/recordBatch/v0/decoder') as KafkaJsDecode;
const { RecordBatch: kafkaJsBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: KafkaJsBatch };
const kafkaJsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => unknown;
const kafkaJsCrc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

/** Records of `valueBytes` that fill 1 MiB. */
function recordsOf(valueBytes: number): SimpleRecord[] {
  const value = Buffer.alloc(valueBytes, 'a value as text, of words that come back; ');
  const count = Math.floor((MIB - 61) / (valueBytes + 24));
  return Array.from({ length: count }, (_, i) => ({
    timestamp: 1_600_000_000_000 + i,
    key: Buffer.from(`key-${String(i).padStart(8, '0')}`),
    value,
  }));
}

const sizes = [100, 1000];
const validatorOptions = {
  topicPartition: 'topic-0',
  startOffset: 1_000,
  now: 1_600_000_000_000,
  compactedTopic: false,
  targetMagic: 2,
  timestampType: 'CreateTime',
  timestampDiffMaxMs: 2 ** 62,
  partitionLeaderEpoch: 1,
  origin: 'Client',
} as const;

for (const valueBytes of sizes) {
  const records = recordsOf(valueBytes);
  const bytes = buildBatch({ records });
  const batch = new DefaultRecordBatch(bytes, 0);

  group(`iterate 1 MiB, ${records.length} records of ${valueBytes} bytes: keys and values of all`, () => {
    summary(() => {
      bench('klassic', () => {
        let sum = 0;
        for (const batch of batchesOf(bytes)) {
          for (const record of batch.records()) sum += record.key!.length + record.value!.length + record.offset;
        }
        do_not_optimize(sum);
      });
      bench('kafkajs', async () => {
        let sum = 0;
        const decoded = await kafkaJsDecode(new KafkaJsDecoder(bytes));
        for (const record of decoded.records) sum += record.key!.length + record.value!.length;
        do_not_optimize(sum);
      });
    });
    bench('klassic: offsets and timestamps only', () => {
      let sum = 0;
      for (const record of batch.records()) sum += record.offset + record.timestamp;
      do_not_optimize(sum);
    });
    bench('klassic: scan as the log validator does', () => {
      const scanner = batch.scanner();
      let sum = 0;
      while (scanner.next()) sum += scanner.valueLength;
      do_not_optimize(sum);
    });
  });

  group(`build 1 MiB, ${records.length} records of ${valueBytes} bytes`, () => {
    summary(() => {
      bench('klassic', () => do_not_optimize(buildBatch({ records })));
      bench('kafkajs', async () => {
        const first = records[0]!.timestamp;
        const encoded = records.map(({ timestamp, key, value }, offsetDelta) =>
          kafkaJsRecord({ offsetDelta, timestampDelta: timestamp - first, key, value }),
        );
        do_not_optimize(await kafkaJsBatch({ records: encoded, lastOffsetDelta: records.length - 1 }));
      });
    });
  });

  group(`validate a produced 1 MiB, ${records.length} records of ${valueBytes} bytes`, () => {
    // The bytes are stamped in place: each round sets the base offset back to what a producer sends.
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies CompressionType[]) {
      const produced = buildBatch({ records, compression: codec });
      bench(`CRC and validator, ${codec} (${produced.length} bytes)`, () => {
        produced.fill(0, 0, 8);
        new DefaultRecordBatch(produced, 0).ensureValid();
        const options = { ...validatorOptions, sourceCodec: codec, targetCodec: codec };
        do_not_optimize(validateMessagesAndAssignOffsets(produced, options));
      });
    }
  });
}

for (const size of [64, 256, 1024, 16 * 1024, MIB]) {
  const bytes = Buffer.alloc(size, 'checksum');
  group(`CRC of ${size} bytes`, () => {
    summary(() => {
      bench('klassic crc32c', () => do_not_optimize(crc32c(bytes)));
      bench('@node-rs/crc32 crc32c', () => do_not_optimize(nativeCrc32c(bytes)));
      bench('node:zlib crc32 (another polynomial)', () => do_not_optimize(zlibCrc32(bytes)));
      bench('kafkajs crc32C', () => do_not_optimize(kafkaJsCrc32c(bytes)));
    });
  });
}

await run();
