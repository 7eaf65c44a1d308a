import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { describeWithReference } from '@klassic/test-support';
import {
  batchesOf,
  buildBatch,
  compress,
  decompress,
  DefaultRecordBatch,
  downConvert,
  RecordsError,
  validateMessagesAndAssignOffsets,
} from '../src/records/index.ts';
import type { CompressionType, Magic, SimpleRecord } from '../src/records/index.ts';
import { recordVectors } from './records-vectors.ts';

interface CorruptVector {
  name: string;
  hex: string;
  batchesReadBefore: number;
  error: { stage: string; exception: string; message: string } | null;
}

/** The Kafka error that a Java exception ends in at the edge of a broker. */
const errorNames: Record<string, string> = {
  CorruptRecordException: 'CORRUPT_MESSAGE',
  InvalidRecordException: 'INVALID_RECORD',
};

const read = (bytes: Buffer): { batches: number; error?: RecordsError; stage?: string } => {
  let batches = 0;
  let stage = 'iterate-batches';
  try {
    for (const batch of batchesOf(bytes)) {
      stage = 'ensure-valid';
      batch.ensureValid();
      stage = 'iterate-records';
      for (const record of batch.records()) {
        void [record.key, record.value, record.headers, record.timestamp, record.offset];
      }
      batches++;
      stage = 'iterate-batches';
    }
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    return { batches, error, stage };
  }
  return { batches };
};

describeWithReference(describe)('damaged batches of the reference', () => {
  it('fail where and as they do there', () => {
    for (const { name, hex, batchesReadBefore, error } of recordVectors<CorruptVector>('corrupt.jsonl')) {
      const result = read(Buffer.from(hex, 'hex'));
      expect([name, result.batches]).toEqual([name, batchesReadBefore]);
      expect([name, result.error?.errorName]).toEqual([
        name,
        error === null ? undefined : (errorNames[error.exception] ?? 'UNKNOWN_SERVER_ERROR'),
      ]);
      if (error === null) continue;
      // A batch too short for its header is never handed out here: its getters would read beyond it.
      const stage = name === 'length-14' ? 'iterate-batches' : error.stage;
      expect([name, result.stage]).toEqual([name, stage]);
      if (error.exception === 'CorruptRecordException') expect(result.error?.message).toBe(error.message);
    }
  });
});

describe('compression', () => {
  const codecs: CompressionType[] = ['gzip', 'snappy', 'lz4', 'zstd'];

  it.each(codecs)('%s refuses a bomb before it is unpacked', (codec) => {
    const bomb = compress(codec, Buffer.alloc(4_000_000), 2);
    expect(decompress(codec, bomb, 2)).toHaveLength(4_000_000);
    expect(() => decompress(codec, bomb, 2, 100_000)).toThrow(expect.objectContaining({ errorName: 'INVALID_RECORD' }));
  });

  it.each(codecs)('%s brings data of every size around its blocks back', (codec) => {
    const random = new SeededRandom(11);
    for (const size of [0, 1, 15, 16, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 200_000]) {
      const noise = Buffer.from(Array.from({ length: size }, () => nextInt(random, 256)));
      const text = Buffer.alloc(size, 'the same words again, ');
      for (const data of [noise, text]) {
        for (const magic of [0, 1, 2] as const) {
          expect(decompress(codec, compress(codec, data, magic), magic).equals(data)).toBe(true);
        }
      }
    }
  });

  it.each(['gzip', 'zstd', 'snappy'] as const)('%s goes on after the first of several streams', (codec) => {
    const two = Buffer.concat([compress(codec, Buffer.from('hello '), 2), compress(codec, Buffer.from('again'), 2)]);
    expect(decompress(codec, two, 2).toString()).toBe('hello again');
  });

  it('reads raw snappy without the framing of Java', () => {
    // Length 5, then a literal of five bytes.
    expect(decompress('snappy', Buffer.from('0510' + '68656c6c6f', 'hex'), 2).toString()).toBe('hello');
  });

  it('believes no declared length of snappy', () => {
    const claims4GB = Buffer.from('ffffffff0f00', 'hex');
    expect(() => decompress('snappy', claims4GB, 2)).toThrow('cannot unfold');
  });

  it('checks the header of lz4, but not in magic 0', () => {
    const frame = compress('lz4', Buffer.from('hello'), 0);
    expect(decompress('lz4', frame, 0).toString()).toBe('hello');
    expect(() => decompress('lz4', frame, 1)).toThrow('descriptor corrupted');
  });
});

/** Chance and its seed: `KLASSIC_SEED` replays a run. */
const seed = Number(process.env['KLASSIC_SEED'] ?? 20_260_101);

