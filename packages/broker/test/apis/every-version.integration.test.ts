import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { BrokerConnection } from '@klassic/network';
import { apiByKey, buildBatch, Errors } from '@klassic/protocol';
import type { ApiName, Codec, RequestInit } from '@klassic/protocol';
import { describeWithReference, eventually, readReferenceJson, startCluster } from '@klassic/test-support';
import type { TestCluster } from '@klassic/test-support';

const topic = 'every-version';

/** What must be said so that a request makes sense; the rest has its defaults. */
const bodies: { readonly [A in ApiName]?: (version: number) => RequestInit<A> } = {
  Produce: (version) => ({
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: records(version) }] }],
  }),
  Fetch: () => ({
    replicaId: -1,
    maxWaitMs: 0,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 65_536 }] }],
  }),
  ListOffsets: (version) => ({
    replicaId: -1,
    topics: [
      {
        name: topic,
        partitions: [{ partitionIndex: 0, timestamp: -1, ...(version === 0 ? { maxNumOffsets: 1 } : {}) }],
      },
    ],
  }),
  Metadata: () => ({ topics: [{ name: topic }] }),
  OffsetForLeaderEpoch: () => ({ topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  CreateTopics: () => ({ topics: [{ name: topic, numPartitions: 1, replicationFactor: 1 }], timeoutMs: 5000 }),
  CreatePartitions: () => ({ topics: [{ name: topic, count: 1 }], timeoutMs: 5000 }),
  DescribeConfigs: () => ({ resources: [{ resourceType: 2, resourceName: topic }] }),
  DeleteRecords: () => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 5000 }),
  ApiVersions: (version) => (version < 3 ? {} : { clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
  FindCoordinator: () => ({ key: 'group' }),
  OffsetFetch: () => ({ groupId: 'group', topics: [{ name: topic, partitionIndexes: [0] }] }),
  OffsetCommit: (version) => ({
    groupId: 'group',
    ...(version === 0 ? {} : { generationId: -1, memberId: '' }),
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 0 }] }],
  }),
};

interface AdvertisedApi {
  readonly apiKey: number;
  readonly name: ApiName;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What the reference serves and Klassic does not yet (docs/differences.md). */
const notServed: readonly ApiName[] = [
  'SaslHandshake',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'EndTxn',
  'DescribeAcls',
  'CreateAcls',
  'DeleteAcls',
  'SaslAuthenticate',
  'CreateDelegationToken',
  'RenewDelegationToken',
  'ExpireDelegationToken',
  'DescribeDelegationToken',
  'DescribeUserScramCredentials',
  'AlterUserScramCredentials',
  'AlterIsr',
  'UpdateFeatures',
  'DescribeProducers',
];

function records(version: number): Buffer {
  const magic = version >= 3 ? 2 : version >= 2 ? 1 : 0;
  return buildBatch({ magic, records: [{ timestamp: 1_600_000_000_000, key: null, value: Buffer.from('value') }] });
}

describe('every API at every version that a broker advertises', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster({ brokers: 1 });
    const connection = await connect('kafka');
    await connection.send('CreateTopics', 4, {
      topics: [{ name: topic, numPartitions: 1, replicationFactor: 1 }],
      timeoutMs: 10_000,
    });
    // The group coordinator's topic is made on first use.
    await eventually(
      async () => (await connection.send('FindCoordinator', 3, { key: 'group' })).errorCode === Errors.NONE.code,
      { timeoutMs: 20_000, what: 'a group coordinator' },
    );
    connection.close();
  }, 60_000);

  afterAll(() => cluster.stop());

  async function connect(codec: Codec): Promise<BrokerConnection> {
    const { host, port } = cluster.broker(1);
    const options = { host, port, clientId: 'test', codec, time: new SystemTime(), requestTimeoutMs: 10_000 };
    const connection = new BrokerConnection(options);
    await connection.connect();
    return connection;
  }

  it.each<Codec>(['kafka', 'msgpack'])(
    'is answered, in %s',
    async (codec) => {
      const connection = await connect(codec);
      const { apiKeys } = await connection.send('ApiVersions', 3, {
        clientSoftwareName: 'test',
        clientSoftwareVersion: '1',
      });
      connection.close();
      expect(apiKeys.length).toBeGreaterThan(20);
      const unanswered: string[] = [];
      for (const { apiKey, minVersion, maxVersion } of apiKeys) {
        const { name } = apiByKey(apiKey)!;
        for (let version = minVersion; version <= maxVersion; version += 1) {
          const each = await connect(codec);
          try {
            await each.send(name, version, bodies[name]?.(version) ?? {});
          } catch (error) {
            unanswered.push(`${name} v${version}: ${String(error)}`);
          }
          each.close();
        }
      }
      expect(unanswered).toEqual([]);
    },
    60_000,
  );

  const reference = describeWithReference(describe);
  reference('beside the reference', () => {
    it('has the same versions of every API that is served', async () => {
      const { apis } = readReferenceJson('vectors', 'api-versions-2.8.2.json') as { apis: AdvertisedApi[] };
      const connection = await connect('kafka');
      const { apiKeys } = await connection.send('ApiVersions', 2, {});
      connection.close();
      const served = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
      const different = apis
        .filter(({ apiKey }) => served.has(apiKey))
        .filter(({ apiKey, minVersion, maxVersion }) => String(served.get(apiKey)) !== String([minVersion, maxVersion]))
        .map(({ name }) => name);
      expect(different).toEqual([]);
      expect(apis.filter(({ apiKey }) => !served.has(apiKey)).map(({ name }) => name)).toEqual(notServed);
    });
  });

  it('answers an ApiVersions version that it does not know in version 0, and names those it does', async () => {
    const { host, port } = cluster.broker(1);
    // Size, key 18, version 99, correlation id 7, no client id, and a body that nobody can read.
    const frame = Buffer.from('0000000b' + '0012' + '0063' + '00000007' + 'ffff' + '00', 'hex');
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const socket = createConnection({ host, port }, () => socket.write(frame));
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes);
      });
      socket.once('error', reject);
    });
    // Correlation id, error 35, one API: 18 from 0 to 3 (api-versions-2.8.2.json, answerToUnknownVersion).
    expect(answer.subarray(4).toString('hex')).toBe('00000007' + '002300000001001200000003');
  });
});
