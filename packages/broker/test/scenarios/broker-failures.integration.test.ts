import { afterEach, describe, it, jest } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

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

  it('05: a leader is shut down in an orderly way, returns, and is elected anew', async () => {
    scenario = await ScenarioCluster.start(
      '05-controlled-shutdown',
      'kafka-leader-election --bootstrap-server 127.0.0.1:19091,127.0.0.1:19092,127.0.0.1:19093 --election-type preferred --all',
    );
    await scenario.terminate(2, 1);
    await scenario.waitForIsrs('t', 3, 2);
    await scenario.expectSnapshot('broker-2-down');
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 3, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('broker-2-back');
    await scenario.admin.electLeaders('preferred', [{ topic: 't', partition: 1 }]);
    await scenario.expectSnapshot('preferred-elected');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });
});
