import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { groupStates } from '../../src/group/group-state.ts';
import type { GroupState } from '../../src/group/group-state.ts';
import type { JoinGroupParameters } from '../../src/group/index.ts';
import { offsets, TestCoordinator } from './test-coordinator.ts';
import type { Pending } from './test-coordinator.ts';

export const groupId = 'g';

/** A group of two in some state: the leader, a follower, and its generation. */
export interface Situation {
  readonly it: TestCoordinator;
  readonly leader: string;
  readonly follower: string;
  readonly generation: number;
}

export type Event = (situation: Situation) => Promise<string> | string;

/** What is answered, and the state afterwards (empty: the coordinator says nothing about the group). */
export type Expected = Readonly<Record<GroupState, readonly [answer: string, state: string]>>;

/**
 * Takes a fresh group to each state. Before a rebalance it is stable in generation 2 and has offset 7 of t-1.
 *
 * @param instanceId of the follower; null for one without
 */
export function situationsOf(instanceId: string | null): Readonly<Record<GroupState, () => Promise<Situation>>> {
  const ofFollower: Partial<JoinGroupParameters> = { groupInstanceId: instanceId };
  const situations = {
    async Empty(): Promise<Situation> {
      const situation = await situations.Stable();
      const { it: test, leader, follower, generation } = situation;
      leave(test, leader, follower);
      await test.time.advance(0);
      return { ...situation, generation: generation + 1 };
    },
    /** A third member waits for the two others. */
    async PreparingRebalance(): Promise<Situation> {
      const situation = await situations.Stable();
      await situation.it.joinNew(groupId);
      return situation;
    },
    async CompletingRebalance(): Promise<Situation> {
      const situation = await situations.Stable();
      const { it: test, leader, follower, generation } = situation;
      await test.join(groupId, leader);
      await test.join(groupId, follower, ofFollower);
      return { ...situation, generation: generation + 1 };
    },
    async Stable(): Promise<Situation> {
      const test = await TestCoordinator.of(groupId);
      const [leader] = await test.joinNew(groupId);
      const joining = instanceId === null ? (await test.joinNew(groupId))[1] : await test.join(groupId, '', ofFollower);
      await test.join(groupId, leader);
      const { memberId: follower, generationId: generation } = joining.outcome;
      await test.sync(groupId, follower, generation, {}, instanceId);
      await test.sync(groupId, leader, generation, { [leader]: 'l', [follower]: 'f' });
      const error = await test.commit(groupId, leader, generation, offsets('t', { 1: 7 }));
      if (error !== Errors.NONE) throw new Error(`commit to a stable group: ${error.name}`);
      return { it: test, leader, follower, generation };
    },
    /** Deleted; what is left of it is not there any more. */
    async Dead(): Promise<Situation> {
      const situation = await situations.Empty();
      await situation.it.coordinator.handleDeleteGroups(new Set([groupId]));
      return situation;
    },
  };
  return situations;
}

/** @returns the error of the first */
export function leave(test: TestCoordinator, ...memberIds: string[]): string {
  const { members } = test.coordinator.handleLeaveGroup(
    groupId,
    memberIds.map((memberId) => ({ memberId, groupInstanceId: null })),
  );
  return members[0]!.error.name;
}

export function outcome(pending: Pending<{ error: { name: string } }>): string {
  return pending.value?.error.name ?? 'waits';
}

/** Lets time pass for as long as a rebalance may take, while members send heartbeats and do nothing else. */
export async function passRebalanceTimeout({ it: test, leader, follower, generation }: Situation): Promise<string> {
  for (let sinceMs = 0; sinceMs < 60_000; sinceMs += 5000) {
    for (const id of [leader, follower]) test.coordinator.handleHeartbeat(groupId, id, null, generation);
    await test.time.advance(5000);
  }
  return '';
}

/** Lets the follower's session end; the leader's does not. */
export async function passFollowerSession({ it: test, leader, generation }: Situation): Promise<string> {
  for (let sinceMs = 0; sinceMs < 10_000; sinceMs += 5000) {
    test.coordinator.handleHeartbeat(groupId, leader, null, generation);
    await test.time.advance(5000);
  }
  return '';
}

/** Tests of every event in every state. */
export function describeTable(
  title: string,
  situations: Readonly<Record<GroupState, () => Promise<Situation>>>,
  events: Readonly<Record<string, Event>>,
  table: Readonly<Record<string, Expected>>,
): void {
  const cases = Object.entries(table).flatMap(([event, row]) =>
    groupStates.map((state) => [state, event, ...row[state]] as const),
  );

  describe(title, () => {
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
}
