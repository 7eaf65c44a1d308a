import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { offsets, TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';

describe('a change of coordinator', () => {
  it('leaves the group as it was: state, members, assignments, offsets', async () => {
    const first = await TestCoordinator.of(groupId);
    const { memberIds, generationId } = await first.stableGroup(groupId, 3);
    await first.commit(groupId, memberIds[0]!, generationId, offsets('t', { 0: 5, 1: 6 }));
    await first.commit(groupId, memberIds[0]!, generationId, offsets('t', { 1: 7 }));
    const second = await TestCoordinator.of(groupId, { topic: first.topic, time: first.time });
    expect(second.coordinator.handleDescribeGroup(groupId)).toEqual(first.coordinator.handleDescribeGroup(groupId));
    const sorted = ({ coordinator }: TestCoordinator): unknown =>
      [...coordinator.handleFetchOffsets(groupId, false, null).offsets].sort((a, b) => a.partition - b.partition);
    expect(sorted(second)).toEqual(sorted(first));
    for (const memberId of memberIds) {
      expect(second.coordinator.handleHeartbeat(groupId, memberId, null, generationId)).toBe(Errors.NONE);
    }
    expect(await second.commit(groupId, memberIds[1]!, generationId, offsets('t', { 1: 8 }))).toBe(Errors.NONE);
    expect(second.committed(groupId, 't', 1)).toBe(8);
  });

  it('gives members a session to be heard of', async () => {
    const first = await TestCoordinator.of(groupId);
    const { memberIds } = await first.stableGroup(groupId, 1);
    const second = await TestCoordinator.of(groupId, { topic: first.topic, time: first.time });
    await second.time.advance(9999);
    expect(second.state(groupId)).toBe('Stable');
    await second.time.advance(1);
    expect(second.state(groupId)).toBe('Empty');
    expect(second.coordinator.handleHeartbeat(groupId, memberIds[0]!, null, 1)).toBe(Errors.UNKNOWN_MEMBER_ID);
    const joined = (await second.joinNew(groupId))[1];
    expect(joined.outcome.generationId).toBe(3);
  });

  it('knows a deleted group no more', async () => {
    const first = await TestCoordinator.of(groupId);
    const { memberIds, generationId } = await first.stableGroup(groupId, 1);
    await first.commit(groupId, memberIds[0]!, generationId, offsets('t', { 0: 5 }));
    first.coordinator.handleLeaveGroup(groupId, [{ memberId: memberIds[0]!, groupInstanceId: null }]);
    await first.time.advance(0);
    await first.coordinator.handleDeleteGroups(new Set([groupId]));
    const second = await TestCoordinator.of(groupId, { topic: first.topic, time: first.time });
    expect([second.state(groupId), second.committed(groupId, 't', 0)]).toEqual(['Dead', -1]);
    expect(second.coordinator.handleListGroups(new Set()).groups).toEqual([]);
  });

  it('asks to wait while it loads, a buffer at a time', async () => {
    const first = await TestCoordinator.of(groupId);
    for (let offset = 0; offset < 100; offset += 1) await first.commit(groupId, '', -1, offsets('t', { 0: offset }));
    const second = new TestCoordinator({
      topic: first.topic,
      time: first.time,
      config: { offsetsLoadBufferSize: 500 },
    });
    const partition = second.coordinator.partitionFor(groupId);
    second.log.leaderEpochs.set(partition, 1);
    const read = second.log.read.bind(second.log);
    const seen = new Set<string>();
    second.log.read = (...args) => {
      const { coordinator } = second;
      seen.add(coordinator.handleFetchOffsets(groupId, false, null).error.name);
      seen.add(coordinator.handleListGroups(new Set()).error.name);
      expect(coordinator.handleHeartbeat(groupId, 'm', null, 1)).toBe(Errors.NONE);
      return read(...args);
    };
    second.coordinator.onElection(partition, 1);
    expect(second.coordinator.handleFetchOffsets(groupId, false, null).error).toBe(Errors.NOT_COORDINATOR);
    await second.time.advance(0);
    expect([...seen]).toEqual(['COORDINATOR_LOAD_IN_PROGRESS']);
    expect(second.committed(groupId, 't', 0)).toBe(99);
  });

  it('answers whoever waits that the coordinator is elsewhere', async () => {
    const test = await TestCoordinator.of(groupId);
    const { memberIds } = await test.stableGroup(groupId, 2);
    const joining = await test.join(groupId, memberIds[0]!);
    await test.resign(test.coordinator.partitionFor(groupId), 1);
    expect(joining.outcome.error).toBe(Errors.NOT_COORDINATOR);
    expect(test.coordinator.handleListGroups(new Set()).groups).toEqual([]);
    await test.time.advance(1_000_000);
  });

  it('takes no notice of requests that a later one has overtaken', async () => {
    const test = new TestCoordinator();
    const partition = test.coordinator.partitionFor(groupId);
    await test.lead(partition, 5);
    await test.commit(groupId, '', -1, offsets('t', { 0: 5 }));
    test.coordinator.onResignation(partition, 4);
    await test.time.advance(0);
    expect(test.committed(groupId, 't', 0)).toBe(5);
    await test.resign(partition, 6);
    test.coordinator.onElection(partition, 5);
    await test.time.advance(0);
    expect(test.coordinator.handleFetchOffsets(groupId, false, null).error).toBe(Errors.NOT_COORDINATOR);
    await test.resign(partition, 6);
    await test.lead(partition, 7);
    expect(test.committed(groupId, 't', 0)).toBe(5);
    test.coordinator.onResignation(partition, undefined);
    await test.time.advance(0);
    expect(test.coordinator.handleFetchOffsets(groupId, false, null).error).toBe(Errors.NOT_COORDINATOR);
  });

  it('serves what it could read of a broken log', async () => {
    const test = new TestCoordinator();
    const partition = test.coordinator.partitionFor(groupId);
    test.topic.partition(partition).batches.push(Buffer.alloc(100, 7));
    test.topic.partition(partition).endOffset = 1;
    await test.lead(partition, 1);
    expect(await test.commit(groupId, '', -1, offsets('t', { 0: 5 }))).toBe(Errors.NONE);
  });

  it('rebalances a group that is too large for it', async () => {
    const first = await TestCoordinator.of(groupId);
    const { memberIds } = await first.stableGroup(groupId, 3);
    const second = await TestCoordinator.of(groupId, { topic: first.topic, time: first.time, config: { maxSize: 2 } });
    expect(second.state(groupId)).toBe('PreparingRebalance');
    const joins = [];
    for (const id of memberIds) joins.push(await second.join(groupId, id));
    await second.time.advance(0);
    expect(joins.map((join) => join.outcome.error.name)).toEqual(['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED']);
  });
});
