import { describe, expect, it } from '@jest/globals';
import { ControllerCluster, topicZNode } from './controller-cluster.ts';

const planPath = '/admin/reassign_partitions';
const partition = { topic: 't', partition: 0 };

async function start(replicas: readonly number[] = [1, 2]): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start([1, 2, 3, 4]);
  await cluster.createTopic('t', { 0: replicas, 1: [1, 2] });
  cluster.sent.length = 0;
  return cluster;
}

async function reassign(cluster: ControllerCluster, target: readonly number[] | null, index = 0): Promise<string> {
  const [result] = await cluster.active.alterPartitionReassignments([
    { partition: { topic: 't', partition: index }, target },
  ]);
  await cluster.settle();
  return result!.error;
}

function plan(...partitions: readonly (readonly [number, readonly number[]])[]): unknown {
  return {
    version: 1,
    partitions: partitions.map(([index, replicas]) => ({ topic: 't', partition: index, replicas })),
  };
}

const second = { 1: [1, 2] };

describe('A reassignment (KIP-455)', () => {
  it('adds the new replicas beside the old, and tells all of them with a new leader epoch', async () => {
    const cluster = await start();
    expect(await reassign(cluster, [3, 1])).toBe('NONE');
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [3, 1, 2], ...second }, { 0: [3] }, { 0: [2] }));
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, leader_epoch: 1, isr: [1, 2] });
    const told = {
      leader: 1,
      leaderEpoch: 1,
      isr: [1, 2],
      replicas: [3, 1, 2],
      addingReplicas: [3],
      removingReplicas: [2],
    };
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ ...told, isNew: false });
    expect(cluster.lastTold(2, 'LeaderAndIsr', 't', 0)).toMatchObject({ ...told, isNew: false });
    expect(cluster.lastTold(3, 'LeaderAndIsr', 't', 0)).toMatchObject({ ...told, isNew: true });
    expect(await cluster.active.listPartitionReassignments(null)).toEqual([partition]);
    expect(await cluster.active.listPartitionReassignments([{ topic: 't', partition: 1 }])).toEqual([]);
  });

  it('ends when all new replicas are in sync: the old ones are deleted, the assignment is the target', async () => {
    const cluster = await start();
    await reassign(cluster, [3, 4]);
    await cluster.changeIsr('t', 0, [1, 2, 3]);
    expect(cluster.assignment('t')).toMatchObject({ adding_replicas: { 0: [3, 4] } });
    cluster.sent.length = 0;
    await cluster.changeIsr('t', 0, [1, 2, 3, 4]);
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [3, 4], ...second }));
    expect(cluster.state('t', 0)).toMatchObject({ leader: 3, isr: [3, 4] });
    for (const id of [1, 2]) {
      expect(cluster.lastTold(id, 'StopReplica', 't', 0)).toMatchObject({ deletePartition: true });
    }
    for (const id of [1, 2, 3, 4]) {
      expect(cluster.lastTold(id, 'UpdateMetadata', 't', 0)).toMatchObject({ leader: 3, replicas: [3, 4] });
    }
    expect(await cluster.active.listPartitionReassignments(null)).toEqual([]);
    expect(cluster.errors).toEqual([]);
  });

  it('also ends by an ISR change notification, where the watch is not heard', async () => {
    const cluster = await start();
    await reassign(cluster, [1, 3]);
    const data = Buffer.from(JSON.stringify({ ...cluster.state('t', 0), isr: [1, 2, 3] }));
    const node = cluster.zk.nodes.get('/brokers/topics/t/partitions/0/state')!;
    node.data = data;
    node.version += 1;
    await cluster.create('/isr_change_notification/isr_change_0000000000', { version: 1, partitions: [partition] });
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 3], ...second }));
  });

  it('keeps a leader that stays, and elects one of the target where the leader is dead', async () => {
    const cluster = await start([2, 1]);
    await reassign(cluster, [2, 3]);
    await cluster.changeIsr('t', 0, [2, 1, 3]);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2, 3] });
    await reassign(cluster, [2, 4]);
    await cluster.lose(2);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 3 });
    await cluster.changeIsr('t', 0, [3, 4]);
    // 2 is in the target but not in sync: not at its end.
    expect(cluster.assignment('t')).toMatchObject({ removing_replicas: { 0: [3] } });
  });

  it('to the replicas that there are changes their order, and is at its end at once', async () => {
    const cluster = await start();
    expect(await reassign(cluster, [2, 1])).toBe('NONE');
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [2, 1], ...second }));
    expect(cluster.told(2, 'StopReplica')).toEqual([]);
    expect(await reassign(cluster, [2, 1])).toBe('NONE');
    expect(await cluster.active.listPartitionReassignments(null)).toEqual([]);
  });

  it('makes way for a later one: replicas that nobody wants any more are deleted at once', async () => {
    const cluster = await start();
    await reassign(cluster, [1, 3]);
    cluster.sent.length = 0;
    await reassign(cluster, [1, 4]);
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 4, 2], ...second }, { 0: [4] }, { 0: [2] }));
    expect(cluster.lastTold(3, 'StopReplica', 't', 0)).toMatchObject({ deletePartition: true });
    expect(cluster.lastTold(2, 'StopReplica', 't', 0)).toBeUndefined();
  });

  it('can be cancelled while it is under way, and then no more', async () => {
    const cluster = await start();
    expect(await reassign(cluster, null)).toBe('NO_REASSIGNMENT_IN_PROGRESS');
    await reassign(cluster, [3, 4]);
    await cluster.changeIsr('t', 0, [1, 2, 3]);
    expect(await reassign(cluster, null)).toBe('NONE');
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 2], ...second }));
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [1, 2] });
    for (const id of [3, 4])
      expect(cluster.lastTold(id, 'StopReplica', 't', 0)).toMatchObject({ deletePartition: true });
    expect(await reassign(cluster, null)).toBe('NO_REASSIGNMENT_IN_PROGRESS');
  });

  it.each<[string, readonly number[], string]>([
    ['no replicas', [], 'Empty replica list'],
    ['a broker twice', [1, 1], 'Duplicate replica ids'],
    ['a negative id', [1, -2], 'Invalid broker id'],
    ['a new replica on a broker that is not alive', [1, 9], 'brokers that are not alive'],
  ])('is refused with %s', async (_, target, message) => {
    const cluster = await start();
    const answers = await cluster.active.alterPartitionReassignments([
      { partition, target },
      { partition: { topic: 't', partition: 1 }, target: [2, 3] },
    ]);
    expect(answers).toMatchObject([
      { error: 'INVALID_REPLICA_ASSIGNMENT', message: expect.stringContaining(message) },
      { error: 'NONE' },
    ]);
    expect(cluster.assignment('t')).toMatchObject({ partitions: { 0: [1, 2], 1: [2, 3, 1] } });
  });

  it('may keep a replica whose broker is dead, but not add one', async () => {
    const cluster = await start([1, 4]);
    await cluster.lose(4);
    expect(await reassign(cluster, [4, 1, 2])).toBe('NONE');
    expect(await reassign(cluster, [4, 1], 1)).toBe('INVALID_REPLICA_ASSIGNMENT');
  });

  it('is refused for topics and partitions that are not there or are to be deleted', async () => {
    const cluster = await start();
    expect(await reassign(cluster, [1, 3], 7)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await cluster.lose(2);
    await cluster.deleteTopic('t');
    expect(await reassign(cluster, [1, 3])).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('is resumed by the next controller', async () => {
    const cluster = await start([2, 3]);
    await reassign(cluster, [2, 4]);
    await cluster.lose(1);
    expect(await cluster.active.listPartitionReassignments(null)).toEqual([partition]);
    // The replica to add has heard of it from the new controller, too.
    expect(cluster.lastTold(4, 'LeaderAndIsr', 't', 0)).toMatchObject({ addingReplicas: [4], isNew: true });
    await cluster.changeIsr('t', 0, [2, 3, 4]);
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [2, 4], ...second }));
  });

  it('is resumed when a broker of its target is back, and waits meanwhile', async () => {
    const cluster = await start();
    await reassign(cluster, [1, 3]);
    await cluster.lose(3);
    cluster.sent.length = 0;
    await cluster.add(4 + 1);
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toBeUndefined();
    await cluster.add(3);
    expect(cluster.lastTold(3, 'LeaderAndIsr', 't', 0)).toMatchObject({ addingReplicas: [3] });
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ addingReplicas: [3] });
  });

  it('reads the leader epoch again where the leader has changed the ISR in between', async () => {
    const cluster = await start();
    let raced = false;
    cluster.brokers.get(1)!.session.intercept = (request, carryOut) => {
      const writes = request.op === 'multi' && request.ops.some(({ path }) => path.endsWith('/0/state'));
      if (writes && !raced) {
        raced = true;
        cluster.zk.nodes.get('/brokers/topics/t/partitions/0/state')!.version += 1;
      }
      return carryOut();
    };
    expect(await reassign(cluster, [1, 3])).toBe('NONE');
    expect(raced).toBe(true);
    expect(cluster.state('t', 0)).toMatchObject({ leader_epoch: 1 });
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ zkVersion: 2 });
  });
});

