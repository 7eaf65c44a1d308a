import { array, bool, int16, int32, int64, int8, request, response, string, struct, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

const leaderAndIsrPartitionState = struct('LeaderAndIsrPartitionState', {
  topicName: string('0-1', { ignorable: true }),
  partitionIndex: int32('0+'),
  controllerEpoch: int32('0+'),
  leader: int32('0+'),
  leaderEpoch: int32('0+'),
  isr: array('0+', 'int32'),
  zkVersion: int32('0+'),
  replicas: array('0+', 'int32'),
  addingReplicas: array('3+', 'int32', { ignorable: true }),
  removingReplicas: array('3+', 'int32', { ignorable: true }),
  // The log is to be created; without it, it must be there unless a log directory is offline.
  isNew: bool('1+', { ignorable: true }),
});

/** The controller makes the receiver leader or follower of partitions. Grouped by topic from v2 on. */
export const LeaderAndIsrRequest = request(
  { name: 'LeaderAndIsrRequest', apiKey: 4, versions: '0-5', flexible: '4+' },
  {
    controllerId: int32('0+'),
    controllerEpoch: int32('0+'),
    // The czxid of the receiver's registration (KIP-380).
    brokerEpoch: int64('2+', { default: -1, ignorable: true }),
    // 0 incremental, 1 full (KIP-516).
    type: int8('5+'),
    topicStates: array(
      '2+',
      struct('LeaderAndIsrTopicState', {
        topicName: string('2+'),
        topicId: uuid('5+', { ignorable: true }),
        partitionStates: array('2+', leaderAndIsrPartitionState),
      }),
    ),
    ungroupedPartitionStates: array('0-1', leaderAndIsrPartitionState),
    liveLeaders: array(
      '0+',
      struct('LeaderAndIsrLiveLeader', {
        brokerId: int32('0+'),
        hostName: string('0+'),
        port: int32('0+'),
      }),
    ),
  },
);
export type LeaderAndIsrRequest = MessageOf<typeof LeaderAndIsrRequest>;
export type LeaderAndIsrRequestInit = InitOf<typeof LeaderAndIsrRequest>;

const leaderAndIsrPartitionError = struct('LeaderAndIsrPartitionError', {
  topicName: string('0-4', { ignorable: true }),
  partitionIndex: int32('0+'),
  errorCode: int16('0+'),
});

/** What became of each partition. By topic id from v5 on (KIP-516). */
export const LeaderAndIsrResponse = response(
  { name: 'LeaderAndIsrResponse', apiKey: 4, versions: '0-5', flexible: '4+' },
  {
    errorCode: int16('0+'),
    topics: array(
      '5+',
      struct('LeaderAndIsrTopicError', {
        topicId: uuid('5+'),
        partitionErrors: array('5+', leaderAndIsrPartitionError),
      }),
    ),
    partitionErrors: array('0-4', leaderAndIsrPartitionError),
  },
);
export type LeaderAndIsrResponse = MessageOf<typeof LeaderAndIsrResponse>;
export type LeaderAndIsrResponseInit = InitOf<typeof LeaderAndIsrResponse>;
