/**
 * The log against plain reads and writes of the same bytes on the same disk in the same run; medians of the rounds.
 * `node --conditions=klassic-source packages/log/bench/log-bench.ts [MiB = 1024] [rounds = 3]`
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom, silentLoggers, SystemTime } from '@klassic/common';
import { Log, logConfigFromProps } from '@klassic/log';
import { buildBatch } from '@klassic/protocol';
import { benchCompaction } from './compaction.ts';
import { line, measure, MIB, print } from './measure.ts';
import { benchPartitions } from './partitions.ts';

const totalMiB = Number(process.argv[2] ?? 1024);
const rounds = Number(process.argv[3] ?? 3);
const READ_BYTES = MIB;
const RANDOM_READS = 20_000;
const RANDOM_READ_BYTES = 16 * 1024;
const PARTITIONS = 100;
const time = new SystemTime();
const dir = mkdtempSync(join(tmpdir(), 'klassic-log-bench-'));
const template = buildBatch({
  records: Array.from({ length: 16 }, () => ({
    timestamp: 1_600_000_000_000,
    key: null,
    value: Buffer.alloc(1000, 120),
  })),
});
const count = Math.floor((totalMiB * MIB) / template.length);
const bytes = count * template.length;
/** The same buffers in turn for all, so that none finds its bytes hotter in the processor's caches. */
const batches = Array.from({ length: 64 }, () => Buffer.from(template));

function openLog(name: string, hadCleanShutdown = true): Log {
  const config = logConfigFromProps({}, {});
  return Log.open({ dir: join(dir, name), config, time, loggers: silentLoggers, hadCleanShutdown });
}

/** Writes the bytes in turn to as many files as there are names. */
function writePlain(names: readonly string[]): void {
  const fds = names.map((name) => openSync(join(dir, name), 'w'));
  for (let i = 0; i < count; i += 1) {
    const position = Math.floor(i / fds.length) * template.length;
    writeSync(fds[i % fds.length]!, batches[i % batches.length]!, 0, template.length, position);
  }
  for (const fd of fds) closeSync(fd);
}

function appendTo(logs: readonly Log[]): void {
  for (let i = 0; i < count; i += 1) {
    const next = batches[i % batches.length]!;
    next.writeBigInt64BE(0n, 0);
    logs[i % logs.length]!.appendAsLeader(next, 0);
  }
}

function readPlain(): void {
  const fd = openSync(join(dir, 'plain'), 'r');
  for (let at = 0; at < bytes; at += READ_BYTES) readSync(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, at);
  closeSync(fd);
}

function readLog(log: Log): void {
  for (let offset = 0; offset < log.logEndOffset;) {
    const { records } = log.read(offset, READ_BYTES, 'log_end', true);
    for (let at = 0; at + 61 <= records.length;) {
      const size = 12 + records.readInt32BE(at + 8);
      if (at + size > records.length) break;
      offset += records.readInt32BE(at + 23) + 1;
      at += size;
    }
  }
}

function readPlainAtRandom(): void {
  const random = new SeededRandom(1);
  const fd = openSync(join(dir, 'plain'), 'r');
  for (let i = 0; i < RANDOM_READS; i += 1) {
    const at = Math.floor(random.next() * (bytes - RANDOM_READ_BYTES));
    readSync(fd, Buffer.allocUnsafeSlow(RANDOM_READ_BYTES), 0, RANDOM_READ_BYTES, at);
  }
  closeSync(fd);
}

function readLogAtRandom(log: Log): void {
  const random = new SeededRandom(1);
  for (let i = 0; i < RANDOM_READS; i += 1) {
    log.read(Math.floor(random.next() * log.logEndOffset), RANDOM_READ_BYTES, 'log_end', true);
  }
}

const names = (prefix: string): string[] => Array.from({ length: PARTITIONS }, (_, at) => `${prefix}-${at}`);

async function round(): Promise<void> {
  await measure('plain write, one file', bytes, () => {
    writePlain(['plain']);
  });
  const log = openLog('one-0');
  await measure('append, one partition', bytes, () => {
    appendTo([log]);
  });
  await measure('plain read', bytes, readPlain);
  await measure('sequential read', bytes, () => {
    readLog(log);
  });
  await measure('plain read at random', RANDOM_READS * RANDOM_READ_BYTES, readPlainAtRandom);
  await measure('read at random offsets', RANDOM_READS * RANDOM_READ_BYTES, () => {
    readLogAtRandom(log);
  });
  log.closeHandlers();
  await measure('recovery after an unclean stop', bytes, () => {
    openLog('one-0', false).closeHandlers();
  });
  remove('one-0', 'plain');
  await measure('plain write, 100 files', bytes, () => {
    writePlain(names('file'));
  });
  remove(...names('file'));
  const logs = names('many').map((name) => openLog(name));
  // The first append under a leader epoch flushes `leader-epoch-checkpoint`: that is once, and not what is asked here.
  for (const each of logs) each.appendAsLeader(Buffer.from(template), 0);
  await measure('append, 100 partitions', bytes, () => {
    appendTo(logs);
  });
  for (const each of logs) each.closeHandlers();
  remove(...names('many'));
}

function remove(...paths: string[]): void {
  for (const path of paths) rmSync(join(dir, path), { recursive: true });
}

try {
  for (let i = 0; i < rounds; i += 1) await round();
  print('plain write, one file');
  print('append, one partition', 'plain write, one file');
  print('plain write, 100 files');
  print('append, 100 partitions', 'plain write, 100 files');
  print('plain read');
  print('sequential read', 'plain read');
  print('plain read at random');
  print('read at random offsets', 'plain read at random');
  print('recovery after an unclean stop', 'plain read');
  await benchCompaction(join(dir, 'compaction'), totalMiB);
  await benchPartitions(join(dir, 'partitions'));
  line('resident memory', `${(process.memoryUsage.rss() / MIB).toFixed(0).padStart(7)} MiB`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
