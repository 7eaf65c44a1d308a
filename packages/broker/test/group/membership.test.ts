import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { offsets, subscription, TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';

describe('joining', () => {
  it('waits for the initial rebalance delay, and again while members come', async () => {
    const test = await TestCoordinator.of(groupId, { config: { initialRebalanceDelayMs: 3000 } });
    const [, first] = await test.joinNew(groupId);
    await test.time.advance(2000);
    const [, second] = await test.joinNew(groupId);
    await test.time.advance(3999);
    expect([first.value, second.value]).toEqual([undefined, undefined]);
    await test.time.advance(1);
    expect(first.outcome.members.map(({ memberId }) => memberId).sort()).toEqual(
      [first.outcome.memberId, second.outcome.memberId].sort(),
    );
    expect(second.outcome).toMatchObject({ generationId: 1, leaderId: first.outcome.memberId, members: [] });
  });

  it('does not extend the delay beyond the rebalance timeout', async () => {
    const test = await TestCoordinator.of(groupId, { config: { initialRebalanceDelayMs: 3000 } });
    const [, first] = await test.joinNew(groupId, { rebalanceTimeoutMs: 7000 });
    for (let elapsedMs = 0; elapsedMs < 7000; elapsedMs += 500) {
      expect(first.value).toBeUndefined();
      await test.time.advance(500);
      await test.joinNew(groupId, { rebalanceTimeoutMs: 7000 });
    }
    await test.time.advance(0);
    expect(first.outcome.generationId).toBe(1);
  });

  it('waits for ids that were given out, until they expire', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 1);
    await test.join(groupId, '', { requireKnownMemberId: true });
    const rejoined = await test.join(groupId, memberIds[0]!);
    expect(rejoined.value).toBeUndefined();
    await test.time.advance(10_000);
    expect(rejoined.outcome.generationId).toBe(2);
  });

  it('gives the lead to a member that joined when the leader did not', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 2, { rebalanceTimeoutMs: 5000 });
    const [leader, follower] = memberIds as [string, string];
    const rejoined = await test.join(groupId, follower, {
      rebalanceTimeoutMs: 5000,
      protocols: [{ name: 'range', metadata: subscription('other') }],
    });
    await test.time.advance(5000);
    expect(rejoined.outcome).toMatchObject({ error: Errors.NONE, generationId: 3, leaderId: follower });
    expect(rejoined.outcome.members.map(({ memberId }) => memberId)).toEqual([follower]);
    expect(test.coordinator.handleHeartbeat(groupId, leader, null, 2)).toBe(Errors.UNKNOWN_MEMBER_ID);
  });

  it('chooses the protocol with most votes among those that all support', async () => {
    const test = await TestCoordinator.of(groupId, { config: { initialRebalanceDelayMs: 100 } });
    const protocols = (...names: string[]): { name: string; metadata: Buffer }[] =>
      names.map((name) => ({ name, metadata: Buffer.from(name) }));
    const joins = [];
    for (const names of [
      ['sticky', 'roundrobin', 'range'],
      ['roundrobin', 'range'],
      ['range', 'roundrobin', 'other'],
      ['roundrobin', 'range'],
    ]) {
      joins.push((await test.joinNew(groupId, { protocols: protocols(...names) }))[1]);
    }
    await test.time.advance(200);
    for (const join of joins) expect(join.outcome.protocolName).toBe('roundrobin');
    expect(joins[0]!.outcome.members[0]!.metadata.toString()).toBe('roundrobin');
  });

  it('gives up a new member whose join waits for five minutes', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 1, { rebalanceTimeoutMs: 600_000 });
    const [, waiting] = await test.joinNew(groupId);
    for (let elapsedMs = 0; elapsedMs < 300_000; elapsedMs += 5000) {
      expect(waiting.value).toBeUndefined();
      expect(test.coordinator.handleHeartbeat(groupId, memberIds[0]!, null, 1)).toBe(Errors.REBALANCE_IN_PROGRESS);
      await test.time.advance(5000);
    }
    expect(waiting.outcome.error).toBe(Errors.UNKNOWN_MEMBER_ID);
  });

  it('keeps to the greatest size', async () => {
    const test = await TestCoordinator.of(groupId, { config: { maxSize: 2 } });
    const { memberIds } = await test.stableGroup(groupId, 2);
    expect((await test.join(groupId, '')).outcome.error).toBe(Errors.GROUP_MAX_SIZE_REACHED);
    expect((await test.join(groupId, memberIds[1]!)).outcome.error).toBe(Errors.NONE);
  });
});

