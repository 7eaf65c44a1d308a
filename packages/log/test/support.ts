import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockTime, SeededRandom, silentLoggers } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import { Log, logConfigFromProps, LogManager } from '../src/index.ts';
import type { LogManagerOptions, LogOptions } from '../src/index.ts';

/** A folder of its own, removed after `use`. */
export async function withTempDir<T>(use: (dir: string) => T | Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'klassic-log-'));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Opens `<dir>/t-0` with topic settings, in virtual time. */
export function openLog(dir: string, settings: Record<string, string> = {}, options: Partial<LogOptions> = {}): Log {
  return Log.open({
    dir: join(dir, 't-0'),
    config: logConfigFromProps({}, settings),
    time: new MockTime(),
    loggers: silentLoggers,
    ...options,
  });
}

/** Puts a folder where a log's checkpoint of leader epochs is, which stands for a disk that refuses. */
export function standInTheWay(logDir: string): void {
  const path = join(logDir, 'leader-epoch-checkpoint');
  rmSync(path);
  mkdirSync(path);
}

/** Every file of a folder in hex, by name. */
export function filesOf(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir)
      .sort()
      .map((name) => [name, readFileSync(join(dir, name)).toString('hex')]),
  );
}

/** A log manager in virtual time. */
export function newManager(
  logDirs: string[],
  time = new MockTime(),
  options: Partial<LogManagerOptions> = {},
): LogManager {
  return new LogManager({
    logDirs,
    brokerDefaults: {},
    topicConfigs: () => ({}),
    time,
    random: new SeededRandom(1),
    loggers: silentLoggers,
    ...options,
  });
}

/** A batch of records of 100 bytes, all with the same key (or none). */
export function records(count: number, timestamp: number, key: string | null = null): Buffer {
  const one = { timestamp, key: key === null ? null : Buffer.from(key), value: Buffer.alloc(100) };
  return buildBatch({ records: Array.from({ length: count }, () => one) });
}
