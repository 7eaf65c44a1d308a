import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { batchesOf } from '@klassic/protocol';
import { describeWithReference, referenceFile, referenceHome } from '@klassic/test-support';
import type { ActiveProducer, Log } from '../src/index.ts';
import { readSnapshot } from '../src/producer-snapshot.ts';
import { filesOf, openLog, withTempDir } from './support.ts';

const CLUSTER = ['cluster', '2.8.2', 'ibp-2.6'] as const;

/** Every captured partition folder that holds a segment, relative to the scenarios. */
function partitionFolders(): string[] {
  if (referenceHome === undefined) return ['none'];
  const home = referenceFile(...CLUSTER);
  const folders = readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('/files/') && path.endsWith('.log'))
    .map((path) => dirname(path));
  return [...new Set(folders)].sort();
}

/** A copy of the folder as `t-0`, without what the recorder put beside Kafka's files. */
function copyOf(folder: string, dir: string): string {
  const copy = join(dir, 't-0');
  cpSync(referenceFile(...CLUSTER, folder), copy, { recursive: true });
  chmodSync(copy, 0o755);
  for (const name of readdirSync(copy)) {
    chmodSync(join(copy, name), 0o644);
    if (name.endsWith('.dump.txt') || name.endsWith('.deleted')) rmSync(join(copy, name));
  }
  return copy;
}

function readFully(log: Log): Buffer {
  const chunks: Buffer[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { records } = log.read(offset, 1, 'log_end', true);
    if (records.length === 0) break;
    chunks.push(records);
    for (const batch of batchesOf(records)) offset = batch.nextOffset;
  }
  return Buffer.concat(chunks);
}

function logBytes(dir: string): Buffer {
  const names = readdirSync(dir).filter((name) => name.endsWith('.log'));
  return Buffer.concat(names.sort().map((name) => readFileSync(join(dir, name))));
}

/** What DumpLogSegments printed of a `.log`: the batches' lines as fields. */
function dumpedBatches(path: string): Record<string, string>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('baseOffset: '))
    .map((line) => {
      const fields: Record<string, string> = {};
      for (const [, key, value] of line.matchAll(/(\w+): (\S+)/g)) fields[key!] = value!;
      return fields;
    });
}

describeWithReference(describe)('captured partition folders', () => {
  it.each(partitionFolders())('%s opens and reads fully, clean or not', async (folder) => {
    for (const hadCleanShutdown of [true, false]) {
      await withTempDir((dir) => {
        const copy = copyOf(folder, dir);
        const wanted = logBytes(copy);
        const log = openLog(dir, {}, { hadCleanShutdown });
        expect(readFully(log).equals(wanted)).toBe(true);
        log.close();
        expect(logBytes(copy).equals(wanted)).toBe(true);
      });
    }
  });

  it.each(partitionFolders())('%s has the batches that the dump tool saw', (folder) => {
    const source = referenceFile(...CLUSTER, folder);
    for (const name of readdirSync(source).filter((file) => file.endsWith('.log.dump.txt'))) {
      const bytes = readFileSync(join(source, basename(name, '.dump.txt')));
      const batches = [...batchesOf(bytes)].map((batch) => ({
        baseOffset: String(batch.baseOffset),
        lastOffset: String(batch.lastOffset),
        position: String(batch.position),
        crc: String(batch.crc),
        isvalid: String(batch.isValid()),
        producerId: String(batch.producerId),
        partitionLeaderEpoch: String(batch.partitionLeaderEpoch),
      }));
      expect(dumpedBatches(join(source, name)).map(({ ...dumped }) => pick(dumped, batches[0]))).toEqual(batches);
    }
  });

  it.each(partitionFolders().filter((folder) => !folder.includes('compaction-')))(
    '%s comes out byte for byte when a follower is fed its batches',
    async (folder) => {
      await withTempDir((dir) => {
        const copy = copyOf(folder, dir);
        const wanted = comparableFiles(copy);
        // Where retention took every batch, nothing tells the epochs any more.
        if (logBytes(copy).length === 0) return;
        const bases = segmentBases(copy);
        const log = openLog(join(dir, 'fed'));
        log.truncateFullyAndStartAt(bases[0]!);
        for (const base of bases) {
          if (base !== bases[0]) log.roll(base);
          const path = join(copy, `${String(base).padStart(20, '0')}.log`);
          for (const batch of batchesOf(readFileSync(path))) log.appendAsFollower(batch.bytes);
        }
        log.close();
        expect(pick(filesOf(log.dir), wanted)).toEqual(wanted);
      });
    },
  );

  it.each(partitionFolders())('%s rebuilds the producers that its last snapshot has', async (folder) => {
    await withTempDir((dir) => {
      const copy = copyOf(folder, dir);
      const snapshots = readdirSync(copy).filter((name) => name.endsWith('.snapshot'));
      const last = snapshots.sort().at(-1);
      if (last === undefined) return;
      const end = Number(last.slice(0, 20));
      const wanted = readSnapshot(join(copy, last)).map(summary);
      for (const name of snapshots) rmSync(join(copy, name));
      const log = openLog(dir, {}, { hadCleanShutdown: false, producerIdExpirationMs: Number.MAX_SAFE_INTEGER });
      // Only where the log still begins at its beginning does it hold all that the snapshot knew.
      if (log.logStartOffset === 0) {
        log.truncateTo(end);
        const rebuilt = log.activeProducers().map((producer) => ({ ...producer }));
        expect(rebuilt.sort((a, b) => a.producerId - b.producerId)).toEqual(
          wanted.sort((a, b) => a.producerId - b.producerId),
        );
      }
      log.close();
    });
  });
});

function segmentBases(dir: string): number[] {
  const names = readdirSync(dir).filter((name) => name.endsWith('.log'));
  return names.map((name) => Number(name.slice(0, 20))).sort((a, b) => a - b);
}

/** Files that follow from the batches alone: not the indexes of the last segment, which depend on when it was closed. */
function comparableFiles(dir: string): Record<string, string> {
  const active = String(segmentBases(dir).at(-1)).padStart(20, '0');
  const depends = [`${active}.index`, `${active}.timeindex`];
  const files = Object.entries(filesOf(dir)).filter(
    ([name]) => /\.(log|index|timeindex|txnindex)$|^leader/.test(name) && !depends.includes(name),
  );
  return Object.fromEntries(files);
}

function pick(fields: Record<string, string>, like: object | undefined): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(like ?? {}).map((key) => [key, fields[key]]));
}

function summary(entry: ReturnType<typeof readSnapshot>[number]): ActiveProducer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.producerEpoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset ?? -1,
  };
}
