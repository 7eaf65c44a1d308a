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
  /** How often `write` has replaced the content: a background write that began before is void. */
  private replaced = 0;
  /** What is to be written in the background next. */
  private awaited: readonly Entry[] | undefined;
  private background: Promise<void> | undefined;

  constructor(path: string) {
    this.path = path;
    this.file = new CheckpointFile(path, dirname(path), format);
  }

  /** Replaces the content. Keys as of `topicPartitionKey`. @throws KafkaStorageError */
  write(offsets: ReadonlyMap<string, number>): void {
    this.replaced += 1;
    this.awaited = undefined;
    this.file.write(entriesOf(offsets));
  }

  /**
   * As `write`, without holding the event loop while the disk writes. Until then the file keeps its content. One write at
   * a time: of those that come meanwhile the last one follows; `write` makes all of them void.
   *
   * @returns resolves when nothing is left to write; rejects with KafkaStorageError
   */
  writeInBackground(offsets: ReadonlyMap<string, number>): Promise<void> {
    this.awaited = entriesOf(offsets);
    this.background ??= this.writeAwaited();
    return this.background;
  }

  /** Resolves when no background write is under way, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.background]);
  }

  /** The content; empty when there is no file. @throws KafkaStorageError, MalformedCheckpointError */
  read(): Map<string, number> {
    return new Map(
      this.file
        .read()
        .map(({ topicPartition: { topic, partition }, offset }) => [topicPartitionKey(topic, partition), offset]),
    );
  }

  private async writeAwaited(): Promise<void> {
    try {
      for (let entries = this.takeAwaited(); entries !== undefined; entries = this.takeAwaited()) {
        const { replaced } = this;
        await this.file.writeInBackground(entries, () => this.replaced === replaced);
      }
    } finally {
      this.background = undefined;
    }
  }

  private takeAwaited(): readonly Entry[] | undefined {
    const entries = this.awaited;
    this.awaited = undefined;
    return entries;
  }
}

function entriesOf(offsets: ReadonlyMap<string, number>): Entry[] {
  return [...offsets].map(([key, offset]) => {
    const topicPartition = parseTopicPartition(key);
    invariant(topicPartition !== undefined, () => `${key} is not the key of a partition`);
    return { topicPartition, offset };
  });
}
