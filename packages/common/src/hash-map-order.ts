import { stringHash } from './java-hash.ts';

/**
 * The order in which the original's hash maps of strings are written: by bucket of a table that starts with 16 and
 * doubles when three quarters full, and by hash within a bucket. True of Scala 2.13's mutable `HashMap` and of Java's
 * `Properties` (but for rare collisions). Clients do not care; it makes answers and znodes equal byte for byte.
 */
export function hashMapOrder(keys: Iterable<string>): string[] {
  const { hashed, bucketOf } = hashTable(keys, (size, buckets) => size >= buckets * LOAD);
  return hashed.sort((a, b) => bucketOf(a.hash) - bucketOf(b.hash) || a.hash - b.hash).map(({ key }) => key);
}

/** The order of Java's `HashMap`: by bucket likewise, and as they were put within a bucket. */
export function javaHashMapOrder(keys: Iterable<string>): string[] {
  const { hashed, bucketOf } = hashTable(keys, (size, buckets) => size > buckets * LOAD);
  return hashed.sort((a, b) => bucketOf(a.hash) - bucketOf(b.hash)).map(({ key }) => key);
}

const LOAD = 0.75;

function hashTable(
  keys: Iterable<string>,
  isTooFull: (size: number, buckets: number) => boolean,
): { hashed: { key: string; hash: number }[]; bucketOf: (hash: number) => number } {
  const hashed = [...new Set(keys)].map((key) => {
    const hash = stringHash(key);
    return { key, hash: hash ^ (hash >>> 16) };
  });
  let buckets = 16;
  while (isTooFull(hashed.length, buckets)) buckets *= 2;
  return { hashed, bucketOf: (hash) => hash & (buckets - 1) };
}
