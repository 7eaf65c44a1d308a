import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import type { Log } from '../src/index.ts';
import { OffsetIndex } from '../src/offset-index.ts';
import { TimeIndex } from '../src/time-index.ts';
import { filesOf, openLog, withTempDir } from './support.ts';

interface Vector {
  config: Record<string, number>;
  appends: {
    append: string;
    leaderEpoch: number;
    hex: string;
    firstOffset: string;
    lastOffset: string;
    segmentBaseOffset: string;
    position: number;
    lastStableOffset: string;
  }[];
  logEndOffset: string;
  lastStableOffsetAtFullHighWatermark: string;
  segments: { baseOffset: string; size: number }[];
  offsetIndexLookups: {
    segment: string;
    offset: string;
    indexOffset: string;
    indexPosition: number;
    timestamp: string;
    timeIndexTimestamp: string;
    timeIndexOffset: string;
  }[];
  fetchOffsetByTimestamp: { timestamp: string; offset: string | null; foundTimestamp?: string; leaderEpoch?: number }[];
  endOffsetForEpoch: { requestedEpoch: number; epoch: number | null; endOffset?: string }[];
  abortedTransactions: {
    fetchOffset: string;
    upperBound: string;
    aborted: { producerId: string; firstOffset: string; lastOffset: string; lastStableOffset: string }[];
  }[];
  files: { name: string; hex?: string; text?: string }[];
}

function isMarker(append: string): boolean {
  return append.startsWith('commit of') || append.startsWith('abort of');
}

/** Does what the reference did for the vector, checking what each append answers. */
function fill(log: Log, vector: Vector): void {
  for (const append of vector.appends) {
    const info = log.appendAsLeader(
      Buffer.from(append.hex, 'hex'),
      append.leaderEpoch,
      isMarker(append.append) ? 'Coordinator' : 'Client',
    );
    expect({ append: append.append, ...info.firstOffset, lastOffset: info.lastOffset }).toEqual({
      append: append.append,
      messageOffset: Number(append.firstOffset),
      segmentBaseOffset: Number(append.segmentBaseOffset),
      relativePositionInSegment: append.position,
      lastOffset: Number(append.lastOffset),
    });
    expect(log.lastStableOffset).toBe(Number(append.lastStableOffset));
  }
}

describeWithReference(describe)('a partition folder as the reference writes it', () => {
  const vector = (): Vector => readReferenceJson('vectors', 'storage', 'partition-folder.json') as Vector;

  async function withFilledLog(use: (log: Log, dir: string, filled: Vector) => unknown): Promise<void> {
    const wanted = vector();
    const settings = Object.fromEntries(Object.entries(wanted.config).map(([name, value]) => [name, String(value)]));
    await withTempDir(async (dir) => {
      const log = openLog(dir, settings);
      fill(log, wanted);
      log.updateHighWatermark(log.logEndOffset);
      await use(log, dir, wanted);
      log.close();
    });
  }

  it('has the same files, byte for byte', async () => {
    const wanted = vector();
    await withFilledLog((log) => {
      expect(log.logEndOffset).toBe(Number(wanted.logEndOffset));
      expect(log.lastStableOffset).toBe(Number(wanted.lastStableOffsetAtFullHighWatermark));
      log.close();
      const expected = wanted.files
        .filter((file) => file.name !== 'partition.metadata')
        .map(({ name, hex, text }) => [name, hex ?? Buffer.from(text ?? '').toString('hex')] as const);
      expect(filesOf(log.dir)).toEqual(Object.fromEntries(expected));
    });
  });

  it('has the same files after it is read back unclean', async () => {
    await withFilledLog((log, dir, wanted) => {
      log.close();
      const before = filesOf(log.dir);
      const settings = Object.fromEntries(Object.entries(wanted.config).map(([name, value]) => [name, String(value)]));
      const again = openLog(dir, settings, { hadCleanShutdown: false });
      expect(again.logEndOffset).toBe(Number(wanted.logEndOffset));
      again.updateHighWatermark(again.logEndOffset);
      expect(again.lastStableOffset).toBe(Number(wanted.lastStableOffsetAtFullHighWatermark));
      again.close();
      expect(filesOf(again.dir)).toEqual(before);
    });
  });

  it('finds by offset and by time what the reference finds', async () => {
    await withFilledLog((log, _dir, wanted) => {
      log.close();
      for (const lookup of wanted.offsetIndexLookups) {
        const base = Number(lookup.segment);
        const path = join(log.dir, lookup.segment.padStart(20, '0'));
        const offsets = new OffsetIndex(`${path}.index`, base, 1200);
        const times = new TimeIndex(`${path}.timeindex`, base, 1200);
        expect(offsets.lookup(Number(lookup.offset))).toEqual({
          offset: Number(lookup.indexOffset),
          position: lookup.indexPosition,
        });
        expect(times.lookup(Number(lookup.timestamp))).toEqual({
          timestamp: Number(lookup.timeIndexTimestamp),
          offset: Number(lookup.timeIndexOffset),
        });
      }
    });
  });

  it('answers ListOffsets, epoch and transaction questions as the reference does', async () => {
    await withFilledLog((log, _dir, wanted) => {
      for (const { timestamp, offset, foundTimestamp, leaderEpoch } of wanted.fetchOffsetByTimestamp) {
        const expected =
          offset === null ? null : { offset: Number(offset), timestamp: Number(foundTimestamp), leaderEpoch };
        expect(log.fetchOffsetByTimestamp(Number(timestamp))).toEqual(expected);
      }
      for (const { requestedEpoch, epoch, endOffset } of wanted.endOffsetForEpoch) {
        const expected = epoch === null ? null : { leaderEpoch: epoch, offset: Number(endOffset) };
        expect(log.endOffsetForEpoch(requestedEpoch)).toEqual(expected);
      }
      for (const { fetchOffset, upperBound, aborted } of wanted.abortedTransactions) {
        const expected = aborted.map((txn) => ({
          producerId: Number(txn.producerId),
          firstOffset: Number(txn.firstOffset),
          lastOffset: Number(txn.lastOffset),
          lastStableOffset: Number(txn.lastStableOffset),
        }));
        expect(log.compactable.collectAbortedTransactions(Number(fetchOffset), Number(upperBound))).toEqual(expected);
      }
    });
  });

  it('copies byte for byte to a follower', async () => {
    const wanted = vector();
    const settings = Object.fromEntries(Object.entries(wanted.config).map(([name, value]) => [name, String(value)]));
    await withFilledLog((leader) => {
      const leaderFiles = withoutSnapshots(filesOf(leader.dir));
      return withTempDir((dir) => {
        const follower = openLog(dir, settings);
        while (follower.logEndOffset < leader.logEndOffset) {
          follower.appendAsFollower(leader.read(follower.logEndOffset, 1, 'log_end', true).records);
        }
        expect(withoutSnapshots(filesOf(follower.dir))).toEqual(leaderFiles);
        follower.close();
      });
    });
  });
});

function withoutSnapshots(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('.snapshot')));
}
