import type { Admin } from '@klassic/client';
import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { javaText } from '../java-text.ts';
import type { Assignment } from './plan.ts';

/**
 * The assignments of all partitions of some topics.
 *
 * @throws Error with the original's words when one of the topics does not exist
 */
export async function assignmentsOfTopics(admin: Admin, names: readonly string[]): Promise<Assignment[]> {
  const known = new Map((await admin.listTopics()).map((topic) => [topic.name, topic]));
  return names.flatMap((name) => {
    const topic = known.get(name);
    if (topic === undefined) throw new Error(javaText(new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION)));
    return topic.partitions.map(({ partition, replicas }) => ({ topic: name, partition, replicas }));
  });
}

/** The assignments of those partitions that exist. @throws as `assignmentsOfTopics` */
export async function currentAssignments(admin: Admin, partitions: readonly TopicPartition[]): Promise<Assignment[]> {
  const all = await assignmentsOfTopics(admin, [...new Set(partitions.map(({ topic }) => topic))]);
  return all.filter((known) =>
    partitions.some(({ topic, partition }) => topic === known.topic && partition === known.partition),
  );
}
