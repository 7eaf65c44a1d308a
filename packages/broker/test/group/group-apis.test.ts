import { describe, expect, it } from '@jest/globals';
import { silentLogger, silentLoggers } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { AdminZkClient } from '@klassic/controller';
import type { NetworkRequest } from '@klassic/network';
import { apis, decodeResponseFrame, encodeResponseFrame, Errors } from '@klassic/protocol';
import type { ApiName, RequestOf, ResponseOf } from '@klassic/protocol';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import type { AnyApiHandler, ApiHandler } from '../../src/apis/api-handler.ts';
import { AutoTopicCreation } from '../../src/apis/auto-topic-creation.ts';
import { groupHandlers } from '../../src/apis/group-handlers.ts';
import type { ZooKeeperOffsetStore } from '../../src/apis/offsets-in-zookeeper.ts';
import { MetadataCache } from '../../src/metadata/index.ts';
import { TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';

/** A broker's metadata with topic `t` of two partitions, and `__consumer_offsets` if wanted, all led by broker 1. */
function metadataCache(withOffsetsTopic: boolean): MetadataCache {
  const cache = new MetadataCache(1, silentLoggers);
  const state = (topicName: string, partitionIndex: number): object => ({
    topicName,
    partitionIndex,
    controllerEpoch: 1,
    leader: 1,
    leaderEpoch: 0,
    isr: [1],
    zkVersion: 0,
    replicas: [1],
    offlineReplicas: [],
  });
  const offsetsTopic = Array.from({ length: withOffsetsTopic ? 50 : 0 }, (_, each) =>
    state('__consumer_offsets', each),
  );
  const request = {
    controllerId: 1,
    controllerEpoch: 1,
    brokerEpoch: 1,
    ungroupedPartitionStates: [],
    topicStates: [
      { topicName: 't', partitionStates: [state('t', 0), state('t', 1)] },
      { topicName: '__consumer_offsets', partitionStates: offsetsTopic },
    ],
    liveBrokers: [
      {
        id: 1,
        v0Host: '',
        v0Port: 0,
        endpoints: [{ host: '127.0.0.1', port: 9092, listener: 'PLAINTEXT', securityProtocol: 0 }],
        rack: null,
      },
    ],
  };
  cache.updateMetadata(1, request as unknown as RequestOf<'UpdateMetadata'>);
  return cache;
}

/** ZooKeeper, as far as offsets of old go. */
class MemoryOffsetStore implements ZooKeeperOffsetStore {
  private readonly znodes = new Map<string, number>();

  getConsumerOffset(group: string, { topic, partition }: TopicPartition): Promise<number | undefined> {
    return Promise.resolve(this.znodes.get(`${group} ${topic} ${partition}`));
  }

  setOrCreateConsumerOffset(group: string, { topic, partition }: TopicPartition, offset: number): Promise<void> {
    this.znodes.set(`${group} ${topic} ${partition}`, offset);
    return Promise.resolve();
  }
}

interface Apis {
  readonly test: TestCoordinator;
  readonly created: string[];
  readonly handlers: ReadonlyMap<ApiName, ApiHandler>;
  readonly call: <A extends ApiName>(api: A, version: number, body: Partial<RequestOf<A>>) => Promise<ResponseOf<A>>;
}

async function groupApis(withOffsetsTopic = true): Promise<Apis> {
  const test = await TestCoordinator.of(groupId);
  const cache = metadataCache(withOffsetsTopic);
  const created: string[] = [];
  const adminZkClient = Object.create(AdminZkClient.prototype) as AdminZkClient;
  adminZkClient.createTopic = (topic: string) => {
    created.push(topic);
    return Promise.resolve();
  };
  const shape = { partitions: 50, replicationFactor: 1, config: {} };
  const autoTopicCreation = new AutoTopicCreation({
    enabled: false,
    ordinary: shape,
    internal: { __consumer_offsets: shape },
    adminZkClient,
    metadataCache: cache,
    logger: silentLogger,
  });
  const all = groupHandlers({
    coordinator: test.coordinator,
    metadataCache: cache,
    autoTopicCreation,
    zooKeeperOffsetStore: new MemoryOffsetStore(),
    offsetMetadataMaxSize: 4096,
    time: test.time,
  });
  const handlers = new Map<ApiName, ApiHandler>(
    all.map((handler: AnyApiHandler) => [handler.api, handler as ApiHandler]),
  );
  return {
    test,
    created,
    handlers,
    /** Asks as the network would, and sends the answer over the wire of that version. */
    async call<A extends ApiName>(api: A, version: number, body: Partial<RequestOf<A>>): Promise<ResponseOf<A>> {
      const handler = handlers.get(api) as unknown as ApiHandler<A>;
      const request = {
        api,
        header: { apiKey: apis[api].key, apiVersion: version, correlationId: 1, clientId: 'c' },
        body,
        context: { listenerName: 'PLAINTEXT', clientAddress: '127.0.0.1' },
      } as unknown as NetworkRequest<A>;
      let answer: Awaited<ReturnType<ApiHandler<A>['handle']>> | undefined;
      void Promise.resolve(handler.handle(request)).then((result) => {
        answer = result;
      });
      await test.time.advance(0);
      const frame = Buffer.concat(encodeResponseFrame('kafka', api, version, 1, answer!));
      const failure = encodeResponseFrame(
        'kafka',
        api,
        version,
        1,
        handler.failure(request, Errors.NOT_COORDINATOR, ''),
      );
      expect(failure.length).toBeGreaterThan(0);
      return decodeResponseFrame('kafka', api, version, frame.subarray(4)).body;
    },
  };
}

function versions({ minVersion, maxVersion }: { minVersion: number; maxVersion: number }): number[] {
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => minVersion + index);
}

