import { describe, expect, it } from '@jest/globals';
import { delay, MockTime, parseTopicPartition, topicPartitionKey } from '../src/index.ts';

describe('MockTime', () => {
  it('runs tasks at their own instant, in order of time and then of scheduling', async () => {
    const time = new MockTime(0);
    const seen: string[] = [];
    time.schedule(20, () => seen.push(`b@${time.milliseconds()}`));
    time.schedule(10, () => seen.push(`a@${time.milliseconds()}`));
    time.schedule(20, () => seen.push(`c@${time.milliseconds()}`));
    await time.advance(30);
    expect(seen).toEqual(['a@10', 'b@20', 'c@20']);
    expect(time.milliseconds()).toBe(30);
  });

  it('repeats a periodic task until it is cancelled, also from inside the task', async () => {
    const time = new MockTime(0);
    let runs = 0;
    const cancel = time.scheduleEvery(5, () => {
      runs += 1;
      if (runs === 3) cancel();
    });
    await time.advance(100);
    expect(runs).toBe(3);
  });

  it('lets promises continue between two instants', async () => {
    const time = new MockTime(0);
    const seen: number[] = [];
    void (async () => {
      await delay(time, 5);
      seen.push(time.milliseconds());
      await delay(time, 5);
      seen.push(time.milliseconds());
    })();
    await time.advance(20);
    expect(seen).toEqual([5, 10]);
  });
});

describe('topicPartitionKey', () => {
  it('is read back, dashes in the topic included', () => {
    expect(parseTopicPartition(topicPartitionKey('a-1', 12))).toEqual({ topic: 'a-1', partition: 12 });
    expect(parseTopicPartition('nodash')).toBeUndefined();
    expect(parseTopicPartition('-3')).toBeUndefined();
  });
});
