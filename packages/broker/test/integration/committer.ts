import { Consumer } from '@klassic/client';
import type { OffsetToCommit } from '@klassic/client';
import { topicPartitionKey } from '@klassic/common';
import { KafkaError } from '@klassic/protocol';

/** A member of a group that commits after each poll, and notes what the coordinator has acknowledged. */
export class Committer {
  /** Acknowledged ones. */
  commits = 0;
  private readonly consumer: Consumer;
  private readonly topic: string;
  private readonly acknowledged: Map<string, number>;
  private readonly done: Promise<void>;
  private stopping = false;
  private lastCommit = '';

  /** @param acknowledged takes the highest offset acknowledged, by topicPartitionKey; members may share it */
  constructor(
    bootstrapServers: readonly string[],
    topic: string,
    groupId: string,
    sessionTimeoutMs: number,
    acknowledged: Map<string, number>,
  ) {
    this.consumer = new Consumer({
      ...{ bootstrapServers, groupId, sessionTimeoutMs, heartbeatIntervalMs: 500 },
      ...{ autoOffsetReset: 'earliest', enableAutoCommit: false, fetchMaxWaitMs: 100 },
    });
    this.topic = topic;
    this.acknowledged = acknowledged;
    this.done = this.run();
    // Told by `stop`, whenever it happens.
    this.done.catch(() => undefined);
  }

  /** Leaves the group. @throws Error when it could not go on before */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.done;
  }

  private async run(): Promise<void> {
    this.consumer.subscribe([this.topic]);
    try {
      while (!this.stopping) await this.readAndCommit();
    } finally {
      await this.consumer.close();
    }
  }

  private async readAndCommit(): Promise<void> {
    await this.consumer.poll(200);
    // Not the records' own offsets: a partition may be another's by now, and positions are those of the assignment.
    const positions: OffsetToCommit[] = [];
    for (const partition of this.consumer.assignment()) {
      positions.push({ ...partition, offset: await this.consumer.position(partition) });
    }
    const said = positions.map((each) => `${topicPartitionKey(each.topic, each.partition)}: ${each.offset}`).join();
    if (said === this.lastCommit) return;
    try {
      await this.consumer.commit(positions);
    } catch (error) {
      // A rebalance: the next poll finds out who has the partitions, and where the last commit was.
      if (error instanceof KafkaError) return;
      throw error;
    }
    this.lastCommit = said;
    this.commits += 1;
    for (const position of positions) {
      const key = topicPartitionKey(position.topic, position.partition);
      this.acknowledged.set(key, Math.max(this.acknowledged.get(key) ?? 0, position.offset));
    }
  }
}
