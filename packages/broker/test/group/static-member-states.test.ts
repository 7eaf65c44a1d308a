import type { JoinGroupParameters } from '../../src/group/index.ts';
import {
  describeTable,
  groupId,
  outcome,
  passFollowerSession,
  passRebalanceTimeout,
  situationsOf,
} from './group-situations.ts';
import type { Event, Expected, Situation } from './group-situations.ts';
import { offsets, subscription } from './test-coordinator.ts';

/** The follower is a static member (KIP-345); `stranger` claims to be it, or comes from an instance nobody knows. */
const known = 'i';
const unknown = 'j';

async function join(
  { it: test }: Situation,
  memberId: string,
  groupInstanceId: string,
  more: Partial<JoinGroupParameters> = {},
): Promise<string> {
  return outcome(await test.join(groupId, memberId, { groupInstanceId, ...more }));
}

async function sync({ it: test, generation }: Situation, memberId: string, instanceId: string): Promise<string> {
  return outcome(await test.sync(groupId, memberId, generation, {}, instanceId));
}

function heartbeat({ it: test, generation }: Situation, memberId: string, instanceId: string): string {
  return test.coordinator.handleHeartbeat(groupId, memberId, instanceId, generation).name;
}

function leave({ it: test }: Situation, memberId: string, groupInstanceId: string): string {
  return test.coordinator.handleLeaveGroup(groupId, [{ memberId, groupInstanceId }]).members[0]!.error.name;
}

async function commit({ it: test, generation }: Situation, memberId: string, instanceId: string): Promise<string> {
  return (await test.commit(groupId, memberId, generation, offsets('t', { 0: 1 }), instanceId)).name;
}

const changed = { protocols: [{ name: 'range', metadata: subscription('other') }] };
const sticky = { protocols: [{ name: 'sticky', metadata: subscription('t') }] };

const events: Readonly<Record<string, Event>> = {
  'join of the instance, restarted': (group) => join(group, '', known),
  'join of the instance, restarted with another subscription': (group) => join(group, '', known, changed),
  'join of the instance, restarted under another protocol': (group) => join(group, '', known, sticky),
  'join of the instance by its id': (group) => join(group, group.follower, known),
  'join of the instance by its id, with another subscription': (group) => join(group, group.follower, known, changed),
  'join of the instance by a fenced id': (group) => join(group, 'stranger', known),
  'join of an unknown instance': (group) => join(group, '', unknown),
  'join of an unknown instance by the id of a member': (group) => join(group, group.leader, unknown),
  'sync of the instance': (group) => sync(group, group.follower, known),
  'sync of a fenced id': (group) => sync(group, 'stranger', known),
  'sync of an unknown instance by the id of a member': (group) => sync(group, group.follower, unknown),
  'heartbeat of the instance': (group) => heartbeat(group, group.follower, known),
  'heartbeat of a fenced id': (group) => heartbeat(group, 'stranger', known),
  'heartbeat of the old id after a restart': async (group) => {
    await join(group, '', known);
    return heartbeat(group, group.follower, known);
  },
  'leave of the instance': (group) => leave(group, group.follower, known),
  'leave by the instance alone': (group) => leave(group, '', known),
  'leave of a fenced id': (group) => leave(group, 'stranger', known),
  'leave by an unknown instance alone': (group) => leave(group, '', unknown),
  'commit of the instance': (group) => commit(group, group.follower, known),
  'commit of a fenced id': (group) => commit(group, 'stranger', known),
  'commit in a transaction of a fenced id': async ({ it: test, generation: generationId }) => {
    const committer = { memberId: 'stranger', groupInstanceId: known, generationId };
    const producer = { producerId: 5, producerEpoch: 0 };
    return (await test.coordinator.handleTxnCommitOffsets(groupId, committer, producer, offsets('t', { 0: 1 }))).get(
      't-0',
    )!.name;
  },
  'session timeout of the instance': passFollowerSession,
  'rebalance timeout': passRebalanceTimeout,
};

const table: Readonly<Record<string, Expected>> = {
  // A rebalance under way goes on with the new id; the assignment may be to the old one, so that one begins anew.
  'join of the instance, restarted': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  // Only a change of the protocol chosen matters to 2.8.
  'join of the instance, restarted with another subscription': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  'join of the instance, restarted under another protocol': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  'join of the instance by its id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of the instance by its id, with another subscription': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of the instance by a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of an unknown instance': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  'join of an unknown instance by the id of a member': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of the instance': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of an unknown instance by the id of a member': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'heartbeat of the instance': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'heartbeat of a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'heartbeat of the old id after a restart': {
    Empty: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
  },
  'leave of the instance': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'PreparingRebalance'],
    Stable: ['NONE', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'leave by the instance alone': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'PreparingRebalance'],
    Stable: ['NONE', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'leave of a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'leave by an unknown instance alone': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'commit of the instance': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['REBALANCE_IN_PROGRESS', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['ILLEGAL_GENERATION', 'Dead'],
  },
  'commit of a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['ILLEGAL_GENERATION', 'Dead'],
  },
  'commit in a transaction of a fenced id': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['FENCED_INSTANCE_ID', 'PreparingRebalance'],
    CompletingRebalance: ['FENCED_INSTANCE_ID', 'CompletingRebalance'],
    Stable: ['FENCED_INSTANCE_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Empty'],
  },
  'session timeout of the instance': {
    Empty: ['', 'Empty'],
    PreparingRebalance: ['', 'PreparingRebalance'],
    CompletingRebalance: ['', 'PreparingRebalance'],
    Stable: ['', 'PreparingRebalance'],
    Dead: ['', 'Dead'],
  },
  // It stays a member of a generation it did not join; who does not ask for the assignment is out, static or not.
  'rebalance timeout': {
    Empty: ['', 'Empty'],
    PreparingRebalance: ['', 'CompletingRebalance'],
    CompletingRebalance: ['', 'Empty'],
    Stable: ['', 'Stable'],
    Dead: ['', 'Dead'],
  },
};

describeTable('every state × event of a static member', situationsOf(known), events, table);
