import { describe, expect, it } from '@jest/globals';
import type { ElectionType } from '../src/index.ts';
import { ControllerCluster } from './controller-cluster.ts';

const znode = '/admin/preferred_replica_election';
const partition = { topic: 't', partition: 0 };

/** Topic `t` with replicas 1 and 2, led by 2 since 1 was away. */
async function ledBySecond(): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start([3, 1, 2]);
  await cluster.createTopic('t', { 0: [1, 2] });
  await cluster.lose(1);
  await cluster.add(1);
  expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
  cluster.sent.length = 0;
  return cluster;
}

/** Topic `t` with replicas 1 and 2, of which only 2 is in sync, and dead. */
async function leaderless(override?: string, config = {}): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start([3, 1, 2], { config });
  if (override !== undefined) setUnclean(cluster, override);
  await cluster.createTopic('t', { 0: [2, 1] });
  await cluster.changeIsr('t', 0, [2]);
  await cluster.lose(2);
  cluster.sent.length = 0;
  return cluster;
}

function setUnclean(cluster: ControllerCluster, value: string): void {
  const data = Buffer.from(JSON.stringify({ version: 1, config: { 'unclean.leader.election.enable': value } }));
  cluster.zk.put('/config/topics/t', data);
}

async function elect(cluster: ControllerCluster, type: ElectionType, asked = partition): Promise<unknown> {
  const results = await cluster.active.electLeaders([asked], type);
  await cluster.settle();
  return results.get(`${asked.topic}-${asked.partition}`);
}

describe('A preferred election', () => {
  it('by request moves the leadership back, the ISR as it is', async () => {
    const cluster = await ledBySecond();
    await cluster.changeIsr('t', 0, [2, 1]);
    expect(await elect(cluster, 'PREFERRED')).toEqual({ leader: 1 });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [2, 1], leader_epoch: 2 });
    for (const id of [1, 2])
      expect(cluster.lastTold(id, 'LeaderAndIsr', 't', 0)).toMatchObject({ leader: 1, leaderEpoch: 2 });
    expect(await elect(cluster, 'PREFERRED')).toEqual({ error: 'ELECTION_NOT_NEEDED', message: null });
  });

  it('changes nothing where the preferred replica is not in sync', async () => {
    const cluster = await ledBySecond();
    expect(await elect(cluster, 'PREFERRED')).toMatchObject({ error: 'PREFERRED_LEADER_NOT_AVAILABLE' });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, leader_epoch: 1 });
  });

  it.each<ElectionType>(['PREFERRED', 'UNCLEAN'])(
    '(%s) names partitions that are not there or are to be deleted',
    async (type) => {
      const cluster = await ledBySecond();
      const unknown = { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'The partition does not exist.' };
      expect(await elect(cluster, type, { topic: 't', partition: 9 })).toEqual(unknown);
      expect(await elect(cluster, type, { topic: 'nowhere', partition: 0 })).toEqual(unknown);
      await cluster.lose(1);
      await cluster.deleteTopic('t');
      expect(await elect(cluster, type)).toEqual({
        error: 'INVALID_TOPIC_EXCEPTION',
        message: 'The topic is being deleted',
      });
    },
  );

  it('by the znode is carried out, the znode deleted, and the next one seen', async () => {
    const cluster = await ledBySecond();
    await cluster.changeIsr('t', 0, [2, 1]);
    const asked = { version: 1, partitions: [partition, { topic: 'nowhere', partition: 0 }] };
    await cluster.create(znode, asked);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1 });
    expect(cluster.zk.nodes.has(znode)).toBe(false);
    await cluster.create(znode, asked);
    expect(cluster.zk.nodes.has(znode)).toBe(false);
  });

  it('by the znode is taken up by the next controller', async () => {
    const cluster = await ledBySecond();
    await cluster.changeIsr('t', 0, [2, 1]);
    cluster.zk.put(znode, Buffer.from(JSON.stringify({ version: 1, partitions: [partition] })));
    await cluster.lose(3);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1 });
    expect(cluster.zk.nodes.has(znode)).toBe(false);
  });
});

