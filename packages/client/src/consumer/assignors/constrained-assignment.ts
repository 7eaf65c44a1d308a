import { invariant, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { compareText } from './partition-assignor.ts';
import type { Ownership } from './sticky-memory.ts';

export interface ConstrainedAssignment {
  readonly assignment: Map<string, TopicPartition[]>;
  /** Keys of partitions that their owner has to give up for the member named. */
  readonly transferring: ReadonlyMap<string, string>;
}

/**
 * The sticky assignment of members that all read the same topics: as even as can be, and with as few moves as that
 * allows (`AbstractStickyAssignor.constrainedAssign`).
 *
 * @param partitions all of them, by topic and partition
 */
export function constrainedAssignment(
  partitions: readonly TopicPartition[],
  { owned, disputed }: Ownership,
): ConstrainedAssignment {
  const minQuota = Math.floor(partitions.length / owned.size);
  const maxQuota = Math.ceil(partitions.length / owned.size);
  const assignment = new Map<string, TopicPartition[]>();
  const transferring = new Map<string, string>();
  const unassigned = new Map(partitions.map((target) => [keyOf(target), target]));
  const revoked = new Set<string>(disputed);
  const unfilled: string[] = [];
  const atMinimum: string[] = [];
  const atMaximum: string[] = [];

  for (const [member, list] of owned) {
    const kept = list.slice(0, maxQuota);
    assignment.set(member, kept);
    for (const target of kept) unassigned.delete(keyOf(target));
    for (const target of list.slice(maxQuota)) revoked.add(keyOf(target));
    if (list.length < minQuota) {
      unfilled.push(member);
      continue;
    }
    if (kept.length === minQuota) atMinimum.push(member);
    if (kept.length === maxQuota) atMaximum.push(member);
  }

  const give = (target: TopicPartition, member: string): void => {
    const key = keyOf(target);
    unassigned.delete(key);
    assignment.get(member)!.push(target);
    if (revoked.has(key)) transferring.set(key, member);
  };

  // What is free goes round among those that have too little ...
  let hungry = unfilled.sort(compareText);
  while (hungry.length > 0 && unassigned.size > 0) {
    const stillHungry: string[] = [];
    for (const member of hungry) {
      const next = unassigned.values().next();
      if (next.done !== true) give(next.value, member);
      if (assignment.get(member)!.length < minQuota) stillHungry.push(member);
      else atMinimum.push(member);
    }
    hungry = stillHungry;
  }
  // ... then those that have most give up one each ...
  for (const member of hungry) {
    const own = assignment.get(member)!;
    while (own.length < minQuota) {
      const donor = atMaximum.shift();
      invariant(donor !== undefined, 'Some consumers are under capacity but all partitions have been assigned');
      const target = assignment.get(donor)!.shift()!;
      own.push(target);
      transferring.set(keyOf(target), member);
    }
    atMinimum.push(member);
  }
  // ... and what does not divide evenly goes to the first members that have no more than the others.
  for (const target of [...unassigned.values()]) {
    const member = atMinimum.shift();
    invariant(member !== undefined, 'Some partitions are unassigned but all consumers are at maximum capacity');
    give(target, member);
  }
  return { assignment, transferring };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}
