import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { invariant, topicPartitionKey } from '@klassic/common';
import type { Logger, Random, TopicPartition } from '@klassic/common';
import type { BackgroundTasks } from './background-tasks.ts';
import { deleteDirName, futureDirName } from './file-names.ts';
import { deleteTree } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogDir } from './log-dirs.ts';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';

export interface LogFoldersOptions {
  /** Log dirs in use, by path. */
  readonly dirs: ReadonlyMap<string, LogDir>;
  /** Paths of log dirs that failed, though they may be in use still. */
  readonly failedDirs: ReadonlySet<string>;
  readonly logs: LogPools;
  readonly tasks: BackgroundTasks;
  readonly random: Random;
  readonly logger: Logger;
  /** `log.segment.delete.delay.ms` */
  readonly deleteDelayMs: () => number;
  readonly onFailure: (error: KafkaStorageError) => void;
}

/** A folder for a log. */
export interface LogFolder {
  readonly path: string;
  /** False when it was there already, left behind by an earlier log. */
  readonly isNew: boolean;
}

/** Makes partitions' folders, and removes them in two steps. */
export class LogFolders {
  private readonly options: LogFoldersOptions;
  private readonly preferred = new Map<string, string>();

  constructor(options: LogFoldersOptions) {
    this.options = options;
  }

  /** Remembers where the next log of a partition is to be made (AlterReplicaLogDirs); absolute. */
  prefer(key: string, logDir: string): void {
    this.preferred.set(key, logDir);
  }

  /**
   * Makes a folder for a log in use: in the preferred log dir if there is one, else in the one with the fewest logs, or
   * the next one where that fails.
   *
   * @throws KafkaStorageError when there is none left
   */
  create(key: string): LogFolder {
    const preferred = this.preferred.get(key);
    return this.createIn(preferred === undefined ? this.leastLoadedDirs() : this.liveDir(preferred), key, key);
  }

  /**
   * Makes a folder for a future log, in the preferred log dir.
   *
   * @param current the log dir of the log in use, if there is one
   * @throws KafkaStorageError when that is offline
   */
  createFuture(topicPartition: TopicPartition, current: string | undefined): LogFolder {
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    const preferred = this.preferred.get(key);
    invariant(
      preferred !== undefined,
      () => `Can not create the future log for ${key} without having a preferred log directory`,
    );
    invariant(
      preferred !== current,
      () => `Can not create the future log for ${key} in the current log directory of this partition`,
    );
    const name = futureDirName(topicPartition, this.uniqueId());
    invariant(name !== null, () => `The name of topic ${topicPartition.topic} is too long for a future log`);
    return this.createIn(this.liveDir(preferred), key, name);
  }

  /** Renames a log's folder now and removes it after a while. @throws KafkaStorageError */
  deleteLog(log: Log): void {
    const { logger, tasks } = this.options;
    const { topic, partition } = log.topicPartition;
    const key = topicPartitionKey(topic, partition);
    log.renameDir(deleteDirName(log.topicPartition, this.uniqueId()));
    logger.info(`Log for partition ${key} is renamed to ${log.dir} and is scheduled for deletion`);
    tasks.later(this.options.deleteDelayMs(), () => {
      log.delete();
      logger.info(`Deleted log for partition ${key} in ${log.dir}.`);
    });
  }

  /** Removes a folder whose deletion had begun before the broker was stopped. */
  deleteLater(folder: string): void {
    this.options.tasks.later(this.options.deleteDelayMs(), () => {
      this.options.dirs.get(resolve(folder, '..'))?.guard(`deleting ${folder}`, () => {
        deleteTree(folder);
      });
      this.options.logger.info(`Deleted log in ${folder}.`);
    });
  }

  private createIn(candidates: readonly LogDir[], key: string, name: string): LogFolder {
    const { dirs, logger, onFailure } = this.options;
    for (const dir of candidates) {
      const folder = join(dir.path, name);
      try {
        const made = dir.guard(`creating log for ${key}`, () => mkdirSync(folder, { recursive: true }));
        this.preferred.delete(key);
        return { path: folder, isNew: made !== undefined };
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        logger.warn(error.message);
        onFailure(error);
      }
    }
    const tried = this.preferred.get(key) ?? [...dirs.keys()].join(', ');
    throw new KafkaStorageError(tried, `No log directories available. Tried ${tried}`);
  }

  private liveDir(path: string): LogDir[] {
    const dir = this.options.dirs.get(path);
    return dir === undefined || this.options.failedDirs.has(path) ? [] : [dir];
  }

  private leastLoadedDirs(): LogDir[] {
    const live = [...this.options.dirs.values()].filter((dir) => !this.options.failedDirs.has(dir.path));
    if (live.length === 1) return live;
    const counts = new Map(live.map((dir) => [dir.path, 0]));
    for (const { parentDir } of this.options.logs.all()) counts.set(parentDir, (counts.get(parentDir) ?? 0) + 1);
    return live.sort((a, b) => counts.get(a.path)! - counts.get(b.path)!);
  }

  /** 32 hexadecimal digits. */
  private uniqueId(): string {
    const digit = (): string => Math.floor(this.options.random.next() * 16).toString(16);
    return Array.from({ length: 32 }, digit).join('');
  }
}
