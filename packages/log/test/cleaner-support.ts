import { SeededRandom, silentLogger } from '@klassic/common';
import type { LoggerFactory, Time } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import { LogManager } from '../src/index.ts';
import type { LogCleaner } from '../src/cleaner/log-cleaner.ts';

/** Appends `count` records of ten keys to partition 0, all below the high watermark. */
export function fill(manager: LogManager, topic: string, count: number): void {
  const log = manager.getOrCreateLog({ topic, partition: 0 }, { isNew: true });
  for (let i = 0; i < count; i += 1) {
    const record = { timestamp: 1_600_000_000_000 + i, key: Buffer.from(`k${i % 10}`), value: Buffer.from(`v${i}`) };
    log.appendAsLeader(buildBatch({ records: [record] }), 0);
  }
  log.updateHighWatermark(log.logEndOffset);
}

/** The manager's cleaner, which works on its own otherwise. */
export function cleanerOf(manager: LogManager): LogCleaner {
  return (manager as unknown as { cleaner: LogCleaner }).cleaner;
}

/** Cleans the dirtiest log; false when none is dirty enough. */
export function cleanOnce(manager: LogManager): Promise<boolean> {
  return cleanerOf(manager).cleanFilthiestLog();
}

/**
 * A manager without background work, closed in order after `use`. All its logs' records count as replicated.
 *
 * @param use gets also the lines that the cleaner logs
 */
export async function withManager(
  dir: string,
  settings: Record<string, string>,
  time: Time,
  use: (manager: LogManager, lines: string[], fillTopic: typeof fill) => Promise<void>,
  brokerDefaults: Record<string, string> = {},
): Promise<void> {
  const lines: string[] = [];
  const manager = new LogManager({
    logDirs: [dir],
    brokerDefaults: {
      'log.cleaner.threads': '1',
      'log.cleaner.dedupe.buffer.size': '2097152',
      'log.cleaner.backoff.ms': '9000000',
      'log.segment.delete.delay.ms': '9000000',
      ...brokerDefaults,
    },
    topicConfigs: () => settings,
    time,
    random: new SeededRandom(1),
    loggers: collecting(lines),
  });
  cleanerOf(manager).startup = () => undefined;
  await manager.startup();
  try {
    for (const log of manager.allLogs()) log.updateHighWatermark(log.logEndOffset);
    await use(manager, lines, fill);
  } finally {
    await manager.shutdown();
  }
}

function collecting(lines: string[]): LoggerFactory {
  return (name) => {
    const note = (message: string): void => {
      if (name === 'kafka.log.LogCleaner') lines.push(message);
    };
    return { ...silentLogger, info: note, warn: note };
  };
}
