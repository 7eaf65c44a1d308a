import { describe, expect, it, jest } from '@jest/globals';
import { MockTime, SeededRandom, silentLoggers } from '@klassic/common';
import { BrokerIdZNode, KafkaZkClient } from '@klassic/zookeeper';
import { AdminZkClient } from '../src/index.ts';
import { FakeZooKeeper } from './fake-zookeeper.ts';
import { brokerInfo } from './replay-cluster.ts';

jest.setTimeout(60_000);

function setUp(): { zk: FakeZooKeeper; admin: AdminZkClient } {
  const zk = new FakeZooKeeper();
  for (const path of ['/brokers/topics', '/admin/delete_topics', '/config/topics', '/config/changes'])
    zk.put(path, null);
  for (const id of [1, 2, 3]) zk.put(BrokerIdZNode.path(id), BrokerIdZNode.encode(brokerInfo(id), 0));
  const store = new KafkaZkClient(zk.connect('client').asSession(), new MockTime(), silentLoggers);
  const validateTopicConfig = (config: Readonly<Record<string, string>>): void => {
    if ('no.such' in config) throw new Error('Unknown topic config name: no.such');
  };
  return {
    zk,
    admin: new AdminZkClient({ store, random: new SeededRandom(7), loggers: silentLoggers, validateTopicConfig }),
  };
}

