import { beforeEach, describe, expect, it } from '@jest/globals';
import { buildBatch } from '@klassic/protocol';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { History } from '../../src/chaos/history.ts';
import { readReplicaLog } from '../../src/chaos/replica-log.ts';
import type { LoggedBatch, ReplicaLog } from '../../src/chaos/replica-log.ts';
import { judgeRun } from '../../src/chaos/verdict.ts';
import { temporaryFolder } from '../../src/index.ts';

function batch(baseOffset: number, values: readonly string[], leaderEpoch = 0): LoggedBatch {
  const records = values.map((value, index) => ({ offset: baseOffset + index, value }));
  return { baseOffset, leaderEpoch, records, bytes: Buffer.from(JSON.stringify([baseOffset, values, leaderEpoch])) };
}

const replica = (broker: number, ...batches: LoggedBatch[]): ReplicaLog => ({ broker, partition: 0, batches });

describe('the verdict on a run', () => {
  let history: History;
  const good = [batch(0, ['a:0:0', 'b:0:0']), batch(2, ['a:0:1'], 1)];

  beforeEach(() => {
    history = new History();
  });

  const judge = (...batches: LoggedBatch[]): string[] => judgeRun(history, [replica(1, ...batches)]);

  it('is that nothing is wrong where replicas, clients and epochs agree', () => {
    history.acknowledged.set('a:0:0', { partition: 0, offset: 0 });
    history.acknowledged.set('a:0:1', { partition: 0, offset: -1 });
    history.noteRead('reader', 0, 0, 'a:0:0');
    history.controllers = new Map([[1, new Set([1])]]);
    history.noteLeader(0, 0, 1);
    expect(judgeRun(history, [replica(1, ...good), replica(2, ...good)])).toEqual([]);
  });

  it('finds replicas that differ, and where', () => {
    const other = [good[0]!, batch(2, ['c:0:0'], 1)];
    expect(judgeRun(history, [replica(1, ...good), replica(2, ...other)])).toEqual([
      'partition 0: broker 1 has at offset 2 1 records from a:0:1 on in leader epoch 1, broker 2 has at offset 2 1 records from c:0:0 on in leader epoch 1',
    ]);
    expect(judgeRun(history, [replica(1, ...good), replica(2, good[0]!)])).toEqual([
      expect.stringContaining('broker 2 has no more'),
    ]);
  });

  it('finds a lost record, and one that stands elsewhere than its producer was told', () => {
    history.acknowledged.set('a:0:2', { partition: 0, offset: 3 });
    history.acknowledged.set('b:0:0', { partition: 0, offset: 0 });
    expect(judge(...good)).toEqual([
      'acknowledged records: a:0:2 was acknowledged at offset 3 and is lost',
      'acknowledged records: b:0:0 was acknowledged at 0/0 and stands at 0/1',
    ]);
  });

  it('finds a record that stands twice, and one that was overtaken', () => {
    expect(judge(...good, batch(3, ['a:0:1'], 1))).toEqual(['partition 0: a:0:1 stands at offset 2 and at 3']);
    expect(judge(batch(0, ['a:0:1', 'a:0:0']))).toEqual([
      'partition 0: a:0:0 at offset 1 follows number 1 of its producer',
    ]);
  });

  it('finds a gap between offsets, and a leader epoch that falls', () => {
    expect(judge(batch(0, ['a:0:0'], 1), batch(2, ['a:0:1'], 0))).toEqual([
      'partition 0: offset 2 follows 0',
      'partition 0: leader epoch 0 at offset 2 follows a greater one',
    ]);
  });

  it('finds what was read and does not stand there', () => {
    history.noteRead('reader', 0, 2, 'c:0:9');
    history.noteRead('reader', 0, 7, 'a:0:5');
    expect(judge(...good)).toEqual([
      'partition 0: c:0:9 was read at offset 2, where a:0:1 stands',
      'partition 0: a:0:5 was read at offset 7, where nothing stands',
    ]);
  });

  it('finds two values that were read at one offset', () => {
    history.noteRead('reader', 0, 2, 'a:0:1');
    history.noteRead('other', 0, 2, 'c:0:9');
    expect(judge(...good)).toEqual(['other read c:0:9 at offset 2 of partition 0, where a:0:1 had been read']);
  });

  it('finds two controllers of an epoch, and two leaders of a leader epoch', () => {
    history.controllers = new Map([[4, new Set([3, 1])]]);
    history.noteLeader(0, 2, 3);
    history.noteLeader(0, 2, 1);
    expect(judge(...good)).toEqual([
      'controller epoch 4 had 2 controllers: 1,3',
      'leader epoch 0/2 had 2 leaders: 1,3',
    ]);
  });

  it('lists no more than a few of a kind', () => {
    for (let count = 0; count < 20; count += 1)
      history.acknowledged.set(`z:0:${count}`, { partition: 0, offset: count });
    expect(judge(...good)).toHaveLength(6);
    expect(judge(...good).at(-1)).toBe('acknowledged records: … and 15 more of this kind');
  });
});

describe('a replica’s log on disk', () => {
  it('is read over all its segments, batch by batch', () => {
    const home = temporaryFolder('replica-log');
    mkdirSync(join(home, 'chaos-0'));
    const bytesOf = (baseOffset: number, values: readonly string[]): Buffer =>
      buildBatch({
        magic: 2,
        records: values.map((value) => ({ timestamp: 1, key: null, value: Buffer.from(value) })),
        baseOffset,
        partitionLeaderEpoch: 3,
      });
    const [first, second] = [bytesOf(0, ['a:0:0', 'a:0:1']), bytesOf(2, ['a:0:2'])];
    writeFileSync(join(home, 'chaos-0', '00000000000000000000.log'), first);
    writeFileSync(join(home, 'chaos-0', '00000000000000000002.log'), second);
    const log = readReplicaLog(home, 1, 'chaos', 0);
    expect(log.batches).toEqual([
      {
        baseOffset: 0,
        leaderEpoch: 3,
        bytes: first,
        records: [
          { offset: 0, value: 'a:0:0' },
          { offset: 1, value: 'a:0:1' },
        ],
      },
      { baseOffset: 2, leaderEpoch: 3, bytes: second, records: [{ offset: 2, value: 'a:0:2' }] },
    ]);
    expect(() => readReplicaLog(home, 1, 'chaos', 1)).toThrow('broker 1 has no chaos-1');
  });
});