const protocols = [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 0, 255, 255, 255, 255]) }];
const joinBody = {
  groupId,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols,
};

describeWithReference(describe)('the versions of the group APIs', () => {
  it("are the reference's", async () => {
    const { apis: served } = readReferenceJson('vectors', 'api-versions-2.8.2.json') as {
      apis: { name: string; minVersion: number; maxVersion: number }[];
    };
    const { handlers } = await groupApis();
    expect(handlers.size).toBe(12);
    for (const { api, minVersion, maxVersion } of handlers.values()) {
      const reference = served.find(({ name }) => name === api)!;
      expect([api, minVersion, maxVersion]).toEqual([api, reference.minVersion, reference.maxVersion]);
    }
  });
});

describe('FindCoordinator', () => {
  it("names the leader of the group's partition, in every version", async () => {
    const { call, handlers } = await groupApis();
    for (const version of versions(handlers.get('FindCoordinator')!)) {
      const found = await call('FindCoordinator', version, { key: groupId, keyType: 0 });
      expect(found).toMatchObject({ errorCode: 0, nodeId: 1, host: '127.0.0.1', port: 9092 });
      if (version > 0) expect(found.errorMessage).toBe('NONE');
    }
  });

  it('creates the offsets topic on first use, and says to come again', async () => {
    const { call, created } = await groupApis(false);
    expect(await call('FindCoordinator', 3, { key: groupId, keyType: 0 })).toEqual({
      throttleTimeMs: 0,
      errorCode: 15,
      errorMessage: 'The coordinator is not available.',
      nodeId: -1,
      host: '',
      port: -1,
    });
    expect(created).toEqual(['__consumer_offsets']);
  });

  it('knows no coordinator of transactions, and nothing of other kinds', async () => {
    const { call } = await groupApis();
    expect((await call('FindCoordinator', 3, { key: 't', keyType: 1 })).errorCode).toBe(15);
    const { errorCode, errorMessage } = await call('FindCoordinator', 3, { key: 't', keyType: 2 });
    expect([errorCode, errorMessage]).toEqual([Errors.INVALID_REQUEST.code, Errors.INVALID_REQUEST.message]);
  });
});

