import type { Admin, OngoingReassignment } from '@klassic/client';
import { parseTopicPartition, topicPartitionKey } from '@klassic/common';
import { compareTopicPartitions } from '../partition-file.ts';
import type { ToolIo } from '../tool.ts';
import { describeMoves, findMoveStates, isDone } from './log-dir-moves.ts';
import { parsePlan } from './plan.ts';
import type { Assignment } from './plan.ts';
import { clearAllThrottles } from './throttles.ts';

/** Tells how far a plan has come; when it is done, takes the limits away. @throws PartitionFileError, KafkaError, TimeoutError */
export async function verifyAssignment(
  admin: Admin,
  planText: string,
  preserveThrottles: boolean,
  io: ToolIo,
): Promise<void> {
  const plan = parsePlan(planText);
  const ongoing = await admin.listPartitionReassignments();
  const known = new Map((await admin.listTopics()).map((topic) => [topic.name, topic]));
  io.out('Status of partition reassignment:\n');
  for (const target of [...plan.assignments].sort(compareTopicPartitions)) {
    const current = known.get(target.topic)?.partitions[target.partition]?.replicas ?? [];
    io.out(`${statusOf(target, current, ongoing)}\n`);
  }
  const moves = await findMoveStates(admin, plan.moves);
  io.out(`${describeMoves(moves)}\n`);
  const isOngoing = plan.assignments.some(({ topic, partition }) => ongoing.has(topicPartitionKey(topic, partition)));
  if (!isOngoing && moves.every(isDone) && !preserveThrottles) await clearAllThrottles(admin, plan, io);
}

function statusOf(
  { topic, partition, replicas }: Assignment,
  current: readonly number[],
  ongoing: ReadonlyMap<string, OngoingReassignment>,
): string {
  const key = topicPartitionKey(topic, partition);
  if (ongoing.has(key)) return `Reassignment of partition ${key} is still in progress.`;
  if (current.join(',') === replicas.join(',')) return `Reassignment of partition ${key} is complete.`;
  return (
    `There is no active reassignment of partition ${key}, but replica set is ${current.join(',')} rather than ` +
    `${replicas.join(',')}.`
  );
}

/** The reassignments under way, a line each. @throws KafkaError, TimeoutError */
export async function listReassignments(admin: Admin): Promise<string> {
  const ongoing = await admin.listPartitionReassignments();
  if (ongoing.size === 0) return 'No partition reassignments found.';
  const lines = [...ongoing.keys()]
    .sort((a, b) => compareTopicPartitions(parseTopicPartition(a)!, parseTopicPartition(b)!))
    .map((key) => {
      const { replicas, addingReplicas, removingReplicas } = ongoing.get(key)!;
      const adding = addingReplicas.length === 0 ? '' : ` adding: ${addingReplicas.join(',')}.`;
      const removing = removingReplicas.length === 0 ? '' : ` removing: ${removingReplicas.join(',')}.`;
      return `${key}: replicas: ${replicas.join(',')}.${adding}${removing}`;
    });
  return `Current partition reassignments:\n${lines.join('\n')}`;
}
