import type { Committer } from '../../src/group/offset-commits.ts';
import { describeTable, groupId, situationsOf } from './group-situations.ts';
import type { Event, Expected } from './group-situations.ts';
import { offsets } from './test-coordinator.ts';
import type { TestCoordinator } from './test-coordinator.ts';

const producer = { producerId: 5, producerEpoch: 0 };

async function commitInTransaction(test: TestCoordinator, committer: Committer): Promise<string> {
  const results = await test.coordinator.handleTxnCommitOffsets(groupId, committer, producer, offsets('t', { 0: 1 }));
  return results.get('t-0')!.name;
}

async function deleteOffset(test: TestCoordinator, topic: string): Promise<string> {
  const { error, partitions } = await test.coordinator.handleDeleteOffsets(groupId, [{ topic, partition: 1 }]);
  return (partitions.get(`${topic}-1`) ?? error).name;
}

const events: Readonly<Record<string, Event>> = {
  commit: async ({ it: test, follower, generation }) =>
    (await test.commit(groupId, follower, generation, offsets('t', { 0: 1 }))).name,
  'commit of a simple consumer': async ({ it: test }) =>
    (await test.commit(groupId, '', -1, offsets('t', { 0: 1 }))).name,
  'commit of an old generation': async ({ it: test, follower, generation }) =>
    (await test.commit(groupId, follower, generation - 1, offsets('t', { 0: 1 }))).name,
  'commit of a stranger': async ({ it: test, generation }) =>
    (await test.commit(groupId, 'stranger', generation, offsets('t', { 0: 1 }))).name,
  'commit of a member without its generation': async ({ it: test, follower }) =>
    (await test.commit(groupId, follower, -1, offsets('t', { 0: 1 }))).name,
  'commit in a transaction': async ({ it: test, follower, generation }) =>
    commitInTransaction(test, { memberId: follower, groupInstanceId: null, generationId: generation }),
  'commit in a transaction, of an old generation': async ({ it: test, follower, generation }) =>
    commitInTransaction(test, { memberId: follower, groupInstanceId: null, generationId: generation - 1 }),
  'commit in a transaction, without a member': async ({ it: test }) =>
    commitInTransaction(test, { memberId: '', groupInstanceId: null, generationId: -1 }),
  'offset fetch': ({ it: test }) => {
    const { error, offsets: found } = test.coordinator.handleFetchOffsets(groupId, true, [
      { topic: 't', partition: 1 },
    ]);
    return `${error.name} ${found[0]!.committedOffset}`;
  },
  'offset fetch of all': ({ it: test }) => {
    const { error, offsets: found } = test.coordinator.handleFetchOffsets(groupId, true, null);
    return `${error.name} ${found.map(({ committedOffset }) => committedOffset).join(' ')}`;
  },
  'deletion of an offset of a topic that is read': async ({ it: test }) => deleteOffset(test, 't'),
  'deletion of an offset of another topic': async ({ it: test }) => deleteOffset(test, 'other'),
  description: ({ it: test }) => {
    const { error, summary } = test.coordinator.handleDescribeGroup(groupId);
    return `${error.name} ${summary.protocolType}/${summary.protocol} ${summary.members.length}`;
  },
  listing: ({ it: test }) => {
    const { error, groups } = test.coordinator.handleListGroups(new Set());
    return `${error.name} ${groups.map(({ state }) => state).join(' ')}`;
  },
  deletion: async ({ it: test }) => (await test.coordinator.handleDeleteGroups(new Set([groupId]))).get(groupId)!.name,
};

