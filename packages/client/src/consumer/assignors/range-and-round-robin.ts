import type { TopicPartition } from '@klassic/common';
import { compareText, memoryless } from './partition-assignor.ts';
import type { GroupMember, PartitionAssignor } from './partition-assignor.ts';

/** Static members come first, by instance id; the others by member id (`AbstractPartitionAssignor.MemberInfo`). */
function compareMembers(one: GroupMember, other: GroupMember): number {
  if (one.groupInstanceId !== null && other.groupInstanceId !== null) {
    return compareText(one.groupInstanceId, other.groupInstanceId);
  }
  if (one.groupInstanceId !== null) return -1;
  if (other.groupInstanceId !== null) return 1;
  return compareText(one.memberId, other.memberId);
}

function noPartitions(members: readonly GroupMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]));
}

/** Each topic by itself in consecutive ranges; the first members get one more (`RangeAssignor`). */
export const rangeAssignor: PartitionAssignor = {
  ...memoryless,
  name: 'range',
  assign(partitionCounts, members) {
    const assignment = noPartitions(members);
    const byTopic = new Map<string, GroupMember[]>();
    for (const member of members) {
      for (const topic of member.topics) byTopic.set(topic, [...(byTopic.get(topic) ?? []), member]);
    }
    for (const [topic, subscribers] of byTopic) {
      const count = partitionCounts.get(topic);
      if (count === undefined) continue;
      const each = Math.floor(count / subscribers.length);
      const withOneMore = count % subscribers.length;
      let next = 0;
      subscribers.toSorted(compareMembers).forEach(({ memberId }, index) => {
        const end = next + each + (index < withOneMore ? 1 : 0);
        for (; next < end; next += 1) assignment.get(memberId)!.push({ topic, partition: next });
      });
    }
    return assignment;
  },
};

/** All partitions of all topics in turn to the members that subscribed to their topic (`RoundRobinAssignor`). */
export const roundRobinAssignor: PartitionAssignor = {
  ...memoryless,
  name: 'roundrobin',
  assign(partitionCounts, members) {
    const assignment = noPartitions(members);
    const ring = members.toSorted(compareMembers);
    const topics = [...new Set(members.flatMap((member) => member.topics))].sort(compareText);
    let turn = 0;
    for (const topic of topics) {
      const count = partitionCounts.get(topic) ?? 0;
      for (let partition = 0; partition < count; partition += 1) {
        while (!ring[turn % ring.length]!.topics.includes(topic)) turn += 1;
        assignment.get(ring[turn % ring.length]!.memberId)!.push({ topic, partition });
        turn += 1;
      }
    }
    return assignment;
  },
};
