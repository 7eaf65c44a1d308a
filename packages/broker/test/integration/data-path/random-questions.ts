import { SeededRandom, nextInt } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import type { CompressionType } from '@klassic/protocol';
import { fetch } from './fetch-questions.ts';
import { timestamp, topics, ask, magicOf, produce } from './question.ts';
import type { Question } from './question.ts';

/** 150 requests of the data path that a seed gives. */
export function atRandom(seed: number): Question[] {
  const random = new SeededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[nextInt(random, items.length)]!;
  const names = [...Object.keys(topics), 'nowhere'];
  const offset = (): number => pick([-2, -1, 0, 1, 2, 3, 5, 8, 20, 200]);
  const questions: Question[] = [];
  for (let count = 0; count < 150; count += 1) {
    const topic = pick(names);
    const partition = pick([-1, 0, 0, 1, 2, 3]);
    const version = nextInt(random, 13);
    const kind = pick(['produce', 'produce', 'fetch', 'fetch', 'list', 'delete', 'epoch']);
    if (kind === 'produce') {
      const records = Array.from({ length: 1 + nextInt(random, 3) }, (_, index) => ({
        timestamp: timestamp + nextInt(random, 5),
        key: random.next() < 0.2 ? null : Buffer.from(`k${index}`),
        value: Buffer.from('v'.repeat(nextInt(random, 90))),
      }));
      const at = Math.min(version, 9);
      const magic = random.next() < 0.8 ? magicOf(at) : pick([0, 1, 2] as const);
      const compression = pick(['none', 'none', 'gzip', 'snappy', 'lz4'] as CompressionType[]);
      questions.push(
        produce(
          `${topic}-${partition}`,
          at,
          topic,
          partition,
          buildBatch({ magic, compression, records }),
          pick([1, 1, -1]),
        ),
      );
    } else if (kind === 'fetch') {
      const at = Array.from(
        { length: 1 + nextInt(random, 3) },
        () =>
          [
            pick(names),
            pick([0, 0, 1, 2]),
            {
              fetchOffset: offset(),
              partitionMaxBytes: pick([0, 60, 200, 1 << 20]),
              currentLeaderEpoch: pick([-1, -1, 0, 1]),
            },
          ] as const,
      );
      questions.push(
        fetch(JSON.stringify(at), version, at, {
          maxBytes: pick([1, 100, 1000, 1 << 20]),
          isolationLevel: pick([0, 1]),
        }),
      );
    } else if (kind === 'list') {
      const time = pick([-1, -2, timestamp, timestamp + 2, timestamp + 9]);
      questions.push(
        ask(`${topic}-${partition} at ${time}`, 'ListOffsets', version % 7, {
          replicaId: pick([-1, -1, -2, 4]),
          topics: [
            { name: topic, partitions: [{ partitionIndex: partition, timestamp: time, maxNumOffsets: pick([1, 3]) }] },
          ],
        }),
      );
    } else if (kind === 'delete') {
      questions.push(
        ask(`${topic}-${partition}`, 'DeleteRecords', version % 3, {
          timeoutMs: 1000,
          topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset: pick([-1, 0, 1, 2, 500]) }] }],
        }),
      );
    } else {
      questions.push(
        ask(`${topic}-${partition}`, 'OffsetForLeaderEpoch', version % 5, {
          replicaId: -1,
          topics: [
            { topic, partitions: [{ partition, leaderEpoch: pick([-1, 0, 1]), currentLeaderEpoch: pick([-1, 0, 1]) }] },
          ],
        }),
      );
    }
  }
  return questions;
}
