import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MockTime, topicPartitionKey } from '@klassic/common';
import type { Random } from '@klassic/common';
import { batchesOf, decodeVersionedMessage, GroupMetadataValue, OffsetCommitValue } from '@klassic/protocol';
import { describeWithReference, readReferenceLines, referenceFile } from '@klassic/test-support';
import type { OffsetsToCommit } from '../../src/group/index.ts';
import { TestCoordinator } from './test-coordinator.ts';

const scenario = ['cluster', '2.8.2', 'ibp-2.6', '13-consumer-group'];
const groupId = 'group-1';
const partition = 49;
const heartbeatIntervalMs = 1500;
/** The fifth commit goes to broker 1, after broker 3 was killed. */
const commitsBeforeFailover = 4;

interface Member {
  readonly memberId: string;
}

interface RecordedCall {
  readonly api: string;
  readonly clientId: string;
  readonly request: {
    readonly memberId: string;
    readonly generationId: number;
    readonly rebalanceTimeoutMs: number;
    readonly sessionTimeoutMs: number;
    readonly protocolType: string;
    readonly protocolName: string;
    readonly protocols: readonly { readonly name: string; readonly metadata: string }[];
    readonly assignments: readonly (Member & { readonly assignment: string })[];
    readonly members: readonly Member[];
    readonly topics: readonly {
      readonly name: string;
      readonly partitions: readonly {
        readonly partitionIndex: number;
        readonly committedOffset: number;
        readonly committedLeaderEpoch: number;
        readonly committedMetadata: string;
      }[];
    }[];
  };
  readonly response: { readonly errorCode: number; readonly memberId: string };
}

/** What the coordinator chose when it wrote a batch: the times in it. */
interface RecordedTimes {
  readonly writtenMs: number;
  readonly stateMs: number | undefined;
  readonly commitMs: number | undefined;
}

/** Hands out the UUIDs of the recording. */
class RecordedUuids implements Random {
  private readonly bytes: number[];

  constructor(memberIds: readonly string[]) {
    this.bytes = memberIds.flatMap((id) => [...Buffer.from(id.slice(-36).replaceAll('-', ''), 'hex')]);
  }

  next(): number {
    return this.bytes.shift()! / 256;
  }
}

/** A clock that can be told what it shows when it is looked at next. */
class RecordedTime extends MockTime {
  private readonly next: number[] = [];

  override milliseconds(): number {
    return this.next.shift() ?? super.milliseconds();
  }

  willShow(...timestampsMs: number[]): void {
    this.next.push(...timestampsMs);
  }
}

function recordedTimes(log: Buffer): RecordedTimes[] {
  return [...batchesOf(log)].map((batch) => {
    const [record] = batch.records();
    const { key, value } = record!;
    const isGroup = key!.readInt16BE(0) === 2;
    const group = value !== null && isGroup ? decodeVersionedMessage(GroupMetadataValue, value).message : undefined;
    const offset = value !== null && !isGroup ? decodeVersionedMessage(OffsetCommitValue, value).message : undefined;
    return {
      writtenMs: batch.maxTimestamp,
      stateMs: group?.currentStateTimestamp,
      commitMs: offset?.commitTimestamp,
    };
  });
}

function logFile(stage: string, broker: string): Buffer {
  const folder = `__consumer_offsets-${partition}`;
  return readFileSync(referenceFile(...scenario, 'files', stage, broker, folder, '00000000000000000000.log'));
}

/** Every batch, byte for byte; but for tombstones, which the reference orders by its hash map. */
function readable(log: Buffer): unknown[] {
  return [...batchesOf(log)].map((batch) => {
    const records = [...batch.records()];
    if (records.some(({ value }) => value !== null)) {
      return log.subarray(batch.position, batch.position + batch.sizeInBytes).toString('hex');
    }
    return { timestamp: batch.maxTimestamp, tombstones: records.map(({ key }) => key!.toString('hex')).sort() };
  });
}

/** Plays what the clients of scenario 13 sent, at the instants at which the reference wrote. */
class Replay {
  readonly calls: readonly RecordedCall[];
  /** What was answered beside what was recorded. */
  readonly answers: { readonly call: RecordedCall; readonly answer: Promise<object> }[] = [];
  current: TestCoordinator;
  private readonly time: RecordedTime;
  private readonly times: RecordedTimes[];
  private generationId = 0;
  private commits = 0;

  constructor(log: Buffer) {
    const apis = ['JOIN_GROUP', 'SYNC_GROUP', 'OFFSET_COMMIT', 'LEAVE_GROUP', 'DELETE_GROUPS'];
    this.calls = readReferenceLines(...scenario, 'client-rpcs.jsonl')
      .map((line) => JSON.parse(line) as RecordedCall)
      .filter(({ api }) => apis.includes(api));
    this.times = recordedTimes(log);
    this.time = new RecordedTime(this.times[0]!.stateMs);
    const named = this.calls.filter(({ api, response }) => api === 'JOIN_GROUP' && response.errorCode === 79);
    const random = new RecordedUuids(named.map(({ response }) => response.memberId));
    this.current = new TestCoordinator({ time: this.time, random });
  }

  async play(call: RecordedCall): Promise<void> {
    if (call.api === 'JOIN_GROUP') await this.join(call);
    else if (call.api === 'SYNC_GROUP') await this.sync(call);
    else if (call.api === 'OFFSET_COMMIT') await this.commit(call);
    else if (call.api === 'LEAVE_GROUP') await this.leave(call);
    else await this.deleteGroup();
  }

