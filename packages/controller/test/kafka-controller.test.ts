import { describe, expect, it } from '@jest/globals';
import { KafkaError } from '@klassic/protocol';
import { BrokerIdZNode, ReassignPartitionsZNode } from '@klassic/zookeeper';
import type { KafkaController } from '../src/index.ts';
import { brokerInfo, ReplayCluster, respondWithoutErrors } from './replay-cluster.ts';

async function start(...ids: number[]): Promise<ReplayCluster> {
  const cluster = new ReplayCluster();
  const paths = ['/brokers/ids', '/brokers/topics', '/admin/delete_topics', '/config/topics'];
  for (const path of [...paths, '/isr_change_notification', '/log_dir_event_notification']) cluster.zk.put(path, null);
  for (const id of ids) await startBroker(cluster, id);
  return cluster;
}

async function startBroker(cluster: ReplayCluster, id: number): Promise<KafkaController> {
  const data = BrokerIdZNode.encode(brokerInfo(id), 0);
  cluster.zk.apply(`broker-${id}`, [{ op: 'create', path: BrokerIdZNode.path(id), data, ephemeral: true }], false);
  const controller = cluster.startBroker(id, `broker-${id}`);
  await cluster.settle();
  return controller;
}

describe('KafkaController', () => {
  it('has one controller, and the others know that they are not', async () => {
    const cluster = await start(1, 2);
    expect([cluster.controller(1).isActive, cluster.controller(2).isActive]).toEqual([true, false]);
    expect(cluster.controller(1).metrics).toMatchObject({ ActiveControllerCount: 1, OfflinePartitionsCount: 0 });
    await expect(cluster.controller(2).controlledShutdown(1, -1)).rejects.toMatchObject({
      error: { name: 'STALE_CONTROLLER_EPOCH' },
    });
    await expect(cluster.controller(1).controlledShutdown(9, -1)).rejects.toMatchObject({
      error: { name: 'BROKER_NOT_AVAILABLE' },
    });
    await expect(cluster.controller(1).controlledShutdown(2, 1)).rejects.toMatchObject({
      error: { name: 'STALE_BROKER_EPOCH' },
    });
  });

  it('changes nothing and resigns when another has been elected', async () => {
    const cluster = await start(1, 2);
    // Somebody else raises the epoch and takes the office, unseen: the watch events come last.
    cluster.zk.nodes.get('/controller')!.data = Buffer.from('{"version":1,"brokerid":2,"timestamp":"0"}');
    cluster.zk.nodes.get('/controller_epoch')!.version += 1;
    cluster.zk.put(
      '/brokers/topics/t',
      Buffer.from('{"partitions":{"0":[1,2]},"version":3,"adding_replicas":{},"removing_replicas":{}}'),
    );
    cluster.sent.length = 0;
    cluster.zk.apply(
      'client',
      [{ op: 'create', path: '/brokers/topics/other', data: Buffer.from('{"partitions":{"0":[1,2]},"version":3}') }],
      false,
    );
    await cluster.settle();
    expect(cluster.controller(1).isActive).toBe(false);
    expect(cluster.sent).toEqual([]);
    expect(cluster.zk.childrenOf('/brokers/topics/other')).toEqual([]);
    expect(cluster.zk.childrenOf('/brokers/topics/t')).toEqual([]);
  });

  it('repeats a request until the broker answers it, and gives up when the broker is gone', async () => {
    const cluster = await start(1, 2);
    let failures = 3;
    cluster.respond = (sent) => {
      if (sent.to === 2 && failures-- > 0) throw new Error('connection reset');
      return respondWithoutErrors(sent);
    };
    cluster.sent.length = 0;
    await startBroker(cluster, 3);
    expect(cluster.sent.filter(({ to }) => to === 2)).toHaveLength(0);
    await cluster.time.advance(300);
    expect(cluster.sent.filter(({ to }) => to === 2).map(({ api }) => api)).toEqual(['UpdateMetadata']);

    failures = Number.POSITIVE_INFINITY;
    cluster.zk.apply(
      'client',
      [{ op: 'create', path: '/brokers/topics/t', data: Buffer.from('{"partitions":{"0":[2,1]},"version":3}') }],
      false,
    );
    await cluster.settle();
    await cluster.time.advance(1000);
    cluster.zk.closeSession('broker-2');
    await cluster.settle();
    const before = failures;
    await cluster.time.advance(1000);
    expect(failures).toBe(before);
    expect(cluster.zk.json('/brokers/topics/t/partitions/0/state')).toMatchObject({ leader: 1, isr: [1] });
  });

  it('takes no name that is sent to it for that of a partition, and outlives it', async () => {
    const cluster = await start(1, 2);
    const assignment = Buffer.from('{"partitions":{"0":[1,2],"1":[1,2]},"version":3}');
    cluster.zk.apply('client', [{ op: 'create', path: '/brokers/topics/t-', data: assignment }], false);
    await cluster.settle();
    const controller = cluster.controller(1);
    // The text of the second, `t--1`, is that of partition 1 of `t-`.
    const named = [
      { topic: '', partition: 0 },
      { topic: 't', partition: -1 },
      { topic: 'nowhere', partition: 0 },
    ];
    const unknown = { error: 'UNKNOWN_TOPIC_OR_PARTITION' };
    const asked = named.map((partition) => ({ partition, target: [2, 1] }));
    expect(await controller.alterPartitionReassignments(asked)).toMatchObject([unknown, unknown, unknown]);
    const cancelled = named.map((partition) => ({ partition, target: null }));
    expect((await controller.alterPartitionReassignments(cancelled)).map(({ error }) => error)).toEqual(
      named.map(() => 'NO_REASSIGNMENT_IN_PROGRESS'),
    );
    const plan = ReassignPartitionsZNode.encode(named.map((partition) => ({ ...partition, replicas: [2, 1] })));
    cluster.zk.apply('client', [{ op: 'create', path: ReassignPartitionsZNode.path, data: plan }], false);
    await cluster.settle();
    expect(cluster.zk.nodes.has(ReassignPartitionsZNode.path)).toBe(false);
    expect(cluster.zk.json('/brokers/topics/t-')).toMatchObject({ partitions: { 0: [1, 2], 1: [1, 2] } });
    expect(cluster.zk.json('/brokers/topics/t-/partitions/1/state')).toMatchObject({ leader: 1, leader_epoch: 0 });
    expect(controller.isActive).toBe(true);
  });

  it('answers what waits in its queue when it shuts down', async () => {
    const cluster = await start(1, 2);
    const controller = cluster.controller(1);
    const asked = [controller.electLeaders([], 'PREFERRED'), controller.listPartitionReassignments(null)];
    const answers = Promise.allSettled(asked);
    await controller.shutdown();
    const [, second] = await answers;
    expect(second).toMatchObject({ status: 'rejected' });
    expect(second?.status === 'rejected' && second.reason).toBeInstanceOf(KafkaError);
    await expect(controller.electLeaders([], 'PREFERRED')).rejects.toMatchObject({ error: { name: 'NOT_CONTROLLER' } });
    expect(controller.isActive).toBe(false);
  });
});