describe('static members', () => {
  const instance = { groupInstanceId: 'i', requireKnownMemberId: false };

  async function stableWithInstance(): Promise<{ test: TestCoordinator; leader: string; member: string }> {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 1);
    const leader = memberIds[0]!;
    const joining = await test.join(groupId, '', instance);
    await test.join(groupId, leader);
    const member = joining.outcome.memberId;
    await test.sync(groupId, member, 2, {}, 'i');
    await test.sync(groupId, leader, 2, { [leader]: 'l', [member]: 'm' });
    expect(test.state(groupId)).toBe('Stable');
    return { test, leader, member };
  }

  it('come back without a rebalance, under a new id and with the assignment they had', async () => {
    const { test, leader, member } = await stableWithInstance();
    const again = (await test.join(groupId, '', instance)).outcome;
    expect(again).toMatchObject({ error: Errors.NONE, generationId: 2, leaderId: leader, members: [] });
    expect(again.memberId).not.toBe(member);
    expect(test.state(groupId)).toBe('Stable');
    const synced = await test.sync(groupId, again.memberId, 2, {}, 'i');
    expect(synced.outcome.assignment.toString()).toBe('m');
    expect(test.coordinator.handleHeartbeat(groupId, leader, null, 2)).toBe(Errors.NONE);
  });

  it('fence the process they take the place of', async () => {
    const { test, member } = await stableWithInstance();
    await test.join(groupId, '', instance);
    expect(test.coordinator.handleHeartbeat(groupId, member, 'i', 2)).toBe(Errors.FENCED_INSTANCE_ID);
    expect((await test.join(groupId, member, instance)).outcome.error).toBe(Errors.FENCED_INSTANCE_ID);
    expect((await test.sync(groupId, member, 2, {}, 'i')).outcome.error).toBe(Errors.FENCED_INSTANCE_ID);
    expect(await test.commit(groupId, member, 2, offsets('t', { 0: 5 }), 'i')).toBe(Errors.FENCED_INSTANCE_ID);
    const { members } = test.coordinator.handleLeaveGroup(groupId, [{ memberId: member, groupInstanceId: 'i' }]);
    expect(members[0]!.error).toBe(Errors.FENCED_INSTANCE_ID);
  });

  it('begin a rebalance when the protocol would be another', async () => {
    const { test } = await stableWithInstance();
    const protocols = [{ name: 'sticky', metadata: subscription('t') }];
    const refused = await test.join(groupId, '', { ...instance, protocols });
    expect(refused.outcome.error).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL);
  });

  it('come back without a rebalance where the vote for the protocol was even', async () => {
    const test = await TestCoordinator.of(groupId, { config: { initialRebalanceDelayMs: 100 } });
    const preferring = (...names: string[]): { name: string; metadata: Buffer }[] =>
      names.map((name) => ({ name, metadata: subscription('t') }));
    const first = { ...instance, protocols: preferring('range', 'roundrobin') };
    const joining = await test.join(groupId, '', first);
    const [, other] = await test.joinNew(groupId, { protocols: preferring('roundrobin', 'range') });
    await test.time.advance(200);
    const { memberId, protocolName } = joining.outcome;
    await test.sync(groupId, other.outcome.memberId, 1);
    await test.sync(groupId, memberId, 1, { [memberId]: 'a', [other.outcome.memberId]: 'b' }, 'i');
    for (let restart = 0; restart < 2; restart += 1) {
      expect((await test.join(groupId, '', first)).outcome).toMatchObject({ generationId: 1, protocolName });
      expect(test.state(groupId)).toBe('Stable');
    }
  });

  it('stay members over a rebalance that they miss, until their session ends', async () => {
    const { test, leader } = await stableWithInstance();
    const rejoined = await test.join(groupId, leader, { rebalanceTimeoutMs: 5000 });
    for (let elapsedMs = 0; elapsedMs < 60_000 && rejoined.value === undefined; elapsedMs += 1000) {
      await test.time.advance(1000);
    }
    expect(rejoined.outcome.error).toBe(Errors.NONE);
    expect(test.state(groupId)).toBe('CompletingRebalance');
  });

  it('can be taken out by their instance id alone', async () => {
    const { test } = await stableWithInstance();
    const { members } = test.coordinator.handleLeaveGroup(groupId, [{ memberId: '', groupInstanceId: 'i' }]);
    expect(members[0]!.error).toBe(Errors.NONE);
    expect(test.state(groupId)).toBe('PreparingRebalance');
  });

  it('keep their old id when the new one cannot be stored', async () => {
    const { test, member } = await stableWithInstance();
    test.log.nextError = Errors.NOT_ENOUGH_REPLICAS;
    const refused = (await test.join(groupId, '', instance)).outcome;
    expect(refused).toMatchObject({ error: Errors.COORDINATOR_NOT_AVAILABLE, memberId: '' });
    expect(test.coordinator.handleHeartbeat(groupId, member, 'i', 2)).toBe(Errors.NONE);
  });
});

