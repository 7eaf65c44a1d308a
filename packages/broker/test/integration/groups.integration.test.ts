import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Admin } from '@klassic/client';
import type { GroupDescription } from '@klassic/client';
import { topicPartitionKey } from '@klassic/common';
import { describeWithKcat, eventually, kafkaJs, kafkaJsRoundRobin, startCluster } from '@klassic/test-support';
import type { TestCluster } from '@klassic/test-support';
import { createTopic, quick } from './cluster.ts';
import { Committer } from './committer.ts';
import { KcatGroupReader, Traffic } from './traffic.ts';

jest.setTimeout(120_000);

/** Long, for a machine with much else to do: in these tests members leave, but none falls silent. */
const SESSION_TIMEOUT_MS = 30_000;

let cluster: TestCluster;
let servers: readonly string[];
let admin: Admin;

beforeAll(async () => {
  cluster = await startCluster({ overrides: { ...quick, 'auto.leader.rebalance.enable': 'false' } });
  servers = cluster.bootstrapServers;
  admin = new Admin({ bootstrapServers: servers });
});

afterAll(async () => {
  admin?.close();
  await cluster?.stop();
});

/** A kafkajs consumer that keeps the values it reads. */
async function joinByKafkaJs(
  topic: string,
  groupId: string,
): Promise<{ values: string[]; leave: () => Promise<void> }> {
  const consumer = kafkaJs(servers).consumer({
    ...{ groupId, partitionAssigners: [kafkaJsRoundRobin], sessionTimeout: SESSION_TIMEOUT_MS },
    ...{ heartbeatInterval: 500, maxWaitTimeInMs: 200 },
  });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      values.push(String(message.value));
      return Promise.resolve();
    },
  });
  return { values, leave: () => consumer.disconnect() };
}

describeWithKcat(describe)('A group of kafkajs and kcat members', () => {
  const topic = 'shared';
  const groupId = 'mixed';
  const partitions = [0, 1, 2, 3, 4, 5];

  /** Waits until the group is stable with so many members, each with partitions, all of them shared out and none twice. */
  async function untilShared(members: number): Promise<GroupDescription> {
    const shared = async (): Promise<GroupDescription | false> => {
      const group = await admin.describeGroup(groupId);
      const owned = group.members.flatMap(({ assignment }) => assignment.map(({ partition }) => partition));
      const everybody = group.members.length === members && group.members.every((each) => each.assignment.length > 0);
      return group.state === 'Stable' && everybody && owned.sort().join() === partitions.join() && group;
    };
    return eventually(shared, { timeoutMs: 60_000, what: `${members} members that share all partitions` });
  }

  async function produce(name: string): Promise<string[]> {
    const producer = kafkaJs(servers).producer();
    await producer.connect();
    const records = partitions.flatMap((partition) =>
      Array.from({ length: 50 }, (_, index) => ({ partition, value: `${name}-${partition}-${index}` })),
    );
    await producer.send({ topic, acks: -1, messages: records });
    await producer.disconnect();
    return records.map(({ value }) => value).sort();
  }

  it('agrees on the protocol they have in common and shares all partitions, also when members leave', async () => {
    await createTopic(servers, topic, [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [1, 3, 2],
      [2, 1, 3],
      [3, 2, 1],
    ]);
    // kcat would rather have range.
    const byKcat = [1, 2].map(() => new KcatGroupReader(servers, topic, groupId, SESSION_TIMEOUT_MS));
    const byKafkaJs = [await joinByKafkaJs(topic, groupId), await joinByKafkaJs(topic, groupId)];
    const all = [...byKcat, ...byKafkaJs];
    const readBy = (readers: readonly { values: string[] }[], name: string): string[] =>
      readers.flatMap(({ values }) => values.filter((value) => value.startsWith(`${name}-`))).sort();

    const group = await untilShared(4);
    expect(group.assignor).toBe('roundrobin');
    const sent = await produce('all');
    await eventually(() => readBy(all, 'all').length >= sent.length, { timeoutMs: 30_000, what: 'all records' });
    expect(readBy(all, 'all')).toEqual(sent);
    for (const reader of all) expect(readBy([reader], 'all').length).toBeGreaterThan(0);

    await byKcat[0]!.stop();
    await byKafkaJs[0]!.leave();
    await untilShared(2);
    const rest = [byKcat[1]!, byKafkaJs[1]!];
    const sentLater = await produce('rest');
    await eventually(() => readBy(rest, 'rest').length >= sentLater.length, { timeoutMs: 30_000, what: 'the rest' });
    expect(readBy(rest, 'rest')).toEqual(sentLater);
    for (const reader of rest) expect(readBy([reader], 'rest').length).toBeGreaterThan(0);

    await byKcat[1]!.stop();
    await byKafkaJs[1]!.leave();
    expect((await admin.describeGroup(groupId)).state).toBe('Empty');
  });
});

describe('kill -9 of the coordinator while members commit all the time', () => {
  it('loses no acknowledged commit, and moves none back', async () => {
    const [topic, groupId] = ['committed', 'committers'];
    const coordinator = await admin.findCoordinator(groupId);
    const replicas = [...[1, 2, 3].filter((id) => id !== coordinator.id), coordinator.id];
    await createTopic(servers, topic, [replicas, replicas, replicas], { 'min.insync.replicas': '2' });
    const traffic = new Traffic(servers, topic);
    const acknowledged = new Map<string, number>();
    const members = [1, 2, 3].map(() => new Committer(servers, topic, groupId, SESSION_TIMEOUT_MS, acknowledged));
    const read = new Map<string, number>();
    const movedBack: string[] = [];
    /** Reads what is committed: it is to be no less than what was acknowledged before, nor than what was read before. */
    const readCommitted = async (): Promise<void> => {
      const floor = new Map(acknowledged);
      const offsets = await admin.listGroupOffsets(groupId);
      for (const [key, least] of [...floor, ...read]) {
        const offset = offsets.get(key)?.offset ?? -1;
        if (offset < least) movedBack.push(`${key}: ${offset} after ${least}`);
      }
      for (const [key, { offset }] of offsets) read.set(key, offset);
    };
    const commits = (): number => members.reduce((sum, member) => sum + member.commits, 0);
    try {
      await eventually(() => members.every((member) => member.commits >= 20) && acknowledged.size === 3, {
        timeoutMs: 60_000,
        what: 'commits of each member',
      });
      await readCommitted();
      await cluster.broker(coordinator.id).kill();
      const before = commits();
      await readCommitted();
      await eventually(async () => (await admin.findCoordinator(groupId)).id !== coordinator.id, {
        timeoutMs: 60_000,
        what: 'another coordinator',
      });
      await readCommitted();
      await eventually(
        async () => {
          await readCommitted();
          return commits() >= before + 60;
        },
        { timeoutMs: 60_000, what: 'commits to the next coordinator' },
      );
      const sent = await traffic.stop();
      const committed = (): number => [0, 1, 2].reduce((sum, partition) => sum + of(acknowledged, topic, partition), 0);
      await eventually(() => committed() >= sent.length, { timeoutMs: 60_000, what: 'the commits of all records' });
      await readCommitted();
      expect(movedBack).toEqual([]);
      expect(committed()).toBe(sent.length);
    } finally {
      traffic.abandon();
      await Promise.all(members.map((member) => member.stop()));
    }
  });
});

function of(offsets: ReadonlyMap<string, number>, topic: string, partition: number): number {
  return offsets.get(topicPartitionKey(topic, partition)) ?? 0;
}
