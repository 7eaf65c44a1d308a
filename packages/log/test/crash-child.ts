/**
 * Works on a compacted log until the end, or until it kills itself at a point of the file system's work:
 * `node --conditions=klassic-source crash-child.ts <log dir> <operation> <pattern> <occurrence>`.
 * Each record that was appended is told on standard output, as a broker would acknowledge it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { SeededRandom, silentLoggers, SystemTime } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';

const [dir = '', operation = '', pattern = '', occurrence = '1'] = process.argv.slice(2);
const APPENDS = 70;
const CLEAN_EVERY = 12;
const FLUSH_EVERY = 9;
const PRODUCER_ID = 7;

const paths = new Map<number, string>();
const wanted = new RegExp(pattern);
const toStdout = fs.writeSync;
let seen = 0;

function isPoint(name: string, subject: string): boolean {
  if (name !== operation || !wanted.test(subject)) return false;
  seen += 1;
  return seen === Number(occurrence);
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  // The signal needs a moment to arrive.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
}

/** Puts a crash in the place of the operation that was asked for. */
function injectFaults(): void {
  const { openSync, writeSync, renameSync, unlinkSync, ftruncateSync } = fs;
  fs.openSync = (path, ...rest) => {
    if (!fs.existsSync(path) && isPoint('create', String(path))) die();
    const fd = openSync(path, ...rest);
    paths.set(fd, String(path));
    return fd;
  };
  fs.writeSync = ((fd: number, bytes: Buffer, offset: number, length: number, position: number) => {
    if (isPoint('write', paths.get(fd) ?? '')) {
      // A checkpoint that is written in place lies in one sector, which disks write whole or not at all.
      if (!/checkpoint$/.test(paths.get(fd)!)) writeSync(fd, bytes, offset, Math.floor(length / 2), position);
      die();
    }
    return writeSync(fd, bytes, offset, length, position);
  }) as typeof writeSync;
  fs.renameSync = (from, to) => {
    if (isPoint('rename', `${String(from)} to ${String(to)}`)) die();
    renameSync(from, to);
  };
  fs.unlinkSync = (path) => {
    if (isPoint('unlink', String(path))) die();
    unlinkSync(path);
  };
  fs.ftruncateSync = (fd, length) => {
    if (isPoint('truncate', paths.get(fd) ?? '')) die();
    ftruncateSync(fd, length);
  };
  syncBuiltinESMExports();
}

injectFaults();
const { LogManager } = await import('../src/index.ts');
const { LogCleaner } = await import('../src/cleaner/log-cleaner.ts');

LogCleaner.prototype.startup = () => undefined;
const manager = new LogManager({
  logDirs: [dir],
  brokerDefaults: { 'log.cleaner.dedupe.buffer.size': '2097152' },
  topicConfigs: () => ({
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.01',
    'segment.bytes': '1000',
    'index.interval.bytes': '200',
    'segment.index.bytes': '1200',
    'file.delete.delay.ms': '0',
  }),
  time: new SystemTime(),
  random: new SeededRandom(1),
  loggers: silentLoggers,
});
await manager.startup();
const { cleaner } = manager as unknown as { cleaner: InstanceType<typeof LogCleaner> };
const log = manager.getOrCreateLog({ topic: 't', partition: 0 });
log.updateHighWatermark(log.logEndOffset);

for (let i = 0; i < APPENDS; i += 1) {
  const offset = log.logEndOffset;
  const key = `k${offset % 9}`;
  const value = `v${offset}`;
  const record = { timestamp: 1_600_000_000_000 + offset, key: Buffer.from(key), value: Buffer.from(value) };
  const producer = { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence: offset };
  log.appendAsLeader(buildBatch({ ...producer, records: [record] }), Math.floor(offset / 50));
  toStdout(1, `${offset} ${key} ${value}\n`);
  log.updateHighWatermark(log.logEndOffset);
  if (i % FLUSH_EVERY === FLUSH_EVERY - 1) {
    await log.flush();
    await manager.checkpointLogRecoveryOffsets();
  }
  if (i % CLEAN_EVERY === CLEAN_EVERY - 1) await cleaner.cleanFilthiestLog();
}
await manager.shutdown();
process.exit(0);
