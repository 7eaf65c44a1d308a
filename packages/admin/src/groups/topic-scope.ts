import type { TopicPartition } from '@klassic/common';
import type { Admin } from '@klassic/client';
import { Errors, KafkaError } from '@klassic/protocol';
import { UsageError } from '../tool.ts';

/** Reads `topic` and `topic:0,1`. @throws UsageError, KafkaError UNKNOWN_TOPIC_OR_PARTITION */
export async function partitionsOf(admin: Admin, specs: readonly string[]): Promise<TopicPartition[]> {
  const topics = new Map((await admin.listTopics()).map((topic) => [topic.name, topic]));
  return specs.flatMap((spec) => {
    const [topic = '', numbers] = spec.split(':');
    if (numbers !== undefined && !/^\d+(,\d+)*$/.test(numbers)) {
      throw new UsageError(`Invalid topic specification: ${spec}`);
    }
    const info = topics.get(topic);
    if (info === undefined) throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    const partitions = numbers?.split(',').map(Number) ?? info.partitions.map(({ partition }) => partition);
    return partitions.map((partition) => ({ topic, partition }));
  });
}
