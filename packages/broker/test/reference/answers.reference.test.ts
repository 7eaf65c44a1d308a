import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SeededRandom } from '@klassic/common';
import { startBroker, startZooKeeper } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { describeWithKafka } from '../../../log/test/reference-kafka.ts';
import { Interview } from './answers.ts';
import { questions, randomChange } from './questions.ts';
import { startReferenceBroker } from './reference-broker.ts';
import type { ReferenceBroker } from './reference-broker.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const randomQuestions = 300;

/** What both are told. */
const settings = {
  'broker.id': '1',
  'password.encoder.secret': 'secret',
  'log.retention.hours': '0100',
  'message.max.bytes': '2000000',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'auto.leader.rebalance.enable': 'false',
};

describeWithKafka('one broker of the original and one of ours, asked the same', () => {
  let zooKeeper: TestZooKeeper;
  let theirs: ReferenceBroker;
  let ours: TestBroker;
  let original: Interview;
  let klassic: Interview;

  beforeAll(async () => {
    zooKeeper = await startZooKeeper();
    theirs = await startReferenceBroker(`${zooKeeper.connectString}/original`, settings);
    ours = await startBroker({ zooKeeperConnect: `${zooKeeper.connectString}/klassic`, overrides: settings });
    original = await Interview.with(theirs.port);
    klassic = await Interview.with(ours.port);
  }, 240_000);

  afterAll(async () => {
    original?.close();
    klassic?.close();
    theirs?.stop();
    await ours?.kill();
    await zooKeeper?.stop();
  });

  it('answer the same', async () => {
    const different: { name: string; original: string; klassic: string }[] = [];
    for (const question of questions()) {
      const [expected, got] = [await original.ask(question), await klassic.ask(question)];
      if (expected !== got) different.push({ name: question.name, original: expected, klassic: got });
    }
    expect(different).toEqual([]);
  }, 600_000);

  it(`answer the same to changes of settings by chance, seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    const different: { name: string; original: string; klassic: string }[] = [];
    for (let number = 0; number < randomQuestions; number += 1) {
      const question = randomChange(random, number);
      const [expected, got] = [await original.ask(question), await klassic.ask(question)];
      if (expected !== got) different.push({ name: question.name, original: expected, klassic: got });
    }
    expect(different).toEqual([]);
  }, 600_000);
});
