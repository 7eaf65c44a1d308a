import { describe, expect, it } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import {
  batchesOf,
  buildBatch,
  buildEndTransactionMarker,
  controlRecordTypeOf,
  DefaultRecordBatch,
  emptyBatch,
  endTransactionMarkerOf,
  MemoryRecordsBuilder,
} from '../src/records/index.ts';
import { batchAsVector, setVectors, withoutControl } from './records-vectors.ts';

/** Builds a batch again from what was read of it. */
function rebuilt(batch: DefaultRecordBatch): Buffer {
  const logAppendTime = batch.timestampType === 'LogAppendTime';
  const builder = new MemoryRecordsBuilder({
    compression: batch.compression,
    timestampType: batch.timestampType,
    logAppendTime: batch.maxTimestamp,
    baseOffset: batch.baseOffset,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControlBatch: batch.isControlBatch,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
  });
  // Readers are not told the create times under LogAppendTime, but the bytes keep them.
  const created = Buffer.from(batch.bytes);
  created.writeInt16BE(batch.attributes & ~8, 21);
  const source = logAppendTime ? new DefaultRecordBatch(created, 0) : batch;
  for (const record of source.records()) builder.appendWithOffset(record.offset, record);
  builder.overrideLastOffset(batch.lastOffset);
  return builder.build();
}

describeWithReference(describe)('record batches of the reference', () => {
  it.each(['batches-v2.jsonl', 'batches-v2-large.jsonl', 'message-sets-v0-v1.jsonl'])('are read: %s', (file) => {
    for (const { name, hex, batches } of setVectors(file)) {
      const read = [...batchesOf(Buffer.from(hex, 'hex'))];
      expect([name, read.length]).toEqual([name, batches.length]);
      for (const [i, batch] of read.entries()) {
        batch.ensureValid();
        expect(batch.isValid()).toBe(true);
        expect([name, batchAsVector(batch, batches[i]!)]).toEqual([name, withoutControl(batches[i]!)]);
      }
    }
  });

  it('are built: uncompressed to the same bytes, compressed to the same records', () => {
    for (const file of ['batches-v2.jsonl', 'batches-v2-large.jsonl']) {
      for (const { name, hex } of setVectors(file)) {
        for (const batch of batchesOf(Buffer.from(hex, 'hex'))) {
          if (!(batch instanceof DefaultRecordBatch) || batch.recordsCount === 0) continue;
          const again = rebuilt(batch);
          if (batch.compression === 'none') {
            expect([name, again.toString('hex')]).toEqual([name, batch.bytes.toString('hex')]);
          } else {
            const reread = [...batchesOf(again)][0]!;
            reread.ensureValid();
            expect(reread.compression).toBe(batch.compression);
            expect([name, plain(reread)]).toEqual([name, plain(batch)]);
          }
        }
      }
    }
  });

  it('message sets of magic 0 and 1 are built', () => {
    for (const { name, hex, batches } of setVectors('message-sets-v0-v1.jsonl')) {
      const read = [...batchesOf(Buffer.from(hex, 'hex'))];
      const first = read[0]!;
      const builder = new MemoryRecordsBuilder({
        magic: first.magic,
        compression: first.compression,
        timestampType: first.timestampType,
        logAppendTime: first.maxTimestamp,
        baseOffset: first.baseOffset,
      });
      for (const batch of read) {
        for (const record of batch.records()) {
          builder.appendWithOffset(record.offset, {
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
          });
        }
      }
      const again = builder.build();
      if (first.compression === 'none') {
        expect([name, again.toString('hex')]).toEqual([name, hex]);
      } else {
        const reread = [...batchesOf(again)][0]!;
        reread.ensureValid();
        expect([name, reread.lastOffset, reread.attributes]).toEqual([name, first.lastOffset, first.attributes]);
        expect([name, plain(reread)]).toEqual([name, plain(first)]);
        expect(batches).toHaveLength(1);
      }
    }
  });

  it('control batches: the markers are read and built', () => {
    const sets = setVectors('batches-v2.jsonl').filter(({ name }) => name.startsWith('control/'));
    expect(sets).toHaveLength(4);
    for (const { hex, batches } of sets) {
      const batch = [...batchesOf(Buffer.from(hex, 'hex'))][0]!;
      const [record] = [...batch.records()];
      const vector = batches[0]!.records[0]!;
      expect(controlRecordTypeOf(record!)).toBe(vector.controlType);
      const marker = endTransactionMarkerOf(record!);
      expect(marker).toEqual({ type: vector.controlType, coordinatorEpoch: vector.coordinatorEpoch });
      const { baseOffset, producerId, producerEpoch, partitionLeaderEpoch } = batch;
      const built = buildEndTransactionMarker({
        ...marker,
        timestamp: record!.timestamp,
        ...{ baseOffset, producerId, producerEpoch, partitionLeaderEpoch },
      });
      expect(built.toString('hex')).toBe(hex);
    }
  });

  it('batches emptied by compaction are built', () => {
    const sets = setVectors('batches-v2.jsonl').filter(({ name }) => name.startsWith('empty/'));
    expect(sets).toHaveLength(4);
    for (const { hex } of sets) {
      const batch = [...batchesOf(Buffer.from(hex, 'hex'))][0]!;
      const { baseOffset, partitionLeaderEpoch, maxTimestamp, producerId, producerEpoch, baseSequence } = batch;
      const { isTransactional, isControlBatch } = batch;
      const built = emptyBatch({
        lastOffsetDelta: batch.lastOffset - baseOffset,
        timestampType: 'CreateTime',
        ...{ baseOffset, partitionLeaderEpoch, maxTimestamp, producerId, producerEpoch, baseSequence },
        ...{ isTransactional, isControlBatch },
      });
      expect(built.toString('hex')).toBe(hex);
    }
  });
});

