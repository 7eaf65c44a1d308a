import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Admin } from '@klassic/client';
import type { Codec, ResponseOf } from '@klassic/protocol';
import { BrokerConnection } from '@klassic/network';
import { eventually, isSoak, startCluster } from '@klassic/test-support';
import type { TestBroker, TestCluster } from '@klassic/test-support';
import { quick, time } from './cluster.ts';

jest.setTimeout(120_000);

const topic = 'many';
/** `KLASSIC_SOAK=1 pnpm test:integration` runs the long form, with the failovers. */
const partitions = isSoak() ? 1500 : 600;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({ overrides: { ...quick, 'zookeeper.session.timeout.ms': '6000' } });
});

afterAll(() => cluster?.stop());

async function metadata({ host, port }: TestBroker, codec: Codec, version: number): Promise<ResponseOf<'Metadata'>> {
  const connection = new BrokerConnection({ host, port, clientId: 'scale', codec, time, requestTimeoutMs: 20_000 });
  await connection.connect();
  try {
    return await connection.send('Metadata', version, { topics: [{ name: topic }] });
  } finally {
    connection.close();
  }
}

/** Waits until the broker tells of a leader for every partition, none of them `dead`. */
async function waitUntilLed(broker: TestBroker, dead?: number): Promise<void> {
  await eventually(
    async () => {
      const { topics } = await metadata(broker, 'kafka', 8);
      const leaders = topics.flatMap((each) => each.partitions.map(({ leaderId }) => leaderId));
      return leaders.length === partitions && leaders.every((leader) => leader >= 0 && leader !== dead);
    },
    { timeoutMs: 60_000, what: `leaders of ${partitions} partitions, as broker ${broker.id} tells` },
  );
}

/** Waits until the broker tells of three in-sync replicas everywhere: only they may lead when others die. */
async function waitUntilInSync(broker: TestBroker): Promise<void> {
  await eventually(
    async () => {
      const { topics } = await metadata(broker, 'kafka', 8);
      return topics.every((each) => each.partitions.every(({ isrNodes }) => isrNodes.length === 3));
    },
    { timeoutMs: 60_000, what: 'all replicas in sync' },
  );
}

describe(`a topic of ${partitions} partitions on three brokers`, () => {
  it('is created, and told the same by every broker, in every form of the answer', async () => {
    const admin = new Admin({ bootstrapServers: cluster.bootstrapServers.join(',') });
    await admin.createTopics([{ name: topic, numPartitions: partitions, replicationFactor: 3 }]);
    admin.close();
    for (const broker of cluster.brokers) await waitUntilLed(broker);
    for (const codec of ['kafka', 'msgpack'] as const) {
      for (const version of [1, 5, 7, 8, 9, 11]) {
        const { topics } = await metadata(cluster.broker(1), codec, version);
        const told = topics[0]!.partitions;
        expect(told.map(({ partitionIndex }) => partitionIndex)).toEqual(
          Array.from({ length: partitions }, (_, i) => i),
        );
        expect(told.every(({ replicaNodes }) => [...replicaNodes].sort().join() === '1,2,3')).toBe(true);
      }
    }
  });

  const soak = isSoak() ? it : it.skip;
  soak('outlives the death of a broker that leads a third of it, and of the controller', async () => {
    await waitUntilInSync(cluster.broker(3));
    await cluster.broker(2).kill();
    for (const id of [1, 3]) await waitUntilLed(cluster.broker(id), 2);
    await cluster.broker(2).startAgain();
    await waitUntilLed(cluster.broker(2));
    await waitUntilInSync(cluster.broker(3));
    await cluster.broker(1).kill();
    for (const id of [2, 3]) await waitUntilLed(cluster.broker(id), 1);
  });
});
