import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import type { RequestOf } from '@klassic/protocol';
import { clusterPerTest } from './cluster-per-test.ts';

const started = clusterPerTest();

function stopReplica(
  key: string,
  leaderEpoch: number,
  deletePartition: boolean,
  controllerEpoch = 1,
): RequestOf<'StopReplica'> {
  const [topic = '', partition = '0'] = key.split('-');
  const partitionStates = [{ partitionIndex: Number(partition), leaderEpoch, deletePartition }];
  return {
    controllerId: 1,
    controllerEpoch,
    brokerEpoch: -1,
    deletePartitions: false,
    topicStates: [{ topicName: topic, partitionStates }],
    topics: [],
    ungroupedPartitions: [],
  };
}

function neverDeleted(): void {
  throw new Error('no replica is deleted here');
}

describe('a change of leader', () => {
  it('truncates what the old leader alone had, by the leader epoch (KIP-101, scenario 15)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [2, 3]);
    await on.settle(on.produce(2, key, ['a', 'b', 'c', 'd']));
    on.network.cut(2, 3);
    await on.produce(2, key, ['lost', 'lost', 'lost'], 1);
    await on.crash(2);
    on.network.healAll();
    await on.elect(key, 3, [3]);
    await on.produce(3, key, ['new', 'new'], 1);
    await on.startBroker(2);
    await on.announce([key]);
    await on.until('the old leader is back in the ISR', () => on.state(key).isr.length === 2);
    expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'c', 'd', 'new', 'new']);
    expect(on.state(key)).toMatchObject({ leader: 3, isr: [3, 2], leaderEpoch: 1, zkVersion: 2 });
  });

  it('loses nothing acknowledged when a follower restarts before it has learned the high watermark (KIP-101)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['m1']));
    await on.settle(on.produce(1, key, ['m2']));
    // Broker 2 has m2, but not the high watermark past it; before KIP-101 it would cut m2 off on its return.
    expect(on.partition(2, key).log!.highWatermark).toBeLessThan(2);
    await on.crash(2);
    await on.startBroker(2);
    on.network.cut(1, 2);
    await on.announce([key]);
    await on.crash(1);
    await on.elect(key, 2, [2]);
    expect([...on.values(2, key).values()]).toEqual(['m1', 'm2']);
  });

  it('finds the common point after two quick failovers (KIP-279)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 2);
    // Each leads alone for a while, elected uncleanly, and appends under its own epoch.
    await on.elect(key, 2, [2], [1]);
    await on.produce(2, key, ['b2', 'c2'], 1);
    await on.elect(key, 1, [1], [2]);
    await on.produce(1, key, ['b1', 'c1', 'd1'], 1);
    await on.elect(key, 2, [2], [1]);
    await on.produce(2, key, ['d2'], 1);
    await on.elect(key, 1, [1], [2]);
    on.network.healAll();
    await on.produce(1, key, ['e1'], 1);
    await on.announce([key]);
    await on.until('the ISR is whole', () => on.state(key).isr.length === 2);
    expect([...on.values(1, key).values()]).toEqual(['a', 'b1', 'c1', 'd1', 'e1']);
    expect(on.values(2, key)).toEqual(on.values(1, key));
  });

  it('cuts a longer log to an unclean leader (scenario 08)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    await on.crash(2);
    await on.elect(key, 1, [1]);
    await on.settle(on.produce(1, key, ['b', 'c']));
    await on.crash(1);
    await on.startBroker(2);
    await on.elect(key, 2, [2]);
    await on.settle(on.produce(2, key, ['x']));
    await on.startBroker(1);
    await on.announce([key]);
    await on.until('the ISR is whole', () => on.state(key).isr.length === 2);
    expect([...on.values(1, key).values()]).toEqual(['a', 'x']);
  });

  it('lets a follower begin anew whose records the leader has deleted', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.crash(2);
    await on.elect(key, 1, [1]);
    await on.settle(on.produce(1, key, ['c', 'd', 'e']));
    const deletion = { timeoutMs: 1000, partitions: [{ topic: 't', partition: 0, offset: 4 }] };
    await on.settle(on.broker(1).replicaManager.deleteRecords(deletion));
    await on.startBroker(2);
    await on.announce([key]);
    await on.until('the ISR is whole', () => on.state(key).isr.length === 2);
    expect(on.partition(2, key).log!.logEndOffset).toBe(5);
    expect(on.values(2, key).get(4)).toBe('e');
  });

  it('has a follower wait whose leader is not alive as far as it knows, with its log at hand', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    on.network.sent = [];
    on.write(key, 1, [1, 2]);
    await on.broker(2).updateMetadata(on.metadataRequest([on.state(key)], [2]));
    expect(await on.leaderAndIsr(2, [key])).toEqual(new Map([[key, 0]]));
    expect(on.partition(2, key)).toMatchObject({ leaderEpoch: 0, log: expect.anything() });
    await on.announce([key]);
    expect(await on.settle(on.produce(1, key, ['a']))).toMatchObject({ errorCode: 0 });
    expect(on.partition(2, key).leaderEpoch).toBe(1);
  });

  it('makes the log of a new follower though the leader is not alive, so that its high watermark is kept', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1]);
    const state = { ...on.state(key), replicas: [1, 2], leaderEpoch: 1 };
    await on.broker(2).updateMetadata(on.metadataRequest([state], [2]));
    await on.broker(2).leaderAndIsr(on.leaderAndIsrRequest([state], true));
    expect(on.partition(2, key).log).toBeDefined();
  });

  it('is refused by a broker that is none of the replicas', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1]);
    const response = await on.broker(2).leaderAndIsr(on.leaderAndIsrRequest([on.state(key)], true));
    expect(response.partitionErrors).toMatchObject([{ errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code }]);
    expect(on.broker(2).replicaManager.getLog(key)).toBeUndefined();
  });

  it('takes LeaderAndIsr once for each leader epoch (scenario 03)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    expect((await on.leaderAndIsr(1, [key])).get(key)).toBe(Errors.STALE_CONTROLLER_EPOCH.code);
    on.write(key, 1, [1, 2]);
    expect((await on.leaderAndIsr(1, [key])).get(key)).toBe(0);
    expect(on.partition(1, key)).toMatchObject({ leaderEpoch: 1, zkVersion: 1, inSyncReplicaIds: [1, 2] });
    expect((await on.leaderAndIsr(1, [key])).get(key)).toBe(Errors.STALE_CONTROLLER_EPOCH.code);
    const late = on.leaderAndIsrRequest([{ ...on.state(key), leader: 2, leaderEpoch: 0 }], false);
    expect((await on.broker(1).leaderAndIsr(late)).partitionErrors).toMatchObject([
      { errorCode: Errors.STALE_CONTROLLER_EPOCH.code },
    ]);
    expect(on.partition(1, key)).toMatchObject({ leaderEpoch: 1, isLeader: true });
  });

  it.each([2, 20])(
    'has the new epochs of %i partitions on the disk when it answers, but where a disk refuses',
    async (count) => {
      const on = await started();
      const keys: string[] = [];
      for (let partition = 0; partition < count; partition += 1) {
        const key = await on.createPartition('t', [1], partition);
        await on.produce(1, key, ['one'], 1);
        on.write(key, 1, [1]);
        keys.push(key);
      }
      const [broken, ...sound] = keys.map((key) => join(on.partition(1, key).log!.dir, 'leader-epoch-checkpoint'));
      for (const suffix of ['tmp', 'background.tmp']) mkdirSync(`${broken}.${suffix}`);
      const errors = await on.leaderAndIsr(1, keys);
      expect(sound.map((path) => readFileSync(path, 'utf8'))).toEqual(sound.map(() => '0\n2\n0 0\n1 1\n'));
      expect([...errors.values()]).toEqual([Errors.KAFKA_STORAGE_ERROR.code, ...sound.map(() => 0)]);
    },
  );

  it('stops a replica by a newer epoch or for deletion, and keeps its log unless told to delete it', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    const { replicaManager } = on.broker(2);
    const deleted: string[] = [];
    const errorOf = async (request: RequestOf<'StopReplica'>): Promise<number | undefined> => {
      const { partitionErrors } = await replicaManager.stopReplicas(1, request, ({ topic, partition }) => {
        deleted.push(`${topic}-${partition}`);
      });
      return partitionErrors?.[0]?.errorCode;
    };
    expect(await errorOf(stopReplica(key, 0, false))).toBe(Errors.FENCED_LEADER_EPOCH.code);
    expect(await errorOf(stopReplica(key, 1, false))).toBe(0);
    await on.settle(on.produce(1, key, ['b'], 1));
    await on.time.advance(2000);
    expect(on.partition(2, key).log!.logEndOffset).toBe(1);
    expect(await errorOf(stopReplica(key, -2, true))).toBe(0);
    expect(deleted).toEqual([key]);
    expect(replicaManager.getPartition(key)).toBeUndefined();
    expect(on.broker(2).logManager.getLog({ topic: 't', partition: 0 })).toBeUndefined();
  });

  it('answers who waits for a replica that is stopped', async () => {
    const on = await started({ brokers: 1 });
    const key = await on.createPartition('t', [1]);
    const request = {
      topic: 't',
      partition: 0,
      fetchOffset: 0,
      logStartOffset: -1,
      maxBytes: 100,
      currentLeaderEpoch: -1,
    };
    const waiting = on.broker(1).replicaManager.fetchMessages({
      replicaId: -1,
      maxWaitMs: 60_000,
      minBytes: 1,
      maxBytes: 100,
      hardMaxBytesLimit: false,
      isolation: 'read_uncommitted',
      partitions: [request],
    });
    await on.broker(1).replicaManager.stopReplicas(1, stopReplica(key, -2, true), () => undefined);
    expect((await on.settle(waiting, 100))[0]?.errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER.code);
  });

  it('takes a partition offline whose log cannot be made', async () => {
    const on = await started({ brokers: 1, logDirsPerBroker: 2 });
    // Files where folders should go stand for a disk that refuses.
    for (const dir of on.logDirs(1)) writeFileSync(join(dir, 't-0'), '');
    const key = await on.createPartition('t', [1]);
    const { replicaManager } = on.broker(1);
    expect(replicaManager.getPartitionOrError('t', 0)).toBe(Errors.KAFKA_STORAGE_ERROR);
    expect(replicaManager.getPartition(key)).toBeUndefined();
  });

  it('refuses an older controller epoch in all three requests', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    const { replicaManager } = on.broker(2);
    await replicaManager.stopReplicas(1, stopReplica(key, 0, false, 5), neverDeleted);
    on.write(key, 2, [1, 2, 3]);
    await expect(on.updateMetadata(2, [key])).rejects.toThrow(/old controller/);
    expect((await on.leaderAndIsr(2, [key])).get(key)).toBe(Errors.STALE_CONTROLLER_EPOCH.code);
    expect(on.partition(2, key).isLeader).toBe(false);
    expect((await replicaManager.stopReplicas(1, stopReplica(key, 9, true), neverDeleted)).errorCode).toBe(
      Errors.STALE_CONTROLLER_EPOCH.code,
    );
  });
});
