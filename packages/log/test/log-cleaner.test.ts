import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SeededRandom, silentLoggers, SystemTime } from '@klassic/common';
import { batchesOf, buildBatch, buildEndTransactionMarker } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { LogManager } from '../src/index.ts';
import type { Log } from '../src/index.ts';
import { OffsetMap } from '../src/cleaner/offset-map.ts';
import { Throttler } from '../src/cleaner/throttler.ts';
import { cleanerOf, cleanOnce, fill, withManager } from './cleaner-support.ts';
import { openLog, withTempDir } from './support.ts';

const T = { topic: 't', partition: 0 };
const COMPACT = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01', 'segment.bytes': '1000' };
const time = new SystemTime();

interface Seen {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
}

function readRecords(log: Log): Seen[] {
  const seen: Seen[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { records } = log.read(offset, 1, 'log_end', true);
    if (records.length === 0) break;
    for (const batch of batchesOf(records)) {
      offset = batch.nextOffset;
      if (batch.isControlBatch) continue;
      for (const record of batch.records()) {
        seen.push({
          offset: record.offset,
          key: record.key?.toString() ?? null,
          value: record.value?.toString() ?? null,
        });
      }
    }
  }
  return seen;
}

/** Writes what producers of all kinds might, and remembers what a reader with read_committed is to find. */
class Writer {
  /** The latest committed record of each key. */
  readonly latest = new Map<string, Seen>();
  private readonly log: Log;
  private readonly random: SeededRandom;
  private readonly sequences = new Map<number, number>();
  /** Records of open transactions, by producer id. */
  private readonly open = new Map<number, Seen[]>();
  private value = 0;

  constructor(log: Log, random: SeededRandom) {
    this.log = log;
    this.random = random;
  }

  step(): void {
    const kind = this.int(10);
    if (kind < 4) this.append(-1);
    else if (kind < 6) this.append(1);
    else if (kind < 9) this.append(2 + this.int(2));
    else this.end(2 + this.int(2));
    this.log.updateHighWatermark(this.log.logEndOffset);
  }

  endAll(): void {
    for (const producerId of [...this.open.keys()]) this.end(producerId);
    this.log.updateHighWatermark(this.log.logEndOffset);
  }

  private append(producerId: number): void {
    const base = this.log.logEndOffset;
    const records = Array.from({ length: 1 + this.int(4) }, (_, at) => ({
      offset: base + at,
      key: `k${this.int(12)}`,
      value: this.int(6) === 0 ? null : `v${(this.value += 1)}`,
    }));
    const isTransactional = producerId >= 2;
    const baseSequence = this.sequences.get(producerId) ?? 0;
    const producer = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, isTransactional };
    this.sequences.set(producerId, baseSequence + records.length);
    const bytes = buildBatch({
      ...producer,
      compression: this.int(3) === 0 ? 'gzip' : 'none',
      records: records.map(({ key, value }) => ({
        timestamp: 1_600_000_000_000 + base,
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      })),
    });
    this.log.appendAsLeader(bytes, 0);
    if (isTransactional) this.open.set(producerId, [...(this.open.get(producerId) ?? []), ...records]);
    else for (const record of records) this.commit(record);
  }

  private end(producerId: number): void {
    const records = this.open.get(producerId);
    if (records === undefined) return;
    this.open.delete(producerId);
    const type = this.int(2) === 0 ? 'ABORT' : 'COMMIT';
    const marker = { producerId, producerEpoch: 0, type, coordinatorEpoch: 0, timestamp: 1_600_000_000_000 } as const;
    this.log.appendAsLeader(buildEndTransactionMarker(marker), 0, 'Coordinator');
    if (type === 'COMMIT') for (const record of records) this.commit(record);
  }

  private commit(record: Seen): void {
    const known = this.latest.get(record.key!);
    if (known === undefined || known.offset < record.offset) this.latest.set(record.key!, record);
  }

  private int(bound: number): number {
    return Math.floor(this.random.next() * bound);
  }
}

function readCommitted(log: Log): Seen[] {
  const aborted = log.compactable.collectAbortedTransactions(0, log.logEndOffset);
  const seen: Seen[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { records } = log.read(offset, 1, 'log_end', true);
    if (records.length === 0) break;
    for (const batch of batchesOf(records)) {
      offset = batch.nextOffset;
      const isAborted = aborted.some(
        (txn) =>
          batch.isTransactional &&
          txn.producerId === batch.producerId &&
          txn.firstOffset <= batch.baseOffset &&
          batch.lastOffset < txn.lastOffset,
      );
      if (batch.isControlBatch || isAborted) continue;
      for (const record of batch.records()) {
        seen.push({
          offset: record.offset,
          key: record.key?.toString() ?? null,
          value: record.value?.toString() ?? null,
        });
      }
    }
  }
  return seen;
}

/** What a producer goes on from: its epoch and last sequence, by producer id. */
function sequences(log: Log): [number, number, number][] {
  return log
    .activeProducers()
    .map(
      ({ producerId, producerEpoch, lastSequence }) =>
        [producerId, producerEpoch, lastSequence] as [number, number, number],
    )
    .sort(([one], [other]) => one - other);
}

