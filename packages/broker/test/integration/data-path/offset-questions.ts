import { fetch } from './fetch-questions.ts';
import { timestamp, ask } from './question.ts';
import type { Question } from './question.ts';

/** What is asked of ListOffsets. */
export function listingOffsets(): Question[] {
  const questions: Question[] = [];
  const list = (what: string, version: number, at: readonly object[], more: object = {}): Question =>
    ask(what, 'ListOffsets', version, {
      replicaId: -1,
      isolationLevel: 0,
      topics: at.map((each) => ({ name: 'plain', partitions: [{ partitionIndex: 0, maxNumOffsets: 5, ...each }] })),
      ...more,
    });
  for (let version = 0; version <= 6; version += 1) {
    // At version 0 a time ahead of now is left out: Klassic forgets the log's end there.
    const ahead = version === 0 ? [] : [Number.MAX_SAFE_INTEGER];
    for (const time of [-1, -2, -3, -9, 0, timestamp, timestamp + 1, ...ahead]) {
      questions.push(list(`at ${time}`, version, [{ timestamp: time }]));
    }
    questions.push(
      list('an unknown partition', version, [{ partitionIndex: 8, timestamp: -1 }]),
      list('a negative partition', version, [{ partitionIndex: -8, timestamp: -1 }]),
      list('a partition twice', version, [{ timestamp: -1 }, { timestamp: -2 }]),
      list('read committed', version, [{ timestamp: -1 }], { isolationLevel: 1 }),
      list('by replica 5', version, [{ timestamp: -1 }], { replicaId: 5 }),
      list('by the debugging consumer', version, [{ timestamp: -1 }], { replicaId: -2 }),
      list('nothing', version, []),
      list('no offsets', version, [{ timestamp: -1, maxNumOffsets: 0 }]),
      list('epoch 0', version, [{ timestamp: -1, currentLeaderEpoch: 0 }]),
      list('epoch 3', version, [{ timestamp: -1, currentLeaderEpoch: 3 }]),
      ask('other topics', 'ListOffsets', version, {
        replicaId: -1,
        topics: ['nowhere', 'old', 'oldest', 'stamped', 'lz4'].map((name) => ({
          name,
          partitions: [-1, -2]
            .map((time) => ({ partitionIndex: 0, timestamp: time, maxNumOffsets: 1 }))
            .slice(version % 2, 1 + (version % 2)),
        })),
      }),
    );
  }
  return questions;
}

/** What is asked of OffsetForLeaderEpoch. */
export function askingForEpochs(): Question[] {
  const questions: Question[] = [];
  for (let version = 0; version <= 4; version += 1) {
    for (const leaderEpoch of [-1, 0, 1, 100]) {
      for (const currentLeaderEpoch of [-1, 0, 1]) {
        questions.push(
          ask(`epoch ${leaderEpoch} of ${currentLeaderEpoch}`, 'OffsetForLeaderEpoch', version, {
            replicaId: -1,
            topics: [
              {
                topic: 'plain',
                partitions: [0, 8, -1, 0].map((partition) => ({ partition, currentLeaderEpoch, leaderEpoch })),
              },
            ],
          }),
        );
      }
    }
    questions.push(
      ask('other topics', 'OffsetForLeaderEpoch', version, {
        replicaId: 3,
        topics: ['nowhere', 'oldest', 'plain'].map((topic) => ({
          topic,
          partitions: [{ partition: 1, leaderEpoch: 0 }],
        })),
      }),
      ask('nothing', 'OffsetForLeaderEpoch', version, { replicaId: -1, topics: [] }),
    );
  }
  return questions;
}

/** What is asked of DeleteRecords. */
export function deleting(): Question[] {
  const questions: Question[] = [];
  const remove = (version: number, name: string, partitionIndex: number, offset: number): Question =>
    ask(`${name}-${partitionIndex} before ${offset}`, 'DeleteRecords', version, {
      topics: [{ name, partitions: [{ partitionIndex, offset }] }],
      timeoutMs: 1000,
    });
  for (let version = 0; version <= 2; version += 1) {
    questions.push(
      remove(version, 'plain', 0, version + 1),
      remove(version, 'plain', 0, 0),
      remove(version, 'plain', 0, -1),
      remove(version, 'plain', 1, -2),
      remove(version, 'plain', 1, 1_000_000),
      remove(version, 'plain', 9, 1),
      remove(version, 'nowhere', 0, 1),
      remove(version, 'compacted', 0, 1),
      remove(version, '__consumer_offsets', 0, 0),
      ask('a partition twice', 'DeleteRecords', version, {
        topics: [{ name: 'plain', partitions: [1, 2].map((offset) => ({ partitionIndex: 1, offset })) }],
        timeoutMs: 1000,
      }),
      ask('nothing', 'DeleteRecords', version, { topics: [], timeoutMs: 1000 }),
      fetch('what was deleted', 11, [['plain', 0]]),
    );
  }
  return questions;
}
