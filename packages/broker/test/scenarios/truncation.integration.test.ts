import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeWithReference, isSoak, referenceFile } from '@klassic/test-support';
import { readTopic } from '../integration/records.ts';
import { send } from './producing.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(240_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

/** Scenarios that wait for one session after another to expire are played in the long form only. */
const longIt = isSoak() ? it : it.skip;

/** The leader epochs of `t-0` on a broker's disk are those of the original's file. */
function expectEpochsOnDisk(name: string, label: string, brokerId: number): void {
  const file = join('t-0', 'leader-epoch-checkpoint');
  const recorded = referenceFile('cluster', '2.8.2', 'ibp-2.6', name, 'files', label, `broker-${brokerId}`, file);
  const ours = readFileSync(join(scenario.broker(brokerId).dataFolder, file), 'utf8');
  expect(ours).toBe(readFileSync(recorded, 'utf8'));
}

async function values(topic: string): Promise<string[]> {
  return (await readTopic(scenario.bootstrapServers, topic)).map(({ value }) => value);
}

describeWithReference(describe)('logs that diverge, beside the captures of Apache Kafka 2.8.2', () => {
  it('15: a leader is killed with records that its follower never had, and truncates when it returns', async () => {
    const name = '15-divergent-truncation';
    scenario = await ScenarioCluster.start(name);
    const leaders = { bootstrapServers: scenario.bootstrapServers, acks: 1 } as const;
    const common = ['common0', 'common1', 'common2', 'common3'];
    expect(await send({ ...leaders, acks: 'all' }, 't', ...common)).toEqual([0, 1, 2, 3]);
    scenario.broker(3).pause();
    await scenario.waitUntilNotFetched(2, 3);
    const only2 = { bootstrapServers: [scenario.broker(2).bootstrapServer], acks: 1 } as const;
    expect(await send(only2, 't', 'lost0', 'lost1', 'lost2')).toEqual([4, 5, 6]);
    await scenario.broker(2).kill();
    scenario.broker(3).resume();
    await scenario.waitForLeader('t', 3);
    await scenario.expectSnapshot('follower-leads');
    expect(await send(leaders, 't', 'new0', 'new1')).toEqual([4, 5]);
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 1, 2);
    await scenario.waitForIsrNotifications();
    await scenario.broker(3).kill();
    await scenario.waitForLeader('t', 2);
    expect(await send(leaders, 't', 'third0')).toEqual([6]);
    await scenario.broker(3).start();
    await scenario.waitForIsrs('t', 1, 2);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
    await scenario.expectEpochsAsked();
    expect(await values('t')).toEqual([...common, 'new0', 'new1', 'third0']);
    expectEpochsOnDisk(name, 'end', 2);
    expectEpochsOnDisk(name, 'end', 3);
  });

  longIt('08: a replica outside the ISR returns first, waits, and is elected uncleanly', async () => {
    const name = '08-offline-and-unclean';
    scenario = await ScenarioCluster.start(name);
    const { admin } = scenario;
    const leaders = { bootstrapServers: scenario.bootstrapServers, acks: 1 } as const;
    const both = ['both0', 'both1', 'both2', 'both3'];
    await send({ ...leaders, acks: 'all' }, 't', ...both);
    await scenario.broker(3).kill();
    await scenario.waitForIsrs('t', 1, 1);
    expect(await send(leaders, 't', 'only-2-0', 'only-2-1', 'only-2-2')).toEqual([4, 5, 6]);
    await scenario.broker(2).kill();
    await scenario.waitForLeader('t', -1);
    await scenario.expectSnapshot('offline');
    await scenario.broker(3).start();
    await scenario.expectSnapshot('out-of-isr-replica-back');
    const preferred = await admin.electLeaders('preferred', [{ topic: 't', partition: 0 }]);
    expect(preferred.get('t-0')).toMatchObject({ error: { name: 'PREFERRED_LEADER_NOT_AVAILABLE' } });
    const unclean = { name: 'unclean.leader.election.enable', operation: 'set', value: 'true' } as const;
    await admin.incrementalAlterConfigs({ type: 'topic', name: 't' }, [unclean]);
    await scenario.waitForLeader('t', 3);
    await scenario.expectSnapshot('unclean-leader');
    expect(await send(leaders, 't', 'unclean0', 'unclean1')).toEqual([4, 5]);
    await scenario.broker(2).start();
    await scenario.waitForIsrs('t', 1, 2);
    await scenario.waitForIsrNotifications();
    expectEpochsOnDisk(name, 'after', 2);
    expectEpochsOnDisk(name, 'after', 3);
    expect(await values('t')).toEqual([...both, 'unclean0', 'unclean1']);
    await admin.createTopics([{ name: 'u', replicasAssignments: [[2, 3]] }]);
    await scenario.waitUntilTold('u', 1);
    expect(await send(leaders, 'u', 'x0', 'x1')).toEqual([0, 1]);
    await scenario.broker(3).kill();
    await scenario.waitForIsrs('u', 1, 1);
    await scenario.killAtOnce(2, 2);
    await scenario.waitForLeader('u', -1);
    await scenario.broker(3).start();
    await scenario.waitForLeader('t', 3);
    expect((await admin.electLeaders('unclean', [{ topic: 'u', partition: 0 }])).get('u-0')).toBeNull();
    await scenario.waitForLeader('u', 3);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
    await scenario.expectEpochsAsked();
  });
});
