import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Producer } from '@klassic/client';
import { describeWithReference } from '@klassic/test-support';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;
let producers: Producer[] = [];

afterEach(async () => {
  await Promise.all(producers.map((producer) => producer.close(0)));
  producers = [];
  await scenario?.stop();
});

function producerOf(acks: 1 | 'all', retries?: number): Producer {
  const producer = new Producer({
    bootstrapServers: scenario.bootstrapServers,
    acks,
    lingerMs: 0,
    ...(retries === undefined ? {} : { retries }),
  });
  producers.push(producer);
  return producer;
}

/** Sends records to `t`, one at a time, and tells their offsets. */
async function send(producer: Producer, ...values: string[]): Promise<number[]> {
  const offsets: number[] = [];
  for (const value of values) offsets.push((await producer.send({ topic: 't', partition: 0, key: 'k', value })).offset);
  return offsets;
}

describeWithReference(describe)('the in-sync replicas, beside the captures of Apache Kafka 2.8.2', () => {
  it('06: a follower is stopped, leaves the ISR while acks=all waits, and comes back', async () => {
    scenario = await ScenarioCluster.start('06-isr-shrink-expand');
    const producer = producerOf('all');
    expect(await send(producer, 'a0', 'a1', 'a2')).toEqual([0, 1, 2]);
    scenario.broker(3).pause();
    expect(await send(producer, 'during0', 'during1', 'during2')).toEqual([3, 4, 5]);
    await scenario.waitForIsrs('t', 1, 2);
    await scenario.waitForIsrNotifications();
    await scenario.expectSnapshot('shrunk');
    expect(await send(producer, 'shrunk0', 'shrunk1', 'shrunk2')).toEqual([6, 7, 8]);
    scenario.broker(3).resume();
    await scenario.waitForIsrs('t', 1, 3);
    await scenario.waitForIsrNotifications();
    expect(await send(producer, 'expanded0', 'expanded1')).toEqual([9, 10]);
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs({ withRefreshes: true });
  });
});
