import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, startZooKeeper } from '@klassic/test-support';
import type { TestZooKeeper } from '@klassic/test-support';
import { BrokerIdZNode, ControllerMovedError, KafkaZkClient, persistentPaths } from '@klassic/zookeeper';
import type { BrokerInfo, LeaderIsrAndControllerEpoch } from '@klassic/zookeeper';

import { startRelay } from './relay.ts';
import type { Relay } from './relay.ts';
import { closeSessions, openClient, sessionOptions } from './support.ts';

jest.setTimeout(60_000);

const broker = (id: number): BrokerInfo => ({
  id,
  version: 4,
  jmxPort: -1,
  rack: null,
  endPoints: [{ host: '127.0.0.1', port: 19090 + id, listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT' }],
});

const state = (leader: number, isr: number[], leaderEpoch = 0, zkVersion = 0): LeaderIsrAndControllerEpoch => ({
  leaderAndIsr: { leader, leaderEpoch, isr, zkVersion },
  controllerEpoch: 1,
});

describe('KafkaZkClient', () => {
  let zooKeeper: TestZooKeeper;
  let relay: Relay;
  let chroot: string;
  let rounds = 0;

  beforeAll(async () => {
    zooKeeper = await startZooKeeper();
  });
  afterAll(() => zooKeeper.stop());

  beforeEach(async () => {
    relay = await startRelay(zooKeeper.port);
    chroot = `/cluster-${(rounds += 1)}`;
    const plain = await openClient(zooKeeper.connectString);
    await plain.makeSurePersistentPathExists(chroot);
    await (await openClient(zooKeeper.connectString + chroot)).createTopLevelPaths();
  });
  afterEach(async () => {
    await closeSessions();
    await relay.stop();
  });

  const client = (overrides: Parameters<typeof openClient>[1] = {}) =>
    openClient(zooKeeper.connectString + chroot, overrides);
  const relayed = () => openClient(relay.connectString + chroot, { sessionTimeoutMs: 4000 });

  it('makes the top level paths and one cluster id', async () => {
    const [one, two] = [await client(), await client()];
    for (const path of persistentPaths) expect(await one.pathExists(path)).toBe(true);
    expect(await one.getClusterId()).toBeUndefined();
    const ids = await Promise.all([one.createOrGetClusterId('a'), two.createOrGetClusterId('b')]);
    expect(ids[0]).toBe(ids[1]);
    expect(await one.getClusterId()).toBe(ids[0]);
    expect([await one.generateBrokerSequenceId(), await two.generateBrokerSequenceId()]).toEqual([1, 2]);
  });

  it('makes the chroot of its connect string', async () => {
    const options = { ...sessionOptions(`${zooKeeper.connectString}${chroot}/a/b`), secure: false };
    const zk = await KafkaZkClient.connect(options);
    await zk.makeSurePersistentPathExists('/c');
    await zk.close();
    expect(await (await client()).pathExists('/a/b/c')).toBe(true);
  });

  it('registers brokers with their epochs, and refuses a second one of the same id', async () => {
    const [one, two] = [await client(), await client()];
    const epoch = await one.registerBroker(broker(1));
    expect(await one.registerBroker(broker(1))).toBe(epoch);
    await expect(two.registerBroker(broker(1))).rejects.toMatchObject({
      code: 'NODE_EXISTS',
      message: expect.stringContaining(one.session.sessionId) as unknown,
    });
    const second = await two.registerBroker(broker(2));
    expect(second).toBeGreaterThan(epoch);
    const all = await one.getAllBrokerAndEpochs();
    expect([...all].map(([id, { epoch: e }]) => [id, e])).toEqual([
      [1, epoch],
      [2, second],
    ]);
    expect(all.get(1)!.broker).toEqual({ ...broker(1), features: {} });
    expect((await one.getDataAndStat(BrokerIdZNode.path(1)))!.stat).toMatchObject({ version: 1, czxid: epoch });
    expect(await one.getBroker(3)).toBeUndefined();
    await two.close();
    expect(await one.getSortedBrokerList()).toEqual([1]);
  });

  it('lets one of two racers be the controller, epoch after epoch', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const racers = [await client(), await client()];
      const outcomes = await Promise.allSettled(
        racers.map((racer, index) => racer.registerControllerAndIncrementControllerEpoch(index + 1)),
      );
      const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      expect(won).toEqual([{ epoch: round, epochZkVersion: round }]);
      expect(lost).toEqual([expect.any(ControllerMovedError)]);
      expect((await racers[0]!.getControllerEpoch())!.epoch).toBe(round);
      expect(await racers[0]!.getControllerId()).toBe(outcomes[0]!.status === 'fulfilled' ? 1 : 2);
      await Promise.all(racers.map((racer) => racer.close()));
    }
  });

  it('writes partition states as controller, conditionally, and not once deposed', async () => {
    const zk = await client();
    const { epochZkVersion } = await zk.registerControllerAndIncrementControllerEpoch(1);
    await zk.createTopicAssignment('t', null, new Map([...Array(50).keys()].map((p) => [p, [1, 2, 3]])));
    const partitions = [...Array(50).keys()].map((partition) => ({ topic: 't', partition }));
    const states = new Map(partitions.map(({ partition }) => [`t-${partition}`, state(1, [1, 2, 3])]));
    const created = await zk.createTopicPartitionStatesRaw(states, epochZkVersion);
    expect(created.every(({ response }) => response.code === 'OK')).toBe(true);
    expect(created.map(({ partition }) => partition)).toEqual(partitions);
    const read = await zk.getTopicPartitionStates([...partitions, { topic: 'none', partition: 0 }]);
    expect(read.size).toBe(50);
    expect(read.get('t-7')).toEqual(state(1, [1, 2, 3]));

    // A leader changes one behind the controller's back.
    const path = '/brokers/topics/t/partitions/3/state';
    expect(await zk.conditionalUpdatePath(path, Buffer.from('{}'), 0)).toEqual({ succeeded: true, version: 1 });
    expect(await zk.conditionalUpdatePath(path, Buffer.from('{}'), 0)).toEqual({ succeeded: false, version: -2 });
    const next = new Map(
      ['t-2', 't-3', 'gone-0'].map((key) => [key, { leader: 2, leaderEpoch: 1, isr: [2, 3], zkVersion: 0 }]),
    );
    const { finished, partitionsToRetry } = await zk.updateLeaderAndIsr(next, 1, epochZkVersion);
    expect(finished.get('t-2')).toEqual({ leader: 2, leaderEpoch: 1, isr: [2, 3], zkVersion: 1 });
    expect(finished.get('gone-0')).toMatchObject({ code: 'NO_NODE' });
    expect(partitionsToRetry).toEqual(['t-3']);

    await zk.session.setData('/controller_epoch', Buffer.from('2'), epochZkVersion);
    await expect(zk.updateLeaderAndIsr(next, 1, epochZkVersion)).rejects.toBeInstanceOf(ControllerMovedError);
    await expect(zk.deleteTopicZNode('t', epochZkVersion)).rejects.toBeInstanceOf(ControllerMovedError);
    await zk.deleteTopicZNode('t', epochZkVersion + 1);
    expect(await zk.getAllTopicsInCluster()).toEqual([]);
  });

  it('keeps notifications, deletions, plans and configs', async () => {
    const zk = await client();
    const { epochZkVersion } = await zk.registerControllerAndIncrementControllerEpoch(1);
    await zk.propagateIsrChanges([{ topic: 't', partition: 0 }]);
    await zk.propagateIsrChanges([{ topic: 't', partition: 1 }]);
    const sequence = await zk.getAllIsrChangeNotifications();
    expect(sequence).toEqual(['0000000000', '0000000001']);
    expect(await zk.getPartitionsFromIsrChangeNotifications([...sequence, '0000000009'])).toEqual([
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ]);
    await zk.deleteIsrChangeNotifications(sequence, epochZkVersion);
    expect(await zk.getAllIsrChangeNotifications()).toEqual([]);

    await zk.propagateLogDirEvent(3);
    expect(await zk.getBrokerIdsFromLogDirEvents(await zk.getAllLogDirEventNotifications())).toEqual([3]);
    await zk.deleteAllLogDirEventNotifications(epochZkVersion);
    expect(await zk.getAllLogDirEventNotifications()).toEqual([]);

    await zk.createDeleteTopicPath('t');
    expect(await zk.getTopicDeletions()).toEqual(['t']);
    await zk.deleteTopicDeletions(['t', 'never'], epochZkVersion);
    expect(await zk.isTopicMarkedForDeletion('t')).toBe(false);

    expect(await zk.getPreferredReplicaElection()).toEqual([]);
    await zk.deletePreferredReplicaElection(epochZkVersion);
    await zk.createPreferredReplicaElection([{ topic: 't', partition: 1 }]);
    expect(await zk.getPreferredReplicaElection()).toEqual([{ topic: 't', partition: 1 }]);
    await zk.deletePreferredReplicaElection(epochZkVersion);
    expect(await zk.getPreferredReplicaElection()).toEqual([]);

    await zk.setOrCreatePartitionReassignment([{ topic: 't', partition: 0, replicas: [2, 3] }], epochZkVersion);
    await zk.setOrCreatePartitionReassignment([{ topic: 't', partition: 0, replicas: [3, 4] }], epochZkVersion);
    expect(await zk.getPartitionReassignment()).toEqual([{ topic: 't', partition: 0, replicas: [3, 4] }]);
    await zk.deletePartitionReassignment(epochZkVersion);
    expect(await zk.reassignPartitionsInProgress()).toBe(false);

    await zk.setOrCreateEntityConfigs('topics', 't', { 'retention.ms': '1' });
    await zk.setOrCreateEntityConfigs('topics', 't', { 'retention.ms': '2' });
    await zk.setOrCreateEntityConfigs('users', 'alice/clients/app', { producer_byte_rate: '1' });
    expect(await zk.getEntityConfigs('topics', 't')).toEqual({ 'retention.ms': '2' });
    expect([...(await zk.getEntitiesConfigs('topics', ['t', 'u']))]).toEqual([
      ['t', { 'retention.ms': '2' }],
      ['u', {}],
    ]);
    await zk.createConfigChangeNotification('topics/t');
    expect(await zk.getChildren('/config/changes')).toEqual(['config_change_0000000000']);
    expect(await zk.claimProducerIdBlock(1)).toEqual({ brokerId: 1, blockStart: 0, blockEnd: 999 });
    expect(await zk.claimProducerIdBlock(2)).toEqual({ brokerId: 2, blockStart: 1000, blockEnd: 1999 });
  });

  it('recognises the success of writes whose replies were lost', async () => {
    const zk = await relayed();
    const other = await client();
    await zk.createRecursive('/w/set', Buffer.from('0'));
    await zk.createRecursive('/w/doomed', null);
    const attempt = async <T>(text: string, write: () => Promise<T>, landed: () => Promise<boolean>): Promise<T> => {
      relay.loseReplies(text);
      const result = write();
      await eventually(landed);
      relay.restore();
      return result;
    };
    const version = (path: string) => async (): Promise<number> => (await other.getDataAndVersion(path)).version;

    expect(
      await attempt(
        '/w/set',
        () => zk.conditionalUpdatePath('/w/set', Buffer.from('1'), 0),
        async () => (await version('/w/set')()) === 1,
      ),
    ).toEqual({ succeeded: true, version: 1 });
    await attempt(
      '/w/created',
      () => zk.createRecursive('/w/created', Buffer.from('x')),
      () => other.pathExists('/w/created'),
    );
    await attempt(
      '/w/doomed',
      () => zk.deletePath('/w/doomed', -1, false),
      async () => !(await other.pathExists('/w/doomed')),
    );
    const epoch = await attempt(
      '/brokers/ids/1',
      () => zk.registerBroker(broker(1)),
      () => other.pathExists(BrokerIdZNode.path(1)),
    );
    expect((await other.getAllBrokerAndEpochs()).get(1)!.epoch).toBe(epoch);
    expect(
      await attempt(
        '"brokerid"',
        () => zk.registerControllerAndIncrementControllerEpoch(1),
        () => other.pathExists('/controller'),
      ),
    ).toEqual({ epoch: 1, epochZkVersion: 1 });

    await zk.createTopicAssignment('t', null, new Map([[0, [1]]]));
    await zk.createTopicPartitionStatesRaw(new Map([['t-0', state(1, [1])]]), 1);
    const { finished } = await attempt(
      '/state',
      () => zk.updateLeaderAndIsr(new Map([['t-0', { leader: 1, leaderEpoch: 1, isr: [1], zkVersion: 0 }]]), 1, 1),
      async () => (await version('/brokers/topics/t/partitions/0/state')()) === 1,
    );
    expect(finished.get('t-0')).toMatchObject({ zkVersion: 1 });
  });

  it('does not take the success of another for its own', async () => {
    const zk = await relayed();
    const other = await client();
    await zk.createRecursive('/w/set', Buffer.from('0'));
    relay.silence();
    const update = zk.conditionalUpdatePath('/w/set', Buffer.from('mine'), 0);
    const create = zk.createRecursive('/w/new', Buffer.from('mine'));
    await other.conditionalUpdatePath('/w/set', Buffer.from('theirs'), 0);
    await other.createRecursive('/w/new', Buffer.from('theirs'));
    relay.restore();
    expect(await update).toEqual({ succeeded: false, version: -2 });
    await expect(create).rejects.toMatchObject({ code: 'NODE_EXISTS' });
  });

  it('registers anew after its session has expired', async () => {
    const zk = await openClient(relay.connectString + chroot);
    const other = await client();
    const first = await zk.registerBroker(broker(1));
    let again: number | undefined;
    zk.registerStateChangeHandler({
      name: 'registration',
      afterInitializingSession: async () => {
        again = await zk.registerBroker(broker(1));
      },
    });
    relay.cut();
    await eventually(async () => (await other.getSortedBrokerList()).length === 0, { timeoutMs: 10_000 });
    relay.restore();
    await eventually(() => again !== undefined);
    expect(again).toBeGreaterThan(first);
    expect((await other.getAllBrokerAndEpochs()).get(1)!.epoch).toBe(again);
  });

  it('keeps access rules and secures znodes by digest', async () => {
    const auth = [{ scheme: 'digest', auth: Buffer.from('kafka:secret') }];
    const zk = await client({ auth });
    await zk.createAclPaths();
    const pattern = { resourceType: 'TOPIC', name: 'orders', patternType: 'LITERAL' } as const;
    const rule = { principal: 'User:alice', permissionType: 'Allow', operation: 'Read', host: '*' };
    expect(await zk.createAclsForResourceIfNotExists(pattern, [rule])).toEqual({ succeeded: true, version: 0 });
    expect(await zk.conditionalSetAclsForResource(pattern, [rule, rule], 0)).toEqual({ succeeded: true, version: 1 });
    expect(await zk.conditionalDelete(pattern, 0)).toBe(false);
    expect(await zk.getVersionedAclsForResource(pattern)).toEqual({ acls: [rule, rule], zkVersion: 1 });
    await zk.createAclChangeNotification(pattern);
    await zk.deleteAclChangeNotifications();
    expect(await zk.getResourceNames('LITERAL', 'TOPIC')).toEqual(['orders']);

    await zk.session.create('/secret', Buffer.from('x'), { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    expect((await zk.getAcl('/secret'))[0]).toMatchObject({ perms: 31, scheme: 'digest' });
    const stranger = await client();
    await expect(stranger.getDataAndStat('/secret')).rejects.toMatchObject({ code: 'NO_AUTH' });
  });
});
