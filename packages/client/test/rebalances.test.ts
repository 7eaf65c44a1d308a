import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import {
  Consumer,
  CooperativeStickyAssignor,
  rangeAssignor,
  roundRobinAssignor,
  StickyAssignor,
} from '../src/index.ts';
import type { ConsumerOptions, PartitionAssignor } from '../src/index.ts';
import { FakeCluster } from './fake-broker.ts';
import { FakeGroup } from './fake-group.ts';
import { logHandlers } from './fake-logs.ts';

jest.setTimeout(30_000);

/** A consumer that polls all the time, and notes what its listener is told. */
class Member {
  readonly events: string[] = [];
  readonly consumer: Consumer;
  records = 0;
  private readonly running: Promise<void>;
  private stopped = false;

  constructor(cluster: FakeCluster, options: Partial<ConsumerOptions>) {
    this.consumer = new Consumer({
      bootstrapServers: cluster.bootstrapServers,
      groupId: 'g',
      autoOffsetReset: 'earliest',
      retryBackoffMs: 10,
      heartbeatIntervalMs: 20,
      maxPollRecords: 1,
      ...options,
    });
    const note = (what: string) => (partitions: readonly TopicPartition[]) => {
      const keys = partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition));
      this.events.push([what, ...keys.sort()].join(' '));
    };
    this.consumer.subscribe(['t'], {
      onPartitionsAssigned: note('assigned'),
      onPartitionsRevoked: note('revoked'),
      onPartitionsLost: note('lost'),
    });
    this.running = this.run();
  }

  get assigned(): string[] {
    return this.consumer
      .assignment()
      .map(({ topic, partition }) => topicPartitionKey(topic, partition))
      .sort();
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.consumer.wakeup();
    await this.running;
    await this.consumer.close();
  }

  private async run(): Promise<void> {
    while (!this.stopped) this.records += (await this.consumer.poll(20)).length;
  }
}

const opened: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) {
    await thing.close?.();
    await thing.stop?.();
  }
});

async function start(): Promise<{
  cluster: FakeCluster;
  group: FakeGroup;
  join: (...a: PartitionAssignor[]) => Member;
}> {
  const group = new FakeGroup();
  const cluster = await FakeCluster.start({ ...logHandlers(), ...group.handlers });
  for (let value = 0; value < 400; value += 1) cluster.log(value % 4).push(String(value));
  opened.push(cluster);
  const join = (...partitionAssignors: PartitionAssignor[]): Member => {
    const member = new Member(cluster, { partitionAssignors });
    opened.push(member);
    return member;
  };
  return { cluster, group, join };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const all = ['t-0', 't-1', 't-2', 't-3'];

describe('a rebalance', () => {
  it('takes from a member only what moves, in two rounds, under the cooperative protocol', async () => {
    const { group, join } = await start();
    const first = join(new CooperativeStickyAssignor());
    await until(() => first.assigned.length === 4);
    const second = join(new CooperativeStickyAssignor());
    await until(() => second.assigned.length === 2 && first.assigned.length === 2);
    expect([...first.assigned, ...second.assigned].sort()).toEqual(all);
    // One generation to begin with, one in which two are given up, one in which they are given away.
    expect(group.generationId).toBe(3);
    expect(first.events).toEqual([
      `assigned ${all.join(' ')}`,
      `revoked ${second.assigned.join(' ')}`,
      'assigned',
      'assigned',
    ]);
    expect(second.events).toEqual(['assigned', `assigned ${second.assigned.join(' ')}`]);
  });

  it('lets a member read on while it waits for the others, under the cooperative protocol', async () => {
    const { group, join } = await start();
    const first = join(new CooperativeStickyAssignor());
    await until(() => first.records > 0);
    group.addSilentMember('silent');
    const before = first.records;
    await until(() => first.records > before + 20);
    expect(first.assigned).toEqual(all);
    group.forget('silent');
    await until(() => group.generationId === 2);
  });

  it('takes everything from everybody under the eager protocol', async () => {
    const { group, join } = await start();
    const first = join(rangeAssignor);
    await until(() => first.assigned.length === 4);
    const second = join(rangeAssignor);
    await until(() => second.assigned.length === 2 && first.assigned.length === 2);
    expect(group.generationId).toBe(2);
    expect(first.events).toEqual([`assigned ${all.join(' ')}`, `revoked ${all.join(' ')}`, 'assigned t-0 t-1']);
  });

  it('leaves a member what it had under the sticky assignor, when another goes', async () => {
    const { join } = await start();
    const first = join(new StickyAssignor());
    await until(() => first.assigned.length === 4);
    const second = join(new StickyAssignor());
    await until(() => second.assigned.length === 2 && first.assigned.length === 2);
    const third = join(new StickyAssignor());
    await until(() => third.assigned.length === 1 && first.assigned.length + second.assigned.length === 3);
    const kept = first.assigned;
    await second.close();
    await until(() => first.assigned.length === 2 && third.assigned.length === 2);
    expect(first.assigned).toEqual(expect.arrayContaining(kept));
  });

  it('goes by the assignor that all members know', async () => {
    const { group, join } = await start();
    const first = join(new CooperativeStickyAssignor(), rangeAssignor);
    await until(() => first.assigned.length === 4);
    const second = join(roundRobinAssignor, rangeAssignor);
    await until(() => second.assigned.length === 2 && first.assigned.length === 2);
    expect(group.protocolNames).toEqual(['cooperative-sticky', 'range']);
  });

  it('tells a member that was thrown out what it has lost', async () => {
    const { group, join } = await start();
    const first = join(new CooperativeStickyAssignor());
    await until(() => first.assigned.length === 4);
    group.forget(group.memberIds[0]!);
    await until(() => first.events.length === 3);
    expect(first.events).toEqual([`assigned ${all.join(' ')}`, `lost ${all.join(' ')}`, `assigned ${all.join(' ')}`]);
  });

  it('follows when the topic has more partitions', async () => {
    const { cluster } = await start();
    const first = new Member(cluster, { partitionAssignors: [new CooperativeStickyAssignor()], metadataMaxAgeMs: 50 });
    opened.push(first);
    await until(() => first.assigned.length === 4);
    cluster.leaders.push(0);
    await until(() => first.assigned.length === 5);
    expect(first.events).toEqual([`assigned ${all.join(' ')}`, 'assigned t-4']);
  });
});