/** As `sequences`, of a copy of the log that has to be read from its beginning. */
function sequencesAfterCrash(log: Log, dir: string): [number, number, number][] {
  cpSync(log.dir, join(dir, 't-0'), { recursive: true });
  for (const name of readdirSync(join(dir, 't-0'))) {
    if (name.endsWith('.snapshot')) rmSync(join(dir, 't-0', name));
  }
  const copy = openLog(dir, {}, { hadCleanShutdown: false, producerIdExpirationMs: Number.MAX_SAFE_INTEGER });
  const found = sequences(copy);
  copy.close();
  return found;
}

async function cleanFully(manager: LogManager): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    if (!(await cleanOnce(manager))) return;
  }
}

describe('the log cleaner', () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    it(`keeps the latest record of each key, and the producers' sequences, seed ${seed}`, async () => {
      await withTempDir(async (dir) => {
        const random = new SeededRandom(seed);
        const small = { 'log.cleaner.dedupe.buffer.size': seed % 2 === 0 ? '2097152' : '240' };
        await withManager(
          dir,
          COMPACT,
          time,
          async (manager) => {
            const log = manager.getOrCreateLog(T, { isNew: true });
            const writer = new Writer(log, random);
            for (let round = 0; round < 3; round += 1) {
              for (let step = 0; step < 40; step += 1) writer.step();
              const { logEndOffset } = log;
              const producers = log.activeProducers();
              await cleanFully(manager);
              expect(log.logEndOffset).toBe(logEndOffset);
              expect(log.activeProducers()).toEqual(producers);
            }
            writer.endAll();
            log.roll();
            await cleanFully(manager);
            const latest = new Map(readCommitted(log).map((record) => [record.key, record]));
            for (const [key, record] of writer.latest) {
              // A tombstone may be gone already, with all that it deleted.
              if (record.value === null && latest.get(key) === undefined) continue;
              expect(latest.get(key)).toEqual(record);
            }
            const upTo = cleanerOf(manager).manager.cleanedUpTo('t-0')!;
            const keys = readRecords(log).filter(
              ({ offset }) => offset < upTo && offset < log.segmentBaseOffsets.at(-1)!,
            );
            if (seed % 2 === 0) expect(keys.length).toBe(new Set(keys.map(({ key }) => key)).size);
            expect(sequencesAfterCrash(log, join(dir, 'crashed'))).toEqual(sequences(log));
          },
          small,
        );
      });
    }, 60_000);
  }

  it('leaves segments alone that are younger than min.compaction.lag.ms, and cleans after max.compaction.lag.ms', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, { ...COMPACT, 'min.compaction.lag.ms': '1000' }, time, async (manager, _lines, fill) => {
        manager.getOrCreateLog(T, { isNew: true });
        const log = manager.getLog(T)!;
        for (let i = 0; i < 40; i += 1) {
          const record = { timestamp: time.milliseconds() + 100_000, key: Buffer.from('k'), value: Buffer.alloc(50) };
          log.appendAsLeader(buildBatch({ records: [record] }), 0);
        }
        log.updateHighWatermark(log.logEndOffset);
        expect(await cleanOnce(manager)).toBe(false);
        manager.reconfiguration.updateTopicConfig('t', { ...COMPACT, 'min.cleanable.dirty.ratio': '1.0' });
        expect(await cleanOnce(manager)).toBe(false);
        fill(manager, 't', 40);
        const lagging = { ...COMPACT, 'min.cleanable.dirty.ratio': '1.0', 'max.compaction.lag.ms': '1' };
        manager.reconfiguration.updateTopicConfig('t', lagging);
        expect(await cleanOnce(manager)).toBe(true);
      });
    });
  });

  it('drops what it was writing when the log is truncated meanwhile', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, COMPACT, time, async (manager, _lines, fill) => {
        fill(manager, 't', 200);
        const log = manager.getLog(T)!;
        const cleaning = cleanOnce(manager);
        manager.truncateTo(new Map([['t-0', 50]]));
        expect(await cleaning).toBe(true);
        expect(readdirSync(log.dir).filter((name) => name.endsWith('.cleaned'))).toEqual([]);
        expect(log.logEndOffset).toBe(50);
        expect(cleanerOf(manager).manager.cleanedUpTo('t-0')).toBeUndefined();
        expect(await cleanOnce(manager)).toBe(true);
        expect(readRecords(log).length).toBeLessThan(50);
      });
    });
  });

  it('brings the checkpoint down with a truncation', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, COMPACT, time, async (manager, _lines, fill) => {
        fill(manager, 't', 200);
        await cleanOnce(manager);
        const { manager: state } = cleanerOf(manager);
        const before = state.cleanedUpTo('t-0')!;
        manager.truncateTo(new Map([['t-0', 30]]));
        expect(state.cleanedUpTo('t-0')).toBeLessThanOrEqual(30);
        expect(before).toBeGreaterThan(30);
      });
    });
  });

  it('marks a partition that it cannot read as uncleanable and goes on with others', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, COMPACT, time, async (manager, lines, fill) => {
        fill(manager, 't', 100);
        fill(manager, 'u', 100);
        const log = manager.getLog(T)!;
        const path = join(
          log.dir,
          readdirSync(log.dir).find((name) => name.endsWith('.log'))!,
        );
        const bytes = readFileSync(path);
        // A record length that cannot be, in the first batch.
        bytes[61] = 0x7f;
        writeFileSync(path, bytes);
        for (let round = 0; round < 4; round += 1) await cleanOnce(manager);
        expect([...cleanerOf(manager).manager.uncleanablePartitions]).toEqual(['t-0']);
        expect(lines.some((line) => line.includes('Marking its partition (t-0) as uncleanable'))).toBe(true);
        expect(cleanerOf(manager).manager.cleanedUpTo('u-0')).toBeGreaterThan(0);
      });
    });
  });

  it('does retention where a topic is compacted and deleted', async () => {
    await withTempDir(async (dir) => {
      // Nothing is dirty enough to be cleaned: an emptied segment would count as young as its file.
      const settings = {
        ...COMPACT,
        'min.cleanable.dirty.ratio': '1.0',
        'cleanup.policy': 'compact,delete',
        'retention.ms': '1000',
      };
      await withManager(dir, settings, time, async (manager, _lines, fill) => {
        fill(manager, 't', 100);
        const log = manager.getLog(T)!;
        expect(manager.cleanupLogs()).toBe(0);
        await cleanOnce(manager);
        expect(log.logStartOffset).toBe(100);
      });
    });
  });

  it('works by itself, and stops with the manager', async () => {
    await withTempDir(async (dir) => {
      const manager = new LogManager({
        logDirs: [dir],
        brokerDefaults: { 'log.cleaner.backoff.ms': '5', 'log.cleaner.threads': '2' },
        topicConfigs: () => COMPACT,
        time,
        random: new SeededRandom(1),
        loggers: silentLoggers,
      });
      await manager.startup();
      fill(manager, 't', 200);
      fill(manager, 'u', 200);
      const isClean = (key: string): boolean => (cleanerOf(manager).manager.cleanedUpTo(key) ?? 0) > 150;
      await eventually(() => isClean('t-0') && isClean('u-0'), { what: 'both logs to be cleaned' });
      await manager.shutdown();
      expect(readFileSync(join(dir, 'cleaner-offset-checkpoint'), 'utf8')).toMatch(/^0\n2\n/);
    });
  });

  it('yields to other work while it cleans', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, { ...COMPACT, 'segment.bytes': '4000000' }, time, async (manager) => {
        const log = manager.getOrCreateLog(T, { isNew: true });
        for (let i = 0; i < 300; i += 1) {
          const records = Array.from({ length: 200 }, (_, at) => ({
            timestamp: 1_600_000_000_000,
            key: Buffer.from(`key-${(i * 200 + at) % 1000}`),
            value: Buffer.alloc(50, 1),
          }));
          log.appendAsLeader(buildBatch({ records }), 0);
        }
        log.roll();
        log.updateHighWatermark(log.logEndOffset);
        let turns = 0;
        let isDone = false;
        const turn = (): void => {
          turns += 1;
          if (!isDone) setImmediate(turn);
        };
        setImmediate(turn);
        await cleanOnce(manager);
        isDone = true;
        expect(turns).toBeGreaterThan(5);
        expect(readRecords(log).length).toBe(1000);
      });
    });
  }, 60_000);
});