describe('The check of the leader balance', () => {
  const config = { autoLeaderRebalanceEnable: true, leaderImbalanceCheckIntervalSeconds: 60 };

  /** Ten partitions that prefer broker 1, `lost` of which are led by 2. */
  async function imbalanced(lost: number, settings: object = config): Promise<ControllerCluster> {
    const cluster = await ControllerCluster.start([3, 1, 2], { config: settings });
    const partitions = Object.fromEntries(Array.from({ length: 10 }, (_, id) => [id, [1, 2]]));
    await cluster.createTopic('t', partitions);
    await cluster.lose(1);
    await cluster.add(1);
    await inSync(cluster);
    for (let id = lost; id < 10; id += 1) await elect(cluster, 'PREFERRED', { topic: 't', partition: id });
    expect(cluster.active.metrics).toMatchObject({ PreferredReplicaImbalanceCount: lost });
    return cluster;
  }

  /** Broker 1 has caught up; the controller learns that by a notification. */
  async function inSync(cluster: ControllerCluster): Promise<void> {
    for (let id = 0; id < 10; id += 1) await cluster.changeIsr('t', id, [2, 1]);
    const partitions = Array.from({ length: 10 }, (_, id) => ({ topic: 't', partition: id }));
    await cluster.create('/isr_change_notification/isr_change_0000000000', { version: 1, partitions });
  }

  async function after(cluster: ControllerCluster, ms: number): Promise<number> {
    await cluster.time.advance(ms);
    await cluster.settle();
    return cluster.active.metrics['PreferredReplicaImbalanceCount']!;
  }

  it('comes 5 s after election, then at every interval, and elects where the ratio is exceeded', async () => {
    const cluster = await imbalanced(2);
    expect(await after(cluster, 4999)).toBe(2);
    expect(await after(cluster, 1)).toBe(0);
    await cluster.lose(1);
    await cluster.add(1);
    await inSync(cluster);
    expect(await after(cluster, 59_999)).toBe(10);
    expect(await after(cluster, 1)).toBe(0);
  });

  it('leaves a broker alone that has not lost more than leader.imbalance.per.broker.percentage', async () => {
    const cluster = await imbalanced(1);
    expect(await after(cluster, 5000)).toBe(1);
    const strict = await imbalanced(1, { ...config, leaderImbalancePerBrokerPercentage: 9 });
    expect(await after(strict, 5000)).toBe(0);
  });

  it('waits while any partition is being reassigned', async () => {
    const cluster = await imbalanced(5);
    await cluster.active.alterPartitionReassignments([{ partition: { topic: 't', partition: 9 }, target: [1, 2, 3] }]);
    expect(await after(cluster, 5000)).toBe(5);
  });

  it('does not come where auto.leader.rebalance.enable is off, nor at who is no longer the controller', async () => {
    expect(await after(await imbalanced(5, {}), 600_000)).toBe(5);
    const cluster = await imbalanced(5);
    const { session } = cluster.brokers.get(3)!;
    await cluster.controller(3).shutdown();
    session.calls.length = 0;
    await cluster.time.advance(600_000);
    await cluster.settle();
    expect(session.calls).toEqual([]);
  });
});

describe('An unclean election', () => {
  it('does not happen by default: the partition waits for its in-sync replica', async () => {
    const cluster = await leaderless();
    expect(cluster.state('t', 0)).toMatchObject({ leader: -1, isr: [2] });
    expect(cluster.active.metrics).toMatchObject({ OfflinePartitionsCount: 1 });
    expect(await elect(cluster, 'PREFERRED')).toMatchObject({ error: 'PREFERRED_LEADER_NOT_AVAILABLE' });
    await cluster.add(2);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.active.metrics).toMatchObject({ OfflinePartitionsCount: 0 });
  });

  it('by request takes any live replica as leader and sole member of the ISR', async () => {
    const cluster = await leaderless();
    expect(await elect(cluster, 'UNCLEAN')).toEqual({ leader: 1 });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [1] });
    expect(cluster.active.controllerContext.uncleanLeaderElections).toBe(1);
    expect(await elect(cluster, 'UNCLEAN')).toMatchObject({ error: 'ELECTION_NOT_NEEDED' });
  });

  it('by request finds nobody where no replica is alive', async () => {
    const cluster = await leaderless();
    await cluster.lose(1);
    expect(await elect(cluster, 'UNCLEAN')).toMatchObject({ error: 'ELIGIBLE_LEADERS_NOT_AVAILABLE' });
  });

  it.each([
    ['the topic allows it', 'true', {}, 1],
    ['the topic allows it in other letters', ' True ', {}, 1],
    ['the broker allows it', undefined, { uncleanLeaderElectionEnable: true }, 1],
    ['the broker allows it and the topic does not', 'false', { uncleanLeaderElectionEnable: true }, -1],
  ])('happens by itself where %s', async (_, override, config, leader) => {
    const cluster = await leaderless(override, config);
    expect(cluster.state('t', 0)).toMatchObject({ leader });
  });

  it('does not happen where the topic’s setting is nonsense, and other topics are none the worse', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2], { config: { uncleanLeaderElectionEnable: true } });
    setUnclean(cluster, 'perhaps');
    cluster.zk.put('/config/topics/broken', Buffer.from('{"config":7}'));
    for (const topic of ['t', 'broken', 'sound']) {
      await cluster.createTopic(topic, { 0: [2, 1] });
      await cluster.changeIsr(topic, 0, [2]);
    }
    await cluster.lose(2);
    expect(['t', 'broken', 'sound'].map((topic) => cluster.state(topic, 0).leader)).toEqual([-1, -1, 1]);
    expect(cluster.errors.join()).toContain('Invalid value perhaps');
  });

  it('happens when it is switched on for all topics, or for the one', async () => {
    const all = await leaderless();
    all.brokers.get(3)!.config.uncleanLeaderElectionEnable = true;
    all.controller(3).enableDefaultUncleanLeaderElection();
    await all.settle();
    expect(all.state('t', 0)).toMatchObject({ leader: 1, isr: [1] });

    const one = await leaderless();
    setUnclean(one, 'true');
    one.controller(3).enableTopicUncleanLeaderElection('other');
    await one.settle();
    expect(one.state('t', 0)).toMatchObject({ leader: -1 });
    one.controller(3).enableTopicUncleanLeaderElection('t');
    await one.settle();
    expect(one.state('t', 0)).toMatchObject({ leader: 1, isr: [1] });
  });
});

