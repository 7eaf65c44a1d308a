import { dirname } from 'node:path';
import { invariant, parseTopicPartition, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { CheckpointFile } from './checkpoint-file.ts';

export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
export const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint';
export const CLEANER_OFFSET_CHECKPOINT = 'cleaner-offset-checkpoint';
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint';

interface Entry {
  readonly topicPartition: TopicPartition;
  readonly offset: number;
}

const format = {
  toLine: ({ topicPartition: { topic, partition }, offset }: Entry) => `${topic} ${partition} ${offset}`,
  fromLine: (line: string): Entry | undefined => {
    const [, topic, partition, offset] = /^(\S+)\s+(\d+)\s+(-?\d+)$/.exec(line) ?? [];
    if (topic === undefined) return undefined;
    return { topicPartition: { topic, partition: Number(partition) }, offset: Number(offset) };
  },
};

/**
 * Offsets by partition, in one file of a log dir: `replication-offset-checkpoint` and its like, one line
 * `topic partition offset` each. Counterpart of `kafka.server.checkpoints.OffsetCheckpointFile`.
 */
export class OffsetCheckpointFile {
  readonly path: string;
  private readonly file: CheckpointFile<Entry>;

  constructor(path: string) {
    this.path = path;
    this.file = new CheckpointFile(path, dirname(path), format);
  }

  /** Replaces the content. Keys as of `topicPartitionKey`. @throws KafkaStorageError */
  write(offsets: ReadonlyMap<string, number>): void {
    this.file.write(
      [...offsets].map(([key, offset]) => {
        const topicPartition = parseTopicPartition(key);
        invariant(topicPartition !== undefined, () => `${key} is not the key of a partition`);
        return { topicPartition, offset };
      }),
    );
  }

  /** The content; empty when there is no file. @throws KafkaStorageError, MalformedCheckpointError */
  read(): Map<string, number> {
    return new Map(
      this.file
        .read()
        .map(({ topicPartition: { topic, partition }, offset }) => [topicPartitionKey(topic, partition), offset]),
    );
  }
}
