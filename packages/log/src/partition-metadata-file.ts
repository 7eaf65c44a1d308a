import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deleteIfExists, isNotFound, isSystemError, replaceFile } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';

const FILE_NAME = 'partition.metadata';
const VERSION = 0;

/** The topic id of a partition's folder (inter-broker protocol 2.8 and later). Counterpart of `kafka.server.PartitionMetadataFile`. */
export class PartitionMetadataFile {
  private readonly path: string;

  constructor(dir: string) {
    this.path = join(dir, FILE_NAME);
  }

  /** The topic id, 22 characters of base64url; null when there is no file. @throws KafkaStorageError */
  read(): string | null {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if (isNotFound(error)) return null;
      throw this.failed('reading', error);
    }
    const [, topicId] = /^version:\s+0\r?\ntopic_id:\s+([\w-]{22})\s*$/.exec(text) ?? [];
    if (topicId === undefined) {
      throw this.failed('reading', new Error(`Malformed content in partition metadata file (${this.path})`));
    }
    return topicId;
  }

  /** @throws KafkaStorageError */
  write(topicId: string): void {
    try {
      replaceFile(this.path, `version: ${VERSION}\ntopic_id: ${topicId}`);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw this.failed('writing to', error);
    }
  }

  delete(): void {
    deleteIfExists(this.path);
  }

  private failed(doing: string, cause: unknown): KafkaStorageError {
    return new KafkaStorageError(
      dirname(dirname(this.path)),
      `Error while ${doing} partition metadata file ${this.path}`,
      cause,
    );
  }
}
