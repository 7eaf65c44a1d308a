import { closeSync, readFileSync } from 'node:fs';
import { isSystemError, openFile, replaceFile } from './files.ts';
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

  /**
   * @param isFlushed as of `replaceFile`
   * @throws KafkaStorageError
   */
  write(entries: readonly T[], isFlushed = true): void {
    const lines = [VERSION, String(entries.length), ...entries.map((entry) => this.format.toLine(entry))];
    this.guard('writing to', () => replaceFile(this.path, `${lines.join('\n')}\n`, isFlushed));
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
      if (!isSystemError(error)) throw error;
      throw new KafkaStorageError(this.logDir, `Error while ${doing} checkpoint file ${this.path}`, error);
    }
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
