import { isSystemError } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';

/**
 * Stands between a log and its disk: what the system refuses takes the log dir offline, once and for all.
 * Counterpart of `Log.maybeHandleIOException`.
 */
export class DiskGuard {
  private readonly name: string;
  private readonly logDir: string;
  private readonly onFailure: (error: KafkaStorageError) => void;
  private offline = false;

  /** @param name of the partition, for messages */
  constructor(name: string, logDir: string, onFailure: (error: KafkaStorageError) => void) {
    this.name = name;
    this.logDir = logDir;
    this.onFailure = onFailure;
  }

  /** Runs `task`. @throws KafkaStorageError when the disk refuses now, or did before */
  run<T>(doing: string, task: () => T): T {
    this.checkOnline();
    try {
      return task();
    } catch (error) {
      throw this.judge(doing, error);
    }
  }

  /** Runs a task that waits. @throws KafkaStorageError */
  async runInBackground(doing: string, task: () => Promise<void>): Promise<void> {
    this.checkOnline();
    try {
      await task();
    } catch (error) {
      throw this.judge(doing, error);
    }
  }

  private checkOnline(): void {
    if (!this.offline) return;
    throw new KafkaStorageError(this.logDir, `The log dir ${this.logDir} is offline due to a previous IO exception.`);
  }

  private judge(doing: string, error: unknown): unknown {
    if (error instanceof KafkaStorageError) {
      this.fail(error);
      return error;
    }
    if (!isSystemError(error)) return error;
    const failure = new KafkaStorageError(
      this.logDir,
      `Error while ${doing} for ${this.name} in dir ${this.logDir}: ${error.message}`,
      error,
    );
    this.fail(failure);
    return failure;
  }

  private fail(error: KafkaStorageError): void {
    this.offline = true;
    this.onFailure(error);
  }
}
