import { describe, expect, it } from '@jest/globals';
import { SeededRandom, topicPartitionKey } from '@klassic/common';
import { decodeMessage, StickyAssignorUserData } from '@klassic/protocol';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import {
  CooperativeStickyAssignor,
  DefaultPartitioner,
  murmur2,
  partitionForKey,
  rangeAssignor,
  roundRobinAssignor,
  StickyAssignor,
} from '../src/index.ts';
import type { GroupMember, PartitionAssignor } from '../src/index.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../src/consumer/consumer-protocol.ts';

interface HashVector {
  readonly keyHex: string;
  readonly murmur2: number;
  readonly partition: Record<string, number>;
}

interface AssignorStep {
  readonly generation: number;
  readonly topics: Record<string, number>;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly topics: readonly string[];
    readonly ownedPartitions: readonly (readonly [string, number])[];
    readonly userDataHex: string | null;
    readonly subscriptionHex: string;
  }[];
  readonly assignment: Record<string, [string, number][]>;
  readonly assignmentHex: Record<string, string>;
}

function vectors<T>(...path: string[]): T[] {
  return readReferenceLines('vectors', 'algorithms', ...path).map((line) => JSON.parse(line) as T);
}

describeWithReference(describe)('murmur2', () => {
  it('hashes and places every key as Kafka does', () => {
    for (const vector of vectors<HashVector>('murmur2.jsonl')) {
      const key = Buffer.from(vector.keyHex, 'hex');
      const partition = Object.fromEntries(
        Object.keys(vector.partition).map((count) => [count, partitionForKey(key, Number(count))]),
      );
      expect({ key: vector.keyHex, murmur2: murmur2(key), partition }).toEqual({
        key: vector.keyHex,
        murmur2: vector.murmur2,
        partition: vector.partition,
      });
    }
  });
});

type Placed = readonly [string, number];
type StepMember = AssignorStep['members'][number];

const assignors: readonly (() => PartitionAssignor)[] = [
  () => rangeAssignor,
  () => roundRobinAssignor,
  () => new StickyAssignor(),
  () => new CooperativeStickyAssignor(),
];

const keys = (partitions: readonly Placed[]): string[] =>
  partitions.map((placed) => topicPartitionKey(...placed)).sort();

function memberOf({ memberId, groupInstanceId, topics, ownedPartitions, userDataHex }: StepMember): GroupMember {
  return {
    memberId,
    groupInstanceId,
    topics,
    ownedPartitions: ownedPartitions.map(([topic, partition]) => ({ topic, partition })),
    userData: userDataHex === null ? null : Buffer.from(userDataHex, 'hex'),
  };
}

describeWithReference(describe).each(assignors.map((make) => ({ name: make().name, make })))(
  'assignor $name',
  ({ name: assignorName, make }) => {
    const scenarios = vectors<{ name: string; steps: AssignorStep[] }>('assignors', `${assignorName}.jsonl`);

    it('assigns as Kafka does in every scenario', () => {
      for (const { name, steps } of scenarios) {
        for (const { generation, topics, members, assignment } of steps) {
          const actual = make().assign(new Map(Object.entries(topics)), members.map(memberOf));
          const got = Object.fromEntries(
            [...actual].map(([member, list]) => [
              member,
              keys(list.map(({ topic, partition }) => [topic, partition] as const)),
            ]),
          );
          const expected = Object.fromEntries(Object.entries(assignment).map(([member, list]) => [member, keys(list)]));
          expect({ name, generation, got }).toEqual({ name, generation, got: expected });
        }
      }
    });

    it('carries over in user data what Kafka’s does', () => {
      for (const { name, steps } of scenarios) {
        const memories = new Map<string, PartitionAssignor>();
        for (const { generation, members, assignment } of steps) {
          for (const { memberId, userDataHex } of members) {
            const own = memories.get(memberId);
            // A member may forget, or come back under another name with what it knew.
            if (own !== undefined && userDataHex !== null && userDataHex !== make().userData()?.toString('hex')) {
              expect({ name, generation, memberId, hex: told(own.userData()) }).toEqual({
                name,
                generation,
                memberId,
                hex: told(Buffer.from(userDataHex, 'hex')),
              });
            }
            const memory = own ?? make();
            memory.onAssignment(
              assignment[memberId]!.map(([topic, partition]) => ({ topic, partition })),
              generation,
            );
            memories.set(memberId, memory);
          }
        }
      }
    });

    it('reads what members say, and writes what they are told, in Kafka’s bytes', () => {
      for (const { steps } of scenarios) {
        for (const { members, assignment, assignmentHex } of steps) {
          for (const member of members) {
            const { memberId, topics, ownedPartitions, userData } = memberOf(member);
            const bytes = Buffer.from(member.subscriptionHex, 'hex');
            const read = decodeSubscription(bytes);
            const said = (subscription: typeof read): unknown => ({
              topics: [...subscription.topics].sort(),
              userData: subscription.userData?.toString('hex') ?? null,
              owned: keys(subscription.ownedPartitions.map(({ topic, partition }) => [topic, partition])),
            });
            expect(said(read)).toEqual(said({ topics, userData, ownedPartitions }));
            expect(said(decodeSubscription(encodeSubscription(read)))).toEqual(said(read));
            const partitions = assignment[memberId]!.map(([topic, partition]) => ({ topic, partition }));
            const told = (list: typeof partitions): string[] =>
              keys(list.map(({ topic, partition }) => [topic, partition]));
            expect(told(decodeAssignment(Buffer.from(assignmentHex[memberId]!, 'hex')))).toEqual(told(partitions));
            expect(told(decodeAssignment(encodeAssignment(partitions)))).toEqual(told(partitions));
          }
        }
      }
    });
  },
);

/** The bytes with the order of topics, which comes from a hash map, left out. */
function told(userData: Buffer | null): string | undefined {
  if (userData === null || userData.length === 4) return userData?.toString('hex');
  const { previousAssignment, generation } = decodeMessage(StickyAssignorUserData, 1, userData);
  const placed = previousAssignment.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => [topic, partition] as const),
  );
  return `${generation}: ${keys(placed).join()}`;
}

describe('DefaultPartitioner', () => {
  const topic = {
    name: 't',
    topicId: null,
    isInternal: false,
    errorCode: 0,
    partitions: [0, 1, 2].map((partition) => ({
      topic: 't',
      partition,
      leader: partition === 1 ? -1 : 1,
      leaderEpoch: 0,
      replicas: [1],
      isr: [1],
      offlineReplicas: [],
      errorCode: 0,
    })),
  };

  it('keeps to a partition with a leader until its batch is done', () => {
    const partitioner = new DefaultPartitioner(new SeededRandom(1));
    const first = partitioner.partition(topic, null);
    expect([0, 2]).toContain(first);
    expect(partitioner.partition(topic, null)).toBe(first);
    partitioner.onNewBatch(topic, first);
    expect(partitioner.partition(topic, null)).toBe(2 - first);
  });
});
