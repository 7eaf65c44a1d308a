import type { TopicPartition } from '@klassic/common';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';

const INVALID_OFFSET_LAG = -1;

/** A log as DescribeLogDirs tells of it. */
export interface LogDescription extends TopicPartition {
  /** Bytes of all `.log` files. */
  readonly size: number;
  /**
   * Of a future log: how many offsets its end is behind the end of the log in use. Else: how many the log end is behind
   * the high watermark. -1 when the log in use is not there.
   */
  readonly offsetLag: number;
  readonly isFuture: boolean;
}

export interface LogDirDescription {
  /** Absolute path. */
  readonly logDir: string;
  /** KAFKA_STORAGE_ERROR where it is true, and no logs. */
  readonly isOffline: boolean;
  readonly logs: readonly LogDescription[];
}

/** What lies in a log dir. Counterpart of `ReplicaManager.describeLogDirs`. */
export function describeLogDir(logDir: string, isOnline: boolean, pools: LogPools): LogDirDescription {
  if (!isOnline) return { logDir, isOffline: true, logs: [] };
  const logs = Array.from(pools.inDir(logDir), ([key, log]) => ({
    ...log.topicPartition,
    size: log.size,
    offsetLag: offsetLag(log, pools.current.get(key)),
    isFuture: log.isFuture,
  }));
  return { logDir, isOffline: false, logs };
}

function offsetLag(log: Log, inUse: Log | undefined): number {
  if (inUse === undefined) return INVALID_OFFSET_LAG;
  return log.isFuture ? inUse.logEndOffset - log.logEndOffset : Math.max(inUse.highWatermark - log.logEndOffset, 0);
}
