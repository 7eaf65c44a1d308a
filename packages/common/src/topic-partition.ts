/** A partition of a topic. Equality goes by `topicPartitionKey`, never by identity. */
export interface TopicPartition {
  readonly topic: string;
  /** Partition index, from 0. */
  readonly partition: number;
}

/** The text Kafka prints for a partition, `topic-0`, which is also the name of its folder and the key of every map here. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/**
 * The partition that a key made by `topicPartitionKey` names (the last dash divides).
 *
 * @returns undefined when the text is not of that form
 */
export function parseTopicPartition(key: string): TopicPartition | undefined {
  const dash = key.lastIndexOf('-');
  const digits = key.slice(dash + 1);
  if (dash <= 0 || !/^\d+$/.test(digits)) return undefined;
  return { topic: key.slice(0, dash), partition: Number(digits) };
}
