import { join } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { KafkaStorageError, OffsetCheckpointFile } from '@klassic/log';
import type { Log } from '@klassic/log';

const fileName = 'replication-offset-checkpoint';

/** Reads the checkpointed high watermark of a partition whose log lies in a log dir; undefined when there is none. */
export interface OffsetCheckpoints {
  fetch(logDir: string, key: string): number | undefined;
}

/** The high watermarks as they were last written to each log dir, from which a restarted broker goes on. */
export class HighWatermarkCheckpoints {
  private readonly files = new Map<string, OffsetCheckpointFile>();
  private readonly logger: Logger;

  constructor(logDirs: readonly string[], logger: Logger) {
    this.logger = logger;
    for (const dir of logDirs) this.files.set(dir, new OffsetCheckpointFile(join(dir, fileName)));
  }

  /** A reader that opens each file at most once, when it is first asked (`LazyOffsetCheckpoints`). */
  lazyReader(): OffsetCheckpoints {
    const read = new Map<string, Map<string, number>>();
    return {
      fetch: (logDir, key) => {
        const offsets = read.get(logDir) ?? this.files.get(logDir)?.read() ?? new Map<string, number>();
        read.set(logDir, offsets);
        return offsets.get(key);
      },
    };
  }

  /** Writes the high watermark of every log, future logs included, into the file of its log dir. A dir that fails is logged and skipped. */
  write(logs: Iterable<Log>): void {
    const byDir = new Map<string, Map<string, number>>();
    for (const log of logs) {
      const dir = log.parentDir;
      const offsets = byDir.get(dir) ?? new Map<string, number>();
      offsets.set(topicPartitionKey(log.topicPartition.topic, log.topicPartition.partition), log.highWatermark);
      byDir.set(dir, offsets);
    }
    for (const [dir, offsets] of byDir) {
      try {
        this.files.get(dir)?.write(offsets);
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.error(`Error while writing to highwatermark file in directory ${dir}`, error);
      }
    }
  }

  /** Forgets a log dir that has failed. */
  remove(logDir: string): void {
    this.files.delete(logDir);
  }
}
