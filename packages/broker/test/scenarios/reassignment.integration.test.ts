import { afterEach, describe, it, jest } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import { send } from './producing.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

const plan = (partitions: readonly { partition: number; replicas: readonly number[] }[]): string =>
  JSON.stringify({ version: 1, partitions: partitions.map((each) => ({ topic: 'r', ...each })) });

describeWithReference(describe)('reassignments, beside the captures of Apache Kafka 2.8.2', () => {
  it('09b: by a plan in /admin/reassign_partitions, and one that waits for a stopped broker', async () => {
    scenario = await ScenarioCluster.start('09b-reassign-zookeeper');
    const { znodes } = scenario;
    const all = { bootstrapServers: scenario.bootstrapServers, acks: 'all' } as const;
    await send(all, 'r', ...Array.from({ length: 20 }, (_, index) => `a${index}`));
    const isDone = async (): Promise<boolean> => (await znodes.read('/admin/reassign_partitions')) === undefined;
    const first = [
      { partition: 0, replicas: [3, 2] },
      { partition: 1, replicas: [2, 1] },
    ];
    await znodes.create('/admin/reassign_partitions', plan(first));
    await scenario.until(isDone, 'the end of the first plan');
    // Which of the two partitions is done first is a race, in the original as well: only what comes of it is compared.
    await scenario.expectSnapshot('done');
    await scenario.waitForIsrNotifications();
    scenario.goOnFrom('broker 3 is paused');
    scenario.broker(3).pause();
    await znodes.create('/admin/reassign_partitions', plan([{ partition: 1, replicas: [1, 3] }]));
    await scenario.expectSnapshot('held');
    scenario.broker(3).resume();
    await scenario.until(isDone, 'the end of the second plan');
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });
});