describe('A controlled shutdown', () => {
  it('moves leaderships, takes the broker out of the ISRs and stops its replicas', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2]);
    await cluster.createTopic('t', { 0: [1, 2], 1: [2, 1], 2: [1] });
    cluster.sent.length = 0;
    const { brokerEpoch } = cluster.controller(1);
    expect(await cluster.active.controlledShutdown(1, brokerEpoch)).toEqual([]);
    await cluster.settle();
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.state('t', 1)).toMatchObject({ leader: 2, isr: [2] });
    // Nobody else has a replica.
    expect(cluster.state('t', 2)).toMatchObject({ leader: 1, isr: [1] });
    // Once before the broker leaves the ISR, or it would be taken back at once, and once with it.
    expect(cluster.told(1, 'StopReplica')).toHaveLength(2);
    expect(cluster.lastTold(1, 'StopReplica', 't', 1)).toMatchObject({ deletePartition: false });
    expect(cluster.errors).toEqual([]);
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ leader: 2 });
    // It still hears of everything, as long as it lives.
    expect(cluster.lastTold(1, 'UpdateMetadata', 't', 0)).toMatchObject({ leader: 2, offlineReplicas: [1] });
  });

  it('names the partitions that have no other in-sync replica, until they have one', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2]);
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.changeIsr('t', 0, [1]);
    expect(await cluster.active.controlledShutdown(1, -1)).toEqual([partition]);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [1] });
    await cluster.changeIsr('t', 0, [1, 2]);
    expect(await cluster.active.controlledShutdown(1, -1)).toEqual([]);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
  });

  it('keeps new leaders away from the broker until it has registered anew', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2]);
    await cluster.active.controlledShutdown(1, -1);
    await cluster.createTopic('t', { 0: [1, 2] });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
    await cluster.lose(1);
    await cluster.add(1);
    await cluster.createTopic('u', { 0: [1, 2] });
    expect(cluster.state('u', 0)).toMatchObject({ leader: 1, isr: [1, 2] });
  });

  it('is refused by an earlier epoch of the broker, and done by its own, a later or none', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2]);
    const { brokerEpoch } = cluster.controller(1);
    await expect(cluster.active.controlledShutdown(1, brokerEpoch - 1)).rejects.toMatchObject({
      error: { name: 'STALE_BROKER_EPOCH' },
    });
    await cluster.createTopic('t', { 0: [1, 2] });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1 });
    for (const epoch of [brokerEpoch, brokerEpoch + 1, -1]) {
      expect(await cluster.active.controlledShutdown(1, epoch)).toEqual([]);
    }
  });

  it('leaves alone what is to be deleted', async () => {
    const cluster = await ControllerCluster.start([3, 1, 2, 4]);
    await cluster.createTopic('t', { 0: [1, 4] });
    await cluster.lose(4);
    await cluster.deleteTopic('t');
    const before = cluster.zk.json('/brokers/topics/t/partitions/0/state');
    expect(await cluster.active.controlledShutdown(1, -1)).toEqual([]);
    expect(cluster.zk.json('/brokers/topics/t/partitions/0/state')).toEqual(before);
    expect(cluster.errors).toEqual([]);
  });
});
