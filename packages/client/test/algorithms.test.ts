import { describe, expect, it } from '@jest/globals';
import { SeededRandom, topicPartitionKey } from '@klassic/common';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import { DefaultPartitioner, murmur2, partitionForKey, rangeAssignor, roundRobinAssignor } from '../src/index.ts';
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
  readonly topics: Record<string, number>;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly topics: readonly string[];
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

describeWithReference(describe).each([rangeAssignor, roundRobinAssignor])('assignor $name', (assignor) => {
  it('assigns as Kafka does in every scenario', () => {
    for (const { name, steps } of vectors<{ name: string; steps: AssignorStep[] }>(
      'assignors',
      `${assignor.name}.jsonl`,
    )) {
      for (const { topics, members, assignment } of steps) {
        const actual = assignor.assign(new Map(Object.entries(topics)), members);
        const sorted = (partitions: [string, number][]): string[] =>
          partitions.map(([topic, partition]) => topicPartitionKey(topic, partition)).sort();
        const expected = Object.fromEntries(
          Object.entries(assignment).map(([member, partitions]) => [member, sorted(partitions)]),
        );
        const got = Object.fromEntries(
          [...actual].map(([member, list]) => [
            member,
            sorted(list.map(({ topic, partition }) => [topic, partition] as [string, number])),
          ]),
        );
        expect({ name, got }).toEqual({ name, got: expected });
      }
    }
  });

  it('reads what members say, and writes what they are told, in Kafka’s bytes', () => {
    for (const { steps } of vectors<{ steps: AssignorStep[] }>('assignors', `${assignor.name}.jsonl`)) {
      for (const { members, assignment, assignmentHex } of steps) {
        for (const { memberId, topics, subscriptionHex } of members) {
          const bytes = Buffer.from(subscriptionHex, 'hex');
          expect(decodeSubscription(bytes).sort()).toEqual([...topics].sort());
          const partitions = assignment[memberId]!.map(([topic, partition]) => ({ topic, partition }));
          const keys = (list: typeof partitions): string[] =>
            list.map(({ topic, partition }) => topicPartitionKey(topic, partition)).sort();
          expect(keys(decodeAssignment(Buffer.from(assignmentHex[memberId]!, 'hex')))).toEqual(keys(partitions));
          expect(keys(decodeAssignment(encodeAssignment(partitions)))).toEqual(keys(partitions));
          expect(decodeSubscription(encodeSubscription(topics, [])).sort()).toEqual([...topics].sort());
        }
      }
    }
  });
});

describe('DefaultPartitioner', () => {
  const topic = {
    name: 't',
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
