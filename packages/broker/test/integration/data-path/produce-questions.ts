import { buildBatch } from '@klassic/protocol';
import type { CompressionType } from '@klassic/protocol';
import { timestamp, topics, ask, batch, magicOf, produce, altered } from './question.ts';
import type { Question } from './question.ts';

/** What is asked of Produce. */
export function producing(): Question[] {
  const questions: Question[] = [];
  for (let version = 0; version <= 9; version += 1) {
    const magic = magicOf(version);
    const one = batch('one', { magic });
    for (const topic of Object.keys(topics)) questions.push(produce(topic, version, topic, 0, one));
    questions.push(
      produce('an unknown topic', version, 'nowhere', 0, one),
      produce('an unknown partition', version, 'plain', 7, one),
      produce('a negative partition', version, 'plain', -1, one),
      produce('acks=all', version, 'plain', 1, one, -1),
      produce('acks=all with too few in sync', version, 'strong', 0, one, -1),
      produce('acks=2', version, 'plain', 1, one, 2),
      produce('acks=-2', version, 'plain', 1, one, -2),
      produce('two batches', version, 'plain', 1, Buffer.concat([one, one])),
      produce('too large', version, 'small', 0, batch('x'.repeat(500), { magic })),
      produce('one byte wrong', version, 'plain', 1, altered(one, one.length - 1, one.at(-1)! ^ 1)),
      produce('magic 3', version, 'plain', 1, altered(one, 16, 3)),
      produce('an internal topic', version, '__consumer_offsets', 0, one),
    );
    for (const other of [0, 1, 2] as const) {
      if (other !== magic) questions.push(produce(`magic ${other}`, version, 'plain', 1, batch('m', { magic: other })));
    }
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as CompressionType[]) {
      if (compression === 'zstd' && magic < 2) continue;
      for (const topic of ['plain', 'lz4', 'old']) {
        const records = batch('compressed '.repeat(10), { magic, compression });
        questions.push(produce(`${compression} to ${topic}`, version, topic, 2, records));
      }
    }
  }
  const sequence = (baseSequence: number, producerEpoch = 0, producerId = 77): Buffer =>
    batch(`sequence ${baseSequence}`, { producerId, producerEpoch, baseSequence });
  for (const [index, [base, epoch]] of [
    [0, 0],
    [0, 0],
    [1, 0],
    [5, 0],
    [0, 1],
    [1, 0],
    [7, 1],
  ].entries()) {
    questions.push(
      produce(`sequence ${base} of epoch ${epoch}, as number ${index}`, 9, 'plain', 2, sequence(base!, epoch)),
    );
  }
  questions.push(
    produce('sequence 9 of an unknown producer', 9, 'plain', 2, sequence(9, 0, 78)),
    produce('no records at all', 9, 'plain', 1, Buffer.alloc(0)),
    produce('null', 9, 'plain', 1, null),
    produce('half a batch', 9, 'plain', 1, batch('half').subarray(0, 30)),
    produce('a batch and a half', 9, 'plain', 1, Buffer.concat([batch('a'), batch('b').subarray(0, 40)])),
    produce(
      'no key in a compacted topic',
      9,
      'compacted',
      0,
      buildBatch({ records: [{ timestamp, key: null, value: null }] }),
    ),
    ask('a partition twice', 'Produce', 9, {
      transactionalId: null,
      acks: 1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'plain',
          partitionData: [
            { index: 1, records: batch('first') },
            { index: 1, records: batch('second') },
          ],
        },
        { name: 'plain', partitionData: [{ index: 1, records: batch('third') }] },
      ],
    }),
    ask('nothing', 'Produce', 9, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData: [] }),
    ask('a topic without partitions', 'Produce', 9, {
      transactionalId: null,
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: 'plain', partitionData: [] }],
    }),
    ask('several topics, known and not', 'Produce', 9, {
      transactionalId: null,
      acks: 1,
      timeoutMs: 1000,
      topicData: ['nowhere', 'plain', 'small', 'elsewhere', 'compacted'].map((name) => ({
        name,
        partitionData: [0, 9].map((index) => ({ index, records: batch('x') })),
      })),
    }),
  );
  return questions;
}
