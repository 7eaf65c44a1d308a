import { MockTime, SeededRandom, silentLoggers, topicPartitionKey } from '@klassic/common';
import type { LoggerFactory, Random } from '@klassic/common';
import type { ErrorEntry } from '@klassic/protocol';
import { defaultGroupConfig, GroupCoordinator } from '../../src/group/index.ts';
import type {
  GroupConfig,
  JoinGroupParameters,
  JoinGroupResult,
  OffsetAndMetadata,
  OffsetsToCommit,
  SyncGroupResult,
} from '../../src/group/index.ts';
import { MemoryGroupLog, SharedOffsetsTopic } from './memory-group-log.ts';

export const partitionCount = 50;

export interface TestCoordinatorOptions {
  readonly time?: MockTime;
  readonly topic?: SharedOffsetsTopic;
  readonly config?: Partial<GroupConfig>;
  readonly random?: Random;
  readonly loggers?: LoggerFactory;
  readonly brokerId?: number;
}

/** A promise whose outcome can be looked at. */
export class Pending<T> {
  value: T | undefined;

  constructor(promise: Promise<T>) {
    void promise.then((value) => {
      this.value = value;
    });
  }

  get outcome(): T {
    if (this.value === undefined) throw new Error('still waiting');
    return this.value;
  }
}

/** A coordinator in virtual time; initial rebalance delay 0 unless told otherwise. */
export class TestCoordinator {
  readonly time: MockTime;
  readonly topic: SharedOffsetsTopic;
  readonly log: MemoryGroupLog;
  readonly coordinator: GroupCoordinator;

  constructor(options: TestCoordinatorOptions = {}) {
    this.time = options.time ?? new MockTime();
    this.topic = options.topic ?? new SharedOffsetsTopic();
    this.log = new MemoryGroupLog(this.topic);
    this.coordinator = new GroupCoordinator({
      brokerId: options.brokerId ?? 1,
      config: { ...defaultGroupConfig, initialRebalanceDelayMs: 0, ...options.config },
      groupLog: this.log,
      time: this.time,
      random: options.random ?? new SeededRandom(1),
      loggers: options.loggers ?? silentLoggers,
    });
    this.coordinator.startup(partitionCount);
  }

  /** A coordinator that leads the group's partition, loaded. */
  static async of(groupId: string, options: TestCoordinatorOptions = {}): Promise<TestCoordinator> {
    const coordinator = new TestCoordinator(options);
    await coordinator.lead(coordinator.coordinator.partitionFor(groupId), 0);
    return coordinator;
  }

  async lead(partition: number, epoch: number): Promise<void> {
    this.log.leaderEpochs.set(partition, epoch);
    this.coordinator.onElection(partition, epoch);
    await this.time.advance(0);
  }

  async resign(partition: number, epoch: number): Promise<void> {
    this.log.leaderEpochs.delete(partition);
    this.coordinator.onResignation(partition, epoch);
    await this.time.advance(0);
  }

  /** Asks to join and lets what can happen at once happen. */
  async join(
    groupId: string,
    memberId: string,
    more: Partial<JoinGroupParameters> = {},
  ): Promise<Pending<JoinGroupResult>> {
    const pending = new Pending(this.coordinator.handleJoinGroup({ ...joinParameters(groupId, memberId), ...more }));
    await this.time.advance(0);
    return pending;
  }

  /** Joins as a new member: asks for an id and comes again with it. */
  async joinNew(groupId: string, more: Partial<JoinGroupParameters> = {}): Promise<[string, Pending<JoinGroupResult>]> {
    const first = await this.join(groupId, '', { requireKnownMemberId: true, ...more });
    const { memberId } = first.outcome;
    return [memberId, await this.join(groupId, memberId, more)];
  }

  async sync(
    groupId: string,
    memberId: string,
    generationId: number,
    assignments: Readonly<Record<string, string>> = {},
    groupInstanceId: string | null = null,
  ): Promise<Pending<SyncGroupResult>> {
    const pending = new Pending(
      this.coordinator.handleSyncGroup({
        groupId,
        memberId,
        generationId,
        groupInstanceId,
        protocolType: 'consumer',
        protocolName: null,
        assignments: new Map(Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)])),
      }),
    );
    await this.time.advance(0);
    return pending;
  }

  async commit(
    groupId: string,
    memberId: string,
    generationId: number,
    offsets: OffsetsToCommit,
    groupInstanceId: string | null = null,
  ): Promise<ErrorEntry> {
    const committer = { memberId, generationId, groupInstanceId };
    const results = new Pending(this.coordinator.handleCommitOffsets(groupId, committer, offsets));
    await this.time.advance(0);
    return [...results.outcome.values()][0]!;
  }

  /** The committed offset of a partition; -1 when there is none. */
  committed(groupId: string, topic: string, partition: number): number {
    return this.coordinator.handleFetchOffsets(groupId, false, [{ topic, partition }]).offsets[0]!.committedOffset;
  }

  state(groupId: string): string {
    return this.coordinator.handleDescribeGroup(groupId).summary.state;
  }

  /** A stable group of `size` members; the first leads. */
  async stableGroup(groupId: string, size: number, more: Partial<JoinGroupParameters> = {}): Promise<StableGroup> {
    const joins: [string, Pending<JoinGroupResult>][] = [];
    for (let index = 0; index < size; index += 1) {
      joins.push(await this.joinNew(groupId, more));
      for (const [memberId] of joins.slice(0, -1)) await this.join(groupId, memberId, more);
    }
    const generationId = this.coordinator.handleDescribeGroup(groupId).error.code === 0 ? size : 0;
    const memberIds = joins.map(([memberId]) => memberId);
    const assignments = Object.fromEntries(memberIds.map((id, index) => [id, `assignment ${index}`]));
    for (const id of memberIds.slice(1)) await this.sync(groupId, id, generationId);
    await this.sync(groupId, memberIds[0]!, generationId, assignments);
    return { memberIds, generationId };
  }
}

export interface StableGroup {
  readonly memberIds: readonly string[];
  readonly generationId: number;
}

export function joinParameters(groupId: string, memberId: string): JoinGroupParameters {
  return {
    groupId,
    memberId,
    groupInstanceId: null,
    requireKnownMemberId: false,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    rebalanceTimeoutMs: 60_000,
    sessionTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }],
  };
}

/** A consumer's subscription to one topic, version 0, without user data. */
export function subscription(topic: string): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, name.length]), name, Buffer.from([255, 255, 255, 255])]);
}

export function offsets(
  topic: string,
  values: Readonly<Record<number, number>>,
  more: Partial<OffsetAndMetadata> = {},
): OffsetsToCommit {
  return new Map(
    Object.entries(values).map(([partition, offset]) => [
      topicPartitionKey(topic, Number(partition)),
      {
        target: { topic, partition: Number(partition) },
        offset: {
          offset,
          leaderEpoch: 0,
          metadata: '',
          commitTimestamp: 1_600_000_000_000,
          expireTimestamp: undefined,
          ...more,
        },
      },
    ]),
  );
}
