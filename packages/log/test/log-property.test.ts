import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import type { Log } from '../src/index.ts';
import { fileNamePrefix } from '../src/file-names.ts';
import { LogModel } from './log-model.ts';
import { openLog, withTempDir } from './support.ts';

const SETTINGS = { 'segment.bytes': '1500', 'index.interval.bytes': '150', 'segment.index.bytes': '240' };
const FIRST_SEED = Number(process.env['KLASSIC_SEED'] ?? 1);
const SEEDS = process.env['KLASSIC_SEED'] === undefined ? 20 : 1;
const STEPS = 120;

/** A log and its model, to which the same things are done. */
class Pair {
  log: Log;
  readonly model = new LogModel();
  private readonly dir: string;
  private readonly random: SeededRandom;
  private timestamp = 1_600_000_000_000;
  private readonly sequences = new Map<number, number>();
  private producerEpoch = 0;
  /** Whose sequence the batch just built moves on. */
  private pending: number | undefined;

  constructor(dir: string, random: SeededRandom) {
    this.dir = dir;
    this.random = random;
    this.log = openLog(dir, SETTINGS);
  }

  step(): void {
    const roll = this.int(100);
    if (roll < 45) this.appendAsLeader();
    else if (roll < 52) this.appendAsFollower();
    else if (roll < 56) this.appendTwice();
    else if (roll < 75) this.read();
    else if (roll < 80) this.truncate();
    else if (roll < 81) this.startAnew();
    else if (roll < 84) this.log.roll();
    else if (roll < 88) this.log.updateHighWatermark(this.int(this.log.logEndOffset + 1));
    else if (roll < 90) this.moveLogStart();
    else if (roll < 92) this.log.flushNow();
    else if (roll < 95) this.reopenClean();
    else this.reopenUnclean();
    expect([this.log.logEndOffset, this.log.logStartOffset]).toEqual([
      this.model.logEndOffset,
      this.model.logStartOffset,
    ]);
  }

  checkAll(): void {
    const wanted = this.model.bytesFrom(this.log.logStartOffset);
    const got: Buffer[] = [];
    for (let offset = this.log.logStartOffset; offset < this.log.logEndOffset;) {
      const { records, fetchOffsetMetadata } = this.log.read(offset, 1, 'log_end', true);
      if (records.length === 0) break;
      got.push(records);
      expect(fetchOffsetMetadata.messageOffset).toBe(offset);
      offset = Number(records.readBigInt64BE(0)) + records.readInt32BE(23) + 1;
    }
    expect(Buffer.concat(got).equals(wanted)).toBe(true);
    this.checkTimestamps();
    this.checkEpochs();
  }

  private checkTimestamps(): void {
    if (this.log.logStartOffset > this.log.firstSegmentBaseOffset) return;
    for (let probe = 0; probe < 5; probe += 1) {
      const timestamp = 1_600_000_000_000 + this.int(this.timestamp - 1_600_000_000_000 + 50);
      const found = this.log.fetchOffsetByTimestamp(timestamp);
      const wanted = this.model.findByTimestamp(timestamp);
      expect(found === null ? null : { offset: found.offset, timestamp: found.timestamp }).toEqual(wanted);
    }
  }

  private checkEpochs(): void {
    const latest = this.log.latestEpoch;
    if (latest === null) return;
    for (const { epoch, lastOffset } of this.model.batches) {
      if (lastOffset < this.log.logStartOffset) continue;
      const end = this.log.endOffsetForEpoch(epoch)!;
      expect(end.leaderEpoch).toBe(epoch);
      // Where offsets have a gap, the next epoch may begin anywhere in it.
      const [from, to] = this.model.endOfEpoch(epoch);
      expect(end.offset).toBeGreaterThanOrEqual(from);
      expect(end.offset).toBeLessThanOrEqual(epoch === latest ? this.log.logEndOffset : to);
    }
  }

  private appendAsLeader(): Buffer {
    if (this.int(10) === 0) this.model.epoch += 1;
    const producerId = this.int(4);
    const bytes = this.batch(0, producerId === 0 ? {} : this.producer(producerId));
    const sent = Buffer.from(bytes);
    const info = this.log.appendAsLeader(bytes, this.model.epoch);
    expect(info.firstOffset?.messageOffset).toBe(this.model.logEndOffset);
    this.model.append(bytes);
    expect(info.lastOffset + 1).toBe(this.model.logEndOffset);
    return sent;
  }

  /** As a follower of a compacted leader: offsets leave gaps. */
  private appendAsFollower(): void {
    const bytes = this.batch(this.model.logEndOffset + this.int(3), {});
    this.log.appendAsFollower(bytes);
    this.model.append(bytes);
  }

  private appendTwice(): void {
    const again = this.batch(0, this.producer(1));
    const copy = Buffer.from(again);
    const first = this.log.appendAsLeader(again, this.model.epoch);
    this.model.append(again);
    const second = this.log.appendAsLeader(copy, this.model.epoch);
    expect(second.duplicate).toBe(true);
    expect(second.firstOffset?.messageOffset).toBe(first.firstOffset?.messageOffset);
    expect(second.lastOffset).toBe(first.lastOffset);
  }

