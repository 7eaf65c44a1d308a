import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import { readTopic } from '../integration/records.ts';
import { send } from './producing.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;
afterEach(() => scenario?.stop());

describeWithReference(describe)('the in-sync replicas, beside the captures of Apache Kafka 2.8.2', () => {
  it('06: a follower is stopped, leaves the ISR while acks=all waits, and comes back', async () => {
    scenario = await ScenarioCluster.start('06-isr-shrink-expand');
    const all = { bootstrapServers: scenario.bootstrapServers, acks: 'all' } as const;
    expect(await send(all, 't', 'a0', 'a1', 'a2')).toEqual([0, 1, 2]);
    scenario.broker(3).pause();
    expect(await send(all, 't', 'during0', 'during1', 'during2')).toEqual([3, 4, 5]);
    await scenario.waitForIsrs('t', 1, 2);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('shrunk');
    expect(await send(all, 't', 'shrunk0', 'shrunk1', 'shrunk2')).toEqual([6, 7, 8]);
    scenario.broker(3).resume();
    await scenario.waitForIsrs('t', 1, 3);
    await scenario.waitForIsrNotifications();
    expect(await send(all, 't', 'expanded0', 'expanded1')).toEqual([9, 10]);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs({ withRefreshes: true });
  });

  it('07: with min.insync.replicas=3 a record is refused after it is written, and then before', async () => {
    scenario = await ScenarioCluster.start('07-min-insync-replicas');
    const reachable = [1, 2].map((id) => scenario.broker(id).bootstrapServer);
    const all = { bootstrapServers: reachable, acks: 'all', retries: 0 } as const;
    const one = { bootstrapServers: reachable, acks: 1, retries: 0 } as const;
    expect(await send(all, 't', 'a-v0', 'a-v1')).toEqual([0, 1]);
    scenario.broker(3).pause();
    const refusal = (name: string): object => ({ error: { name } });
    await expect(send(all, 't', 'after-append')).rejects.toMatchObject(refusal('NOT_ENOUGH_REPLICAS_AFTER_APPEND'));
    await scenario.waitForIsrs('t', 1, 2);
    await expect(send(all, 't', 'refused')).rejects.toMatchObject(refusal('NOT_ENOUGH_REPLICAS'));
    expect(await send(one, 't', 'acks1')).toEqual([3]);
    await scenario.waitForIsrNotifications();
    await scenario.expectRpcs({ withRefreshes: true, until: 'SIGCONT broker 3' });
    scenario.broker(3).resume();
    await scenario.waitForIsrs('t', 1, 3);
    expect(await send(all, 't', 'accepted-again')).toEqual([4]);
    const read = await readTopic(reachable, 't');
    expect(read.map(({ value }) => value)).toEqual(['a-v0', 'a-v1', 'after-append', 'acks1', 'accepted-again']);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
  });
});
