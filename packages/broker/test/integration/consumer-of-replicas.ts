import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Consumer, LogTruncationError, Producer } from '@klassic/client';
import type { ConsumerOptions } from '@klassic/client';
import { startCluster } from '@klassic/test-support';
import type { StartClusterOptions, TestCluster } from '@klassic/test-support';
import { createTopic, quick, ZNodes } from './cluster.ts';

/** Less than any batch: each fetch brings one. */
const ONE_BATCH = 1;

/**
 * What Klassic's consumer does with three brokers, each in a rack of its own, whoever they are: it reads from the replica
 * that the leader names (KIP-392), and notices a truncated log (KIP-320).
 */
export function testConsumerOfReplicas(options: Pick<StartClusterOptions, 'command'>): void {
  let cluster: TestCluster;
  let servers: readonly string[];
  let znodes: ZNodes;
  const consumers: Consumer[] = [];

  beforeAll(async () => {
    cluster = await startCluster({
      ...options,
      overrides: {
        ...quick,
        'auto.leader.rebalance.enable': 'false',
        'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
      },
      brokerOverrides: (id) => ({ 'broker.rack': `rack-${id}` }),
    });
    servers = cluster.bootstrapServers;
    znodes = await ZNodes.open(cluster.zooKeeper.connectString);
  });

  afterEach(async () => {
    for (const consumer of consumers.splice(0)) await consumer.close();
  });

  afterAll(async () => {
    await znodes?.close();
    await cluster?.stop();
  });

  async function produce(topic: string, values: readonly string[]): Promise<void> {
    const producer = new Producer({ bootstrapServers: servers, acks: 'all' });
    try {
      for (const value of values) await producer.send({ topic, partition: 0, value });
    } finally {
      await producer.close();
    }
  }

  /** A consumer of the first partition, from its beginning. */
  function consumerOf(topic: string, options: Partial<ConsumerOptions>): Consumer {
    const consumer = new Consumer({ bootstrapServers: servers, fetchMaxWaitMs: 200, ...options });
    consumers.push(consumer);
    consumer.assign([{ topic, partition: 0 }]);
    consumer.seek({ topic, partition: 0 }, 0);
    return consumer;
  }

  it('reads from the follower in its rack, and from the leader when that has died (KIP-392)', async () => {
    await createTopic(servers, 'near', [[1, 3]]);
    await produce('near', values('near', 0, 40));
    const options = { autoOffsetReset: 'none', maxPartitionFetchBytes: ONE_BATCH } as const;
    const [near, far] = [consumerOf('near', { ...options, clientRack: 'rack-3' }), consumerOf('near', options)];
    for (const consumer of [near, far]) expect(await read(consumer, 1)).toEqual(numbered('near', 0, 1));
    // Whoever goes on while the leader stands still reads from another, which may not have heard of the last record's commit.
    cluster.broker(1).pause();
    try {
      expect(await read(near, 38)).toEqual(numbered('near', 1, 39));
      expect((await read(far, 38, 500)).length).toBeLessThan(38);
    } finally {
      cluster.broker(1).resume();
    }
    expect(await read(near, 1)).toEqual(numbered('near', 39, 40));
    await cluster.broker(3).kill();
    try {
      await znodes.waitForIsr('near', 0, [1]);
      await produce('near', values('near', 40, 50));
      expect(await read(near, 10)).toEqual(numbered('near', 40, 50));
    } finally {
      await cluster.broker(3).startAgain();
    }
  });

  it('learns that what it read was lost in an unclean election, and where (KIP-320)', async () => {
    const partition = { topic: 'lost', partition: 0 };
    await createTopic(servers, 'lost', [[2, 3]], { 'unclean.leader.election.enable': 'true' });
    await produce('lost', values('kept', 0, 10));
    await cluster.broker(3).kill();
    await znodes.waitForIsr('lost', 0, [2]);
    await produce('lost', values('lost', 10, 15));
    const none = consumerOf('lost', { autoOffsetReset: 'none' });
    const earliest = consumerOf('lost', { autoOffsetReset: 'earliest' });
    for (const consumer of [none, earliest]) {
      expect(await read(consumer, 15)).toEqual([...numbered('kept', 0, 10), ...numbered('lost', 10, 15)]);
    }

    await cluster.broker(2).kill();
    await cluster.broker(3).startAgain();
    await znodes.waitForIsr('lost', 0, [3]);
    await produce('lost', values('new', 10, 12));
    const failure: unknown = await read(none, 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LogTruncationError);
    const { divergentOffsets, fetchOffsets } = failure as LogTruncationError;
    expect([...divergentOffsets]).toEqual([['lost-0', { offset: 10, leaderEpoch: 0 }]]);
    expect([...fetchOffsets]).toEqual([['lost-0', 15]]);
    none.seek(partition, 10, 0);
    for (const consumer of [none, earliest]) expect(await read(consumer, 2)).toEqual(numbered('new', 10, 12));
  });
}

/** The next `count` records, each as its offset and value; fewer when they do not come in time. */
async function read(consumer: Consumer, count: number, timeoutMs = 30_000): Promise<string[]> {
  const deadline = Date.now() + timeoutMs;
  const seen: string[] = [];
  while (seen.length < count && Date.now() < deadline) {
    for (const { offset, value } of await consumer.poll(200)) seen.push(`${offset} ${String(value)}`);
  }
  return seen;
}

function values(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${name}-${from + index}`);
}

/** The same as they are read. */
function numbered(name: string, from: number, to: number): string[] {
  return values(name, from, to).map((value, index) => `${from + index} ${value}`);
}
