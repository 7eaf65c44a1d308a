import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { batchesOf, buildEndTransactionMarker } from '@klassic/protocol';
import { offsets, TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';
const dayMs = 24 * 60 * 60 * 1000;

describe('committed offsets', () => {
  it('are read back, by partition or all of them', async () => {
    const test = await TestCoordinator.of(groupId);
    expect(await test.commit(groupId, '', -1, offsets('t', { 0: 5, 1: 6 }, { metadata: 'm', leaderEpoch: 3 }))).toBe(
      Errors.NONE,
    );
    const all = test.coordinator.handleFetchOffsets(groupId, true, null);
    expect(all).toEqual({
      error: Errors.NONE,
      offsets: [5, 6].map((committedOffset, partition) => ({
        topic: 't',
        partition,
        error: Errors.NONE,
        committedOffset,
        committedLeaderEpoch: 3,
        metadata: 'm',
      })),
    });
    expect(test.committed(groupId, 't', 7)).toBe(-1);
    expect(test.committed('g', 'other', 0)).toBe(-1);
  });

  it('count only when they are stored, and are unstable until then', async () => {
    const test = await TestCoordinator.of(groupId);
    let stored: () => void = () => undefined;
    test.log.beforeAnswer = () =>
      new Promise((resolve) => {
        stored = resolve;
      });
    const committing = test.coordinator.handleCommitOffsets(
      groupId,
      { memberId: '', generationId: -1, groupInstanceId: null },
      offsets('t', { 0: 5 }),
    );
    await test.time.advance(0);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
    const fetched = test.coordinator.handleFetchOffsets(groupId, true, [{ topic: 't', partition: 0 }]);
    expect(fetched.offsets[0]!.error).toBe(Errors.UNSTABLE_OFFSET_COMMIT);
    stored();
    await committing;
    expect(test.committed(groupId, 't', 0)).toBe(5);
  });

  it('stay as they were when the log refuses them', async () => {
    const test = await TestCoordinator.of(groupId);
    await test.commit(groupId, '', -1, offsets('t', { 0: 5 }));
    for (const [appendError, told] of [
      [Errors.NOT_LEADER_OR_FOLLOWER, Errors.NOT_COORDINATOR],
      [Errors.NOT_ENOUGH_REPLICAS, Errors.COORDINATOR_NOT_AVAILABLE],
      [Errors.MESSAGE_TOO_LARGE, Errors.INVALID_COMMIT_OFFSET_SIZE],
      [Errors.REQUEST_TIMED_OUT, Errors.REQUEST_TIMED_OUT],
    ] as const) {
      test.log.nextError = appendError;
      expect(await test.commit(groupId, '', -1, offsets('t', { 0: 6 }))).toBe(told);
      expect(test.committed(groupId, 't', 0)).toBe(5);
      expect(test.coordinator.handleFetchOffsets(groupId, true, null).offsets[0]!.error).toBe(Errors.NONE);
    }
  });

  it('are refused one by one when their metadata is too large', async () => {
    const test = await TestCoordinator.of(groupId);
    const mixed = new Map([
      ...offsets('t', { 0: 5 }, { metadata: 'x'.repeat(4096) }),
      ...offsets('t', { 1: 6 }, { metadata: 'x'.repeat(4097) }),
    ]);
    const committer = { memberId: '', generationId: -1, groupInstanceId: null };
    const results = await test.coordinator.handleCommitOffsets(groupId, committer, mixed);
    expect([...results.values()]).toEqual([Errors.NONE, Errors.OFFSET_METADATA_TOO_LARGE]);
    expect([test.committed(groupId, 't', 0), test.committed(groupId, 't', 1)]).toEqual([5, -1]);
    const fetched = test.coordinator.handleFetchOffsets(groupId, true, [{ topic: 't', partition: 1 }]);
    expect(fetched.offsets[0]!.error).toBe(Errors.NONE);
  });

  it('go with their topic', async () => {
    const test = await TestCoordinator.of(groupId);
    await test.commit(groupId, '', -1, new Map([...offsets('t', { 0: 5 }), ...offsets('u', { 0: 6 })]));
    test.coordinator.handleDeletedPartitions([{ topic: 't', partition: 0 }]);
    await test.time.advance(0);
    expect([test.committed(groupId, 't', 0), test.committed(groupId, 'u', 0)]).toEqual([-1, 6]);
    expect(test.state(groupId)).toBe('Empty');
  });

  it('can be deleted where no member reads the topic', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds, generationId } = await test.stableGroup(groupId, 1);
    const both = new Map([...offsets('t', { 0: 5 }), ...offsets('u', { 0: 6 })]);
    await test.commit(groupId, memberIds[0]!, generationId, both);
    const result = await test.coordinator.handleDeleteOffsets(groupId, [
      { topic: 't', partition: 0 },
      { topic: 'u', partition: 0 },
    ]);
    expect([...result.partitions]).toEqual([
      ['t-0', Errors.GROUP_SUBSCRIBED_TO_TOPIC],
      ['u-0', Errors.NONE],
    ]);
    expect([test.committed(groupId, 't', 0), test.committed(groupId, 'u', 0)]).toEqual([5, -1]);
    expect((await test.coordinator.handleDeleteOffsets('gh', [])).error).toBe(Errors.NOT_COORDINATOR);
  });

  it('of another kind of group cannot be deleted while it has members', async () => {
    const test = await TestCoordinator.of(groupId);
    await test.stableGroup(groupId, 1, { protocolType: 'connect' });
    const result = await test.coordinator.handleDeleteOffsets(groupId, [{ topic: 't', partition: 0 }]);
    expect(result.error).toBe(Errors.NON_EMPTY_GROUP);
  });
});

