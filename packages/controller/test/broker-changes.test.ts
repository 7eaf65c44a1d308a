import { describe, expect, it } from '@jest/globals';
import type { RequestInit } from '@klassic/protocol';
import { BrokerIdZNode } from '@klassic/zookeeper';
import { ControllerCluster } from './controller-cluster.ts';
import { brokerInfo, respondWithoutErrors } from './replay-cluster.ts';

const kafkaStorageError = 56;

/** Brokers 3 (the controller), 1 and 2; `t` has replicas 1 and 2, `u` 2 and 1. */
async function start(): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start([3, 1, 2]);
  await cluster.createTopic('t', { 0: [1, 2] });
  await cluster.createTopic('u', { 0: [2, 1] });
  cluster.sent.length = 0;
  return cluster;
}

function liveIn(update: RequestInit<'UpdateMetadata'> | undefined): unknown {
  return update?.liveBrokers?.map(({ id }) => id);
}

describe('A broker that comes', () => {
  it('is made known to the others, and told all partitions, then its own', async () => {
    const cluster = await start();
    await cluster.add(4);
    for (const id of [1, 2, 3]) {
      const [update, ...more] = cluster.told(id, 'UpdateMetadata');
      expect([liveIn(update), update!.topicStates, more]).toEqual([[1, 2, 3, 4], [], []]);
    }
    const [first] = cluster.told(4, 'UpdateMetadata');
    expect(liveIn(first)).toEqual([1, 2, 3, 4]);
    expect(first!.topicStates!.map(({ topicName }) => topicName)).toEqual(['t', 'u']);
    expect(cluster.told(4, 'LeaderAndIsr')).toEqual([]);
    cluster.sent.length = 0;
    await cluster.lose(1);
    await cluster.add(1);
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.told(1, 'LeaderAndIsr')[0]).toMatchObject({ brokerEpoch: cluster.controller(1).brokerEpoch });
  });

  it('again under a new epoch, before its death was seen, has died and come', async () => {
    const cluster = await start();
    cluster.respond = (sent) => {
      if (sent.to === 1) throw new Error('connection reset');
      return respondWithoutErrors(sent);
    };
    await cluster.createTopic('v', { 0: [1, 2] });
    // Both changes of /brokers/ids are one event: the controller is told once, and reads afterwards.
    cluster.pause(3);
    cluster.kill(1);
    cluster.zk.closeSession(cluster.brokers.get(1)!.session.name);
    const session = cluster.register(1);
    cluster.startBroker(1, session);
    cluster.respond = respondWithoutErrors;
    cluster.resume(3);
    await cluster.settle();
    await cluster.time.advance(1000);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.state('u', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.active.controllerContext.brokerEpoch(1)).toBe(cluster.controller(1).brokerEpoch);
    expect(cluster.lastTold(1, 'LeaderAndIsr', 't', 0)).toMatchObject({ leader: 2, isr: [2] });
    for (const { brokerEpoch } of cluster.told(1, 'LeaderAndIsr'))
      expect(brokerEpoch).toBe(cluster.controller(1).brokerEpoch);
  });

  it('with other addresses is made known to all, and with the same is not', async () => {
    const cluster = await start();
    const info = brokerInfo(1);
    const moved = { ...info, endPoints: [{ ...info.endPoints[0]!, port: 7777 }] };
    const write = async (data: Buffer): Promise<void> => {
      cluster.zk.apply('broker-1', [{ op: 'setData', path: BrokerIdZNode.path(1), data, version: -1 }], false);
      await cluster.settle();
    };
    await write(BrokerIdZNode.encode(info, 5));
    expect(cluster.sent).toEqual([]);
    await write(BrokerIdZNode.encode(moved, 6));
    for (const id of [1, 2, 3]) {
      const [update] = cluster.told(id, 'UpdateMetadata');
      expect(update!.liveBrokers![0]).toMatchObject({ id: 1, endpoints: [{ port: 7777 }] });
    }
  });
});

