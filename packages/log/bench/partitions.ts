import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { SeededRandom, silentLoggers, SystemTime } from '@klassic/common';
import { LogManager } from '@klassic/log';
import { buildBatch } from '@klassic/protocol';
import { line } from './measure.ts';

const PARTITIONS = 2000;

function open(dir: string): LogManager {
  return new LogManager({
    logDirs: [dir],
    brokerDefaults: {},
    topicConfigs: () => ({}),
    time: new SystemTime(),
    random: new SeededRandom(1),
    loggers: silentLoggers,
  });
}

async function timed(subject: string, task: () => void | Promise<void>): Promise<void> {
  const start = performance.now();
  await task();
  line(subject, `${((performance.now() - start) / 1000).toFixed(2).padStart(7)} s`);
}

/** Makes many partitions, stops in order, and opens them again. */
export async function benchPartitions(dir: string): Promise<void> {
  const manager = open(dir);
  await manager.startup();
  const records = buildBatch({ records: [{ timestamp: 1, key: null, value: Buffer.alloc(100) }] });
  await timed(`making ${PARTITIONS} partitions`, () => {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const log = manager.getOrCreateLog({ topic: 'many', partition }, { isNew: true });
      records.writeBigInt64BE(0n, 0);
      log.appendAsLeader(records, 0);
    }
  });
  line('open files', String(openFiles()).padStart(7));
  await timed(`a clean stop with ${PARTITIONS} partitions`, () => manager.shutdown());
  const again = open(dir);
  await timed(`opening ${PARTITIONS} partitions after a clean stop`, () => again.startup());
  line('open files', String(openFiles()).padStart(7));
  await again.shutdown();
}

function openFiles(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : NaN;
}