describe('the offset map', () => {
  it('knows the latest offset of each key, up to the last slot but one', () => {
    const map = new OffsetMap(100);
    const keys = Array.from({ length: map.slots - 1 }, (_, at) => Buffer.from(`key-${at}`));
    keys.forEach((key, at) => {
      map.put(key, at);
    });
    map.put(keys[3]!, 1000);
    expect(keys.map((key) => map.get(key))).toEqual(keys.map((_, at) => (at === 3 ? 1000 : at)));
    expect([map.get(Buffer.from('other')), map.size]).toEqual([-1, map.slots - 1]);
    expect(() => {
      map.put(Buffer.from('other'), 1);
    }).toThrow(/full offset map/);
  });
});

describe('the throttler', () => {
  it('waits as long as the bytes should have taken', async () => {
    let nowMs = 0;
    const slept: number[] = [];
    const clock = { ...time, milliseconds: () => nowMs, hiResMs: () => nowMs } as unknown as SystemTime;
    const throttler = new Throttler(1000, clock, (ms) => {
      slept.push(ms);
      nowMs += ms;
      return Promise.resolve();
    });
    await throttler.maybeThrottle(500);
    expect(slept).toEqual([]);
    nowMs += 400;
    await throttler.maybeThrottle(500);
    expect(slept).toEqual([600]);
    nowMs += 300;
    await throttler.maybeThrottle(100);
    expect(slept).toEqual([600]);
  });
});