describe('A broker that dies', () => {
  it('loses its leaderships to replicas in sync, and its place in all ISRs; all live ones are told', async () => {
    const cluster = await start();
    await cluster.lose(1);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2], leader_epoch: 1 });
    expect(cluster.state('u', 0)).toMatchObject({ leader: 2, isr: [2], leader_epoch: 1 });
    for (const id of [2, 3]) {
      expect(cluster.lastTold(id, 'UpdateMetadata', 't', 0)).toMatchObject({ leader: 2, offlineReplicas: [1] });
      expect(liveIn(cluster.told(id, 'UpdateMetadata').at(-1))).toEqual([2, 3]);
    }
    expect(cluster.sent.filter(({ to }) => to === 1)).toEqual([]);
  });

  it('without any replica is made known all the same', async () => {
    const cluster = await start();
    await cluster.add(4);
    cluster.sent.length = 0;
    await cluster.lose(4);
    for (const id of [1, 2, 3]) expect(liveIn(cluster.told(id, 'UpdateMetadata').at(-1))).toEqual([1, 2, 3]);
  });

  it('as the last in-sync replica stays in the ISR, and leads again when it is back', async () => {
    const cluster = await start();
    await cluster.lose(1);
    await cluster.lose(2);
    expect(cluster.state('t', 0)).toMatchObject({ leader: -1, isr: [2] });
    await cluster.add(1);
    expect(cluster.state('t', 0)).toMatchObject({ leader: -1, isr: [2] });
    await cluster.add(2);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
  });
});

describe('A log directory that fails', () => {
  /** Broker 1 can no longer open its replica of `t`, and says so. */
  async function fail(cluster: ControllerCluster): Promise<void> {
    cluster.respond = (sent) => {
      const answer = respondWithoutErrors(sent);
      if (sent.to !== 1 || sent.api !== 'LeaderAndIsr') return answer;
      const partitionErrors = answer.partitionErrors!.map((each) => ({
        ...each,
        errorCode: each.topicName === 't' ? kafkaStorageError : 0,
      }));
      return { ...answer, partitionErrors };
    };
    const path = '/log_dir_event_notification/log_dir_event_0000000000';
    await cluster.create(path, { version: 1, broker: 1, event: 1 });
  }

  it('makes its replicas offline: the controller asks the broker, and elects elsewhere', async () => {
    const cluster = await start();
    await fail(cluster);
    expect(cluster.zk.childrenOf('/log_dir_event_notification')).toEqual([]);
    // It was asked about all its replicas.
    const [asked] = cluster.told(1, 'LeaderAndIsr');
    expect(asked!.topicStates!.map(({ topicName }) => topicName)).toEqual(['t', 'u']);
    expect(cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.state('u', 0)).toMatchObject({ leader: 2, isr: [2, 1] });
    expect(cluster.lastTold(3, 'UpdateMetadata', 't', 0)).toMatchObject({ offlineReplicas: [1] });
    // Who has no good replica there does not lead again.
    expect(await cluster.active.electLeaders([{ topic: 't', partition: 0 }], 'PREFERRED')).toEqual(
      new Map([['t-0', { error: 'PREFERRED_LEADER_NOT_AVAILABLE', message: expect.any(String) }]]),
    );
  });

  it('is forgotten when the broker answers without error, or returns', async () => {
    const cluster = await start();
    await fail(cluster);
    cluster.respond = respondWithoutErrors;
    await cluster.create('/log_dir_event_notification/log_dir_event_0000000001', { version: 1, broker: 1, event: 1 });
    expect(cluster.active.controllerContext.isReplicaOnline(1, { topic: 't', partition: 0 })).toBe(true);
    await fail(cluster);
    cluster.respond = respondWithoutErrors;
    await cluster.lose(1);
    await cluster.add(1);
    expect(cluster.active.controllerContext.isReplicaOnline(1, { topic: 't', partition: 0 })).toBe(true);
    // Its last answer may come after its death.
    await cluster.lose(1);
    cluster.active.controllerContext.replicasOnOfflineDirs.set(1, new Set(['t-0']));
    cluster.sent.length = 0;
    await cluster.add(1);
    const [first] = cluster.told(1, 'UpdateMetadata');
    expect(first!.topicStates![0]!.partitionStates![0]).toMatchObject({ offlineReplicas: [] });
    expect(cluster.active.controllerContext.isReplicaOnline(1, { topic: 't', partition: 0 })).toBe(true);
  });

  it('is not taken for one where the broker refuses the request as a whole', async () => {
    const cluster = await start();
    cluster.respond = () => ({ errorCode: 77, partitionErrors: [] });
    await cluster.create('/log_dir_event_notification/log_dir_event_0000000000', { version: 1, broker: 1, event: 1 });
    expect(cluster.errors.join()).toContain('Received error STALE_BROKER_EPOCH in LeaderAndIsr response');
    expect(cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [1, 2] });
  });
});

