import { join } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { HIGH_WATERMARK_CHECKPOINT, KafkaStorageError, OffsetCheckpointFile } from '@klassic/log';
import type { Log } from '@klassic/log';

/** Reads the checkpointed high watermark of a partition whose log lies in a log dir; undefined when there is none. */
export interface OffsetCheckpoints {
  fetch(logDir: string, key: string): number | undefined;
}

/** The high watermarks as they were last written to each log dir, from which a restarted broker goes on. */
export class HighWatermarkCheckpoints {
  private readonly files = new Map<string, OffsetCheckpointFile>();
  private readonly logger: Logger;
  private readonly onFailure: (error: KafkaStorageError) => void;

  /** @param onFailure told of a log dir that the disk refuses to write to */
  constructor(logDirs: readonly string[], logger: Logger, onFailure: (error: KafkaStorageError) => void) {
    this.logger = logger;
    this.onFailure = onFailure;
    for (const dir of logDirs) this.files.set(dir, new OffsetCheckpointFile(join(dir, HIGH_WATERMARK_CHECKPOINT)));
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
    for (const [dir, offsets] of byLogDir(logs)) {
      try {
        this.files.get(dir)?.write(offsets);
      } catch (error) {
        this.failed(dir, error);
      }
    }
  }

  /**
   * As `write`, for the high watermarks of this moment, without holding the event loop while the disk writes: a fsync
   * takes long enough for a follower, or ZooKeeper, to wait in vain. Resolves when all are written.
   */
  async writeInBackground(logs: Iterable<Log>): Promise<void> {
    const written = [...byLogDir(logs)].map(async ([dir, offsets]) => {
      try {
        await this.files.get(dir)?.writeInBackground(offsets);
      } catch (error) {
        this.failed(dir, error);
      }
    });
    await Promise.all(written);
  }

  /** Resolves when no background write is under way. */
  async settled(): Promise<void> {
    for (const file of this.files.values()) await file.settled();
  }

  /** Forgets a log dir that has failed. */
  remove(logDir: string): void {
    this.files.delete(logDir);
  }

  private failed(dir: string, error: unknown): void {
    if (!(error instanceof KafkaStorageError)) throw error;
    this.logger.error(`Error while writing to highwatermark file in directory ${dir}`, error);
    this.onFailure(error);
  }
}

function byLogDir(logs: Iterable<Log>): Map<string, Map<string, number>> {
  const byDir = new Map<string, Map<string, number>>();
  for (const { parentDir, topicPartition, highWatermark } of logs) {
    const offsets = byDir.get(parentDir) ?? new Map<string, number>();
    byDir.set(parentDir, offsets.set(topicPartitionKey(topicPartition.topic, topicPartition.partition), highWatermark));
  }
  return byDir;
}
