import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import { openLog, records, withTempDir } from './support.ts';

const DAY_MS = 86_400_000;

describe('when a segment is rolled', () => {
  it('goes by the timestamp of the first batch, less the jitter', async () => {
    await withTempDir((dir) => {
      const settings = { 'segment.ms': '1000', 'segment.jitter.ms': '400' };
      const log = openLog(dir, settings, { jitter: () => 0.5 });
      log.appendAsLeader(records(1, 5000), 0);
      log.appendAsLeader(records(1, 5800), 0);
      expect(log.segmentBaseOffsets).toEqual([0]);
      log.appendAsLeader(records(1, 5801), 0);
      expect(log.segmentBaseOffsets).toEqual([0, 2]);
      log.close();
    });
  });

  it('comes when an index is full: the time index keeps a slot for the roll', async () => {
    await withTempDir((dir) => {
      const log = openLog(dir, { 'segment.index.bytes': '36', 'index.interval.bytes': '0' });
      for (let i = 0; i < 4; i += 1) log.appendAsLeader(records(1, 1000 + i), 0);
      // The second and the third batch filled two of three time index entries.
      expect(log.segmentBaseOffsets).toEqual([0, 3]);
      log.close();
    });
  });

  it('comes when an offset is too far from the base for an index entry', async () => {
    await withTempDir((dir) => {
      const log = openLog(dir);
      const at = (baseOffset: number): Buffer =>
        buildBatch({ baseOffset, records: [{ timestamp: 1, key: null, value: Buffer.alloc(1) }] });
      log.appendAsFollower(at(0));
      log.appendAsFollower(at(2 ** 31 - 1));
      expect(log.segmentBaseOffsets).toEqual([0]);
      log.appendAsFollower(at(2 ** 31));
      expect(log.segmentBaseOffsets).toEqual([0, 2 ** 31]);
      log.close();
    });
  });
});

describe('retention by time', () => {
  it('keeps a segment whose timestamps lie ahead, and all that follow it', async () => {
    await withTempDir((dir) => {
      const time = new MockTime();
      const log = openLog(dir, { 'segment.bytes': '300', 'retention.ms': '1000' }, { time });
      const now = time.milliseconds();
      for (const timestamp of [now - 2000, now + DAY_MS, now - 2000]) log.appendAsLeader(records(2, timestamp), 0);
      log.updateHighWatermark(log.logEndOffset);
      expect(log.segmentBaseOffsets).toEqual([0, 2, 4]);
      expect([log.deleteOldSegments(), log.logStartOffset]).toEqual([1, 2]);
      log.close();
    });
  });
});

describe('producers', () => {
  const batch = (baseSequence: number, timestamp: number): Buffer =>
    buildBatch({
      producerId: 7,
      producerEpoch: 0,
      baseSequence,
      records: [{ timestamp, key: null, value: Buffer.alloc(1) }],
    });

  it('have their last five batches remembered, and no more', async () => {
    await withTempDir((dir) => {
      const log = openLog(dir);
      for (let sequence = 0; sequence < 6; sequence += 1) log.appendAsLeader(batch(sequence, 1), 0);
      expect(log.appendAsLeader(batch(1, 1), 0)).toMatchObject({ duplicate: true, lastOffset: 1 });
      for (const sequence of [0, 7]) {
        expect(() => log.appendAsLeader(batch(sequence, 1), 0)).toThrow(/^Out of order sequence number for producer 7/);
      }
      expect(log.logEndOffset).toBe(6);
      log.close();
    });
  });

  it('are forgotten once they were idle for long enough', async () => {
    await withTempDir(async (dir) => {
      const time = new MockTime();
      const log = openLog(dir, {}, { time, producerIdExpirationMs: 1000 });
      log.appendAsLeader(batch(0, time.milliseconds()), 0);
      await time.advance(999);
      log.removeExpiredProducers();
      expect(log.activeProducers()).toHaveLength(1);
      await time.advance(1);
      log.removeExpiredProducers();
      expect(log.activeProducers()).toEqual([]);
      log.close();
    });
  });

  it('are written down when a segment is rolled, and when the log is closed', async () => {
    await withTempDir((dir) => {
      const log = openLog(dir);
      const snapshots = (): number[] =>
        readdirSync(log.dir)
          .filter((name) => name.endsWith('.snapshot'))
          .map((name) => Number(name.slice(0, 20)));
      log.appendAsLeader(batch(0, 1), 0);
      expect(snapshots()).toEqual([]);
      log.roll();
      log.appendAsLeader(batch(1, 1), 0);
      expect(snapshots()).toEqual([1]);
      log.close();
      expect(snapshots()).toEqual([1, 2]);
    });
  });
});
