import type { Log } from './log.ts';

/**
 * The logs of a broker, by `topicPartitionKey`: those in use, and the copies that are to replace them in another log
 * dir (KIP-113). Counterpart of `LogManager.currentLogs` and `futureLogs`.
 */
export class LogPools {
  readonly current = new Map<string, Log>();
  readonly future = new Map<string, Log>();

  of(isFuture: boolean): Map<string, Log> {
    return isFuture ? this.future : this.current;
  }

  /** Logs in use, then future logs. */
  *all(): Generator<Log> {
    yield* this.current.values();
    yield* this.future.values();
  }

  /** Keys and logs in a log dir; a partition never has both its logs in the same one. */
  *inDir(dir: string): Generator<readonly [string, Log]> {
    for (const pool of [this.current, this.future]) {
      for (const entry of pool) if (entry[1].parentDir === dir) yield entry;
    }
  }
}
