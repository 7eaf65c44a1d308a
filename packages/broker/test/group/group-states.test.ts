import { describe, expect, it } from '@jest/globals';
import { InvariantViolation, MockTime, silentLogger } from '@klassic/common';
import { GroupMetadata } from '../../src/group/group-metadata.ts';
import { groupStates, validPreviousStates } from '../../src/group/group-state.ts';
import type { JoinGroupParameters } from '../../src/group/index.ts';
import {
  describeTable,
  groupId,
  leave,
  outcome,
  passFollowerSession,
  passRebalanceTimeout,
  situationsOf,
} from './group-situations.ts';
import type { Event, Expected } from './group-situations.ts';
import { subscription } from './test-coordinator.ts';
import type { TestCoordinator } from './test-coordinator.ts';

const changed: Partial<JoinGroupParameters> = { protocols: [{ name: 'range', metadata: subscription('other') }] };
const sticky: Partial<JoinGroupParameters> = { protocols: [{ name: 'sticky', metadata: subscription('t') }] };

async function syncUnder(
  test: TestCoordinator,
  memberId: string,
  generationId: number,
  protocolType: string,
  protocolName: string,
): Promise<string> {
  const member = { groupId, memberId, groupInstanceId: null, generationId, assignments: new Map<string, Buffer>() };
  return (await test.coordinator.handleSyncGroup({ ...member, protocolType, protocolName })).error.name;
}

const events: Readonly<Record<string, Event>> = {
  'join without an id': async ({ it: test }) => outcome(await test.join(groupId, '', { requireKnownMemberId: true })),
  'join with a new id': async ({ it: test }) => outcome((await test.joinNew(groupId))[1]),
  'join of the leader': async ({ it: test, leader }) => outcome(await test.join(groupId, leader)),
  'join of a follower': async ({ it: test, follower }) => outcome(await test.join(groupId, follower)),
  'join of a changed follower': async ({ it: test, follower }) => outcome(await test.join(groupId, follower, changed)),
  'join of another protocol type': async ({ it: test, follower }) =>
    outcome(await test.join(groupId, follower, { protocolType: 'connect' })),
  'sync of the leader': async ({ it: test, leader, follower, generation }) =>
    outcome(await test.sync(groupId, leader, generation, { [leader]: 'l', [follower]: 'f' })),
  'sync of a follower': async ({ it: test, follower, generation }) =>
    outcome(await test.sync(groupId, follower, generation)),
  'sync of an old generation': async ({ it: test, follower, generation }) =>
    outcome(await test.sync(groupId, follower, generation - 1)),
  heartbeat: ({ it: test, follower, generation }) =>
    test.coordinator.handleHeartbeat(groupId, follower, null, generation).name,
  'heartbeat of an old generation': ({ it: test, follower, generation }) =>
    test.coordinator.handleHeartbeat(groupId, follower, null, generation - 1).name,
  'heartbeat of a stranger': ({ it: test, generation }) =>
    test.coordinator.handleHeartbeat(groupId, 'stranger', null, generation).name,
  'leave of a follower': ({ it: test, follower }) => leave(test, follower),
  'leave of all': ({ it: test, leader, follower }) => leave(test, leader, follower),
  'session timeout of all': async ({ it: test }) => {
    await test.time.advance(10_000);
    return '';
  },
  'session timeout of a follower': passFollowerSession,
  'rebalance timeout': passRebalanceTimeout,
  'join without an id, of a version before 4': async ({ it: test }) => outcome(await test.join(groupId, '')),
  'join without an id, under another protocol': async ({ it: test }) =>
    outcome(await test.join(groupId, '', { requireKnownMemberId: true, ...sticky })),
  'join without an id, under no protocol': async ({ it: test }) =>
    outcome(await test.join(groupId, '', { requireKnownMemberId: true, protocols: [] })),
  'join of a stranger': async ({ it: test }) => outcome(await test.join(groupId, 'stranger')),
  'join with too short a session': async ({ it: test, follower }) =>
    outcome(await test.join(groupId, follower, { sessionTimeoutMs: 5999 })),
  'sync of a stranger': async ({ it: test, generation }) => outcome(await test.sync(groupId, 'stranger', generation)),
  'sync under another protocol type': async ({ it: test, follower, generation }) =>
    syncUnder(test, follower, generation, 'connect', 'range'),
  'sync under another protocol': async ({ it: test, follower, generation }) =>
    syncUnder(test, follower, generation, 'consumer', 'sticky'),
  'leave of an id just given': async ({ it: test }) => {
    const { memberId } = (await test.join(groupId, '', { requireKnownMemberId: true })).outcome;
    return leave(test, memberId);
  },
  'leave of a stranger': ({ it: test }) => leave(test, 'stranger'),
  resignation: async ({ it: test }) => {
    await test.resign(test.coordinator.partitionFor(groupId), 1);
    return test.coordinator.handleDescribeGroup(groupId).error.name;
  },
};

