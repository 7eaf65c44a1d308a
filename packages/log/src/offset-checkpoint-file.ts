/**
 * Offsets by partition in a file such as `replication-offset-checkpoint`: version, number of entries, then `topic partition offset` lines.
 * Counterpart of `kafka.server.checkpoints.OffsetCheckpointFile`.
 */
export class OffsetCheckpointFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Replaces the file's content. Keys as of `topicPartitionKey`. @throws KafkaStorageError */
  write(_offsets: ReadonlyMap<string, number>): void {
    throw new Error('being built');
  }

  /** The content; empty when there is no file. @throws KafkaStorageError */
  read(): Map<string, number> {
    throw new Error('being built');
  }
}
