import { join } from 'node:path';
import { invariant, topicPartitionKey } from '@klassic/common';
import type { Cancel, Logger, Time } from '@klassic/common';
import { HIGH_WATERMARK_CHECKPOINT, KafkaStorageError, OffsetCheckpointFile } from '@klassic/log';
import type { Log } from '@klassic/log';

/** Reads the checkpointed high watermark of a partition whose log lies in a log dir; undefined when there is none. */
export interface OffsetCheckpoints {
  fetch(logDir: string, key: string): number | undefined;
}

/** What high watermarks are checkpointed with. */
export interface HighWatermarkCheckpointsOptions {
  readonly logDirs: readonly string[];
  /** The logs of all partitions that are online, future logs included. */
  readonly logs: () => Iterable<Log>;
  readonly time: Time;
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly intervalMs: number;
  readonly logger: Logger;
  /** Told of a log dir that the disk refuses to write to. */
  readonly onFailure: (error: KafkaStorageError) => void;
}

/** The high watermarks as they were last written to each log dir, from which a restarted broker goes on. */
export class HighWatermarkCheckpoints {
  private readonly options: HighWatermarkCheckpointsOptions;
  private readonly files = new Map<string, OffsetCheckpointFile>();
  private cancel: Cancel | undefined;

  constructor(options: HighWatermarkCheckpointsOptions) {
    invariant(options.intervalMs > 0, 'the checkpoint interval is positive');
    this.options = options;
    for (const dir of options.logDirs) {
      this.files.set(dir, new OffsetCheckpointFile(join(dir, HIGH_WATERMARK_CHECKPOINT)));
    }
  }

  /** Begins to write them every `intervalMs`, unless that was done before. */
  start(): void {
    this.cancel ??= this.options.time.scheduleEvery(this.options.intervalMs, () => {
      void this.writeInBackground();
    });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
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

  /**
   * Writes the high watermark of every log that is online, future logs included, into the file of its log dir. A dir that
   * fails is told of, and the others are written.
   */
  write(): void {
    for (const [dir, offsets] of this.byLogDir()) {
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
  async writeInBackground(): Promise<void> {
    const written = [...this.byLogDir()].map(async ([dir, offsets]) => {
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
    this.options.logger.error(`Error while writing to highwatermark file in directory ${dir}`, error);
    this.options.onFailure(error);
  }

  private byLogDir(): Map<string, Map<string, number>> {
    const byDir = new Map<string, Map<string, number>>();
    for (const { parentDir, topicPartition, highWatermark } of this.options.logs()) {
      const offsets = byDir.get(parentDir) ?? new Map<string, number>();
      const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
      byDir.set(parentDir, offsets.set(key, highWatermark));
    }
    return byDir;
  }
}
