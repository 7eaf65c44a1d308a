import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger, Random } from '@klassic/common';
import type { BackgroundTasks } from './background-tasks.ts';
import { deleteDirName } from './file-names.ts';
import { deleteTree } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogDir } from './log-dirs.ts';
import type { Log } from './log.ts';

export interface LogFoldersOptions {
  /** Log dirs in use, by path. */
  readonly dirs: ReadonlyMap<string, LogDir>;
  /** Paths of log dirs that failed, though they may be in use still. */
  readonly failedDirs: ReadonlySet<string>;
  readonly logs: ReadonlyMap<string, Log>;
  readonly tasks: BackgroundTasks;
  readonly random: Random;
  readonly logger: Logger;
  /** `log.segment.delete.delay.ms` */
  readonly deleteDelayMs: () => number;
  readonly onFailure: (error: KafkaStorageError) => void;
}

/** Makes partitions' folders, and removes them in two steps. */
export class LogFolders {
  private readonly options: LogFoldersOptions;

  constructor(options: LogFoldersOptions) {
    this.options = options;
  }

  /**
   * Makes a folder in the log dir with the fewest logs, or the next one where that fails.
   *
   * @throws KafkaStorageError when there is none left
   */
  create(name: string): string {
    const { dirs, logger, onFailure } = this.options;
    for (const dir of this.leastLoadedDirs()) {
      const folder = join(dir.path, name);
      try {
        dir.guard(`creating log for ${name}`, () => mkdirSync(folder, { recursive: true }));
        return folder;
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        logger.warn(error.message);
        onFailure(error);
      }
    }
    const tried = [...dirs.keys()].join(', ');
    throw new KafkaStorageError(tried, `No log directories available. Tried ${tried}`);
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

  private leastLoadedDirs(): LogDir[] {
    const live = [...this.options.dirs.values()].filter((dir) => !this.options.failedDirs.has(dir.path));
    if (live.length === 1) return live;
    const counts = new Map(live.map((dir) => [dir.path, 0]));
    for (const { parentDir } of this.options.logs.values()) counts.set(parentDir, (counts.get(parentDir) ?? 0) + 1);
    return live.sort((a, b) => counts.get(a.path)! - counts.get(b.path)!);
  }

  /** 32 hexadecimal digits. */
  private uniqueId(): string {
    const digit = (): string => Math.floor(this.options.random.next() * 16).toString(16);
    return Array.from({ length: 32 }, digit).join('');
  }
}