describe('syncing', () => {
  it('waits until the assignment is stored', async () => {
    const test = await TestCoordinator.of(groupId);
    const [memberId] = await test.joinNew(groupId);
    let stored: () => void = () => undefined;
    test.log.beforeAnswer = () =>
      new Promise((resolve) => {
        stored = resolve;
      });
    const synced = await test.sync(groupId, memberId, 1, { [memberId]: 'all' });
    expect([synced.value, test.state(groupId)]).toEqual([undefined, 'CompletingRebalance']);
    stored();
    await test.time.advance(0);
    expect([synced.outcome.assignment.toString(), test.state(groupId)]).toEqual(['all', 'Stable']);
  });

  it.each([
    [Errors.NOT_LEADER_OR_FOLLOWER, 'NOT_COORDINATOR'],
    [Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND, 'COORDINATOR_NOT_AVAILABLE'],
    [Errors.REQUEST_TIMED_OUT, 'REBALANCE_IN_PROGRESS'],
    [Errors.MESSAGE_TOO_LARGE, 'UNKNOWN_SERVER_ERROR'],
  ])('tells everybody when it cannot be stored: %p', async (appendError, told) => {
    const test = await TestCoordinator.of(groupId);
    const [memberId] = await test.joinNew(groupId);
    test.log.nextError = appendError;
    const synced = await test.sync(groupId, memberId, 1, { [memberId]: 'all' });
    expect(synced.outcome.error.name).toBe(told);
    expect(test.state(groupId)).toBe('PreparingRebalance');
  });

  it('drops an assignment that a rebalance has overtaken', async () => {
    const test = await TestCoordinator.of(groupId);
    const [memberId] = await test.joinNew(groupId);
    let stored: () => void = () => undefined;
    test.log.beforeAnswer = () =>
      new Promise((resolve) => {
        stored = resolve;
      });
    const synced = await test.sync(groupId, memberId, 1, { [memberId]: 'all' });
    await test.joinNew(groupId);
    expect(synced.outcome.error).toBe(Errors.REBALANCE_IN_PROGRESS);
    stored();
    await test.time.advance(0);
    expect(test.state(groupId)).toBe('PreparingRebalance');
  });

  it('removes members that never ask for their assignment', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 2, { rebalanceTimeoutMs: 5000, sessionTimeoutMs: 60_000 });
    const [leader, follower] = memberIds as [string, string];
    await test.join(groupId, leader, { rebalanceTimeoutMs: 5000 });
    await test.join(groupId, follower, { rebalanceTimeoutMs: 5000 });
    await test.sync(groupId, leader, 3, { [leader]: 'l', [follower]: 'f' });
    expect(test.state(groupId)).toBe('Stable');
    await test.time.advance(5000);
    expect(test.state(groupId)).toBe('PreparingRebalance');
    expect(test.coordinator.handleHeartbeat(groupId, follower, null, 3)).toBe(Errors.UNKNOWN_MEMBER_ID);
    expect(test.coordinator.handleHeartbeat(groupId, leader, null, 3)).toBe(Errors.REBALANCE_IN_PROGRESS);
  });

  it('answers a member that is taken out while it waits', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 2);
    for (const id of memberIds) await test.join(groupId, id);
    const waiting = await test.sync(groupId, memberIds[1]!, 3);
    test.coordinator.handleLeaveGroup(groupId, [{ memberId: memberIds[1]!, groupInstanceId: null }]);
    await test.time.advance(0);
    expect(waiting.outcome.error).toBe(Errors.UNKNOWN_MEMBER_ID);
  });
});

