import type { RequestInit } from '@klassic/protocol';
import { topics, ask } from './question.ts';
import type { Question } from './question.ts';

interface FetchOptions {
  readonly fetchOffset?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
  readonly partitionMaxBytes?: number;
  readonly logStartOffset?: number;
}

export function fetch(
  what: string,
  version: number,
  partitions: readonly (readonly [string, number, FetchOptions?])[],
  more: Partial<RequestInit<'Fetch'>> = {},
): Question {
  return ask(what, 'Fetch', version, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: partitions.map(([topic, partition, options]) => ({
      topic,
      partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...options }],
    })),
    ...more,
  });
}

/** What is asked of Fetch. */
export function fetching(): Question[] {
  const questions: Question[] = [];
  for (let version = 0; version <= 12; version += 1) {
    for (const topic of Object.keys(topics)) questions.push(fetch(topic, version, [[topic, 0]]));
    questions.push(
      fetch(
        'all in one',
        version,
        Object.keys(topics).map((topic) => [topic, 0] as const),
      ),
      fetch('past the end', version, [['plain', 0, { fetchOffset: 100_000 }]]),
      fetch('offset -1', version, [['plain', 0, { fetchOffset: -1 }]]),
      fetch('an unknown topic', version, [['nowhere', 0]]),
      fetch('an unknown partition', version, [['plain', 9]]),
      fetch('a negative partition', version, [['plain', -1]]),
      fetch(
        'few bytes',
        version,
        [
          ['plain', 0, { partitionMaxBytes: 10 }],
          ['plain', 1],
        ],
        { maxBytes: 50 },
      ),
      fetch('no bytes', version, [['plain', 0, { partitionMaxBytes: 0 }]]),
      fetch('read committed', version, [['plain', 0]], { isolationLevel: 1 }),
      fetch('isolation 7', version, [['plain', 0]], { isolationLevel: 7 }),
      fetch('nothing', version, []),
      fetch('a partition twice', version, [
        ['plain', 0],
        ['plain', 0, { fetchOffset: 2 }],
      ]),
      fetch('known and unknown', version, [
        ['nowhere', 0],
        ['plain', 0, { partitionMaxBytes: 100 }],
        ['elsewhere', 0],
      ]),
      fetch('by replica 5', version, [['plain', 0]], { replicaId: 5 }),
      fetch('by the debugging consumer', version, [['plain', 0]], { replicaId: -2 }),
    );
    // Down to what has no zstd the original converts lazily, and breaks off within the answer.
    if (version >= 4) {
      questions.push(fetch('compressed', version, [['plain', 2]]));
      questions.push(fetch('offset 3', version, [['plain', 2, { fetchOffset: 3 }]]));
    }
    for (const currentLeaderEpoch of [0, 1, -5]) {
      questions.push(fetch(`epoch ${currentLeaderEpoch}`, version, [['plain', 0, { currentLeaderEpoch }]]));
    }
  }
  for (const lastFetchedEpoch of [0, 1, -3]) {
    questions.push(
      fetch(`last fetched epoch ${lastFetchedEpoch}`, 12, [['plain', 0, { lastFetchedEpoch, fetchOffset: 2 }]]),
    );
  }
  questions.push(
    fetch('a diverging end', 12, [['plain', 0, { lastFetchedEpoch: 0, fetchOffset: 1000 }]]),
    fetch(
      'a session',
      12,
      [
        ['plain', 0],
        ['nowhere', 1],
      ],
      { sessionEpoch: 0 },
    ),
    fetch('a session that is not there', 12, [], { sessionId: 99, sessionEpoch: 5 }),
    fetch('an epoch without a session', 12, [['plain', 0]], { sessionId: 0, sessionEpoch: 3 }),
    fetch('the rack of nobody', 12, [['plain', 0]], { rackId: 'nowhere' }),
  );
  return questions;
}