const table: Readonly<Record<string, Expected>> = {
  'join without an id': {
    Empty: ['MEMBER_ID_REQUIRED', 'Empty'],
    PreparingRebalance: ['MEMBER_ID_REQUIRED', 'PreparingRebalance'],
    CompletingRebalance: ['MEMBER_ID_REQUIRED', 'CompletingRebalance'],
    Stable: ['MEMBER_ID_REQUIRED', 'Stable'],
    Dead: ['MEMBER_ID_REQUIRED', 'Empty'],
  },
  'join with a new id': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  'join of the leader': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of a follower': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of a changed follower': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join of another protocol type': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of the leader': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'Stable'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of a follower': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync of an old generation': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['ILLEGAL_GENERATION', 'PreparingRebalance'],
    CompletingRebalance: ['ILLEGAL_GENERATION', 'CompletingRebalance'],
    Stable: ['ILLEGAL_GENERATION', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  heartbeat: {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['REBALANCE_IN_PROGRESS', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'heartbeat of an old generation': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['ILLEGAL_GENERATION', 'PreparingRebalance'],
    CompletingRebalance: ['ILLEGAL_GENERATION', 'CompletingRebalance'],
    Stable: ['ILLEGAL_GENERATION', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'heartbeat of a stranger': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'leave of a follower': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'PreparingRebalance'],
    Stable: ['NONE', 'PreparingRebalance'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  // While the rebalance is prepared a third member waits, which is everybody once the others have left.
  'leave of all': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['NONE', 'CompletingRebalance'],
    CompletingRebalance: ['NONE', 'Empty'],
    Stable: ['NONE', 'Empty'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'session timeout of all': {
    Empty: ['', 'Empty'],
    PreparingRebalance: ['', 'CompletingRebalance'],
    CompletingRebalance: ['', 'Empty'],
    Stable: ['', 'Empty'],
    Dead: ['', 'Dead'],
  },
  // Members that send heartbeats and do nothing else: out when they are to join, or to ask for their assignment.
  'rebalance timeout': {
    Empty: ['', 'Empty'],
    PreparingRebalance: ['', 'CompletingRebalance'],
    CompletingRebalance: ['', 'Empty'],
    Stable: ['', 'Stable'],
    Dead: ['', 'Dead'],
  },
  'join without an id, of a version before 4': {
    Empty: ['NONE', 'CompletingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
    Dead: ['NONE', 'CompletingRebalance'],
  },
  // An empty group takes any protocol.
  'join without an id, under another protocol': {
    Empty: ['MEMBER_ID_REQUIRED', 'Empty'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['MEMBER_ID_REQUIRED', 'Empty'],
  },
  'join without an id, under no protocol': {
    Empty: ['INCONSISTENT_GROUP_PROTOCOL', 'Empty'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['INCONSISTENT_GROUP_PROTOCOL', 'Empty'],
  },
  'join of a stranger': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'join with too short a session': {
    Empty: ['INVALID_SESSION_TIMEOUT', 'Empty'],
    PreparingRebalance: ['INVALID_SESSION_TIMEOUT', 'PreparingRebalance'],
    CompletingRebalance: ['INVALID_SESSION_TIMEOUT', 'CompletingRebalance'],
    Stable: ['INVALID_SESSION_TIMEOUT', 'Stable'],
    Dead: ['INVALID_SESSION_TIMEOUT', 'Dead'],
  },
  'sync of a stranger': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync under another protocol type': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'sync under another protocol': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'PreparingRebalance'],
    CompletingRebalance: ['INCONSISTENT_GROUP_PROTOCOL', 'CompletingRebalance'],
    Stable: ['INCONSISTENT_GROUP_PROTOCOL', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'leave of an id just given': {
    Empty: ['NONE', 'Empty'],
    PreparingRebalance: ['NONE', 'PreparingRebalance'],
    CompletingRebalance: ['NONE', 'CompletingRebalance'],
    Stable: ['NONE', 'Stable'],
    Dead: ['NONE', 'Empty'],
  },
  'leave of a stranger': {
    Empty: ['UNKNOWN_MEMBER_ID', 'Empty'],
    PreparingRebalance: ['UNKNOWN_MEMBER_ID', 'PreparingRebalance'],
    CompletingRebalance: ['UNKNOWN_MEMBER_ID', 'CompletingRebalance'],
    Stable: ['UNKNOWN_MEMBER_ID', 'Stable'],
    Dead: ['UNKNOWN_MEMBER_ID', 'Dead'],
  },
  'session timeout of a follower': {
    Empty: ['', 'Empty'],
    PreparingRebalance: ['', 'PreparingRebalance'],
    CompletingRebalance: ['', 'PreparingRebalance'],
    Stable: ['', 'PreparingRebalance'],
    Dead: ['', 'Dead'],
  },
  resignation: {
    Empty: ['NOT_COORDINATOR', ''],
    PreparingRebalance: ['NOT_COORDINATOR', ''],
    CompletingRebalance: ['NOT_COORDINATOR', ''],
    Stable: ['NOT_COORDINATOR', ''],
    Dead: ['NOT_COORDINATOR', ''],
  },
};

describeTable('every state × event of members', situationsOf(null), events, table);

describe('the transition table', () => {
  it.each(groupStates.flatMap((from) => groupStates.map((to) => [from, to] as const)))('%s → %s', (from, to) => {
    const group = new GroupMetadata('g', from, new MockTime(), silentLogger);
    if (validPreviousStates[to].includes(from)) {
      group.transitionTo(to);
      expect(group.currentState).toBe(to);
    } else {
      expect(() => {
        group.transitionTo(to);
      }).toThrow(InvariantViolation);
      expect(group.currentState).toBe(from);
    }
  });
});
