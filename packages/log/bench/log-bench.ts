/**
 * Appends 16 KiB batches to a log and reads them back, against the plain write and read of the same bytes in the same run.
 * `node packages/log/bench/log-bench.ts [MiB]` after a build.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLoggers, SystemTime } from '@klassic/common';
import { Log, logConfigFromProps } from '@klassic/log';
import { buildBatch } from '@klassic/protocol';

const MIB = 1024 * 1024;
const totalMiB = Number(process.argv[2] ?? 256);
const READ_BYTES = MIB;
const time = new SystemTime();
const dir = mkdtempSync(join(tmpdir(), 'klassic-log-bench-'));

function batch(): Buffer {
  const records = Array.from({ length: 16 }, () => ({
    timestamp: 1_600_000_000_000,
    key: null,
    value: Buffer.alloc(1000, 120),
  }));
  return buildBatch({ records });
}

function measure(name: string, bytes: number, task: () => void): number {
  const start = time.hiResMs();
  task();
  const rate = bytes / MIB / ((time.hiResMs() - start) / 1000);
  process.stdout.write(`${name.padEnd(44)} ${rate.toFixed(0).padStart(6)} MiB/s\n`);
  return rate;
}

function share(name: string, rate: number, limit: number): void {
  process.stdout.write(`${name.padEnd(44)} ${((100 * rate) / limit).toFixed(0).padStart(6)} %\n`);
}

function openLog(name: string, hadCleanShutdown = true): Log {
  const config = logConfigFromProps({}, {});
  return Log.open({ dir: join(dir, name), config, time, loggers: silentLoggers, hadCleanShutdown });
}

function readAll(log: Log): void {
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

try {
  const template = batch();
  const count = Math.floor((totalMiB * MIB) / template.length);
  const bytes = count * template.length;
  const plainPath = join(dir, 'plain');
  const round = (name: string): void => {
    const fd = openSync(plainPath, 'w+');
    // The same 64 buffers in turn for both, so that neither finds its bytes hotter in the processor's caches.
    const batches = Array.from({ length: 64 }, () => Buffer.from(template));
    const plainWrite = measure('plain sequential write', bytes, () => {
      for (let i = 0; i < count; i += 1) {
        writeSync(fd, batches[i % batches.length]!, 0, template.length, i * template.length);
      }
    });
    const log = openLog(name);
    const append = measure('appendAsLeader, one partition', bytes, () => {
      for (let i = 0; i < count; i += 1) {
        const next = batches[i % batches.length]!;
        next.writeBigInt64BE(0n, 0);
        log.appendAsLeader(next, 0);
      }
    });
    const plainRead = measure('plain sequential read, 1 MiB', bytes, () => {
      for (let at = 0; at < bytes; at += READ_BYTES) {
        readSync(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, at);
      }
    });
    closeSync(fd);
    const read = measure('read, 1 MiB', bytes, () => readAll(log));
    share('append of plain write', append, plainWrite);
    share('read of plain read', read, plainRead);
    log.closeHandlers();
    measure('recovery after an unclean stop', bytes, () => openLog(name, false).closeHandlers());
    rmSync(join(dir, name), { recursive: true });
  };
  round('warm-0');
  process.stdout.write('\n');
  round('bench-0');
} finally {
  rmSync(dir, { recursive: true, force: true });
}
