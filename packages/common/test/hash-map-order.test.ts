import { describe, expect, it } from '@jest/globals';
import { hashMapOrder, inHashOrder, javaHashMapOrder, topicPartitionHash } from '../src/index.ts';

describe('the order of hash maps', () => {
  it('is that in which the original began the reassignments of r-0 and r-1 (scenario 09)', () => {
    const partitions = [
      { topic: 'r', partition: 0 },
      { topic: 'r', partition: 1 },
    ];
    const ordered = inHashOrder(partitions, ({ topic, partition }) => topicPartitionHash(topic, partition));
    expect(ordered.map(({ partition }) => partition)).toEqual([1, 0]);
  });

  it('goes by bucket, then by hash where Scala does and by insertion where Java does', () => {
    // hashCode 97, 113, 98; 97 and 113 share a bucket of sixteen.
    expect(hashMapOrder(['q', 'b', 'a'])).toEqual(['a', 'q', 'b']);
    expect(javaHashMapOrder(['q', 'b', 'a'])).toEqual(['q', 'a', 'b']);
  });

  it('is that of a doubled table from three quarters on with Scala, past them with Java', () => {
    const twelve = ['q', ...'abcdefghijk'];
    expect(hashMapOrder(twelve).at(-1)).toBe('q');
    expect(javaHashMapOrder(twelve)[0]).toBe('q');
  });
});
