import { describe, expect, it } from '@jest/globals';
import { InvariantViolation, MockTime, silentLogger } from '@klassic/common';
import { GroupMetadata } from '../../src/group/group-metadata.ts';
import { groupStates, validPreviousStates } from '../../src/group/group-state.ts';
import type { GroupState } from '../../src/group/group-state.ts';
import type { JoinGroupParameters } from '../../src/group/index.ts';
import { offsets, subscription, TestCoordinator } from './test-coordinator.ts';
import type { Pending } from './test-coordinator.ts';

const groupId = 'g';
const changed: Partial<JoinGroupParameters> = { protocols: [{ name: 'range', metadata: subscription('other') }] };

/** A group of two in some state: the leader, a follower, and its generation. */
interface Situation {
  readonly it: TestCoordinator;
  readonly leader: string;
  readonly follower: string;
  readonly generation: number;
}

/** Takes a fresh group to a state. Before a rebalance it is stable in generation 2. */
const situations: Readonly<Record<GroupState, () => Promise<Situation>>> = {
  async Empty() {
    const situation = await situations.Stable();
    const { it: test, leader, follower, generation } = situation;
    leave(test, leader, follower);
    await test.time.advance(0);
    return { ...situation, generation: generation + 1 };
  },
  async PreparingRebalance() {
    const situation = await situations.Stable();
    await situation.it.joinNew(groupId);
    return situation;
  },
  async CompletingRebalance() {
    const situation = await situations.Stable();
    const { it: test, leader, follower, generation } = situation;
    await test.join(groupId, leader);
    await test.join(groupId, follower);
    return { ...situation, generation: generation + 1 };
  },
  async Stable() {
    const test = await TestCoordinator.of(groupId);
    const { memberIds, generationId } = await test.stableGroup(groupId, 2);
    return { it: test, leader: memberIds[0]!, follower: memberIds[1]!, generation: generationId };
  },
  /** Deleted; what is left of it is not there any more. */
  async Dead() {
    const situation = await situations.Empty();
    await situation.it.coordinator.handleDeleteGroups(new Set([groupId]));
    return situation;
  },
};

function leave(test: TestCoordinator, ...memberIds: string[]): string {
  const { members } = test.coordinator.handleLeaveGroup(
    groupId,
    memberIds.map((memberId) => ({ memberId, groupInstanceId: null })),
  );
  return members[0]!.error.name;
}

function outcome(pending: Pending<{ error: { name: string } }>): string {
  return pending.value?.error.name ?? 'waits';
}

type Event = (situation: Situation) => Promise<string> | string;

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
  'rebalance timeout': async ({ it: test, leader, follower, generation }) => {
    for (let sinceMs = 0; sinceMs < 60_000; sinceMs += 5000) {
      for (const id of [leader, follower]) test.coordinator.handleHeartbeat(groupId, id, null, generation);
      await test.time.advance(5000);
    }
    return '';
  },
  commit: async ({ it: test, follower, generation }) =>
    (await test.commit(groupId, follower, generation, offsets('t', { 0: 1 }))).name,
  'commit of a simple consumer': async ({ it: test }) =>
    (await test.commit(groupId, '', -1, offsets('t', { 0: 1 }))).name,
  deletion: async ({ it: test }) => (await test.coordinator.handleDeleteGroups(new Set([groupId]))).get(groupId)!.name,
  resignation: async ({ it: test }) => {
    await test.resign(test.coordinator.partitionFor(groupId), 1);
    return test.coordinator.handleDescribeGroup(groupId).error.name;
  },
};

/** What is answered, and the state afterwards (empty: the coordinator says nothing about the group). */
type Expected = Readonly<Record<GroupState, readonly [answer: string, state: string]>>;

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
  deletion: {
    Empty: ['NONE', 'Dead'],
    PreparingRebalance: ['NON_EMPTY_GROUP', 'PreparingRebalance'],
    CompletingRebalance: ['NON_EMPTY_GROUP', 'CompletingRebalance'],
    Stable: ['NON_EMPTY_GROUP', 'Stable'],
    Dead: ['GROUP_ID_NOT_FOUND', 'Dead'],
  },
  resignation: {
    Empty: ['NOT_COORDINATOR', ''],
    PreparingRebalance: ['NOT_COORDINATOR', ''],
    CompletingRebalance: ['NOT_COORDINATOR', ''],
    Stable: ['NOT_COORDINATOR', ''],
    Dead: ['NOT_COORDINATOR', ''],
  },
};

describe('every state × event', () => {
  const cases = Object.entries(table).flatMap(([event, row]) =>
    groupStates.map((state) => [state, event, ...row[state]] as const),
  );

  it('has every event', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(events).sort());
  });

  it.each(cases)('%s, %s: %s, %s', async (state, event, answer, after) => {
    const situation = await situations[state]();
    expect(situation.it.state(groupId)).toBe(state);
    expect(await events[event]!(situation)).toBe(answer);
    await situation.it.time.advance(0);
    expect(situation.it.state(groupId)).toBe(after);
  });
});

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
