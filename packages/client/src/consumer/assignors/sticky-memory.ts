import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { GroupMember } from './partition-assignor.ts';

/** What a member says of the past. */
export interface MemberMemory {
  readonly partitions: readonly TopicPartition[];
  /** Of the assignment it remembers; undefined when it does not tell. */
  readonly generation: number | undefined;
}

/** A member together with its past. */
export interface RememberingMember extends GroupMember {
  readonly memory: MemberMemory;
  /** What is left of the memory once its user data has been read through. */
  readonly faded: MemberMemory;
}

export const NO_GENERATION = -1;

/** Index of the first member that reads other topics than those before it; undefined when all read the same. */
export function firstWithOtherTopics(members: readonly GroupMember[]): number | undefined {
  let shared: ReadonlySet<string> = new Set();
  const found = members.findIndex(({ topics }) => {
    if (shared.size === 0) {
      shared = new Set(topics);
      return false;
    }
    return topics.length !== shared.size || !topics.every((topic) => shared.has(topic));
  });
  return found < 0 ? undefined : found;
}

/** Who had what before this rebalance. */
export interface Ownership {
  /** By member id, without topics that are gone. */
  readonly owned: ReadonlyMap<string, readonly TopicPartition[]>;
  /** Keys of partitions that several members claim for the same generation: nobody keeps them. */
  readonly disputed: ReadonlySet<string>;
}

/** Believes those members alone that were in the latest generation known: the others' partitions may have moved on. */
export function previousOwnership(members: readonly RememberingMember[], topics: ReadonlySet<string>): Ownership {
  const owned = new Map<string, TopicPartition[]>();
  const ownerOf = new Map<string, string>();
  const disputed = new Set<string>();
  let latest = NO_GENERATION;
  for (const { memberId, memory } of members) {
    const own: TopicPartition[] = [];
    owned.set(memberId, own);
    const generation = memory.generation ?? NO_GENERATION;
    if (generation < latest) continue;
    if (generation > latest) {
      for (const list of owned.values()) list.length = 0;
      ownerOf.clear();
      disputed.clear();
      latest = generation;
    }
    for (const partition of memory.partitions) {
      if (!topics.has(partition.topic)) continue;
      const key = topicPartitionKey(partition.topic, partition.partition);
      if (ownerOf.has(key)) {
        disputed.add(key);
      } else {
        ownerOf.set(key, memberId);
        own.push(partition);
      }
    }
  }
  const undisputed = ({ topic, partition }: TopicPartition): boolean =>
    !disputed.has(topicPartitionKey(topic, partition));
  return { owned: new Map([...owned].map(([id, list]) => [id, list.filter(undisputed)])), disputed };
}