function plain(batch: {
  records(): Iterable<{ offset: number; key: Buffer | null; value: Buffer | null }>;
}): unknown[] {
  return [...batch.records()].map(({ offset, key, value }) => [offset, key?.toString('hex'), value?.toString('hex')]);
}

describe('MemoryRecordsBuilder', () => {
  const record = (value: string) => ({ timestamp: 5, key: null, value: Buffer.from(value) });

  it('lets the first record in whatever its size and is full at its limit', () => {
    const builder = new MemoryRecordsBuilder({ writeLimit: 100 });
    expect(builder.hasRoomFor(record('x'.repeat(500)))).toBe(true);
    builder.append(record('x'));
    expect(builder.hasRoomFor(record('x'.repeat(20)))).toBe(true);
    expect(builder.hasRoomFor(record('x'.repeat(40)))).toBe(false);
    builder.append(record('x'.repeat(40)));
    expect(builder.isFull).toBe(true);
    expect(builder.estimatedSizeInBytes).toBe(builder.build().length);
  });

  it('takes another producer state after it was closed, with the same records', () => {
    const builder = new MemoryRecordsBuilder({ compression: 'lz4' });
    builder.append(record('one'));
    builder.setProducerState({ producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: false });
    const first = Buffer.from(builder.build());
    builder.reopenAndRewriteProducerState({
      producerId: 7,
      producerEpoch: 1,
      baseSequence: 0,
      isTransactional: false,
    });
    const second = [...batchesOf(builder.build())][0]!;
    second.ensureValid();
    expect([second.producerEpoch, second.sizeInBytes]).toEqual([1, first.length]);
    expect(plain(second)).toEqual(plain([...batchesOf(first)][0]!));
  });

  it('builds nothing of no records', () => {
    expect(buildBatch({ records: [] })).toHaveLength(0);
  });

  it('refuses what the format cannot hold', () => {
    const error = (action: () => unknown): unknown => {
      try {
        action();
        return undefined;
      } catch (thrown) {
        return (thrown as { errorName?: string }).errorName;
      }
    };
    const headers = [{ key: 'h', value: null }];
    expect(error(() => buildBatch({ magic: 1, records: [{ ...record('x'), headers }] }))).toBe('UNKNOWN_SERVER_ERROR');
    expect(error(() => buildBatch({ records: [{ ...record('x'), timestamp: -2 }] }))).toBe('UNKNOWN_SERVER_ERROR');
    expect(() => buildBatch({ magic: 1, compression: 'zstd', records: [] })).toThrow('knows neither');
  });
});
