import { describe, expect, it } from '@jest/globals';
import type { LoggerFactory } from '@klassic/common';
import { MockTime, silentLogger } from '@klassic/common';
import { KafkaZkClient, TopicPartitionStateZNode } from '@klassic/zookeeper';
import { ControllerContext, partitionStatesTable, replicaStatesTable } from '../src/index.ts';
import type { PartitionState, ReplicaState } from '../src/index.ts';
import type { ControllerParts } from '../src/controller-parts.ts';
import { assembleParts } from '../src/controller-parts.ts';
import { FakeZooKeeper } from './fake-zookeeper.ts';
import type { FakeSession } from './fake-zookeeper.ts';
import { statePath } from './controller-cluster.ts';
import { brokerInfo } from './replay-cluster.ts';

const partition = { topic: 't', partition: 0 };
const other = { topic: 'u', partition: 0 };
const replica = { ...partition, replica: 2 };
const otherReplica = { ...other, replica: 2 };

interface Machines extends ControllerParts {
  readonly zk: FakeZooKeeper;
  readonly session: FakeSession;
  readonly errors: string[];
  /** What was sent: broker, API and partitions. */
  readonly sent: string[];
}

/** The state machines of a controller of epoch 5 with brokers 1 to 3, and topics `t` and `u` with replicas 1 and 2. */
function machines(leaders: readonly string[] = ['t', 'u']): Machines {
  const zk = new FakeZooKeeper();
  zk.put('/controller_epoch', Buffer.from('5'), 5);
  const session = zk.connect('controller');
  const errors: string[] = [];
  const sent: string[] = [];
  const loggers: LoggerFactory = () => ({
    ...silentLogger,
    error: (message, error) => errors.push(error instanceof Error ? `${message}: ${error.message}` : message),
  });
  const context = new ControllerContext();
  context.epoch = 5;
  context.epochZkVersion = 5;
  for (const id of [1, 2, 3]) context.addLiveBroker(brokerInfo(id), 10 + id);
  const options = {
    config: {
      brokerId: 1,
      interBrokerListenerName: 'PLAINTEXT',
      deleteTopicEnable: true,
      autoLeaderRebalanceEnable: false,
      leaderImbalancePerBrokerPercentage: 10,
      leaderImbalanceCheckIntervalSeconds: 300,
      uncleanLeaderElectionEnable: false,
    },
    zkClient: new KafkaZkClient(session.asSession(), new MockTime(), loggers),
    brokerInfo: brokerInfo(1),
    brokerEpoch: 11,
    connect: () => {
      throw new Error('nobody is called here');
    },
    time: new MockTime(),
    loggers,
  };
  const parts = assembleParts(options, context, () => undefined, silentLogger);
  parts.channelManager.sendRequest = (brokerId, { api }) => void sent.push(`${api} to ${brokerId}`);
  for (const topic of ['t', 'u']) {
    zk.put(`/brokers/topics/${topic}`, null);
    const assignment = { replicas: [1, 2], addingReplicas: [], removingReplicas: [] };
    context.updatePartitionFullReplicaAssignment({ topic, partition: 0 }, assignment);
    if (!leaders.includes(topic)) continue;
    const leaderAndIsr = { leader: 1, leaderEpoch: 3, isr: [1, 2], zkVersion: 7 };
    const state = { leaderAndIsr, controllerEpoch: 4 };
    zk.put(statePath(topic, 0), TopicPartitionStateZNode.encode(state), 7);
    context.putPartitionLeadershipInfo({ topic, partition: 0 }, state);
  }
  return { ...parts, zk, session, errors, sent };
}

const partitionStates = Object.keys(partitionStatesTable) as PartitionState[];
const replicaStates = Object.keys(replicaStatesTable) as ReplicaState[];
const offline = { kind: 'offline', allowUnclean: false } as const;

/** The original's tables, written out once more: state by state, from where it may be entered. */
const partitionMoves: Readonly<Record<PartitionState, string>> = {
  NewPartition: 'NonExistent',
  OnlinePartition: 'New Online Offline',
  OfflinePartition: 'New Online Offline',
  NonExistentPartition: 'Offline',
};
const replicaMoves: Readonly<Record<ReplicaState, string>> = {
  NewReplica: 'NonExistentReplica',
  OnlineReplica: 'NewReplica OnlineReplica OfflineReplica ReplicaDeletionIneligible',
  OfflineReplica: 'NewReplica OnlineReplica OfflineReplica ReplicaDeletionIneligible',
  ReplicaDeletionStarted: 'OfflineReplica',
  ReplicaDeletionSuccessful: 'ReplicaDeletionStarted',
  ReplicaDeletionIneligible: 'OfflineReplica ReplicaDeletionStarted',
  NonExistentReplica: 'ReplicaDeletionSuccessful',
};

