import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeWithReference, temporaryFolder } from '@klassic/test-support';
import { send } from './producing.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

describeWithReference(describe)('log directories, beside the captures of Apache Kafka 2.8.2', () => {
  it('21: a broker loses one of two, hands over what lay there, and gets it back', async () => {
    const folder = temporaryFolder('log-dirs');
    const [data, dataB] = [join(folder, 'data'), join(folder, 'data-b')];
    const twoDirs = { 'log.dirs': `${data},${dataB}` };
    scenario = await ScenarioCluster.start('21-log-dir-failure', {
      brokerOverrides: (id) => (id === 2 ? twoDirs : {}),
    });
    // Whoever leads after the loss is to have what was acknowledged before it.
    const leaders = { bootstrapServers: scenario.bootstrapServers, acks: -1 } as const;
    for (const topic of ['t0', 't1', 't2', 't3']) expect(await send(leaders, topic, 'a0', 'a1')).toEqual([0, 1]);
    const held = readdirSync(dataB).filter((name) => name.startsWith('t'));
    expect(held.sort()).toEqual(['t1-0', 't3-0']);
    renameSync(dataB, `${dataB}.gone`);
    const long = Array.from({ length: 6 }, () => 'w'.repeat(80));
    expect(await send(leaders, 't1', ...long)).toEqual([2, 3, 4, 5, 6, 7]);
    await scenario.waitForLeader('t1', 3);
    await scenario.waitForLeader('t3', 3);
    await scenario.expectSnapshot('log-dir-lost');
    await scenario.leave(2, 1);
    renameSync(`${dataB}.gone`, dataB);
    await scenario.broker(2).start();
    for (const topic of ['t0', 't1', 't2', 't3']) await scenario.waitForIsrs(topic, 1, 3);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });
});
