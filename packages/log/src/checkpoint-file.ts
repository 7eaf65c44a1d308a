import { closeSync, readFileSync } from 'node:fs';
import { isSystemError, openFile, overwriteSmallFile, replaceFile, replaceFileInBackground } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';

const VERSION = '0';

/** A checkpoint file whose text is not what it should be. */
export class MalformedCheckpointError extends Error {
  override readonly name = 'MalformedCheckpointError';
}

/** How one entry is written on a line. */
export interface CheckpointFormat<T> {
  toLine(entry: T): string;
  /** Undefined when the line makes no sense. */
  fromLine(line: string): T | undefined;
}

/**
 * A small text file that is replaced as a whole: version, number of entries, one entry a line.
 * Counterpart of `kafka.server.checkpoints.CheckpointFile`.
 */
export class CheckpointFile<T> {
  readonly path: string;
  private readonly logDir: string;
  private readonly format: CheckpointFormat<T>;

  /**
   * Makes the file, empty, when there is none.
   *
   * @param logDir the log dir to name when the disk fails
   * @throws KafkaStorageError
   */
  constructor(path: string, logDir: string, format: CheckpointFormat<T>) {
    this.path = path;
    this.logDir = logDir;
    this.format = format;
    this.guard('creating', () => closeSync(openFile(path)));
  }

  /** Replaces the content, flushed. @throws KafkaStorageError */
  write(entries: readonly T[]): void {
    this.guard('writing to', () => replaceFile(this.path, this.textOf(entries)));
  }

  /**
   * Writes the entries without flushing them, which a power failure may undo: at once if there are few, and flushed all
   * the same where that would not be safe.
   *
   * @returns whether they are flushed
   * @throws KafkaStorageError
   */
  writeUnflushed(entries: readonly T[]): boolean {
    return this.guard('writing to', () => {
      const text = this.textOf(entries);
      if (overwriteSmallFile(this.path, text)) return false;
      replaceFile(this.path, text);
      return true;
    });
  }

  /** As `write`, off the thread; `isCurrent` as of `replaceFileInBackground`. @throws KafkaStorageError */
  async writeInBackground(entries: readonly T[], isCurrent: () => boolean): Promise<void> {
    try {
      await replaceFileInBackground(this.path, this.textOf(entries), isCurrent);
    } catch (error) {
      throw this.judge('writing to', error);
    }
  }

  /**
   * The entries; none in a file that was just made.
   *
   * @throws KafkaStorageError when the disk refuses
   * @throws MalformedCheckpointError when the text makes no sense
   */
  read(): T[] {
    return this.guard('reading', () => this.parse(readFileSync(this.path, 'utf8')));
  }

  private guard<R>(doing: string, task: () => R): R {
    try {
      return task();
    } catch (error) {
      throw this.judge(doing, error);
    }
  }

  private judge(doing: string, error: unknown): unknown {
    if (!isSystemError(error)) return error;
    return new KafkaStorageError(this.logDir, `Error while ${doing} checkpoint file ${this.path}`, error);
  }

  private textOf(entries: readonly T[]): string {
    const lines = [VERSION, String(entries.length), ...entries.map((entry) => this.format.toLine(entry))];
    return `${lines.join('\n')}\n`;
  }

  private parse(text: string): T[] {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    const [version, count, ...rest] = lines;
    if (version === undefined || count === undefined) return [];
    if (version !== VERSION) {
      throw new MalformedCheckpointError(`Unrecognized version of the checkpoint file (${this.path}): ${version}`);
    }
    if (!/^\d+$/.test(count)) throw this.malformed(count);
    const entries = rest.map((line) => {
      const entry = this.format.fromLine(line);
      if (entry === undefined) throw this.malformed(line);
      return entry;
    });
    if (entries.length !== Number(count)) {
      throw new MalformedCheckpointError(
        `Expected ${count} entries in checkpoint file (${this.path}), but found only ${entries.length}`,
      );
    }
    return entries;
  }

  private malformed(line: string): MalformedCheckpointError {
    return new MalformedCheckpointError(`Malformed line in checkpoint file (${this.path}): '${line}'`);
  }
}