describe('PartitionStateMachine', () => {
  const moves = partitionStates.flatMap((from) => partitionStates.map((to) => [from, to] as const));

  it.each(moves)('moves from %s to %s if the table lets it, else logs an error and leaves it', async (from, to) => {
    const m = machines(from === 'NewPartition' || from === 'NonExistentPartition' ? ['u'] : ['t', 'u']);
    const valid = partitionMoves[to].split(' ').includes(from.replace('Partition', ''));
    m.context.putPartitionState(partition, from);
    // The other one may move: a refusal is one partition's own.
    const before = partitionStatesTable[to].find((state) => to !== 'OnlinePartition' || state === 'OfflinePartition')!;
    m.context.putPartitionState(other, before);
    await m.partitionStateMachine.handleStateChanges([partition, other], to, offline);
    expect(m.context.partitionState(partition)).toBe(valid ? to : from);
    expect(m.context.partitionState(other)).toBe(to);
    expect(m.errors.filter((text) => text.includes('t-0 should be in one of'))).toHaveLength(valid ? 0 : 1);
  });

  it('makes the znodes of new partitions, the first live replica leading all live ones', async () => {
    const m = machines([]);
    m.context.shuttingDownBrokerIds.add(1);
    m.context.putPartitionState(partition, 'NewPartition');
    m.context.putPartitionState(other, 'NewPartition');
    await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ leader: 2, isr: [2], leader_epoch: 0, controller_epoch: 5 });
    // Parents of all topics, then of all partitions, then all states: three calls, however many partitions there are.
    expect(m.session.calls.map((call) => call.length)).toEqual([2, 2, 2]);
  });

  it('leaves a new partition new that has no live replica, or whose state somebody else has made', async () => {
    const m = machines([]);
    for (const each of [partition, other]) m.context.putPartitionState(each, 'NewPartition');
    m.zk.put(statePath('u', 0), Buffer.from('{}'));
    m.context.updatePartitionFullReplicaAssignment(partition, {
      replicas: [8],
      addingReplicas: [],
      removingReplicas: [],
    });
    await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect([partition, other].map((each) => m.context.partitionState(each))).toEqual(['NewPartition', 'NewPartition']);
    expect(m.errors.join()).toContain('No assigned replica is alive');
    expect(m.errors.join()).toContain('NODE_EXISTS');
    expect(m.sent).toEqual([]);
  });

  it('elects for many partitions with one read and one write of each, pipelined', async () => {
    const m = machines();
    m.context.removeLiveBroker(1);
    for (const each of [partition, other]) m.context.putPartitionState(each, 'OfflinePartition');
    await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect(m.session.calls.map((call) => call.map(({ op }) => op))).toEqual([
      ['getData', 'getData'],
      ['multi', 'multi'],
    ]);
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ leader: 2, isr: [2], leader_epoch: 4 });
    expect(m.sent).toEqual(['LeaderAndIsr to 2', 'UpdateMetadata to 2', 'UpdateMetadata to 3']);
  });

  it('reads and decides again where the leader has changed the ISR in between, and only there', async () => {
    const m = machines();
    for (const each of [partition, other]) m.context.putPartitionState(each, 'OfflinePartition');
    m.context.removeLiveBroker(1);
    let raced = false;
    m.session.intercept = (request, carryOut) => {
      if (request.op === 'multi' && !raced) {
        raced = true;
        const data = Buffer.from('{"controller_epoch":4,"leader":1,"version":1,"leader_epoch":3,"isr":[2]}');
        m.zk.apply('leader', [{ op: 'setData', path: statePath('t', 0), data, version: 7 }], false);
      }
      return carryOut();
    };
    const outcome = await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect(m.session.calls.map((call) => call.length)).toEqual([2, 2, 1, 1]);
    expect(outcome.get('t-0')).toEqual({ leader: 2, leaderEpoch: 4, isr: [2], zkVersion: 9 });
    expect(outcome.get('u-0')).toEqual({ leader: 2, leaderEpoch: 4, isr: [2], zkVersion: 8 });
  });

  it('elects for no partition that a controller of a later epoch has written, nor for one without state', async () => {
    const m = machines();
    for (const each of [partition, other]) m.context.putPartitionState(each, 'OfflinePartition');
    m.zk.put(
      statePath('t', 0),
      Buffer.from('{"controller_epoch":6,"leader":1,"version":1,"leader_epoch":9,"isr":[1]}'),
      8,
    );
    m.zk.nodes.delete(statePath('u', 0));
    const outcome = await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect(outcome.get('t-0')).toMatchObject({
      message: expect.stringContaining('already written by another controller'),
    });
    expect(outcome.get('u-0')).toMatchObject({ message: expect.stringContaining("information doesn't exist") });
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ leader_epoch: 9 });
    expect(m.sent).toEqual([]);
  });

  it('sends nothing of a change that failed, then or later', async () => {
    const m = machines(['t']);
    m.context.putPartitionState(partition, 'OfflinePartition');
    m.context.putPartitionState(other, 'NewPartition');
    // The new partition is in the batch already when the session ends.
    m.session.intercept = ({ op }, carryOut) => (op === 'getData' ? { code: 'SESSION_EXPIRED', path: '' } : carryOut());
    const outcome = await m.partitionStateMachine.handleStateChanges([partition, other], 'OnlinePartition', offline);
    expect([...outcome.keys()]).toEqual(['t-0', 'u-0']);
    expect(m.errors.join()).toContain('SESSION_EXPIRED');
    m.session.intercept = undefined;
    await m.partitionStateMachine.handleStateChanges([partition], 'OfflinePartition');
    expect(m.sent).toEqual([]);
  });

  it('lets a partition fail whose state nobody can read, and goes on', async () => {
    const m = machines();
    m.context.putPartitionState(partition, 'OfflinePartition');
    m.zk.put(statePath('t', 0), Buffer.from('{"leader":"one"}'), 8);
    const outcome = await m.partitionStateMachine.handleStateChanges([partition], 'OnlinePartition', offline);
    expect(outcome.get('t-0')).toMatchObject({ message: expect.stringContaining('leader is "one"') });
    expect(m.context.partitionState(partition)).toBe('OfflinePartition');
  });
});

