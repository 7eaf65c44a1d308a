import { describe, expect, it } from '@jest/globals';
import { ControllerCluster, topicZNode } from './controller-cluster.ts';
import type { SentRequest } from './replay-cluster.ts';
import { respondWithoutErrors } from './replay-cluster.ts';

const kafkaStorageError = 56;

function isDeletion({ api, request }: SentRequest): boolean {
  const states = (request.topicStates ?? []).flatMap(({ partitionStates = [] }) => partitionStates);
  return api === 'StopReplica' && states.some((state) => 'deletePartition' in state && state.deletePartition === true);
}

function exists(cluster: ControllerCluster, topic: string): boolean {
  return cluster.zk.nodes.has(`/brokers/topics/${topic}`);
}

describe('The deletion of a topic', () => {
  it('tells all brokers, stops the replicas, deletes them, and then the znodes', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    cluster.zk.put('/config/topics/t', Buffer.from('{"version":1,"config":{}}'));
    await cluster.createTopic('t', { 0: [1, 2] });
    cluster.sent.length = 0;
    await cluster.deleteTopic('t');
    for (const id of [1, 2, 3]) expect(cluster.lastTold(id, 'UpdateMetadata', 't', 0)).toMatchObject({ leader: -2 });
    for (const id of [1, 2]) {
      const stops = cluster.sent.filter(({ to, api }) => to === id && api === 'StopReplica');
      expect(stops.map(isDeletion)).toEqual([false, true]);
      expect(cluster.lastTold(id, 'StopReplica', 't', 0)).toMatchObject({ leaderEpoch: -2 });
    }
    expect(cluster.told(3, 'StopReplica')).toEqual([]);
    expect(cluster.zk.childrenOf('/brokers/topics')).toEqual([]);
    expect(cluster.zk.childrenOf('/config/topics')).toEqual([]);
    expect(cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
    const deleted = cluster.zk.transactions.flatMap(({ ops }) => ops.filter(({ op }) => op === 'delete'));
    expect(deleted.map(({ path }) => path).filter((path) => path !== '/admin/preferred_replica_election')).toEqual([
      '/brokers/topics/t/partitions/0/state',
      '/brokers/topics/t/partitions/0',
      '/brokers/topics/t/partitions',
      '/brokers/topics/t',
      '/config/topics/t',
      '/admin/delete_topics/t',
    ]);
    expect(cluster.active.metrics).toMatchObject({
      TopicsToDeleteCount: 0,
      GlobalTopicCount: 0,
      OfflinePartitionsCount: 0,
    });
  });

  it('waits for a dead replica, and goes on when its broker is back', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.lose(2);
    cluster.sent.length = 0;
    await cluster.deleteTopic('t');
    expect(exists(cluster, 't')).toBe(true);
    // The live replica is deleted already; the dead one makes the topic wait.
    expect(cluster.sent.filter(isDeletion).map(({ to }) => to)).toEqual([1]);
    expect(cluster.active.metrics).toMatchObject({
      TopicsToDeleteCount: 1,
      TopicsIneligibleToDeleteCount: 1,
      ReplicasToDeleteCount: 1,
    });
    await cluster.add(2);
    expect(exists(cluster, 't')).toBe(false);
    expect(cluster.sent.filter(isDeletion).map(({ to }) => to)).toEqual([1, 2]);
  });

  it('does not let one topic wait for the other', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('waits', { 0: [1, 3] });
    await cluster.createTopic('goes', { 0: [1, 2] });
    await cluster.lose(3);
    await cluster.deleteTopic('waits');
    await cluster.deleteTopic('goes');
    expect(cluster.zk.childrenOf('/brokers/topics')).toEqual(['waits']);
  });

  it('halts when a broker dies that has not answered yet, and goes on when it is back', async () => {
    const cluster = await ControllerCluster.start([1, 2]);
    await cluster.createTopic('t', { 0: [1, 2] });
    cluster.respond = (sent) => {
      if (sent.to === 2 && isDeletion(sent)) throw new Error('connection reset');
      return respondWithoutErrors(sent);
    };
    await cluster.deleteTopic('t');
    expect(exists(cluster, 't')).toBe(true);
    expect(cluster.active.metrics).toMatchObject({ TopicsIneligibleToDeleteCount: 0 });
    await cluster.lose(2);
    expect(cluster.active.metrics).toMatchObject({ TopicsIneligibleToDeleteCount: 1 });
    cluster.respond = respondWithoutErrors;
    await cluster.add(2);
    expect(exists(cluster, 't')).toBe(false);
  });

  it('halts when a broker cannot delete its replica, and tries again when that broker returns', async () => {
    const cluster = await ControllerCluster.start([1, 2]);
    await cluster.createTopic('t', { 0: [1, 2] });
    cluster.respond = (sent) => {
      const answer = respondWithoutErrors(sent);
      if (sent.to !== 2 || !isDeletion(sent)) return answer;
      const partitionErrors = answer.partitionErrors!.map((each) => ({ ...each, errorCode: kafkaStorageError }));
      return { ...answer, partitionErrors };
    };
    await cluster.deleteTopic('t');
    expect(exists(cluster, 't')).toBe(true);
    expect(cluster.active.metrics).toMatchObject({ TopicsIneligibleToDeleteCount: 1, ReplicasToDeleteCount: 1 });
    cluster.respond = respondWithoutErrors;
    await cluster.lose(2);
    await cluster.add(2);
    expect(exists(cluster, 't')).toBe(false);
  });

  it('under a new controller waits for a reassignment to end', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [2, 3] });
    await cluster.add(4);
    await cluster.active.alterPartitionReassignments([{ partition: { topic: 't', partition: 0 }, target: [2, 4] }]);
    cluster.zk.put('/admin/delete_topics/t', null);
    await cluster.lose(1);
    expect(exists(cluster, 't')).toBe(true);
    expect(cluster.active.metrics).toMatchObject({ TopicsToDeleteCount: 1, TopicsIneligibleToDeleteCount: 1 });
    await cluster.changeIsr('t', 0, [2, 3, 4]);
    expect(exists(cluster, 't')).toBe(false);
    expect(cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
  });

  it('ends a reassignment that was begun before, with all replicas, and leaves nothing of it', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.active.alterPartitionReassignments([{ partition: { topic: 't', partition: 0 }, target: [1, 3] }]);
    await cluster.settle();
    cluster.sent.length = 0;
    await cluster.deleteTopic('t');
    expect(exists(cluster, 't')).toBe(false);
    expect(cluster.sent.filter(isDeletion).map(({ to }) => to)).toEqual([1, 2, 3]);
    expect(cluster.active.stateView?.partitionsBeingReassigned).toEqual([]);
    const watched = [...cluster.brokers.get(1)!.session.change.keys()];
    expect(watched.filter((path) => path.startsWith('/brokers/topics/'))).toEqual([]);
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.changeIsr('t', 0, [1]);
    expect(cluster.errors).toEqual([]);
  });

  it('is taken up by the next controller, which waits as the one before', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [2, 3] });
    await cluster.lose(3);
    await cluster.deleteTopic('t');
    await cluster.lose(1);
    expect(cluster.controller(2).isActive).toBe(true);
    expect(cluster.active.metrics).toMatchObject({ TopicsToDeleteCount: 1, TopicsIneligibleToDeleteCount: 1 });
    expect(exists(cluster, 't')).toBe(true);
    // Not even the live replica is asked again, until there is hope.
    expect(cluster.sent.filter((sent) => sent.from === 2 && isDeletion(sent))).toEqual([]);
    await cluster.add(3);
    expect(exists(cluster, 't')).toBe(false);
  });

  it('leaves a topic created anew under the same name nothing of the old one', async () => {
    const cluster = await ControllerCluster.start([1, 2]);
    await cluster.createTopic('t', { 0: [1, 2], 1: [1, 2] });
    await cluster.deleteTopic('t');
    cluster.sent.length = 0;
    await cluster.createTopic('t', { 0: [2, 1] });
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, leader_epoch: 0, isr: [2, 1] });
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ isNew: true });
    expect(cluster.active.metrics).toMatchObject({ GlobalPartitionCount: 1 });
    // Its own partitions are watched, the old ones no more.
    await cluster.write('/brokers/topics/t', topicZNode({ 0: [2, 1], 1: [1, 2] }));
    expect(cluster.state('t', 1)).toMatchObject({ leader: 1 });
  });

  it('of a topic that nobody knows is forgotten', async () => {
    const cluster = await ControllerCluster.start([1]);
    await cluster.deleteTopic('nowhere');
    expect(cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
  });

  it('is refused where delete.topic.enable is off, also by a new controller', async () => {
    const config = { deleteTopicEnable: false };
    const cluster = await ControllerCluster.start([1, 2], { config });
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.deleteTopic('t');
    expect(cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
    cluster.zk.put('/admin/delete_topics/t', null);
    await cluster.lose(1);
    expect(cluster.controller(2).isActive).toBe(true);
    expect(cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
    expect(exists(cluster, 't')).toBe(true);
    expect(cluster.sent.filter(isDeletion)).toEqual([]);
  });
});

describe('Partitions that are added', () => {
  it('come online, and their brokers are told', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [1, 2] });
    cluster.sent.length = 0;
    await cluster.write('/brokers/topics/t', topicZNode({ 0: [1, 2], 1: [3, 1] }));
    expect(cluster.state('t', 1)).toMatchObject({ leader: 3, isr: [3, 1], leader_epoch: 0 });
    expect(cluster.lastTold(3, 'LeaderAndIsr', 't', 1)).toMatchObject({ isNew: true, replicas: [3, 1] });
    expect(cluster.lastTold(2, 'UpdateMetadata', 't', 1)).toMatchObject({ leader: 3 });
    expect(cluster.told(2, 'LeaderAndIsr')).toEqual([]);
  });

  it('to a topic that is to be deleted are taken back', async () => {
    const cluster = await ControllerCluster.start([1, 2, 3]);
    await cluster.createTopic('t', { 0: [1, 2] });
    await cluster.lose(2);
    await cluster.deleteTopic('t');
    await cluster.write('/brokers/topics/t', topicZNode({ 0: [1, 2], 1: [3, 1] }));
    expect(cluster.assignment('t')).toEqual(topicZNode({ 0: [1, 2] }));
    expect(cluster.zk.childrenOf('/brokers/topics/t/partitions')).toEqual(['0']);
    expect(cluster.active.controllerContext.partitionsForTopic('t')).toEqual([{ topic: 't', partition: 0 }]);
  });
});