function randomRecords(random: SeededRandom): SimpleRecord[] {
  const bytes = (): Buffer | null =>
    random.next() < 0.2 ? null : Buffer.alloc(nextInt(random, 90), nextInt(random, 256));
  return Array.from({ length: 1 + nextInt(random, 8) }, () => ({
    timestamp: random.next() < 0.1 ? -1 : 1_600_000_000_000 + nextInt(random, 100_000),
    key: bytes(),
    value: bytes(),
    headers: Array.from({ length: nextInt(random, 3) }, (_, i) => ({ key: `h${i}`, value: bytes() })),
  }));
}

describe(`mutated batches (seed ${seed})`, () => {
  const codecs: CompressionType[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'];

  const randomBatch = (random: SeededRandom): Buffer => {
    const magic = nextInt(random, 3) as Magic;
    const codec = codecs[nextInt(random, codecs.length)]!;
    const compression = magic < 2 && codec === 'zstd' ? 'gzip' : codec;
    const records = randomRecords(random).map(({ headers, ...record }) =>
      magic < 2 ? record : { ...record, headers: headers! },
    );
    return buildBatch({ magic, compression, records });
  };

  const mutate = (bytes: Buffer, random: SeededRandom): void => {
    for (let i = 0; i <= nextInt(random, 4); i++) {
      const at = nextInt(random, bytes.length);
      const choice = random.next();
      if (choice < 0.4) bytes[at] = nextInt(random, 256);
      else if (choice < 0.7) bytes[at] = bytes[at]! ^ (1 << nextInt(random, 8));
      else if (choice < 0.85) bytes[at] = [0x00, 0xff, 0x7f, 0x80][nextInt(random, 4)]!;
      else bytes.copyWithin(at, nextInt(random, bytes.length));
    }
  };

  /** Everything a broker or a consumer does with bytes from elsewhere; only typed errors may come out. */
  const useAll = (bytes: Buffer): number => {
    let errors = 0;
    const attempt = (action: () => unknown): void => {
      try {
        action();
      } catch (error) {
        if (!(error instanceof RecordsError)) throw error;
        errors++;
      }
    };
    attempt(() => {
      for (const batch of batchesOf(bytes)) {
        attempt(() => batch.ensureValid());
        attempt(() => [batch.baseOffset, batch.lastOffset, batch.maxTimestamp, batch.producerId, batch.recordsCount]);
        attempt(() => [batch.lastSequence, batch.compression, batch.isTransactional, batch.timestampType]);
        attempt(() => {
          for (const record of batch.records()) attempt(() => [record.key, record.value, record.headers]);
        });
      }
    });
    attempt(() => downConvert(bytes, 0, 0));
    for (const targetCodec of ['none', 'lz4'] as const) {
      attempt(() =>
        validateMessagesAndAssignOffsets(Buffer.from(bytes), {
          topicPartition: 'fuzz-0',
          startOffset: 5,
          now: 1_600_000_000_000,
          sourceCodec: [...batchesOf(bytes)].at(-1)?.compression ?? 'none',
          targetCodec,
          compactedTopic: false,
          targetMagic: 2,
          timestampType: 'CreateTime',
          timestampDiffMaxMs: 1e15,
          partitionLeaderEpoch: 1,
          origin: 'Client',
        }),
      );
    }
    return errors;
  };

  it('give typed errors', () => {
    const random = new SeededRandom(seed);
    let errors = 0;
    for (let run = 0; run < 1_500; run++) {
      const bytes = randomBatch(random);
      mutate(bytes, random);
      try {
        errors += useAll(bytes);
      } catch (error) {
        throw new Error(`run ${run} of seed ${seed}: ${bytes.toString('hex')}`, { cause: error });
      }
    }
    expect(errors).toBeGreaterThan(500);
  });

  it('give typed errors also where the CRC was made right again', () => {
    const random = new SeededRandom(seed + 1);
    for (let run = 0; run < 1_500; run++) {
      const bytes = buildBatch({
        compression: codecs[nextInt(random, codecs.length)]!,
        records: randomRecords(random),
      });
      mutate(bytes.subarray(21), random);
      bytes.writeUInt32BE(new DefaultRecordBatch(bytes, 0).computeCrc(), 17);
      useAll(bytes);
    }
  });

  it('of nothing but noise give typed errors', () => {
    const random = new SeededRandom(seed + 2);
    for (let run = 0; run < 1_000; run++) {
      const bytes = Buffer.alloc(nextInt(random, 300)).map(() => nextInt(random, 256)) as Buffer;
      if (bytes.length > 17) {
        bytes.writeInt32BE(nextInt(random, bytes.length), 8);
        bytes[16] = nextInt(random, 3);
      }
      useAll(bytes);
    }
  });
});