describe("a member's life", () => {
  it('goes by every version of JoinGroup, SyncGroup, Heartbeat and LeaveGroup', async () => {
    for (const version of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const { call, test } = await groupApis();
      let joined = await call('JoinGroup', version, joinBody);
      if (version >= 4) {
        expect([joined.errorCode, joined.protocolName]).toEqual([79, version >= 7 ? null : '']);
        joined = await call('JoinGroup', version, { ...joinBody, memberId: joined.memberId });
      }
      const { memberId, generationId } = joined;
      expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId, protocolName: 'range' });
      expect(memberId).toMatch(/^c-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const own = { groupId, generationId, memberId, groupInstanceId: null };
      const syncBody = { ...own, assignments: [{ memberId, assignment: Buffer.from('all') }] };
      const named =
        version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : { protocolType: null, protocolName: null };
      const synced = await call('SyncGroup', Math.min(version, 5), { ...syncBody, ...named });
      expect([synced.errorCode, synced.assignment.toString()]).toEqual([0, 'all']);
      expect((await call('Heartbeat', Math.min(version, 4), own)).errorCode).toBe(0);
      const members = [
        { memberId, groupInstanceId: null },
        { memberId: 'other', groupInstanceId: null },
      ];
      const leave = (): Promise<ResponseOf<'LeaveGroup'>> =>
        call('LeaveGroup', Math.min(version, 4), { groupId, memberId, members });
      const left = await leave();
      expect([left.errorCode, left.members.map((member) => member.errorCode)]).toEqual([
        0,
        version >= 3 ? [0, 25] : [],
      ]);
      expect((await leave()).errorCode).toBe(version >= 3 ? 0 : 25);
      expect(test.state(groupId)).toBe('Empty');
    }
  });

  it('takes one timeout for both in JoinGroup version 0', async () => {
    const { call, test } = await groupApis();
    await call('JoinGroup', 0, { ...joinBody, rebalanceTimeoutMs: -1 });
    expect(test.state(groupId)).toBe('CompletingRebalance');
    await test.time.advance(9999);
    expect(test.state(groupId)).toBe('CompletingRebalance');
    await test.time.advance(1);
    expect(test.state(groupId)).toBe('Empty');
  });

  it("wants the protocol's name from SyncGroup version 5 on", async () => {
    const { call } = await groupApis();
    const body = { groupId, generationId: 1, memberId: 'm', groupInstanceId: null, assignments: [] };
    const synced = await call('SyncGroup', 5, { ...body, protocolType: 'consumer', protocolName: null });
    expect(synced.errorCode).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL.code);
  });
});

