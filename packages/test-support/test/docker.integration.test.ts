import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, hasDocker, kafkaJs, startContainerCluster } from '../src/index.ts';
import type { ContainerCluster } from '../src/index.ts';

const suite = (await hasDocker()) ? describe : describe.skip;

suite('a cluster of containers', () => {
  let cluster: ContainerCluster;

  beforeAll(async () => {
    cluster = await startContainerCluster(3);
  }, 300_000);

  afterAll(async () => {
    await cluster?.stop();
  }, 60_000);

  it('elects another leader when the leader’s container is killed, and loses nothing acknowledged', async () => {
    const topic = 'contained';
    const kafka = kafkaJs(cluster.bootstrapServers);
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }], waitForLeaders: true });
    const partition = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions[0]!;
    await eventually(async () => (await partition()).isr.length === 3, { what: 'three replicas in the ISR' });

    const producer = kafka.producer();
    await producer.connect();
    const send = async (from: number, to: number): Promise<void> => {
      for (let value = from; value < to; value += 1) {
        await producer.send({ topic, acks: -1, messages: [{ value: String(value) }] });
      }
    };
    // The group comes first: its topic of three replicas cannot be made with two brokers.
    const read = new Set<string>();
    const consumer = kafka.consumer({ groupId: 'contained' });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        read.add(message.value!.toString());
        return Promise.resolve();
      },
    });
    await send(0, 50);
    await eventually(() => read.size === 50, { timeoutMs: 60_000, what: '50 records read back' });

    const { leader } = await partition();
    const dead = cluster.brokers.find((broker) => broker.id === leader)!;
    await dead.kill();
    await send(50, 100);
    const after = await partition();
    expect(after.leader).not.toBe(leader);
    expect(after.leader).toBeGreaterThan(0);
    expect(after.isr).not.toContain(leader);

    await eventually(() => read.size === 100, { timeoutMs: 60_000, what: '100 records read back' });

    await dead.start();
    await eventually(async () => (await partition()).isr.length === 3, {
      timeoutMs: 60_000,
      what: 'the killed broker in the ISR again',
    });
    await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
  }, 180_000);
});