describe('bad input', () => {
  it.each([
    ['', {}, 'INVALID_GROUP_ID'],
    [groupId, { sessionTimeoutMs: 5999 }, 'INVALID_SESSION_TIMEOUT'],
    [groupId, { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
    [groupId, { memberId: 'unknown' }, 'UNKNOWN_MEMBER_ID'],
    [groupId, { protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
    [groupId, { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
    ['elsewhere', {}, 'NOT_COORDINATOR'],
  ])('join of %p with %p: %s', async (id, parameters, error) => {
    const test = await TestCoordinator.of(groupId);
    expect((await test.join(id, '', parameters)).outcome.error.name).toBe(error);
  });

  it('refuses empty group ids where members are meant', async () => {
    const test = await TestCoordinator.of('');
    expect((await test.sync('', 'm', 1)).outcome.error).toBe(Errors.INVALID_GROUP_ID);
    expect(test.coordinator.handleHeartbeat('', 'm', null, 1)).toBe(Errors.INVALID_GROUP_ID);
    expect(test.coordinator.handleLeaveGroup('', []).error).toBe(Errors.INVALID_GROUP_ID);
    expect((await test.coordinator.handleDeleteOffsets('', [])).error).toBe(Errors.INVALID_GROUP_ID);
    expect(test.coordinator.handleDescribeGroup('').error).toBe(Errors.NONE);
  });

  it('refuses everything before it is started and after it is stopped', async () => {
    const test = await TestCoordinator.of(groupId);
    test.coordinator.shutdown();
    expect((await test.join(groupId, '')).outcome.error).toBe(Errors.COORDINATOR_NOT_AVAILABLE);
    expect(test.coordinator.handleListGroups(new Set()).error).toBe(Errors.COORDINATOR_NOT_AVAILABLE);
  });

  it('wants the protocol that was chosen', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds, generationId } = await test.stableGroup(groupId, 1);
    const parameters = {
      groupId,
      memberId: memberIds[0]!,
      generationId,
      groupInstanceId: null,
      assignments: new Map(),
    };
    for (const [protocolType, protocolName, error] of [
      ['connect', 'range', Errors.INCONSISTENT_GROUP_PROTOCOL],
      ['consumer', 'sticky', Errors.INCONSISTENT_GROUP_PROTOCOL],
      ['consumer', 'range', Errors.NONE],
      [null, null, Errors.NONE],
    ] as const) {
      const result = await test.coordinator.handleSyncGroup({ ...parameters, protocolType, protocolName });
      expect(result.error).toBe(error);
    }
  });
});
