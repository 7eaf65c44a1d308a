import { describe, expect, it } from '@jest/globals';
import type { MultiOp } from '@klassic/zookeeper';
import { ControllerCluster, topicZNode } from './controller-cluster.ts';

/** What a broker writes whether it is the controller or not, or to become it. */
const unfencedPaths = [/^\/brokers\/ids\//, /^\/controller$/, /^\/controller_epoch$/, /^\/feature$/];

async function start(): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start([1, 2, 3]);
  await cluster.createTopic('t', { 0: [1, 2], 1: [2, 1], 2: [3, 1] });
  await cluster.createTopic('single', { 0: [2] });
  return cluster;
}

/** One change of every kind that makes a controller write. */
const changes: Readonly<Record<string, (cluster: ControllerCluster) => Promise<unknown>>> = {
  'a new topic': (cluster) => cluster.createTopic('new', { 0: [1, 2] }),
  'new partitions': (cluster) =>
    cluster.write('/brokers/topics/t', topicZNode({ 0: [1, 2], 1: [2, 1], 2: [3, 1], 3: [1, 3] })),
  'a topic to delete': (cluster) => cluster.deleteTopic('t'),
  'an unknown topic to delete': (cluster) => cluster.deleteTopic('nowhere'),
  'the death of a broker': (cluster) => cluster.lose(3),
  'a plan of reassignment': (cluster) =>
    cluster.create('/admin/reassign_partitions', {
      version: 1,
      partitions: [{ topic: 't', partition: 0, replicas: [1, 3] }],
    }),
  'a plan that is carried out at once': (cluster) =>
    cluster.create('/admin/reassign_partitions', {
      version: 1,
      partitions: [{ topic: 't', partition: 0, replicas: [2, 1] }],
    }),
  'a reassignment by request': async (cluster) => {
    const reassignment = { partition: { topic: 't', partition: 1 }, target: [2, 3] };
    await cluster.controller(1).alterPartitionReassignments([reassignment]);
  },
  'a preferred election': (cluster) =>
    cluster.create('/admin/preferred_replica_election', { version: 1, partitions: [{ topic: 't', partition: 0 }] }),
  'an election by request': async (cluster) => {
    cluster
      .controller(1)
      .controllerContext.putPartitionLeadershipInfo(
        { topic: 't', partition: 0 },
        { leaderAndIsr: { leader: 2, leaderEpoch: 0, isr: [1, 2], zkVersion: 0 }, controllerEpoch: 1 },
      );
    await cluster.controller(1).electLeaders([{ topic: 't', partition: 0 }], 'PREFERRED');
  },
  'an ISR change notification': (cluster) =>
    cluster.create('/isr_change_notification/isr_change_0000000001', {
      version: 1,
      partitions: [{ topic: 't', partition: 0 }],
    }),
  'a log dir event notification': (cluster) =>
    cluster.create('/log_dir_event_notification/log_dir_event_0000000001', { version: 1, broker: 2, event: 1 }),
  'a controlled shutdown': (cluster) => cluster.controller(1).controlledShutdown(2, -1),
};

function writesOf(cluster: ControllerCluster, id: number): { ops: readonly MultiOp[]; code: string }[] {
  const { name } = cluster.brokers.get(id)!.session;
  return cluster.zk.transactions.filter(({ who }) => who === name);
}

