import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { join } from 'node:path';
import { SeededRandom, silentLoggers, SystemTime } from '@klassic/common';
import { LogManager } from '@klassic/log';
import { buildBatch } from '@klassic/protocol';
import { line, measure, MIB, print } from './measure.ts';

const RECORDS_PER_BATCH = 16;
const VALUE_BYTES = 990;
const LIVE_PART = 0.1;
const NANOSECONDS_PER_MS = 1e6;

function open(dir: string, cleans: boolean): LogManager {
  return new LogManager({
    logDirs: [dir],
    brokerDefaults: { 'log.cleaner.backoff.ms': '20', 'log.cleaner.enable': String(cleans) },
    topicConfigs: () => ({ 'cleanup.policy': 'compact', 'segment.bytes': String(256 * MIB) }),
    time: new SystemTime(),
    random: new SeededRandom(1),
    loggers: silentLoggers,
  });
}

/** Fills a log in which every tenth record is the last of its key. Returns its bytes. */
async function fill(dir: string, bytes: number): Promise<number> {
  const manager = open(dir, false);
  const log = manager.getOrCreateLog({ topic: 'compacted', partition: 0 }, { isNew: true });
  const keys = Math.ceil((bytes / 1024) * LIVE_PART);
  for (let next = 0; log.size < bytes;) {
    const records = Array.from({ length: RECORDS_PER_BATCH }, () => {
      const key = Buffer.from(`key-${(next += 1) % keys}`);
      return { timestamp: 1_600_000_000_000, key, value: Buffer.alloc(VALUE_BYTES, 120) };
    });
    log.appendAsLeader(buildBatch({ records }), 0);
  }
  log.roll();
  const { size } = log;
  await manager.shutdown();
  return size;
}

/** Compacts a log with 10 % live keys, and says for how long others had to wait. */
export async function benchCompaction(dir: string, totalMiB: number): Promise<void> {
  const size = await fill(dir, totalMiB * MIB);
  await measure('plain read twice, write of a tenth', size, () => {
    copyPlain(dir, size);
  });
  const manager = open(dir, true);
  await manager.startup();
  const log = manager.getLog({ topic: 'compacted', partition: 0 })!;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await measure('compaction, 10 % live', size, async () => {
    log.updateHighWatermark(log.logEndOffset);
    while (log.size > 1.5 * LIVE_PART * size) await new Promise((resume) => setTimeout(resume, 5));
  });
  delay.disable();
  print('plain read twice, write of a tenth');
  print('compaction, 10 % live', 'plain read twice, write of a tenth');
  const ms = (nanoseconds: number): string => `${(nanoseconds / NANOSECONDS_PER_MS).toFixed(1).padStart(7)} ms`;
  line('event loop held by compaction, 99th percentile', ms(delay.percentile(99)));
  line('event loop held by compaction, longest', ms(delay.max));
  await manager.shutdown();
}

/** The bytes that compaction moves, without any work on them. */
function copyPlain(dir: string, size: number): void {
  const source = openSync(join(dir, 'compacted-0', '00000000000000000000.log'), 'r');
  const target = openSync(join(dir, 'plain'), 'w');
  const chunk = Buffer.alloc(MIB);
  for (let at = 0; at < 2 * size; at += MIB) {
    readSync(source, chunk, 0, MIB, at % (128 * MIB));
    if (at % (20 * MIB) === 0) writeSync(target, chunk);
  }
  closeSync(source);
  closeSync(target);
}
