import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Producer } from '@klassic/client';
import { Errors } from '@klassic/protocol';
import { describeWithReference, eventually } from '@klassic/test-support';
import { connectTo, createTopic } from '../integration/cluster.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

/** As a tool with --zookeeper writes them: a topic's configuration and its assignment. */
const noConfig = '{"version":1,"config":{}}';

function assignment(partitions: readonly (readonly number[])[]): string {
  return JSON.stringify({ partitions: { ...partitions }, adding_replicas: {}, removing_replicas: {}, version: 3 });
}

async function waitForPartitions(topic: string, count: number): Promise<void> {
  await scenario.waitForIsrs(topic, count, (await scenario.znodes.partitionState(topic)).isr.length);
}

describeWithReference(describe)(
  'brokers that start and topics that come and go, beside the captures of Apache Kafka 2.8.2',
  () => {
    it('01: three brokers start', async () => {
      scenario = await ScenarioCluster.start('01-cluster-start');
      await scenario.expectSnapshot('after');
      await scenario.expectWrites();
      await scenario.expectRpcs();
    });

    it('02: topics are created by request and by znode, and refused', async () => {
      scenario = await ScenarioCluster.start('02-create-topic', { until: 'client: producer' });
      const { bootstrapServers, znodes } = scenario;
      const other = await connectTo(scenario.broker(2));
      const { topics } = await other.send('CreateTopics', 4, {
        topics: [{ name: 'raw-non-controller', numPartitions: 3, replicationFactor: 3 }],
        timeoutMs: 30_000,
      });
      other.close();
      expect(topics[0]?.errorCode).toBe(Errors.NOT_CONTROLLER.code);
      await scenario.expectSnapshot('after-refused');
      const round = [
        [1, 2, 3],
        [2, 3, 1],
        [3, 1, 2],
      ];
      await createTopic(bootstrapServers, 'raw-controller', round);
      await scenario.expectSnapshot('after-raw-controller');
      const pairs = [
        [3, 1],
        [1, 2],
      ];
      await createTopic(bootstrapServers, 'raw-assigned', pairs);
      await expect(createTopic(bootstrapServers, 'raw-controller', round)).rejects.toMatchObject({
        error: { name: 'TOPIC_ALREADY_EXISTS' },
      });
      await expect(createTopic(bootstrapServers, 'bad name!', pairs)).rejects.toMatchObject({
        error: { name: 'INVALID_TOPIC_EXCEPTION' },
      });
      const turned = [round[2]!, round[0]!, round[1]!];
      await createTopic(bootstrapServers, 'admin-client', turned, { 'retention.ms': '3600000' });
      await scenario.expectSnapshot('after-admin-client');
      await znodes.create('/config/topics/by-zookeeper', noConfig);
      const backwards = [
        [3, 2, 1],
        [1, 3, 2],
        [2, 1, 3],
      ];
      await znodes.create('/brokers/topics/by-zookeeper', assignment(backwards));
      await scenario.expectSnapshot('after-by-zookeeper');
      await scenario.waitUntilTold('by-zookeeper', 3);
      await scenario.expectWrites();
      await scenario.expectRpcs();
      // Where a topic comes to lie that a broker makes by itself is chance: again, until it lies where the recording's does.
      for (;;) {
        scenario.goOnFrom('client: producer p');
        const producer = new Producer({ bootstrapServers: [scenario.broker(3).bootstrapServer], acks: 'all' });
        await producer.send({ topic: 'auto-created', key: 'k', value: 'v' });
        await producer.close();
        await scenario.waitUntilTold('auto-created', 1);
        if ((await znodes.partitionState('auto-created')).leader === 3) break;
        await scenario.admin.deleteTopics(['auto-created']);
        await scenario.waitUntilGone('auto-created');
      }
      await scenario.expectSnapshot('after');
      await scenario.expectWrites();
      await scenario.expectRpcs();
    });

    it('10: topics are deleted, by request and by znode, one of them with a replica offline', async () => {
      scenario = await ScenarioCluster.start('10-delete-topic');
      const { admin, znodes } = scenario;
      await admin.deleteTopics(['gone']);
      await scenario.waitUntilGone('gone');
      await scenario.expectSnapshot('gone');
      await scenario.broker(3).kill();
      await znodes.waitForBrokers([1, 2]);
      await scenario.waitForIsrs('half', 2, 2);
      await scenario.waitForIsrs('legacy', 2, 2);
      await admin.deleteTopics(['half']);
      await scenario.expectSnapshot('half-waits');
      await scenario.broker(3).start();
      await scenario.waitUntilGone('half');
      await scenario.waitForIsrs('legacy', 2, 3);
      await scenario.expectSnapshot('half-gone');
      await znodes.create('/admin/delete_topics/legacy');
      await scenario.waitUntilGone('legacy');
      await scenario.expectSnapshot('after');
      await scenario.expectWrites();
      await scenario.expectRpcs();
    });

    it('11: partitions are added, placed by the broker, by hand and by znode', async () => {
      scenario = await ScenarioCluster.start('11-add-partitions');
      const { admin, znodes } = scenario;
      await admin.createPartitions('t', 4);
      await waitForPartitions('t', 4);
      await scenario.expectSnapshot('four');
      const byHand = [
        [3, 1],
        [1, 3],
      ];
      await admin.createPartitions('t', 6, byHand);
      await waitForPartitions('t', 6);
      await scenario.expectSnapshot('six');
      await expect(admin.createPartitions('t', 5)).rejects.toMatchObject({ error: { name: 'INVALID_PARTITIONS' } });
      const seven = [[2, 3], [3, 1], [1, 3], [2, 3], ...byHand, [2, 3]];
      await znodes.write('/brokers/topics/t', assignment(seven));
      await eventually(async () => (await znodes.children('/brokers/topics/t/partitions')).length === 7, {
        timeoutMs: 30_000,
        what: 'the seventh partition',
      });
      await scenario.expectSnapshot('after');
      await scenario.waitUntilTold('t', 1);
      await scenario.expectWrites();
      await scenario.expectRpcs();
    });
  },
);