describe('A controller', () => {
  it.each(Object.keys(changes))('checks its epoch in the same transaction as each write: %s', async (change) => {
    const cluster = await start();
    const { length } = writesOf(cluster, 1);
    await changes[change]!(cluster);
    await cluster.settle();
    const writes = writesOf(cluster, 1).slice(length);
    const { epochZkVersion } = cluster.controller(1).controllerContext;
    expect(writes.length).toBeGreaterThan(0);
    for (const { ops, code } of writes) {
      expect(ops[0]).toEqual({ op: 'check', path: '/controller_epoch', version: epochZkVersion });
      expect(ops).toHaveLength(2);
      expect(code).not.toBe('BAD_VERSION');
    }
  });

  it('writes without a check only what every broker writes', async () => {
    const cluster = await start();
    for (const { ops } of [1, 2, 3].flatMap((id) => writesOf(cluster, id))) {
      const written = ops.filter(({ op }) => op !== 'check');
      if (ops.length === written.length) {
        for (const { path } of written) expect(unfencedPaths.some((known) => known.test(path))).toBe(true);
      }
    }
  });

  it.each(Object.keys(changes))('that was deposed unawares changes nothing and resigns: %s', async (change) => {
    const cluster = await start();
    // Its session ended and another was elected, and it has heard of neither.
    cluster.zk.nodes.get('/controller')!.data = Buffer.from('{"version":1,"brokerid":2,"timestamp":"0"}');
    cluster.zk.nodes.get('/controller_epoch')!.version += 1;
    const { length } = writesOf(cluster, 1);
    const outcome = await Promise.allSettled([changes[change]!(cluster)]);
    await cluster.settle();
    const writes = writesOf(cluster, 1).slice(length);
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.map(({ code }) => code)).toEqual(writes.map(() => 'BAD_VERSION'));
    expect(cluster.controller(1).isActive).toBe(false);
    expect(cluster.controller(1).epoch).toBe(0);
    // Like any other broker it watches who is the controller, and nothing else.
    const { session } = cluster.brokers.get(1)!;
    expect([[...session.change.keys()], [...session.childChange.keys()]]).toEqual([['/controller'], []]);
    // It does nothing more, not even what only reads.
    const { length: calls } = session.calls;
    cluster.sent.length = 0;
    await cluster.createTopic('later', { 0: [1, 2] });
    expect(session.calls).toHaveLength(calls);
    expect(cluster.sent).toEqual([]);
    const byRequest: Record<string, string> = {
      'a reassignment by request': 'NOT_CONTROLLER',
      'an election by request': 'NOT_CONTROLLER',
      'a controlled shutdown': 'STALE_CONTROLLER_EPOCH',
    };
    const name = byRequest[change];
    if (name !== undefined) expect(outcome).toMatchObject([{ status: 'rejected', reason: { error: { name } } }]);
  });

  it('takes part in the next election, with a later epoch, when the one who deposed it is gone', async () => {
    const cluster = await start();
    const session = cluster.brokers.get(1)!.session;
    cluster.expire(1);
    await cluster.settle();
    expect(cluster.controller(2).isActive || cluster.controller(3).isActive).toBe(true);
    await session.renew('broker-1#again', cluster.zk.zxid + 1);
    await cluster.settle();
    expect(cluster.controller(1).isActive).toBe(false);
    const epochs = [cluster.active.epoch];
    await cluster.lose([2, 3].find((id) => cluster.controller(id).isActive)!);
    await cluster.lose([2, 3].find((id) => cluster.brokers.get(id)!.alive)!);
    epochs.push(cluster.active.epoch);
    expect(cluster.controller(1).isActive).toBe(true);
    expect(epochs[1]).toBeGreaterThan(epochs[0]!);
  });

  it('drops what waits when its session ends, and answers those who asked, before it begins a new one', async () => {
    const cluster = await start();
    const controller = cluster.controller(1);
    const { session } = cluster.brokers.get(1)!;
    cluster.pause(1);
    const target = [2, 3];
    const asked = Promise.allSettled([
      controller.alterPartitionReassignments([{ partition: { topic: 't', partition: 1 }, target }]),
      controller.listPartitionReassignments(null),
    ]);
    await cluster.settle();
    cluster.expire(1);
    let isNew = false;
    const renewed = session.renew('broker-1#again', cluster.zk.zxid + 1).then(() => {
      isNew = true;
    });
    await cluster.settle();
    // The event under way is not at its end.
    expect([isNew, controller.isActive]).toEqual([false, true]);
    cluster.resume(1);
    const outcomes = await asked;
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'SESSION_EXPIRED' } },
      { status: 'rejected', reason: { error: { name: 'NOT_CONTROLLER' } } },
    ]);
    await renewed;
    await cluster.settle();
    expect(controller.isActive).toBe(false);
    // It registers anew, with a later broker epoch.
    expect(cluster.zk.nodes.get('/brokers/ids/1')).toMatchObject({
      owner: 'broker-1#again',
      czxid: controller.brokerEpoch,
    });
    expect(cluster.active.controllerContext.brokerEpoch(1)).toBe(controller.brokerEpoch);
  });

  it('registers anew before it stands for election again', async () => {
    const cluster = await ControllerCluster.start([1]);
    cluster.expire(1);
    cluster.zk.transactions.length = 0;
    await cluster.brokers.get(1)!.session.renew('broker-1#again', cluster.zk.zxid + 1);
    await cluster.settle();
    const creations = cluster.zk.transactions.flatMap(({ ops }) => ops.filter(({ op }) => op === 'create'));
    expect(creations.map(({ path }) => path)).toEqual(['/brokers/ids/1', '/controller']);
    expect(cluster.controller(1).isActive).toBe(true);
  });
});
