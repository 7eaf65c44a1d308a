import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { ReplicationQuotaManager } from '../../src/replica/replication-quota-manager.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster } from './replica-cluster.ts';

const start = clusterPerTest({ brokers: 2 });

describe('a replication quota', () => {
  const config = { numQuotaSamples: 11, quotaWindowSizeSeconds: 1 };

  it('measures over the windows that have begun, one second at least', async () => {
    const time = new MockTime();
    const quota = new ReplicationQuotaManager(time, config);
    expect([quota.isQuotaExceeded, quota.rate]).toEqual([false, 0]);
    quota.updateQuota(100);
    quota.record(100);
    expect([quota.isQuotaExceeded, quota.rate]).toEqual([false, 100]);
    quota.record(1);
    expect(quota.isQuotaExceeded).toBe(true);
    await time.advance(2000);
    expect([quota.isQuotaExceeded, quota.rate]).toEqual([false, 50.5]);
    quota.record(1000);
    expect(quota.isQuotaExceeded).toBe(true);
    await time.advance(11_000);
    expect(quota.rate).toBe(0);
    quota.record(1_000_000);
    quota.updateQuota(undefined);
    expect(quota.isQuotaExceeded).toBe(false);
  });
});

/** Broker 2 is back after it has missed 40 batches of 1,000 bytes. Returns how long it takes to catch up, ms. */
async function catchUpMs(on: ReplicaCluster, throttle: () => void): Promise<number> {
  const key = await on.createPartition('t', [1, 2]);
  await on.settle(on.produce(1, key, ['a']));
  await on.crash(2);
  await on.elect(key, 1, [1]);
  for (let count = 0; count < 40; count += 1) await on.settle(on.produce(1, key, ['x'.repeat(1000)]));
  await on.startBroker(2);
  throttle();
  const startMs = on.time.milliseconds();
  await on.announce([key]);
  await on.until('the follower has caught up', () => on.state(key).isr.length === 2, 300_000);
  return on.time.milliseconds() - startMs;
}

function started(topicConfigs: Readonly<Record<string, string>>): Promise<ReplicaCluster> {
  const config = { replicaFetchMaxBytes: 2000, replicaFetchResponseMaxBytes: 2000, replicaFetchBackoffMs: 100 };
  return start({ topicConfigs, config });
}

describe('replication throttles (KIP-73)', () => {
  it.each([
    ['leader', '*', true],
    ['leader', '0:1', true],
    ['leader', '0:2,1:1', false],
    ['follower', '*', true],
    ['follower', '0:2', true],
    ['follower', '0:1', false],
  ] as const)('%s.replication.throttled.replicas=%s', async (side, replicas, isThrottled) => {
    const on = await started({ [`${side}.replication.throttled.replicas`]: replicas });
    const took = await catchUpMs(on, () => {
      on.broker(side === 'leader' ? 1 : 2).replicaManager.quotas[side].updateQuota(5000);
    });
    if (isThrottled) expect(took).toBeGreaterThan(4000);
    else expect(took).toBeLessThan(3000);
  });

  it('do not hold back who is in sync', async () => {
    const on = await started({
      'leader.replication.throttled.replicas': '*',
      'follower.replication.throttled.replicas': '*',
    });
    const key = await on.createPartition('t', [1, 2]);
    for (const id of [1, 2]) {
      on.broker(id).replicaManager.quotas.leader.updateQuota(1);
      on.broker(id).replicaManager.quotas.follower.updateQuota(1);
    }
    await on.time.advance(1000);
    const startMs = on.time.milliseconds();
    for (let count = 0; count < 10; count += 1) await on.settle(on.produce(1, key, ['x'.repeat(500)]));
    expect(on.time.milliseconds() - startMs).toBeLessThan(8000);
    expect(on.state(key).isr.length).toBe(2);
  });
});