describe('offsets', () => {
  const commitBody = {
    groupId,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      {
        name: 't',
        partitions: [0, 9].map((partitionIndex) => ({
          partitionIndex,
          committedOffset: 5,
          committedLeaderEpoch: 2,
          commitTimestamp: -1,
          committedMetadata: null,
        })),
      },
      { name: 'unknown', partitions: [] },
    ],
  };

  it('are committed and fetched in every version; topics that do not exist are told', async () => {
    const { call } = await groupApis();
    for (const version of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const committed = await call('OffsetCommit', version, commitBody);
      expect(committed.topics[0]!.partitions).toEqual([
        { partitionIndex: 0, errorCode: 0 },
        { partitionIndex: 9, errorCode: 3 },
      ]);
    }
    for (const version of [1, 2, 3, 4, 5, 6, 7]) {
      const body = { groupId, topics: [{ name: 't', partitionIndexes: [1, 0] }], requireStable: true };
      const fetched = await call('OffsetFetch', version, body);
      const epoch = version >= 5 ? 2 : -1;
      expect(fetched.topics).toEqual([
        {
          name: 't',
          partitions: [
            { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
            { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: epoch, metadata: '', errorCode: 0 },
          ],
        },
      ]);
    }
    const all = await call('OffsetFetch', 7, { groupId, topics: null, requireStable: false });
    expect(all.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['t', 1]]);
  });

  it('stand in ZooKeeper with version 0, where the coordinator does not see them', async () => {
    const { call, test } = await groupApis();
    const withMetadata = (length: number): typeof commitBody => ({
      ...commitBody,
      topics: commitBody.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((each) => ({ ...each, committedMetadata: 'x'.repeat(length) as never })),
      })),
    });
    const errors = async (body: typeof commitBody): Promise<number[]> =>
      (await call('OffsetCommit', 0, body)).topics[0]!.partitions.map(({ errorCode }) => errorCode);
    expect(await errors(withMetadata(4097))).toEqual([12, 3]);
    expect(await errors(withMetadata(4096))).toEqual([0, 3]);
    const body = { groupId, topics: [{ name: 't', partitionIndexes: [0, 1, 9] }], requireStable: false };
    const fetched = await call('OffsetFetch', 0, body);
    expect(fetched.topics[0]!.partitions.map((each) => [each.committedOffset, each.metadata, each.errorCode])).toEqual([
      [5, '', 0],
      [-1, '', 3],
      [-1, '', 3],
    ]);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
  });

  it('count from the marker on when they are committed in a transaction, in every version', async () => {
    for (const version of [0, 1, 2, 3]) {
      const { call, test } = await groupApis();
      const committed = await call('TxnOffsetCommit', version, {
        ...commitBody,
        transactionalId: 'x',
        producerId: 7,
        producerEpoch: 0,
      });
      expect(committed.topics).toEqual([
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, errorCode: 0 },
            { partitionIndex: 9, errorCode: 3 },
          ],
        },
        { name: 'unknown', partitions: [] },
      ]);
      const fetch = (requireStable: boolean): Promise<ResponseOf<'OffsetFetch'>> =>
        call('OffsetFetch', 7, { groupId, topics: [{ name: 't', partitionIndexes: [0] }], requireStable });
      expect((await fetch(true)).topics[0]!.partitions[0]!.errorCode).toBe(Errors.UNSTABLE_OFFSET_COMMIT.code);
      expect((await fetch(false)).topics[0]!.partitions[0]!.committedOffset).toBe(-1);
      test.coordinator.scheduleHandleTxnCompletion(7, [test.coordinator.partitionFor(groupId)], true);
      await test.time.advance(0);
      expect((await fetch(true)).topics[0]!.partitions[0]!.committedOffset).toBe(5);
    }
  });

  it('of a group elsewhere: an error for the group, or for each partition where there is none', async () => {
    const { call } = await groupApis();
    const body = { groupId: 'elsewhere', topics: [{ name: 't', partitionIndexes: [0] }], requireStable: false };
    const [old, current] = [await call('OffsetFetch', 1, body), await call('OffsetFetch', 7, body)];
    expect([old.errorCode, old.topics[0]!.partitions[0]!.errorCode]).toEqual([0, 16]);
    expect([current.errorCode, current.topics]).toEqual([16, []]);
  });

  it('have an expiry of their own in versions 2 to 4', async () => {
    const { call, test } = await groupApis();
    await call('OffsetCommit', 2, { ...commitBody, retentionTimeMs: 1_000_000 });
    await test.time.advance(600_000);
    expect(test.committed(groupId, 't', 0)).toBe(5);
    await test.time.advance(600_000);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
  });

  it('are deleted', async () => {
    const { call, test } = await groupApis();
    await call('OffsetCommit', 8, commitBody);
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }];
    const deleted = await call('OffsetDelete', 0, { groupId, topics });
    expect(deleted.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([0, 3]);
    expect(test.committed(groupId, 't', 0)).toBe(-1);
    expect((await call('OffsetDelete', 0, { groupId, topics })).errorCode).toBe(69);
  });
});

describe('administration', () => {
  it('lists, describes and deletes in every version', async () => {
    const { call, test } = await groupApis();
    const { memberIds } = await test.stableGroup(groupId, 1);
    for (const version of [0, 1, 2, 3, 4]) {
      const { groups } = await call('ListGroups', version, { statesFilter: version === 4 ? ['Stable'] : [] });
      expect(groups).toEqual([{ groupId, protocolType: 'consumer', groupState: version === 4 ? 'Stable' : '' }]);
    }
    expect((await call('ListGroups', 4, { statesFilter: ['Empty'] })).groups).toEqual([]);
    for (const version of [0, 1, 2, 3, 4, 5]) {
      const { groups } = await call('DescribeGroups', version, {
        groups: [groupId],
        includeAuthorizedOperations: true,
      });
      expect(groups[0]).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' });
      expect(groups[0]!.members[0]).toMatchObject({
        memberId: memberIds[0],
        clientId: 'client',
        clientHost: '/127.0.0.1',
      });
      expect(groups[0]!.authorizedOperations).toBe(version >= 3 ? 328 : -0x8000_0000);
    }
    for (const version of [0, 1, 2]) {
      const { results } = await call('DeleteGroups', version, { groupsNames: [groupId, 'elsewhere', groupId] });
      expect(results).toEqual([
        { groupId, errorCode: 68 },
        { groupId: 'elsewhere', errorCode: 16 },
      ]);
    }
  });
});
