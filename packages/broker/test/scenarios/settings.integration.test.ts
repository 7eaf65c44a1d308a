import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { describeWithReference } from '@klassic/test-support';
import { connectTo } from '../integration/cluster.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(120_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

const set = (name: string, value: string) => ({ name, operation: 'set', value }) as const;

describeWithReference(describe)('settings that change, beside the captures of Apache Kafka 2.8.2', () => {
  it('12: of a topic, of a broker and of all, by request and by znode', async () => {
    scenario = await ScenarioCluster.start('12-configs');
    const { admin, znodes } = scenario;
    const topic = { type: 'topic', name: 't' } as const;
    const broker = { type: 'broker', name: '2' } as const;
    await admin.incrementalAlterConfigs(topic, [set('retention.ms', '60000'), set('max.message.bytes', '2000000')]);
    await scenario.expectSnapshot('topic-config');
    await admin.incrementalAlterConfigs(topic, [{ name: 'retention.ms', operation: 'delete' }]);
    await admin.incrementalAlterConfigs(broker, [set('log.cleaner.threads', '2'), set('log.retention.ms', '7200000')]);
    await scenario.expectSnapshot('broker-config');
    await admin.incrementalAlterConfigs({ type: 'broker', name: '' }, [set('message.max.bytes', '1500000')]);
    await scenario.expectSnapshot('broker-default-config');
    const refusal = (name: string): object => ({ error: { name } });
    await expect(admin.incrementalAlterConfigs(broker, [set('log.dirs', '/nowhere')])).rejects.toMatchObject(
      refusal('INVALID_REQUEST'),
    );
    await expect(admin.incrementalAlterConfigs(topic, [set('retention.ms', 'soon')])).rejects.toMatchObject(
      refusal('INVALID_REQUEST'),
    );
    const client = await connectTo(scenario.broker(1));
    const configs = [{ name: 'retention.ms', configOperation: 0, value: '1000' }];
    const { responses } = await client.send('IncrementalAlterConfigs', 1, {
      resources: [{ resourceType: 2, resourceName: 'nope', configs }],
    });
    client.close();
    expect(responses[0]?.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
    // As a tool with --zookeeper writes it.
    const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '2000000' };
    await znodes.write('/config/topics/t', JSON.stringify({ version: 1, config }));
    const change = JSON.stringify({ version: 2, entity_path: 'topics/t' });
    await znodes.create('/config/changes/config_change_0000000004', change);
    await admin.incrementalAlterConfigs({ type: 'brokerLogger', name: '1' }, [set('kafka.server.KafkaApis', 'DEBUG')]);
    // The recording's last list of watches was made while some broker had not read the notifications again.
    await scenario.expectTree('after');
    await scenario.expectWrites();
  });

  // What the log does with them, the recorded folders of 18 show: see the tests of @klassic/log.
  it('18: of topics that are to hold less', async () => {
    scenario = await ScenarioCluster.start('18-retention-compaction');
    const change = (topic: string, name: string, value: string): Promise<void> =>
      scenario.admin.incrementalAlterConfigs({ type: 'topic', name: topic }, [set(name, value)]);
    await change('c', 'min.compaction.lag.ms', '0');
    await change('r', 'retention.bytes', '1500');
    await change('tm', 'retention.ms', '1000');
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
  });
});
