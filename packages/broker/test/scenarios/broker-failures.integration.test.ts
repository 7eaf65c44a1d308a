import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeWithReference, isSoak } from '@klassic/test-support';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

/** The one that waits for the periodic check is played in the long form only. */
const longIt = isSoak() ? it : it.skip;

describeWithReference(describe)('a broker that fails or leaves, beside the captures of Apache Kafka 2.8.2', () => {
  it('03: a leader is killed and returns', async () => {
    scenario = await ScenarioCluster.start('03-kill-leader');
    await scenario.broker(2).kill();
    await scenario.waitForIsrs('t', 3, 2);
    await scenario.expectSnapshot('broker-2-dead');
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });

  it('05: a leader and then the controller are shut down in an orderly way, return, and leaders are elected anew', async () => {
    scenario = await ScenarioCluster.start('05-controlled-shutdown');
    const { admin, znodes } = scenario;
    await scenario.leave(2, 1);
    await scenario.waitForIsrs('t', 3, 2);
    await scenario.expectSnapshot('broker-2-down');
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('broker-2-back');
    await admin.electLeaders('preferred', [{ topic: 't', partition: 1 }]);
    await scenario.expectSnapshot('preferred-elected');
    expect(await admin.electLeaders('preferred')).toEqual(new Map());
    await scenario.leave(1, 1);
    await scenario.waitForControllerOtherThan(1);
    await scenario.expectSnapshot('controller-1-down');
    await scenario.broker(1).start();
    await scenario.waitForIsrs('t', 3, 3);
    const all = ['solo', 't', 't', 't'].map((topic, index) => ({ topic, partition: Math.max(0, index - 1) }));
    await znodes.create('/admin/preferred_replica_election', JSON.stringify({ version: 1, partitions: all }));
    await scenario.waitForLeader('t', 1);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });

  longIt('23: a broker that returns gets its partitions back by itself', async () => {
    scenario = await ScenarioCluster.start('23-auto-leader-rebalance');
    await scenario.leave(2, 1);
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForLeader('t', 2, 1);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });
});