describe('expiry', () => {
  const config = { offsetsRetentionMinutes: 24 * 60, offsetsRetentionCheckIntervalMs: 60_000 };

  it("takes a simple consumer's offsets a retention after their commit, and the group with them", async () => {
    const test = await TestCoordinator.of(groupId, { config });
    const nowMs = test.time.milliseconds();
    await test.commit(groupId, '', -1, offsets('t', { 0: 5 }, { commitTimestamp: nowMs }));
    await test.time.advance(dayMs / 2);
    await test.commit(groupId, '', -1, offsets('t', { 1: 6 }, { commitTimestamp: test.time.milliseconds() }));
    await test.time.advance(dayMs / 2);
    expect([test.committed(groupId, 't', 0), test.committed(groupId, 't', 1)]).toEqual([-1, 6]);
    await test.time.advance(dayMs / 2);
    expect(test.state(groupId)).toBe('Dead');
    const partition = test.coordinator.partitionFor(groupId);
    const keys = [...batchesOf(test.topic.bytes(partition))].flatMap((batch) =>
      [...batch.records()].map(({ key, value }) => [key!.readInt16BE(0), value === null]),
    );
    // No tombstone of the group: it never was stored.
    expect(keys).toEqual([
      [1, false],
      [1, false],
      [1, true],
      [1, true],
    ]);
  });

  it('counts from when a group became empty, and writes its tombstone', async () => {
    const test = await TestCoordinator.of(groupId, { config });
    const { memberIds, generationId } = await test.stableGroup(groupId, 1, { sessionTimeoutMs: 1_800_000 });
    await test.commit(groupId, memberIds[0]!, generationId, offsets('t', { 0: 5 }, { commitTimestamp: 0 }));
    for (let elapsedMs = 0; elapsedMs < 2 * dayMs; elapsedMs += 1_000_000) {
      test.coordinator.handleHeartbeat(groupId, memberIds[0]!, null, generationId);
      await test.time.advance(1_000_000);
    }
    expect(test.committed(groupId, 't', 0)).toBe(5);
    test.coordinator.handleLeaveGroup(groupId, [{ memberId: memberIds[0]!, groupInstanceId: null }]);
    await test.time.advance(dayMs - 60_000);
    expect(test.committed(groupId, 't', 0)).toBe(5);
    await test.time.advance(120_000);
    expect(test.state(groupId)).toBe('Dead');
    const records = [...batchesOf(test.topic.bytes(test.coordinator.partitionFor(groupId)))].at(-1)!.records();
    expect([...records].map(({ key, value }) => [key!.readInt16BE(0), value])).toEqual([
      [1, null],
      [2, null],
    ]);
  });

  it('takes offsets of topics that a stable group does not read any more', async () => {
    const test = await TestCoordinator.of(groupId, { config });
    const { memberIds, generationId } = await test.stableGroup(groupId, 1, { sessionTimeoutMs: 1_800_000 });
    const both = new Map([
      ...offsets('t', { 0: 5 }, { commitTimestamp: 0 }),
      ...offsets('left', { 0: 5 }, { commitTimestamp: 0 }),
    ]);
    await test.commit(groupId, memberIds[0]!, generationId, both);
    await test.time.advance(60_000);
    expect([test.committed(groupId, 't', 0), test.committed(groupId, 'left', 0)]).toEqual([5, -1]);
  });

  it("goes by an expiry of the commit's own", async () => {
    const test = await TestCoordinator.of(groupId, { config });
    const expireTimestamp = test.time.milliseconds() + 150_000;
    await test.commit(groupId, '', -1, offsets('t', { 0: 5 }, { expireTimestamp, commitTimestamp: 0 }));
    await test.time.advance(120_000);
    expect(test.committed(groupId, 't', 0)).toBe(5);
    await test.time.advance(60_000);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
  });
});

