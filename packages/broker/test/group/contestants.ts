import { afterAll, beforeAll, expect } from '@jest/globals';
import { startZooKeeper } from '@klassic/test-support';
import type { TestZooKeeper } from '@klassic/test-support';
import { startKlassic, startOriginal } from './contestant.ts';
import type { Contestant } from './contestant.ts';

/**
 * Starts Apache Kafka and Klassic for the tests of a file, with the topics t and u.
 *
 * @returns asks both brokers the same things; what they answer is to be the same
 */
export function besideTheOriginal(): (questions: (contestant: Contestant) => Promise<void>) => Promise<void> {
  let zooKeeper: TestZooKeeper;
  let original: Contestant;
  let klassic: Contestant;

  beforeAll(async () => {
    zooKeeper = await startZooKeeper();
    original = await startOriginal(`${zooKeeper.connectString}/original`);
    klassic = await startKlassic(`${zooKeeper.connectString}/klassic`);
    for (const contestant of [original, klassic]) await contestant.createTopics(['t', 'u']);
  });

  afterAll(async () => {
    for (const contestant of [original, klassic]) {
      contestant.close();
      await contestant.stop();
    }
    await zooKeeper.stop();
  });

  return async (questions) => {
    for (const contestant of [original, klassic]) contestant.begin();
    await Promise.all([questions(original), questions(klassic)]);
    const different = original.transcript.flatMap((line, index) => {
      const own = klassic.transcript[index];
      return line === own ? [] : [{ original: line, klassic: own, after: original.transcript.slice(index - 3, index) }];
    });
    // The first few say it all: what follows one difference is often another.
    expect(different.slice(0, 5)).toEqual([]);
    expect(klassic.transcript.length).toBe(original.transcript.length);
  };
}
