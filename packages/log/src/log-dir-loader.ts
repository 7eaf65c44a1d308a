import { join } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import { DELETE_DIR_SUFFIX, FUTURE_DIR_SUFFIX, partitionOfDir } from './file-names.ts';
import { folderNamesIn } from './files.ts';
import type { LogDir } from './log-dirs.ts';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';
import type { OffsetCheckpointFile } from './offset-checkpoint-file.ts';

/** ms of loading after which other work gets its turn: a ZooKeeper session has to be kept alive meanwhile. */
const LOADING_SLICE_MS = 50;

/** What the log dir knows of a log before it is opened. */
export interface LogState {
  readonly hadCleanShutdown: boolean;
  readonly logStartOffset?: number;
  readonly recoveryPoint?: number;
}

export interface LogDirLoaderOptions {
  readonly time: Time;
  readonly logger: Logger;
  /** Loaded logs are added. */
  readonly logs: LogPools;
  readonly openLog: (folder: string, topicPartition: TopicPartition, state: LogState) => Log;
  /** Called for a folder whose deletion was not finished. */
  readonly deleteLater: (folder: string) => void;
}

/** Opens every log of a log dir, with the offsets that its checkpoints have. Counterpart of `LogManager.loadLogs`. */
export class LogDirLoader {
  private readonly options: LogDirLoaderOptions;

  constructor(options: LogDirLoaderOptions) {
    this.options = options;
  }

  /**
   * @throws ForeignDirectoryError when the log dir holds a folder that is no partition's
   * @throws KafkaStorageError
   */
  async load(dir: LogDir): Promise<void> {
    const { logger, time } = this.options;
    const hadCleanShutdown = dir.takeCleanShutdownMarker();
    logger.info(
      hadCleanShutdown
        ? `Skipping recovery for all logs in ${dir.path} since clean shutdown file was found`
        : `Attempting recovery for all logs in ${dir.path} since no clean shutdown file was found`,
    );
    const recoveryPoints = this.read(dir.recoveryPoints, 'resetting the recovery checkpoint to 0');
    const logStartOffsets = this.read(dir.logStartOffsets, 'resetting to the base offset of the first segment');
    let sliceMs = time.hiResMs();
    for (const name of dir.guard('listing', () => folderNamesIn(dir.path))) {
      this.loadLog(join(dir.path, name), hadCleanShutdown, recoveryPoints, logStartOffsets);
      if (time.hiResMs() - sliceMs < LOADING_SLICE_MS) continue;
      await new Promise<void>((resume) => {
        time.soon(resume);
      });
      sliceMs = time.hiResMs();
    }
  }

  private loadLog(
    folder: string,
    hadCleanShutdown: boolean,
    recoveryPoints: ReadonlyMap<string, number>,
    logStartOffsets: ReadonlyMap<string, number>,
  ): void {
    const { logs, logger } = this.options;
    const topicPartition = partitionOfDir(folder);
    if (folder.endsWith(DELETE_DIR_SUFFIX)) {
      this.options.deleteLater(folder);
      return;
    }
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    const isFuture = folder.endsWith(FUTURE_DIR_SUFFIX);
    const pool = logs.of(isFuture);
    const known = pool.get(key);
    if (known !== undefined) {
      throw new Error(
        isFuture
          ? `Duplicate log directories found: ${folder}, ${known.dir}`
          : `Duplicate log directories for ${key} are found in both ${folder} and ${known.dir}. It is likely because log ` +
              `directory failure happened while broker was replacing current replica with future replica. Recover broker ` +
              `from this failure by manually deleting one of the two directories for this partition. It is recommended to ` +
              `delete the partition in the log directory that is known to have failed recently.`,
      );
    }
    const log = this.options.openLog(folder, topicPartition, {
      hadCleanShutdown,
      logStartOffset: logStartOffsets.get(key) ?? 0,
      recoveryPoint: recoveryPoints.get(key) ?? 0,
    });
    pool.set(key, log);
    logger.debug(`Completed load of ${log.toString()} with ${log.numberOfSegments} segments`);
  }

  private read(file: OffsetCheckpointFile, consequence: string): Map<string, number> {
    try {
      return file.read();
    } catch (error) {
      this.options.logger.warn(`Error occurred while reading ${file.path}, ${consequence}: ${String(error)}`);
      return new Map();
    }
  }
}