describe('AdminZkClient', () => {
  it('writes the configuration, then the assignment', async () => {
    const { zk, admin } = setUp();
    await admin.createTopic('t', 3, 2, { 'retention.ms': '1000' });
    const created = zk.transactions.filter(({ code }) => code === 'OK').map(({ ops }) => ops[0]!.path);
    expect(created).toEqual(['/config/topics/t', '/brokers/topics/t']);
    expect(zk.json('/config/topics/t')).toEqual({ version: 1, config: { 'retention.ms': '1000' } });
    const { partitions } = zk.json('/brokers/topics/t') as { partitions: Record<string, number[]> };
    expect(Object.values(partitions).map((replicas) => new Set(replicas).size)).toEqual([2, 2, 2]);
  });

  // The messages of the answers in the captures 02-create-topic and cli/kafka-topics.json.
  it.each([
    [
      'bad name!',
      1,
      1,
      `Topic name "bad name!" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'`,
    ],
    ['.', 1, 1, 'Topic name cannot be "." or ".."'],
    [
      'x'.repeat(250),
      1,
      1,
      `Topic name is illegal, it can't be longer than 249 characters, topic name: ${'x'.repeat(250)}`,
    ],
    ['t', 1, 1, "Topic 't' already exists."],
    ['a_b', 1, 1, "Topic 'a_b' collides with existing topics: a.b"],
    ['big', 1, 4, 'Replication factor: 4 larger than available brokers: 3.'],
    ['none', 0, 1, 'Number of partitions must be larger than 0.'],
    ['endless', 2 ** 31 - 1, 1, 'Number of partitions must not be larger than 100000'],
    ['large', 70_000, 3, 'ZooKeeper keeps no more than'],
  ])('refuses %s with %d partitions of %d replicas', async (topic, partitions, factor, message) => {
    const { zk, admin } = setUp();
    await admin.createTopic('t', 1, 1);
    await admin.createTopic('a.b', 1, 1);
    const { length } = zk.transactions;
    await expect(admin.createTopic(topic, partitions, factor)).rejects.toThrow(message);
    expect(zk.transactions).toHaveLength(length);
  });

  it('refuses to let a topic grow beyond what ZooKeeper keeps', async () => {
    const { zk, admin } = setUp();
    await admin.createTopic('t', 1, 3);
    const { length } = zk.transactions;
    await expect(admin.addPartitions('t', 70_000, null)).rejects.toThrow('ZooKeeper keeps no more than');
    expect(zk.transactions).toHaveLength(length);
  });

  it('refuses assignments that are not whole', async () => {
    const { admin } = setUp();
    const create = (...lists: [number, number[]][]): Promise<void> =>
      admin.createTopicWithAssignment('t', {}, new Map(lists));
    await expect(create([0, [1, 2]], [1, [1]])).rejects.toThrow(
      'All partitions should have the same number of replicas',
    );
    await expect(create([0, [1, 1]])).rejects.toThrow('Duplicate replica assignment found');
    await expect(create([1, [1]])).rejects.toThrow('partitions should be a consecutive 0-based integer sequence');
    await expect(admin.createTopicWithAssignment('t', { 'no.such': '1' }, new Map([[0, [1]]]))).rejects.toThrow(
      'Unknown topic config name',
    );
  });

  it('adds partitions as if the topic had been so large from the start', async () => {
    const { zk, admin } = setUp();
    await admin.createTopicWithAssignment('t', {}, new Map([[0, [2, 3]]]));
    await admin.addPartitions('t', 3, null);
    expect(zk.json('/brokers/topics/t')).toMatchObject({ partitions: { 0: [2, 3], 1: [3, 2], 2: [1, 3] } });
    await expect(admin.addPartitions('t', 2, null)).rejects.toThrow(
      'Topic currently has 3 partitions, which is higher than the requested 2.',
    );
    await expect(admin.addPartitions('t', 3, null)).rejects.toThrow('Topic already has 3 partitions.');
    await expect(admin.addPartitions('t', 4, [[1, 9]])).rejects.toThrow('Unknown broker(s) in replica assignment: 9.');
    await expect(
      admin.addPartitions('t', 4, [
        [1, 2],
        [2, 3],
      ]),
    ).rejects.toThrow('Increasing the number of partitions by 1 but 2 assignments provided.');
    await expect(admin.addPartitions('nope', 4, null)).rejects.toThrow("The topic 'nope' does not exist.");
    await admin.addPartitions('t', 4, [[1, 2]], true);
    expect(zk.json('/brokers/topics/t')).toMatchObject({ partitions: { 0: [2, 3], 1: [3, 2], 2: [1, 3] } });
  });

  it.each<[string, number[][], string]>([
    ['no replica', [[]], 'Cannot have replication factor of 0 for partition id 2.'],
    ['a broker twice', [[1, 1]], 'Duplicate brokers not allowed in replica assignment: 1, 1 for partition id 2.'],
    [
      'another replication factor',
      [[1], [2, 3]],
      'Inconsistent replication factor between partitions, partition 0 has 2 while partitions [2] have replication factors [1], respectively.',
    ],
  ])('adds no partitions with %s', async (_, assignments, message) => {
    const { zk, admin } = setUp();
    const two = new Map([
      [0, [2, 3]],
      [1, [3, 1]],
    ]);
    await admin.createTopicWithAssignment('t', {}, two);
    const { length } = zk.transactions;
    await expect(admin.addPartitions('t', 2 + assignments.length, assignments)).rejects.toThrow(message);
    expect(zk.transactions).toHaveLength(length);
  });

  it('adds no partitions while one is being reassigned', async () => {
    const { zk, admin } = setUp();
    const assignment = { partitions: { 0: [1, 2] }, adding_replicas: { 0: [1] }, removing_replicas: {}, version: 3 };
    zk.put('/brokers/topics/t', Buffer.from(JSON.stringify(assignment)));
    await expect(admin.addPartitions('t', 3, null)).rejects.toMatchObject({
      error: { name: 'REASSIGNMENT_IN_PROGRESS' },
    });
  });

  it('takes brokers that nobody knows in the assignment of a new topic, as the original does', async () => {
    const { zk, admin } = setUp();
    await admin.createTopicWithAssignment('t', {}, new Map([[0, [1, 9]]]));
    expect(zk.json('/brokers/topics/t')).toMatchObject({ partitions: { 0: [1, 9] } });
  });

  it('marks topics for deletion, again without an error', async () => {
    const { zk, admin } = setUp();
    await expect(admin.deleteTopic('t')).rejects.toThrow('Topic `t` to delete does not exist');
    await admin.createTopic('t', 1, 1);
    await admin.deleteTopic('t');
    await admin.deleteTopic('t');
    expect(zk.childrenOf('/admin/delete_topics')).toEqual(['t']);
  });

  it('tells of a changed configuration', async () => {
    const { zk, admin } = setUp();
    await admin.createTopic('t', 1, 1);
    await admin.changeTopicConfig('t', { 'cleanup.policy': 'compact' });
    expect(zk.json('/config/topics/t')).toMatchObject({ config: { 'cleanup.policy': 'compact' } });
    expect(zk.json('/config/changes/config_change_0000000000')).toEqual({ version: 2, entity_path: 'topics/t' });
  });
});
