import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Admin, Producer } from '@klassic/client';
import { eventually, startBroker, startZooKeeper } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { apacheKafkaCommand, describeWithApacheKafka } from './apache-kafka.ts';
import { createTopic, quick, ZNodes } from './cluster.ts';
import { complaints, keyedRecords, readTopic } from './records.ts';

jest.setTimeout(300_000);

type Kind = 'Apache Kafka' | 'Klassic';

/** Each broker leads one of the partitions. */
const everywhere = [
  [3, 1, 2],
  [1, 2, 3],
  [2, 3, 1],
];
const patient = 120_000;

describeWithApacheKafka('a cluster of both kinds', () => {
  describe.each<[string, readonly Kind[]]>([
    ['Klassic joins Apache Kafka, whose controller it obeys', ['Apache Kafka', 'Apache Kafka', 'Klassic']],
    ['Apache Kafka joins Klassic, whose controller it obeys', ['Klassic', 'Klassic', 'Apache Kafka']],
  ])('%s', (_, kinds) => {
    let zooKeeper: TestZooKeeper;
    let znodes: ZNodes;
    const brokers: TestBroker[] = [];
    let servers: string[];
    let admin: Admin;
    const sent: { key: string; value: string }[] = [];
    const broker = (id: number): TestBroker => brokers[id - 1]!;

    beforeAll(async () => {
      zooKeeper = await startZooKeeper();
      const command = apacheKafkaCommand();
      for (const [index, kind] of kinds.entries()) {
        brokers.push(
          await startBroker({
            id: index + 1,
            brokers: 3,
            zooKeeperConnect: zooKeeper.connectString,
            overrides: { ...quick, 'inter.broker.codec': 'kafka', 'zookeeper.session.timeout.ms': '6000' },
            ...(kind === 'Klassic' ? {} : { command }),
          }),
        );
      }
      znodes = await ZNodes.open(zooKeeper.connectString);
      servers = brokers.map(({ bootstrapServer }) => bootstrapServer);
      admin = new Admin({ bootstrapServers: servers });
    });

    afterAll(async () => {
      admin?.close();
      await znodes?.close();
      await Promise.all(brokers.map((each) => each.kill()));
      await zooKeeper?.stop();
    });

    async function produce(topic: string, count: number): Promise<void> {
      const producer = new Producer({ bootstrapServers: servers, acks: 'all', enableIdempotence: true });
      const records = keyedRecords(count, 10).map(({ key, value }) => ({ key, value: `${sent.length}-${value}` }));
      await Promise.all(records.map((record) => producer.send({ topic, ...record })));
      await producer.close();
      sent.push(...records);
    }

    async function waitForAll(isr: readonly number[]): Promise<void> {
      for (const partition of [0, 1, 2]) await znodes.waitForIsr('both', partition, isr, patient);
    }

    async function leaders(topic: string): Promise<number[]> {
      return Promise.all([0, 1, 2].map(async (partition) => (await znodes.partitionState(topic, partition)).leader));
    }

    it('leads and follows', async () => {
      expect(await znodes.controllerId()).toBe(1);
      await createTopic(servers, 'both', everywhere, { 'min.insync.replicas': '2' });
      await waitForAll([1, 2, 3]);
      expect(await leaders('both')).toEqual([3, 1, 2]);
      await produce('both', 300);
      expect(complaints(sent, await readTopic(servers, 'both'))).toEqual([]);
    });

    it('survives the kill of the one that joined, and takes it back', async () => {
      await broker(3).kill();
      await waitForAll([1, 2]);
      await produce('both', 100);
      await broker(3).startAgain();
      await waitForAll([1, 2, 3]);
      await admin.electLeaders('preferred', [{ topic: 'both', partition: 0 }]);
      expect(await leaders('both')).toEqual([3, 1, 2]);
      await produce('both', 100);
      expect(complaints(sent, await readTopic(servers, 'both'))).toEqual([]);
    });

    it('is left in an orderly way by the one that joined', async () => {
      expect(await broker(3).stop()).toBe(true);
      await waitForAll([1, 2]);
      await broker(3).startAgain();
      await waitForAll([1, 2, 3]);
    });

    it('moves replicas from one kind to the other, adds partitions and deletes topics', async () => {
      await createTopic(servers, 'moved', [[1, 2]]);
      await admin.alterPartitionReassignments([{ topic: 'moved', partition: 0, replicas: [3, 1] }]);
      await znodes.waitForIsr('moved', 0, [1, 3], patient);
      await eventually(async () => (await admin.listPartitionReassignments()).size === 0, {
        timeoutMs: patient,
        what: 'the end of the reassignment',
      });
      await admin.electLeaders('preferred', [{ topic: 'moved', partition: 0 }]);
      expect((await znodes.partitionState('moved')).leader).toBe(3);
      await admin.createPartitions('moved', 2);
      await admin.deleteTopics(['moved']);
      await eventually(async () => !(await znodes.children('/brokers/topics')).includes('moved'), {
        timeoutMs: patient,
        what: 'the deletion of moved',
      });
    });

    it('goes on when the controller is killed', async () => {
      await broker(1).kill();
      await eventually(async () => ![-1, 1].includes(await znodes.controllerId()), {
        timeoutMs: patient,
        what: 'another controller',
      });
      await waitForAll([2, 3]);
      await produce('both', 100);
      expect(complaints(sent, await readTopic(servers, 'both'))).toEqual([]);
      await broker(1).startAgain();
      await waitForAll([1, 2, 3]);
    });
  });
});
