import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import { connectTo } from '../integration/cluster.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

describeWithReference(describe)('a controller that fails, beside the captures of Apache Kafka 2.8.2', () => {
  it('04: the controller is killed, and returns', async () => {
    scenario = await ScenarioCluster.start('04-kill-controller');
    await scenario.broker(1).kill();
    await scenario.waitForControllerOtherThan(1);
    await scenario.expectSnapshot('controller-moved');
    await scenario.broker(1).start();
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });

  it('16: the controller is stopped past its session with requests queued, and wakes as a zombie', async () => {
    scenario = await ScenarioCluster.start('16-zombie-controller');
    const { znodes } = scenario;
    // The controller's requests to broker 3 wait, one on its way and one behind it.
    scenario.broker(3).pause();
    const client = await connectTo(scenario.broker(1));
    const replicas = [
      [2, 3],
      [3, 2],
      [1, 3],
    ];
    const { topics } = await client.send('CreateTopics', 4, {
      topics: [
        {
          name: 'queued',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
        },
      ],
      timeoutMs: 200,
    });
    client.close();
    expect(topics[0]?.errorCode).toBe(0);
    await scenario.waitUntilTold('queued', 3, [1, 2]);
    scenario.broker(1).pause();
    scenario.broker(3).resume();
    await scenario.waitForControllerOtherThan(1);
    await scenario.expectSnapshot('new-controller');
    scenario.broker(1).resume();
    await znodes.waitForBrokers([1, 2, 3]);
    await scenario.expectSnapshot('zombie-awake');
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    // Among them the zombie's UpdateMetadata to broker 3, refused by STALE_CONTROLLER_EPOCH.
    await scenario.expectRpcs();
  });
});