  private async join(call: RecordedCall): Promise<void> {
    const { request, response, clientId } = call;
    if (response.errorCode === 0) await this.moveTo(this.times.find(({ stateMs }) => stateMs !== undefined)!.stateMs!);
    const { memberId, rebalanceTimeoutMs, sessionTimeoutMs, protocolType } = request;
    const joined = this.current.coordinator.handleJoinGroup({
      groupId,
      memberId,
      groupInstanceId: null,
      requireKnownMemberId: true,
      clientId,
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs,
      sessionTimeoutMs,
      protocolType,
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata, 'base64') })),
    });
    const answer = joined.then(({ error, leaderId, members, ...result }) => ({
      throttleTimeMs: 0,
      errorCode: error.code,
      ...result,
      leader: leaderId,
      members: members.map((member) => ({ ...member, metadata: member.metadata.toString('base64') })),
    }));
    this.answers.push({ call, answer });
    await this.time.advance(0);
  }

  private async sync(call: RecordedCall): Promise<void> {
    const { memberId, generationId, protocolType, protocolName, assignments } = call.request;
    this.generationId = generationId;
    if (assignments.length > 0) await this.moveTo(this.times.shift()!.writtenMs);
    const synced = this.current.coordinator.handleSyncGroup({
      groupId,
      memberId,
      generationId,
      groupInstanceId: null,
      protocolType,
      protocolName,
      assignments: new Map(assignments.map((each) => [each.memberId, Buffer.from(each.assignment, 'base64')])),
    });
    const answer = synced.then(({ error, assignment, ...result }) => ({
      throttleTimeMs: 0,
      errorCode: error.code,
      ...result,
      assignment: assignment.toString('base64'),
    }));
    this.answers.push({ call, answer });
    await this.time.advance(0);
  }

  private async commit({ request }: RecordedCall): Promise<void> {
    const { writtenMs, commitMs } = this.times.shift()!;
    await this.moveTo(writtenMs);
    if (this.commits === commitsBeforeFailover) await this.failOver();
    this.commits += 1;
    const { memberId, generationId } = request;
    const error = await this.current.commit(groupId, memberId, generationId, offsetsOf(request, commitMs!));
    expect(error.code).toBe(0);
  }

  private async failOver(): Promise<void> {
    const { topic } = this.current;
    expect(readable(topic.bytes(partition))).toEqual(readable(logFile('before-failover', 'broker-3')));
    this.current = new TestCoordinator({ time: this.time, topic });
    await this.current.lead(partition, 1);
  }

  private async leave(call: RecordedCall): Promise<void> {
    const isLast = call === this.calls.findLast(({ api }) => api === 'LEAVE_GROUP');
    if (isLast) {
      const { stateMs, writtenMs } = this.times.shift()!;
      await this.moveTo(stateMs!);
      // The rebalance begins, the group is empty, it is stored: a millisecond went by in between.
      this.time.willShow(stateMs!, stateMs!, writtenMs);
    }
    const leaving = call.request.members.map(({ memberId }) => ({ memberId, groupInstanceId: null }));
    const { error, members } = this.current.coordinator.handleLeaveGroup(groupId, leaving);
    expect([error.code, members.map((member) => member.error.code)]).toEqual([0, [0]]);
    await this.time.advance(0);
  }

  private async deleteGroup(): Promise<void> {
    await this.moveTo(this.times.shift()!.writtenMs);
    const deleted = await this.current.coordinator.handleDeleteGroups(new Set([groupId]));
    expect([...deleted].map(([id, error]) => [id, error.code])).toEqual([[groupId, 0]]);
  }

  /** Members send heartbeats on the way. */
  private async moveTo(timestampMs: number): Promise<void> {
    while (this.time.milliseconds() < timestampMs) {
      await this.time.advance(Math.min(heartbeatIntervalMs, timestampMs - this.time.milliseconds()));
      const { coordinator } = this.current;
      for (const { memberId } of coordinator.handleDescribeGroup(groupId).summary.members) {
        coordinator.handleHeartbeat(groupId, memberId, null, this.generationId);
      }
    }
  }
}

function offsetsOf({ topics }: RecordedCall['request'], commitTimestamp: number): OffsetsToCommit {
  return new Map(
    topics.flatMap(({ name: topic, partitions }) =>
      partitions.map((each) => [
        topicPartitionKey(topic, each.partitionIndex),
        {
          target: { topic, partition: each.partitionIndex },
          offset: {
            offset: each.committedOffset,
            leaderEpoch: each.committedLeaderEpoch,
            metadata: each.committedMetadata,
            commitTimestamp,
            expireTimestamp: undefined,
          },
        },
      ]),
    ),
  );
}

describeWithReference(describe)('the coordinator beside scenario 13', () => {
  it('answers the same, writes the same bytes, and so does its successor', async () => {
    const recorded = logFile('after-delete', 'broker-1');
    const replay = new Replay(recorded);
    expect(replay.current.coordinator.partitionFor(groupId)).toBe(partition);
    await replay.current.lead(partition, 0);
    for (const call of replay.calls) await replay.play(call);
    expect(replay.answers.length).toBe(10);
    for (const { call, answer } of replay.answers) expect(await answer).toEqual(call.response);
    const written = replay.current.topic.bytes(partition);
    expect(readable(written)).toEqual(readable(recorded));
    expect(written.length).toBe(recorded.length);
  });
});
