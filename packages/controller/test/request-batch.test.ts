import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvariantViolation, silentLoggers } from '@klassic/common';
import type { RequestInit } from '@klassic/protocol';
import type { ControlApi } from '../src/index.ts';
import { ControllerContext } from '../src/index.ts';
import { ControllerBrokerRequestBatch } from '../src/controller-broker-request-batch.ts';
import type { ControllerChannelManager } from '../src/controller-channel-manager.ts';
import type { ControllerEvent } from '../src/controller-events.ts';
import type { QueueItem } from '../src/request-send-thread.ts';
import { StateChangeLogger } from '../src/state-change-logger.ts';
import { brokerInfo } from './replay-cluster.ts';

const partition = { topic: 't', partition: 0 };
const assignment = { replicas: [1, 2, 9], addingReplicas: [], removingReplicas: [] };
const state = { leaderAndIsr: { leader: 1, leaderEpoch: 3, isr: [1, 2], zkVersion: 7 }, controllerEpoch: 4 };

interface Sent {
  readonly to: number;
  readonly api: ControlApi;
  readonly version: number;
  readonly body: RequestInit<ControlApi>;
  readonly answer: (response: object) => void;
}

describe('ControllerBrokerRequestBatch', () => {
  let context: ControllerContext;
  let batch: ControllerBrokerRequestBatch;
  let sent: Sent[];
  let events: ControllerEvent[];

  beforeEach(() => {
    context = new ControllerContext();
    for (const id of [1, 2, 3]) context.addLiveBroker(brokerInfo(id), 10 + id);
    context.updatePartitionFullReplicaAssignment(partition, assignment);
    context.putPartitionLeadershipInfo(partition, state);
    sent = [];
    events = [];
    const config = { brokerId: 1, interBrokerListenerName: 'PLAINTEXT' } as never;
    const channelManager = { sendRequest: (to: number, item: QueueItem) => note(to, item) };
    batch = new ControllerBrokerRequestBatch(
      config,
      channelManager as unknown as ControllerChannelManager,
      context,
      (event) => events.push(event),
      new StateChangeLogger(1, silentLoggers),
      silentLoggers,
    );
    batch.newBatch();
  });

  function note(to: number, item: QueueItem): void {
    let respond: (response: object) => void = () => undefined;
    const connection = {
      send: (api: ControlApi, version: number, body: RequestInit<ControlApi>) => {
        sent.push({ to, api, version, body, answer: (response) => respond(response) });
        return new Promise((resolve) => {
          respond = resolve;
        });
      },
      close: () => undefined,
    };
    void item.exchange(connection as never).then((answer) => answer.deliver());
  }

  const told = (api: ControlApi): readonly number[] => sent.filter((each) => each.api === api).map(({ to }) => to);
  const statesOf = (api: ControlApi): readonly unknown[] =>
    sent.find((each) => each.api === api)!.body.topicStates!.flatMap(({ partitionStates }) => [...partitionStates!]);

  it('sends each broker one request of a kind: LeaderAndIsr, then UpdateMetadata, then StopReplica', () => {
    for (const index of [0, 1]) {
      const each = { topic: 't', partition: index };
      context.putPartitionLeadershipInfo(each, state);
      batch.addStopReplicaRequestForBrokers([2], each, false);
      batch.addLeaderAndIsrRequestForBrokers([1, 2], each, state, assignment, false);
    }
    batch.sendRequestsToBrokers(5);
    expect(sent.map(({ to, api, version }) => [api, version, to])).toEqual([
      ['LeaderAndIsr', 4, 1],
      ['LeaderAndIsr', 4, 2],
      ['UpdateMetadata', 6, 1],
      ['UpdateMetadata', 6, 2],
      ['UpdateMetadata', 6, 3],
      ['StopReplica', 3, 2],
    ]);
    expect(statesOf('LeaderAndIsr')).toMatchObject([{ partitionIndex: 0 }, { partitionIndex: 1 }]);
    for (const { to, body } of sent) expect(body).toMatchObject({ controllerEpoch: 5, brokerEpoch: 10 + to });
  });

  it('tells all of a partition in LeaderAndIsr, with the addresses of the leaders', () => {
    const moving = { replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [2] };
    batch.addLeaderAndIsrRequestForBrokers([2], partition, state, moving, true);
    batch.sendRequestsToBrokers(5);
    expect(sent[0]!.body).toEqual({
      controllerId: 1,
      controllerEpoch: 5,
      brokerEpoch: 12,
      liveLeaders: [{ brokerId: 1, hostName: '127.0.0.1', port: 19091 }],
      topicStates: [
        {
          topicName: 't',
          partitionStates: [
            {
              partitionIndex: 0,
              controllerEpoch: 4,
              leader: 1,
              leaderEpoch: 3,
              isr: [1, 2],
              zkVersion: 7,
              replicas: [3, 1, 2],
              addingReplicas: [3],
              removingReplicas: [2],
              isNew: true,
            },
          ],
        },
      ],
    });
  });

  it('leaves out brokers that are not alive, and tells those that shut down', () => {
    context.shuttingDownBrokerIds.add(2);
    batch.addLeaderAndIsrRequestForBrokers([1, 2, 9, -1], partition, state, assignment, false);
    batch.addStopReplicaRequestForBrokers([2, 9, -1], partition, false);
    batch.addUpdateMetadataRequestForBrokers([9, -1], []);
    batch.sendRequestsToBrokers(5);
    expect([told('LeaderAndIsr'), told('UpdateMetadata'), told('StopReplica')]).toEqual([[1, 2], [1, 2, 3], [2]]);
  });

  it('keeps a replica new, and a deletion a deletion, whatever is added afterwards', () => {
    batch.addLeaderAndIsrRequestForBrokers([1], partition, state, assignment, true);
    batch.addLeaderAndIsrRequestForBrokers([1], partition, state, assignment, false);
    batch.addStopReplicaRequestForBrokers([1], partition, true);
    batch.addStopReplicaRequestForBrokers([1], partition, false);
    batch.sendRequestsToBrokers(5);
    expect(statesOf('LeaderAndIsr')).toMatchObject([{ isNew: true }]);
    expect(statesOf('StopReplica')).toMatchObject([{ deletePartition: true, leaderEpoch: 3 }]);
  });

  it('names dead replicas and those on failed log directories as offline', () => {
    context.replicasOnOfflineDirs.set(2, new Set(['t-0']));
    batch.addUpdateMetadataRequestForBrokers([3], [partition, { topic: 'new', partition: 0 }]);
    batch.sendRequestsToBrokers(5);
    // Of a partition without a leader so far nothing is told.
    expect(statesOf('UpdateMetadata')).toMatchObject([{ replicas: [1, 2, 9], offlineReplicas: [2, 9], leader: 1 }]);
  });

  it('tells of a topic to be deleted with leader -2, and stops it with leader epoch -2', () => {
    context.topicsToBeDeleted.add('t');
    batch.addUpdateMetadataRequestForBrokers([3], [partition]);
    batch.addStopReplicaRequestForBrokers([3], partition, true);
    batch.sendRequestsToBrokers(5);
    expect(statesOf('UpdateMetadata')).toMatchObject([{ leader: -2, leaderEpoch: 0, zkVersion: 0, isr: [1, 2] }]);
    expect(statesOf('StopReplica')).toMatchObject([{ leaderEpoch: -2 }]);
  });

  it('stops a replica of a partition without known leader with leader epoch -1', () => {
    batch.addStopReplicaRequestForBrokers([3], { topic: 'new', partition: 0 }, false);
    batch.sendRequestsToBrokers(5);
    expect(statesOf('StopReplica')).toMatchObject([{ leaderEpoch: -1, deletePartition: false }]);
  });

  it('turns answers into events; of StopReplica only those about replicas of topics under deletion', async () => {
    context.topicsWithDeletionStarted.add('t');
    batch.addStopReplicaRequestForBrokers([2], partition, true);
    batch.addStopReplicaRequestForBrokers([2], { topic: 't', partition: 1 }, false);
    batch.addStopReplicaRequestForBrokers([2], { topic: 'u', partition: 0 }, true);
    batch.sendRequestsToBrokers(5);
    const partitionErrors = [
      { topicName: 't', partitionIndex: 0, errorCode: 56 },
      { topicName: 't', partitionIndex: 1, errorCode: 0 },
      { topicName: 'u', partitionIndex: 0, errorCode: 0 },
    ];
    sent[0]!.answer({ errorCode: 0, partitionErrors });
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual([
      {
        kind: 'TopicDeletionStopReplicaResponseReceived',
        brokerId: 2,
        errorCode: 0,
        partitionErrors: [{ partition, errorCode: 56 }],
      },
    ]);
  });

  it('begins no batch before the last one was sent or cleared', () => {
    batch.addUpdateMetadataRequestForBrokers([1], []);
    expect(() => batch.newBatch()).toThrow(InvariantViolation);
    batch.clear();
    batch.newBatch();
    batch.addStopReplicaRequestForBrokers([1], partition, false);
    expect(() => batch.newBatch()).toThrow(InvariantViolation);
    batch.sendRequestsToBrokers(5);
    batch.newBatch();
    expect(told('UpdateMetadata')).toEqual([]);
  });
});