const table: Readonly<Record<string, Expected>> = {
  commit: {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['REBALANCE_IN_PROGRESS', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['ILLEGAL_GENERATION', 'Dead'],
  },
  'commit of a simple consumer': {
    Empty: ['NONE', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['NONE', 'Empty'],
  },
  'commit of an old generation': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['ILLEGAL_GENERATION', 'PreparingRebalance'],
    CompletingRebalance: ['ILLEGAL_GENERATION', 'CompletingRebalance'],
    Stable: ['ILLEGAL_GENERATION', 'Stable'],
    Dead: ['ILLEGAL_GENERATION', 'Dead'],
  },
  'commit of a stranger': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['ILLEGAL_GENERATION', 'Dead'],
  },
  'commit of a member without its generation': {
    Empty: ['NONE', 'Empty'],
    PreparingRebalance: ['ILLEGAL_GENERATION', 'PreparingRebalance'],
    CompletingRebalance: ['ILLEGAL_GENERATION', 'CompletingRebalance'],
    Stable: ['ILLEGAL_GENERATION', 'Stable'],
    Dead: ['NONE', 'Empty'],
  },
  'commit in a transaction': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Empty'],
  },
  'commit in a transaction, of an old generation': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['ILLEGAL_GENERATION', 'PreparingRebalance'],
    CompletingRebalance: ['ILLEGAL_GENERATION', 'CompletingRebalance'],
    Stable: ['ILLEGAL_GENERATION', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Empty'],
  },
  'commit in a transaction, without a member': {
    Empty: ['NONE', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['NONE', 'Empty'],
  },
  'offset fetch': {
    Empty: ['NONE 7', 'Empty'],
    PreparingRebalance: ['NONE 7', 'PreparingRebalance'],
    CompletingRebalance: ['NONE 7', 'CompletingRebalance'],
    Stable: ['NONE 7', 'Stable'],
    Dead: ['NONE -1', 'Dead'],
  },
  'offset fetch of all': {
    Empty: ['NONE 7', 'Empty'],
    PreparingRebalance: ['NONE 7', 'PreparingRebalance'],
    CompletingRebalance: ['NONE 7', 'CompletingRebalance'],
    Stable: ['NONE 7', 'Stable'],
    Dead: ['NONE ', 'Dead'],
  },
  // With its last offset an empty group goes too.
  'deletion of an offset of a topic that is read': {
    Empty: ['NONE', 'Dead'],
    PreparingRebalance: ['GROUP_SUBSCRIBED_TO_TOPIC', 'PreparingRebalance'],
    CompletingRebalance: ['GROUP_SUBSCRIBED_TO_TOPIC', 'CompletingRebalance'],
    Stable: ['GROUP_SUBSCRIBED_TO_TOPIC', 'Stable'],
    Dead: ['GROUP_ID_NOT_FOUND', 'Dead'],
  },
  'deletion of an offset of another topic': {
    Empty: ['NONE', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['GROUP_ID_NOT_FOUND', 'Dead'],
  },
  description: {
    Empty: ['NONE consumer/ 0', 'Empty'],
    PreparingRebalance: ['NONE consumer/ 3', 'PreparingRebalance'],
    CompletingRebalance: ['NONE consumer/ 2', 'CompletingRebalance'],
    Stable: ['NONE consumer/range 2', 'Stable'],
    Dead: ['NONE / 0', 'Dead'],
  },
  listing: {
    Empty: ['NONE Empty', 'Empty'],
    PreparingRebalance: ['NONE PreparingRebalance', 'PreparingRebalance'],
    CompletingRebalance: ['NONE CompletingRebalance', 'CompletingRebalance'],
    Stable: ['NONE Stable', 'Stable'],
    Dead: ['NONE ', 'Dead'],
  },
  deletion: {
    Empty: ['NONE', 'Dead'],
    PreparingRebalance: ['NON_EMPTY_GROUP', 'PreparingRebalance'],
    CompletingRebalance: ['NON_EMPTY_GROUP', 'CompletingRebalance'],
    Stable: ['NON_EMPTY_GROUP', 'Stable'],
    Dead: ['GROUP_ID_NOT_FOUND', 'Dead'],
  },
};

describeTable('every state × event of offsets and administration', situationsOf(null), events, table);