describe('A plan in /admin/reassign_partitions', () => {
  it('is carried out, and each partition leaves it when it is done; the znode goes with the last', async () => {
    const cluster = await start();
    await cluster.create(planPath, plan([0, [1, 3]], [1, [1, 4]]));
    expect(cluster.assignment('t')).toMatchObject({ adding_replicas: { 0: [3], 1: [4] } });
    await cluster.changeIsr('t', 0, [1, 2, 3]);
    expect(cluster.zk.json(planPath)).toMatchObject({ partitions: [{ partition: 1, replicas: [1, 4] }] });
    await cluster.changeIsr('t', 1, [1, 2, 4]);
    expect(cluster.zk.nodes.has(planPath)).toBe(false);
    // The next one is seen again.
    await cluster.create(planPath, plan([0, [1, 2]]));
    expect(cluster.assignment('t')).toMatchObject({ adding_replicas: { 0: [2] } });
  });

  it('takes the place of a reassignment by request', async () => {
    const cluster = await start();
    await reassign(cluster, [1, 3]);
    await cluster.create(planPath, plan([0, [1, 4]]));
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 4, 2], ...second }, { 0: [4] }, { 0: [2] }));
    expect(cluster.lastTold(3, 'StopReplica', 't', 0)).toMatchObject({ deletePartition: true });
  });

  it('loses the partitions that a request reassigns or cancels, and keeps the others', async () => {
    const cluster = await start();
    await cluster.create(planPath, plan([0, [1, 3]], [1, [1, 4]]));
    await reassign(cluster, [1, 4]);
    expect(cluster.zk.json(planPath)).toMatchObject({ partitions: [{ partition: 1 }] });
    expect(await reassign(cluster, null, 1)).toBe('NONE');
    expect(cluster.zk.nodes.has(planPath)).toBe(false);
    // A refused request takes nothing out of it.
    await cluster.create(planPath, plan([1, [1, 4]]));
    expect(await reassign(cluster, [9], 1)).toBe('INVALID_REPLICA_ASSIGNMENT');
    expect(cluster.zk.json(planPath)).toMatchObject({ partitions: [{ partition: 1 }] });
  });

  it('loses what cannot be done, and the rest is done', async () => {
    const cluster = await start();
    await cluster.create(planPath, {
      version: 1,
      partitions: [
        { topic: 'nowhere', partition: 0, replicas: [1, 2] },
        { topic: 't', partition: 9, replicas: [1, 2] },
        { topic: 't', partition: 0, replicas: [1, 3] },
      ],
    });
    expect(cluster.zk.json(planPath)).toMatchObject({ partitions: [{ topic: 't', partition: 0 }] });
    expect(cluster.zk.childrenOf('/brokers/topics')).toEqual(['t']);
    await cluster.changeIsr('t', 0, [1, 2, 3]);
    expect(cluster.zk.nodes.has(planPath)).toBe(false);
  });

  it('that names a partition twice means the last', async () => {
    const cluster = await start();
    await cluster.create(planPath, plan([0, [1, 3]], [0, [1, 4]]));
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 4, 2], ...second }, { 0: [4] }, { 0: [2] }));
    expect(cluster.told(3, 'LeaderAndIsr')).toEqual([]);
  });

  it('that nobody can read does no harm', async () => {
    const cluster = await start();
    await cluster.create(planPath, 'no plan');
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 2], ...second }));
    expect(cluster.active).toBe(cluster.controller(1));
  });

  it('is found by a new controller, before what was under way by request', async () => {
    const cluster = await start([2, 3]);
    await reassign(cluster, [2, 4]);
    cluster.zk.put(planPath, Buffer.from(JSON.stringify(plan([0, [3, 4]]))));
    await cluster.lose(1);
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [3, 4, 2], 1: [1, 2] }, { 0: [4] }, { 0: [2] }));
    await cluster.changeIsr('t', 0, [2, 3, 4]);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 3, isr: [3, 4] });
    expect(cluster.zk.nodes.has(planPath)).toBe(false);
  });
});