describe('offsets in transactions', () => {
  const producer = { producerId: 4, producerEpoch: 0 };
  const committer = { memberId: '', generationId: -1, groupInstanceId: null };

  it.each([
    [true, 5],
    [false, -1],
  ])('count from the marker on: commit %p', async (isCommit, expected) => {
    const test = await TestCoordinator.of(groupId);
    const partition = test.coordinator.partitionFor(groupId);
    const results = await test.coordinator.handleTxnCommitOffsets(groupId, committer, producer, offsets('t', { 0: 5 }));
    expect([...results.values()]).toEqual([Errors.NONE]);
    const [batch] = batchesOf(test.topic.bytes(partition));
    expect([batch!.isTransactional, batch!.producerId, batch!.baseSequence]).toEqual([true, 4, 0]);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
    const unstable = test.coordinator.handleFetchOffsets(groupId, true, [{ topic: 't', partition: 0 }]);
    expect(unstable.offsets[0]!.error).toBe(Errors.UNSTABLE_OFFSET_COMMIT);
    test.coordinator.scheduleHandleTxnCompletion(4, [partition], isCommit);
    await test.time.advance(0);
    expect(test.committed(groupId, 't', 0)).toBe(expected);
  });

  it('survive a change of coordinator, before and after the marker', async () => {
    const test = await TestCoordinator.of(groupId);
    const partition = test.coordinator.partitionFor(groupId);
    await test.coordinator.handleTxnCommitOffsets(groupId, committer, producer, offsets('t', { 0: 5 }));
    const second = await TestCoordinator.of(groupId, { topic: test.topic, time: test.time });
    expect(second.committed(groupId, 't', 0)).toBe(-1);
    expect(second.coordinator.handleFetchOffsets(groupId, true, [{ topic: 't', partition: 0 }]).offsets[0]!.error).toBe(
      Errors.UNSTABLE_OFFSET_COMMIT,
    );
    const marker = buildEndTransactionMarker({
      baseOffset: 0,
      timestamp: test.time.milliseconds(),
      partitionLeaderEpoch: 0,
      type: 'COMMIT',
      coordinatorEpoch: 0,
      ...producer,
    });
    await second.log.append(partition, marker);
    const third = await TestCoordinator.of(groupId, { topic: test.topic, time: test.time });
    expect(third.committed(groupId, 't', 0)).toBe(5);
  });

  it('check member and generation where they are told', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 1);
    const commit = async (memberId: string, generationId: number): Promise<unknown> =>
      [
        ...(
          await test.coordinator.handleTxnCommitOffsets(
            groupId,
            { memberId, generationId, groupInstanceId: null },
            producer,
            offsets('t', { 0: 5 }),
          )
        ).values(),
      ][0];
    expect(await commit('stranger', 1)).toBe(Errors.UNKNOWN_MEMBER_ID);
    expect(await commit(memberIds[0]!, 0)).toBe(Errors.ILLEGAL_GENERATION);
    expect(await commit(memberIds[0]!, 1)).toBe(Errors.NONE);
    expect(await commit('', -1)).toBe(Errors.NONE);
  });
});
