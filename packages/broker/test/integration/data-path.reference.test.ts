import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { eventually, startBroker, startZooKeeper, temporaryFolder } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { normalised, differences } from './data-path/comparison.ts';
import { fetching } from './data-path/fetch-questions.ts';
import { logDirs } from './data-path/log-dir-questions.ts';
import { listingOffsets, askingForEpochs, deleting } from './data-path/offset-questions.ts';
import { producing } from './data-path/produce-questions.ts';
import { topics } from './data-path/question.ts';
import type { Question } from './data-path/question.ts';
import { atRandom } from './data-path/random-questions.ts';
import { apacheKafkaCommand, describeWithApacheKafka } from './apache-kafka.ts';
import { connectTo } from './cluster.ts';

jest.setTimeout(300_000);

/** More seeds by DATA_PATH_SEEDS=from-to. */
const [fromSeed = 1, toSeed = 3] = (process.env['DATA_PATH_SEEDS'] ?? '').split('-').filter(Boolean).map(Number);

describeWithApacheKafka('the data path beside the original', () => {
  let zooKeeper: TestZooKeeper;
  let original: TestBroker;
  let klassic: TestBroker;

  beforeAll(async () => {
    zooKeeper = await startZooKeeper();
    const start = async (name: string, command?: string): Promise<TestBroker> => {
      const folder = temporaryFolder(`data-path-${name}`);
      return startBroker({
        zooKeeperConnect: `${zooKeeper.connectString}/${name}`,
        folder,
        overrides: {
          'log.dirs': [0, 1].map((index) => join(folder, `data-${index}`)).join(','),
          'inter.broker.protocol.version': '2.6',
          'offsets.topic.num.partitions': '1',
          // The records are old, and are to stay.
          'log.retention.ms': '-1',
          'log.segment.delete.delay.ms': '60000',
        },
        ...(command === undefined ? {} : { command }),
      });
    };
    original = await start('original', apacheKafkaCommand());
    klassic = await start('klassic');
    for (const broker of [original, klassic]) await createTopics(broker);
  });

  afterAll(async () => {
    await Promise.all([original, klassic].map((broker) => broker?.kill()));
    await zooKeeper?.stop();
  });

  async function createTopics(broker: TestBroker): Promise<void> {
    const connection = await connectTo(broker);
    await connection.send('CreateTopics', 4, {
      timeoutMs: 30_000,
      topics: Object.entries(topics).map(([name, configs]) => ({
        name,
        numPartitions: 3,
        replicationFactor: 1,
        configs: Object.entries(configs).map(([configName, value]) => ({ name: configName, value })),
      })),
    });
    await eventually(
      async () => (await connection.send('FindCoordinator', 3, { key: 'group' })).errorCode === Errors.NONE.code,
      { timeoutMs: 60_000, what: 'a group coordinator' },
    );
    await eventually(
      async () => {
        const list = Object.keys(topics).map((name) => ({
          name,
          partitions: [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })),
        }));
        const listed = await connection.send('ListOffsets', 5, { replicaId: -1, topics: list });
        return listed.topics.every(({ partitions }) => partitions.every(({ errorCode }) => errorCode === 0));
      },
      { timeoutMs: 60_000, what: 'leaders' },
    );
    connection.close();
  }

  async function answer(broker: TestBroker, question: Question): Promise<unknown> {
    const connection = await connectTo(broker);
    try {
      const response: unknown = await connection.send(question.api, question.version, question.body);
      return normalised(question, response, broker);
    } catch (error) {
      return `no answer: ${(error as Error).name}`;
    } finally {
      connection.close();
    }
  }

  async function compare(questionsFor: (broker: TestBroker) => Question[]): Promise<void> {
    const ours = questionsFor(klassic);
    const different: string[] = [];
    for (const [index, question] of questionsFor(original).entries()) {
      const [expected, received] = [await answer(original, question), await answer(klassic, ours[index]!)];
      different.push(...differences(expected, received, question.what).slice(0, 4));
    }
    expect(different).toEqual([]);
  }

  it('Produce', () => compare(producing));
  it('Fetch', () => compare(fetching));
  it('ListOffsets', () => compare(listingOffsets));
  it('OffsetForLeaderEpoch', () => compare(askingForEpochs));
  it('DeleteRecords', () => compare(deleting));
  it('DescribeLogDirs and AlterReplicaLogDirs', () => compare(logDirs));
  for (let seed = fromSeed; seed <= toSeed; seed += 1) {
    it(`requests at random (seed ${seed})`, () => compare(() => atRandom(seed)));
  }
});