describe('ReplicaStateMachine', () => {
  const moves = replicaStates.flatMap((from) => replicaStates.map((to) => [from, to] as const));

  it.each(moves)('moves from %s to %s if the table lets it, else logs an error and leaves it', async (from, to) => {
    const m = machines();
    const valid = replicaMoves[to].split(' ').includes(from);
    m.context.putReplicaState(replica, from);
    m.context.putReplicaState(otherReplica, replicaStatesTable[to][0]!);
    await m.replicaStateMachine.handleStateChanges([replica, otherReplica], to);
    expect(m.context.replicaState(replica)).toBe(valid ? to : from);
    expect(m.context.replicaState(otherReplica)).toBe(to);
    expect(m.errors.filter((text) => text.includes('Partition=0,Replica=2] should be in'))).toHaveLength(valid ? 0 : 1);
  });

  it('takes an offline replica out of the ISRs and tells the others, pipelined', async () => {
    const m = machines();
    for (const each of [replica, otherReplica]) m.context.putReplicaState(each, 'OnlineReplica');
    await m.replicaStateMachine.handleStateChanges([replica, otherReplica], 'OfflineReplica');
    expect(m.session.calls.map((call) => call.map(({ op }) => op))).toEqual([
      ['getData', 'getData'],
      ['multi', 'multi'],
    ]);
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ leader: 1, isr: [1], leader_epoch: 4, controller_epoch: 5 });
    expect(m.sent).toEqual([
      'LeaderAndIsr to 1',
      ...[1, 2, 3].map((id) => `UpdateMetadata to ${id}`),
      'StopReplica to 2',
    ]);
  });

  it.each([
    ['a leader leaves no leader behind', 1, [1, 2], { leader: -1, isr: [2], leader_epoch: 4 }],
    ['the last member stays in the ISR', 1, [1], { leader: -1, isr: [1], leader_epoch: 4 }],
    ['who is not in the ISR changes nothing', 2, [1], { leader: 1, isr: [1], leader_epoch: 3 }],
  ])('%s', async (_, id, isr, after) => {
    const m = machines();
    const state = { leaderAndIsr: { leader: 1, leaderEpoch: 3, isr, zkVersion: 7 }, controllerEpoch: 4 };
    m.zk.put(statePath('t', 0), TopicPartitionStateZNode.encode(state), 7);
    m.context.putReplicaState({ ...partition, replica: id }, 'OnlineReplica');
    await m.replicaStateMachine.handleStateChanges([{ ...partition, replica: id }], 'OfflineReplica');
    expect(m.zk.json(statePath('t', 0))).toMatchObject(after);
    expect(m.context.replicaState({ ...partition, replica: id })).toBe('OfflineReplica');
  });

  it('reads and writes again where the leader was quicker', async () => {
    const m = machines();
    m.context.putReplicaState(replica, 'OnlineReplica');
    let races = 3;
    m.session.intercept = (request, carryOut) => {
      if (request.op === 'multi' && races-- > 0) m.zk.nodes.get(statePath('t', 0))!.version += 1;
      return carryOut();
    };
    await m.replicaStateMachine.handleStateChanges([replica], 'OfflineReplica');
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ isr: [1], leader_epoch: 4 });
    expect(m.context.partitionLeadershipInfo(partition)?.leaderAndIsr.zkVersion).toBe(11);
    expect(m.context.replicaState(replica)).toBe('OfflineReplica');
  });

  it('leaves a replica online where a later controller has written', async () => {
    const m = machines();
    m.context.putReplicaState(replica, 'OnlineReplica');
    m.zk.put(
      statePath('t', 0),
      Buffer.from('{"controller_epoch":6,"leader":1,"version":1,"leader_epoch":9,"isr":[1,2]}'),
      8,
    );
    await m.replicaStateMachine.handleStateChanges([replica], 'OfflineReplica');
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ isr: [1, 2] });
    expect(m.context.replicaState(replica)).toBe('OnlineReplica');
    expect(m.errors.join()).toContain('written by another controller');
  });

  it('does not tell the replicas of a topic to be deleted of its smaller ISR', async () => {
    const m = machines();
    m.context.topicsToBeDeleted.add('t');
    m.context.putReplicaState(replica, 'OnlineReplica');
    await m.replicaStateMachine.handleStateChanges([replica], 'OfflineReplica');
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ isr: [1] });
    expect(m.sent).toEqual(['StopReplica to 2']);
  });

  it('makes no new replica of a partition’s leader', async () => {
    const m = machines();
    await m.replicaStateMachine.handleStateChanges([{ ...partition, replica: 1 }, replica], 'NewReplica');
    expect(m.context.replicaState({ ...partition, replica: 1 })).toBe('NonExistentReplica');
    expect(m.context.replicaState(replica)).toBe('NewReplica');
    expect(m.sent.filter((text) => text.startsWith('LeaderAndIsr'))).toEqual(['LeaderAndIsr to 2']);
  });

  it('sends nothing of a change that failed, then or later', async () => {
    const m = machines();
    m.context.putReplicaState(replica, 'OnlineReplica');
    m.session.intercept = () => ({ code: 'SESSION_EXPIRED', path: '' });
    await m.replicaStateMachine.handleStateChanges([replica], 'OfflineReplica');
    m.session.intercept = undefined;
    expect(m.context.replicaState(replica)).toBe('OnlineReplica');
    m.context.putReplicaState(otherReplica, 'OfflineReplica');
    await m.replicaStateMachine.handleStateChanges([otherReplica], 'ReplicaDeletionIneligible');
    expect(m.sent).toEqual([]);
  });

  it('deletes by StopReplica, and forgets a replica that is no more', async () => {
    const m = machines();
    m.context.putReplicaState(replica, 'OfflineReplica');
    for (const state of ['ReplicaDeletionStarted', 'ReplicaDeletionSuccessful', 'NonExistentReplica'] as const) {
      await m.replicaStateMachine.handleStateChanges([replica], state);
    }
    expect(m.sent).toEqual(['StopReplica to 2']);
    expect(m.context.partitionReplicaAssignment(partition)).toEqual([1]);
  });

  it('on election takes the dead out of the ISRs, and counts them as not deletable', async () => {
    const m = machines();
    m.context.removeLiveBroker(2);
    await m.replicaStateMachine.startup();
    expect(m.zk.json(statePath('t', 0))).toMatchObject({ leader: 1, isr: [1] });
    expect(m.context.replicaState(replica)).toBe('OfflineReplica');
    m.context.topicsToBeDeleted.add('t');
    m.zk.nodes.delete(statePath('t', 0));
    await m.replicaStateMachine.startup();
    expect(m.context.replicaState(replica)).toBe('ReplicaDeletionIneligible');
  });
});