describe('An ISR change notification', () => {
  const path = '/isr_change_notification/isr_change_0000000000';

  it('makes all brokers know the ISR, and is deleted', async () => {
    const cluster = await start();
    await cluster.changeIsr('t', 0, [1]);
    expect(cluster.sent).toEqual([]);
    await cluster.create(path, { version: 1, partitions: [{ topic: 't', partition: 0 }] });
    for (const id of [1, 2, 3]) {
      expect(cluster.lastTold(id, 'UpdateMetadata', 't', 0)).toMatchObject({ leader: 1, isr: [1], zkVersion: 1 });
      expect(cluster.lastTold(id, 'UpdateMetadata', 'u', 0)).toBeUndefined();
    }
    expect(cluster.zk.childrenOf('/isr_change_notification')).toEqual([]);
  });

  it('is deleted though nobody can read it, and the next one is heard', async () => {
    const cluster = await start();
    await cluster.create(path, ['nonsense']);
    expect(cluster.zk.childrenOf('/isr_change_notification')).toEqual([]);
    await cluster.changeIsr('t', 0, [1]);
    await cluster.create(path, { version: 1, partitions: [{ topic: 't', partition: 0 }] });
    expect(cluster.lastTold(3, 'UpdateMetadata', 't', 0)).toMatchObject({ isr: [1] });
  });
});

describe('A new controller', () => {
  it('deletes old notifications, for it reads everything itself', async () => {
    const cluster = await start();
    await cluster.add(4);
    cluster.zk.put('/isr_change_notification/isr_change_0000000007', Buffer.from('{}'));
    cluster.zk.put('/log_dir_event_notification/log_dir_event_0000000007', Buffer.from('{}'));
    await cluster.lose(3);
    expect(cluster.zk.childrenOf('/isr_change_notification')).toEqual([]);
    expect(cluster.zk.childrenOf('/log_dir_event_notification')).toEqual([]);
  });

  it('tells the live brokers of each other before it tells anybody what to lead', async () => {
    const cluster = await start();
    cluster.sent.length = 0;
    await cluster.lose(3);
    for (const id of [1, 2]) {
      const [first, ...more] = cluster.sent.filter(({ to }) => to === id);
      expect(first).toMatchObject({ api: 'UpdateMetadata', request: { topicStates: [], controllerEpoch: 2 } });
      expect(more.map(({ api }) => api)).toContain('LeaderAndIsr');
    }
  });

  it('gives the office up where it cannot take it over, and somebody else is elected', async () => {
    const cluster = await start();
    const { session } = cluster.brokers.get(1)!;
    let refused = false;
    session.intercept = (request, carryOut) => {
      if (request.op !== 'getChildren' || request.path !== '/admin/delete_topics' || refused) return carryOut();
      refused = true;
      return { code: 'NO_AUTH', path: request.path };
    };
    cluster.zk.favourite = session.name;
    await cluster.lose(3);
    await cluster.settle();
    expect(refused).toBe(true);
    expect(cluster.errors.join()).toContain('Trigger controller movement immediately');
    expect(cluster.active.epoch).toBe(3);
  });

  it('takes a lost answer to its election for what it was', async () => {
    const cluster = await start();
    const { session } = cluster.brokers.get(1)!;
    cluster.zk.favourite = session.name;
    let lost = false;
    session.intercept = (request, carryOut) => {
      if (request.op !== 'multi' || request.ops[0]?.path !== '/controller' || lost) return carryOut();
      lost = true;
      expect(carryOut().code).toBe('OK');
      return { code: 'CONNECTION_LOSS', path: '/controller' };
    };
    await cluster.lose(3);
    expect(lost).toBe(true);
    expect(cluster.controller(1).isActive).toBe(true);
    expect(cluster.controller(1).epoch).toBe(2);
    await cluster.createTopic('new', { 0: [1] });
    expect(cluster.state('new', 0)).toMatchObject({ leader: 1, controller_epoch: 2 });
  });
});