  private read(): void {
    const span = this.log.logEndOffset - this.log.logStartOffset;
    const offset = this.log.logStartOffset + this.int(span + 1);
    const maxLength = this.int(1200);
    const { records, firstEntryIncomplete } = this.log.read(offset, maxLength, 'log_end', true);
    const wanted = this.model.bytesFrom(offset);
    expect(records.equals(wanted.subarray(0, records.length))).toBe(true);
    expect(firstEntryIncomplete).toBe(false);
    const first = this.model.batches.find((batch) => batch.lastOffset >= offset);
    expect(records.length).toBeLessThanOrEqual(Math.max(maxLength, first?.bytes.length ?? 0));
    if (first !== undefined) expect(records.length).toBeGreaterThanOrEqual(first.bytes.length);
  }

  private truncate(): void {
    const batch = this.model.batches[this.int(this.model.batches.length + 1)];
    const offset = batch === undefined ? this.int(this.log.logEndOffset + 2) : batch.baseOffset;
    const isBelowAll = offset < this.log.firstSegmentBaseOffset;
    this.log.truncateTo(offset);
    if (isBelowAll && offset < this.model.logEndOffset) this.model.startAt(offset);
    else this.model.truncateTo(offset);
    this.forgetProducers();
  }

  private startAnew(): void {
    const offset = this.int(1000);
    this.log.truncateFullyAndStartAt(offset);
    this.model.startAt(offset);
    this.forgetProducers();
  }

  private moveLogStart(): void {
    const offset = this.int(this.log.highWatermark + 1);
    this.log.maybeIncrementLogStartOffset(offset, 'client delete records request');
    this.model.logStartOffset = Math.max(this.model.logStartOffset, offset);
    this.log.deleteOldSegments();
  }

  private reopenClean(): void {
    const active = this.log.segmentBaseOffsets.at(-1)!;
    this.log.flushNow();
    this.log.close();
    this.model.reopen(active);
    this.open(true);
  }

  private reopenUnclean(): void {
    const bases = this.log.segmentBaseOffsets;
    this.log.closeHandlers();
    const active = join(this.log.dir, fileNamePrefix(bases.at(-1)!));
    this.mangle(`${active}.index`);
    this.mangle(`${active}.timeindex`);
    this.damage(`${active}.log`, bases.at(-1)!);
    this.model.reopen(bases.at(-1)!);
    this.open(false);
    this.forgetProducers();
  }

  private damage(path: string, baseOffset: number): void {
    const kind = this.int(4);
    const first = this.model.batches.findIndex((batch) => batch.baseOffset >= baseOffset);
    const size = readFileSync(path).length;
    if (kind === 0 || first === -1) {
      appendFileSync(path, Buffer.from(Array.from({ length: this.int(200) }, () => this.int(256))));
    } else if (kind === 1) {
      truncateSync(path, size - 1 - this.int(Math.min(size, this.model.batches.at(-1)!.bytes.length)));
      this.model.dropFrom(this.model.batches.length - 1);
    } else if (kind === 2) {
      this.flipByte(path, first);
    }
  }

  private flipByte(path: string, first: number): void {
    const index = first + this.int(this.model.batches.length - first);
    const before = this.model.batches.slice(first, index).reduce((sum, batch) => sum + batch.bytes.length, 0);
    const bytes = readFileSync(path);
    const at = before + 21 + this.int(this.model.batches[index]!.bytes.length - 21);
    bytes[at] = bytes[at]! ^ 0x55;
    writeFileSync(path, bytes);
    this.model.dropFrom(index);
  }

  private mangle(path: string): void {
    if (!existsSync(path) || this.int(2) === 0) return;
    writeFileSync(path, Buffer.from(Array.from({ length: this.int(100) }, () => this.int(256))));
  }

  private open(hadCleanShutdown: boolean): void {
    const { recoveryPoint, logStartOffset } = this.log;
    this.log = openLog(this.dir, SETTINGS, { hadCleanShutdown, recoveryPoint, logStartOffset });
    if (this.model.logEndOffset < this.model.logStartOffset) this.model.startAt(this.model.logStartOffset);
    this.log.updateHighWatermark(this.log.logEndOffset);
  }

  private batch(baseOffset: number, producer: object): Buffer {
    const records = Array.from({ length: 1 + this.int(4) }, () => {
      this.timestamp += this.int(40);
      const timestamp = this.timestamp - this.int(60);
      return { timestamp, key: Buffer.from('k'), value: Buffer.alloc(this.int(120), this.int(256)) };
    });
    return buildBatch({ baseOffset, records, partitionLeaderEpoch: this.model.epoch, ...producer });
  }

  /** The next batch of an idempotent producer; it takes a new epoch after what it wrote may be gone. */
  private producer(producerId: number): object {
    const key = producerId * 1000 + this.producerEpoch;
    const baseSequence = this.sequences.get(key) ?? 0;
    this.pending = key;
    return { producerId, producerEpoch: this.producerEpoch, baseSequence };
  }

  /** Called by the test after each step, so that sequences go on where the log stands. */
  settle(): void {
    const last = this.model.batches.at(-1);
    if (this.pending !== undefined && last !== undefined) {
      this.sequences.set(this.pending, (this.sequences.get(this.pending) ?? 0) + last.records.length);
    }
    this.pending = undefined;
  }

  private forgetProducers(): void {
    this.producerEpoch += 1;
  }

  private int(bound: number): number {
    return nextInt(this.random, Math.max(1, bound));
  }
}

describe('a log under random operations', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    it(`agrees with a model in memory, seed ${seed}`, async () => {
      await withTempDir((dir) => {
        const pair = new Pair(dir, new SeededRandom(seed));
        for (let step = 0; step < STEPS; step += 1) {
          pair.step();
          pair.settle();
          if (step % 10 === 9) pair.checkAll();
        }
        pair.checkAll();
        pair.log.close();
      });
    });
  }
});
