import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { clusterPerTest } from './cluster-per-test.ts';

const started = clusterPerTest();

const quick = { replicaLagTimeMaxMs: 4000 };

describe('the ISR', () => {
  it('loses a follower that lags, gains it when it has caught up, and the controller is told (scenario 06)', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [2, 1, 3]);
    await on.settle(on.produce(2, key, ['a', 'b', 'c']));
    on.network.cut(2, 3);
    const produced = on.produce(2, key, ['d']);
    const startMs = on.time.milliseconds();
    await on.until('the ISR shrinks', () => on.state(key).isr.length === 2);
    expect(on.state(key)).toMatchObject({ isr: [2, 1], leaderEpoch: 0, zkVersion: 1 });
    const tookMs = on.time.milliseconds() - startMs;
    expect(tookMs).toBeGreaterThan(quick.replicaLagTimeMaxMs);
    expect(tookMs).toBeLessThan(quick.replicaLagTimeMaxMs * 1.5 + 1000);
    // What waited for the lost follower is answered, once ZooKeeper holds the smaller ISR.
    expect(await on.settle(produced, 100)).toMatchObject({ errorCode: 0, baseOffset: 3 });
    expect(on.broker(2).replicaManager.metrics()).toMatchObject({ underReplicatedPartitions: 1, isrShrinks: 1 });

    on.network.heal(2, 3);
    await on.until('the ISR grows', () => on.state(key).isr.length === 3);
    expect(on.state(key)).toMatchObject({ isr: [2, 1, 3], leaderEpoch: 0, zkVersion: 2 });
    expect([...on.values(3, key).values()]).toEqual(['a', 'b', 'c', 'd']);
    expect(on.broker(2).replicaManager.metrics()).toMatchObject({ underReplicatedPartitions: 0, isrExpands: 1 });
    await on.until('the controller is told', () => on.notified.length > 0, 20_000);
    expect(on.notified[0]).toEqual([key]);
  });

  it('tells several changes in one notification, when the last is five seconds old', async () => {
    const on = await started({ config: quick });
    const keys = [await on.createPartition('t', [1, 2, 3]), await on.createPartition('u', [1, 2, 3])];
    for (const key of keys) await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 3);
    for (const key of keys) await on.produce(1, key, ['b'], 1);
    await on.until('both shrink', () => keys.every((key) => on.state(key).isr.length === 2));
    const shrunkMs = on.time.milliseconds();
    expect(on.notified).toEqual([]);
    await on.until('the controller is told', () => on.notified.length > 0, 10_000);
    expect(on.time.milliseconds() - shrunkMs).toBeGreaterThan(5000 - 10);
    expect(on.time.milliseconds() - shrunkMs).toBeLessThan(7510);
    expect(on.notified).toEqual([keys]);
  });

  it('keeps a follower that is slow but steady', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    for (let round = 0; round < 40; round += 1) {
      await on.produce(1, key, [String(round)], 1);
      await on.time.advance(250);
    }
    expect(on.state(key)).toMatchObject({ isr: [1, 2, 3], zkVersion: 0 });
  });

  it('refuses acks=all below min.insync.replicas, and tells when it fell below after the append (scenario 07)', async () => {
    const on = await started({ config: quick, logDefaults: { 'min.insync.replicas': '2' } });
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 2);
    on.network.cut(1, 3);
    const waiting = on.produce(1, key, ['b']);
    await on.until('the ISR shrinks to the leader', () => on.state(key).isr.length === 1);
    expect(await on.settle(waiting, 100)).toMatchObject({
      errorCode: Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND.code,
      baseOffset: 1,
    });
    expect(on.partition(1, key).log!.logEndOffset).toBe(2);
    expect(await on.produce(1, key, ['c'])).toMatchObject({
      errorCode: Errors.NOT_ENOUGH_REPLICAS.code,
      baseOffset: -1,
    });
    expect(await on.produce(1, key, ['c'], 1)).toMatchObject({ errorCode: 0, baseOffset: 2 });
    expect(on.broker(1).replicaManager.metrics()).toMatchObject({ underMinIsrPartitionCount: 1 });
    on.network.healAll();
    await on.until('the ISR is whole', () => on.state(key).isr.length === 3);
    expect(await on.settle(on.produce(1, key, ['d']))).toMatchObject({ errorCode: 0 });
  });

  it('cannot be changed by a leader that ZooKeeper no longer knows as such', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    // Broker 1 is cut off from everybody, and does not hear that broker 2 leads.
    on.network.cut(1, 2);
    on.network.cut(1, 3);
    await on.elect(key, 2, [2, 3], [1]);
    const orphan = on.produce(1, key, ['never acknowledged'], -1, 20_000);
    await on.time.advance(15_000);
    expect(on.state(key)).toMatchObject({ leader: 2, isr: [2, 3], zkVersion: 1 });
    expect(on.partition(1, key).log!.highWatermark).toBe(1);
    expect(await on.settle(orphan)).toMatchObject({ errorCode: Errors.REQUEST_TIMED_OUT.code });
    expect(await on.settle(on.produce(2, key, ['b']))).toMatchObject({ errorCode: 0, baseOffset: 1 });
    on.network.healAll();
    await on.announce([key]);
    await on.until('the old leader follows', () => on.state(key).isr.length === 3);
    expect([...on.values(1, key).values()]).toEqual(['a', 'b']);
  });

  it('is entered only by a follower that has reached the high watermark', async () => {
    const on = await started({ config: { ...quick, replicaFetchMaxBytes: 200 } });
    const key = await on.createPartition('t', [1, 2, 3]);
    on.network.cut(1, 3);
    await on.until('the ISR shrinks', () => {
      void on.produce(1, key, ['x'.repeat(100)], 1);
      return on.state(key).isr.length === 2;
    });
    await on.time.advance(1000);
    on.network.heal(1, 3);
    const highWatermark = on.partition(1, key).log!.highWatermark;
    expect(highWatermark).toBeGreaterThan(100);
    await on.until('the follower has begun', () => on.partition(3, key).log!.logEndOffset > 10, 10_000, 1);
    await on.until('the ISR grows', () => on.state(key).isr.length === 3, 10_000, 1);
    expect(on.partition(3, key).log!.logEndOffset).toBe(highWatermark);
  });

  it('counts a follower from the moment it is proposed, until ZooKeeper has answered', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    on.network.cut(1, 3);
    await on.produce(1, key, ['a'], 1);
    await on.until('the ISR shrinks', () => on.state(key).isr.length === 2);
    on.zooKeeper.answersAfterMs = 60_000;
    on.network.heal(1, 3);
    await on.until('the follower is proposed', () => on.partition(3, key).log!.logEndOffset === 1);
    await on.time.advance(1000);
    // The write may have been carried out: a controller may elect broker 3, so nothing is committed without it.
    on.network.cut(1, 3);
    const produced = on.produce(1, key, ['b'], -1, 20_000);
    await on.time.advance(15_000);
    await on.produce(1, key, ['c'], 1);
    await on.time.advance(1000);
    expect(on.state(key).isr).toEqual([1, 2]);
    expect(on.partition(1, key).log!.highWatermark).toBe(1);
    expect(await on.settle(produced)).toMatchObject({ errorCode: Errors.REQUEST_TIMED_OUT.code });
  });

  it('recognises its own write when the answer was lost', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 3);
    on.zooKeeper.lostAnswers = 1;
    const produced = on.produce(1, key, ['b']);
    await on.until('the ISR shrinks', () => on.state(key).isr.length === 2);
    expect(on.partition(1, key).inSyncReplicaIds).toEqual([1, 2, 3]);
    expect(await on.settle(produced, 2000)).toMatchObject({ errorCode: 0 });
    expect(on.partition(1, key)).toMatchObject({ inSyncReplicaIds: [1, 2], zkVersion: 1 });
    expect(on.broker(1).replicaManager.metrics()).toMatchObject({ isrShrinks: 1, failedIsrUpdates: 1 });
  });

  it('is not left by a follower that has all there is, however long it has been silent', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    await on.time.advance(1000);
    on.network.cut(1, 2);
    await on.time.advance(10 * quick.replicaLagTimeMaxMs);
    expect(on.state(key).isr).toEqual([1, 2]);
    // The next record is what it lacks.
    await on.produce(1, key, ['b'], 1);
    await on.until('the ISR shrinks', () => on.state(key).isr.length === 1, 2 * quick.replicaLagTimeMaxMs);
  });

  it('is entered only by a follower that has reached the start of the leader epoch', async () => {
    const on = await started();
    const key = await on.createPartition('t', [2, 1, 3]);
    on.network.cut(1, 2);
    on.network.cut(2, 3);
    for (const value of ['a', 'b', 'c', 'd', 'e']) await on.produce(2, key, [value], 1);
    await on.elect(key, 2, [2, 3]);
    const { leaderEpochStartOffset, log } = on.partition(2, key);
    expect([leaderEpochStartOffset, log!.highWatermark]).toEqual([5, 0]);
    const fetchAs1 = async (fetchOffset: number): Promise<void> => {
      const request = {
        topic: 't',
        partition: 0,
        fetchOffset,
        logStartOffset: 0,
        maxBytes: 1000,
        currentLeaderEpoch: 1,
      };
      await on.broker(2).replicaManager.fetchMessages({
        replicaId: 1,
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: 1000,
        hardMaxBytesLimit: false,
        isolation: 'read_uncommitted',
        partitions: [request],
      });
      await on.time.advance(100);
    };
    await fetchAs1(4);
    expect(on.state(key).isr).toEqual([2, 3]);
    await fetchAs1(5);
    expect(on.state(key).isr).toEqual([2, 3, 1]);
  });

  it('has the high watermark wait for a follower that is about to enter it, as long as that keeps up', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    // While the change that lets one in is on its way, no other can be proposed.
    on.network.cut(1, 2);
    on.network.cut(1, 3);
    await on.elect(key, 1, [1]);
    on.zooKeeper.answersAfterMs = 60_000;
    const caughtUp = (id: number) => (): boolean => on.partition(1, key).getReplica(id)!.lastCaughtUpTimeMs > 0;
    const [proposed, other] = [2, 3] as const;
    on.network.heal(1, proposed);
    await on.until('the first has caught up', caughtUp(proposed));
    on.network.heal(1, other);
    await on.until('the second has caught up', caughtUp(other));
    on.network.cut(1, other);
    await on.produce(1, key, ['b'], 1);
    await on.time.advance(1000);
    expect(on.partition(1, key).getReplica(proposed)!.logEndOffset).toBe(2);
    expect(on.partition(1, key).log!.highWatermark).toBe(1);
    await on.time.advance(quick.replicaLagTimeMaxMs);
    await on.produce(1, key, ['c'], 1);
    await on.time.advance(1000);
    expect(on.partition(1, key).log!.highWatermark).toBe(3);
  });

  it('has nobody wait for who is not in it when a leader epoch begins', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.crash(2);
    await on.elect(key, 1, [1]);
    await on.produce(1, key, ['a'], 1);
    expect(on.partition(1, key).log!.highWatermark).toBe(1);
  });

  it('is kept by a leader that does not know yet where its followers are; one that goes on leading knows', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.time.advance(1000);
    const known = (): number | undefined => on.partition(1, key).getReplica(2)?.logEndOffset;
    on.network.cut(1, 2);
    await on.elect(key, 1, [1, 2]);
    expect(known()).toBe(2);
    await on.elect(key, 2, [1, 2]);
    await on.elect(key, 1, [1, 2]);
    expect(known()).toBe(-1);
  });

  it('is what the controller says, though the answer to a change of ours comes later', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 3);
    await on.produce(1, key, ['b'], 1);
    on.zooKeeper.answersLateMs = 5000;
    await on.until('the ISR shrinks in ZooKeeper', () => on.state(key).isr.length === 2);
    on.network.healAll();
    await on.elect(key, 1, [1, 2, 3]);
    await on.time.advance(10_000);
    expect(on.partition(1, key)).toMatchObject({ inSyncReplicaIds: [1, 2, 3], zkVersion: 2 });
    expect(on.state(key)).toMatchObject({ isr: [1, 2, 3], zkVersion: 2 });
    expect(on.broker(1).replicaManager.metrics()).toMatchObject({ isrShrinks: 0, isrExpands: 0 });
  });

  it('is told the controller again when that failed', async () => {
    const on = await started({ config: quick });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    on.zooKeeper.refusedNotifications = 2;
    on.network.cut(1, 2);
    await on.produce(1, key, ['b'], 1);
    await on.until('the ISR shrinks', () => on.state(key).isr.length === 1);
    await on.until('the controller is told', () => on.notified.length > 0, 20_000);
    await on.time.advance(20_000);
    expect(on.notified).toEqual([[key]]);
  });

  it('is told the controller after a minute though it goes on changing', async () => {
    const on = await started({ config: { replicaLagTimeMaxMs: 2000 } });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    await on.time.advance(100_000);
    const startMs = on.time.milliseconds();
    // The first change is told at once, since nothing has been told for more than a minute.
    const toldMs: number[] = [];
    while (on.time.milliseconds() - startMs < 100_000) {
      on.network.cut(1, 2);
      await on.produce(1, key, ['b'], 1);
      await on.time.advance(3500);
      on.network.healAll();
      await on.time.advance(2000);
      expect(on.state(key).isr).toHaveLength(2);
      if (on.notified.length > toldMs.length) toldMs.push(on.time.milliseconds() - startMs);
    }
    expect(toldMs).toHaveLength(2);
    expect(toldMs[1]! - toldMs[0]!).toBeGreaterThan(50_000);
    expect(toldMs[1]! - toldMs[0]!).toBeLessThan(75_000);
  });
});
