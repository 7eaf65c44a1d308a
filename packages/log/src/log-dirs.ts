import { accessSync, closeSync, constants, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { invariant } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { CLEAN_SHUTDOWN_FILE } from './file-names.ts';
import { deleteIfExists, exists, flushDir, isSystemError } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import {
  CLEANER_OFFSET_CHECKPOINT,
  LOG_START_OFFSET_CHECKPOINT,
  OffsetCheckpointFile,
  RECOVERY_POINT_CHECKPOINT,
} from './offset-checkpoint-file.ts';

/** `log.dirs` names the same folder twice. */
export class DuplicateLogDirError extends Error {
  override readonly name = 'DuplicateLogDirError';
}

/** One of `log.dirs`: its checkpoints and its clean shutdown marker. */
export class LogDir {
  /** Absolute path. */
  readonly path: string;
  readonly recoveryPoints: OffsetCheckpointFile;
  readonly logStartOffsets: OffsetCheckpointFile;
  readonly cleanerOffsets: OffsetCheckpointFile;

  /** @throws KafkaStorageError */
  constructor(path: string) {
    this.path = path;
    this.recoveryPoints = new OffsetCheckpointFile(join(path, RECOVERY_POINT_CHECKPOINT));
    this.cleanerOffsets = new OffsetCheckpointFile(join(path, CLEANER_OFFSET_CHECKPOINT));
    this.logStartOffsets = new OffsetCheckpointFile(join(path, LOG_START_OFFSET_CHECKPOINT));
  }

  /**
   * Whether the last stop was clean. The marker goes at once: a crash while loading is not clean (KAFKA-10471).
   *
   * @throws KafkaStorageError
   */
  takeCleanShutdownMarker(): boolean {
    return this.guard('reading the clean shutdown marker', () => {
      const marker = join(this.path, CLEAN_SHUTDOWN_FILE);
      if (!exists(marker)) return false;
      deleteIfExists(marker);
      flushDir(this.path);
      return true;
    });
  }

  /** @throws KafkaStorageError */
  writeCleanShutdownMarker(): void {
    this.guard('writing the clean shutdown marker', () => {
      closeSync(openSync(join(this.path, CLEAN_SHUTDOWN_FILE), 'w'));
      flushDir(this.path);
    });
  }

  /** Runs a task on the disk. @throws KafkaStorageError when the system refuses */
  guard<T>(doing: string, task: () => T): T {
    try {
      return task();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new KafkaStorageError(this.path, `Error while ${doing} in log dir ${this.path}: ${error.message}`, error);
    }
  }
}

/**
 * Makes and checks the folders of `log.dirs`.
 *
 * @param live gets those that can be used, by path
 * @param offline folders that were found bad before
 * @param onFailure called for each folder that cannot be used
 * @throws DuplicateLogDirError
 */
export function openLogDirs(
  live: Map<string, LogDir>,
  paths: readonly string[],
  offline: readonly string[],
  logger: Logger,
  onFailure: (error: KafkaStorageError) => void,
): void {
  invariant(paths.length > 0, 'log.dirs names at least one folder');
  const seen = new Set<string>();
  const excluded = new Set(offline.map((path) => resolve(path)));
  for (const path of paths.map((name) => resolve(name))) {
    try {
      if (excluded.has(path)) throw new KafkaStorageError(path, `Failed to load ${path} during broker startup`);
      const realPath = validate(path, logger);
      if (seen.has(realPath)) throw new DuplicateLogDirError(`Duplicate log directory found: ${paths.join(', ')}`);
      seen.add(realPath);
      live.set(path, new LogDir(path));
    } catch (error) {
      if (!isSystemError(error) && !(error instanceof KafkaStorageError)) throw error;
      onFailure(new KafkaStorageError(path, `Failed to create or validate data directory ${path}`, error));
    }
  }
}

function validate(path: string, logger: Logger): string {
  if (!exists(path)) {
    logger.info(`Log directory ${path} not found, creating it.`);
    mkdirSync(path, { recursive: true });
  }
  if (!statSync(path).isDirectory()) throw new KafkaStorageError(path, `${path} is not a readable log directory.`);
  accessSync(path, constants.R_OK);
  return realpathSync(path);
}
