import { stringHash } from './java-hash.ts';

const FIRST_TABLE_SIZE = 16;
const TABLE_LOAD = 0.75;

/**
 * The order of Scala 2.13's mutable hash tables: by bucket of a table that starts with 16 and doubles when three quarters
 * full, and by hash within a bucket. The original goes through some of its tables as they come, which shows in what it
 * prints, writes and does first; where that decides nothing else, the same order makes it equal byte for byte.
 *
 * @param items of different keys
 * @param hashOf `hashCode` of an item's key
 */
export function inHashOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let tableSize = FIRST_TABLE_SIZE;
  while (items.length >= tableSize * TABLE_LOAD) tableSize *= 2;
  return spread(items, hashOf, tableSize)
    .sort((a, b) => a.bucket - b.bucket || a.hash - b.hash)
    .map(({ item }) => item);
}

/** As `inHashOrder`, of strings. Also the order of Java's `Properties` (but for rare collisions). */
export function hashMapOrder(keys: Iterable<string>): string[] {
  return inHashOrder([...new Set(keys)], stringHash);
}

/** The order of Java's `HashMap`: by bucket likewise, and as they were put within a bucket. */
export function javaHashMapOrder(keys: Iterable<string>): string[] {
  const items = [...new Set(keys)];
  let tableSize = FIRST_TABLE_SIZE;
  while (items.length > tableSize * TABLE_LOAD) tableSize *= 2;
  return spread(items, stringHash, tableSize)
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ item }) => item);
}

function spread<T>(
  items: readonly T[],
  hashOf: (item: T) => number,
  tableSize: number,
): { item: T; hash: number; bucket: number }[] {
  return items.map((item) => {
    const hashCode = hashOf(item);
    const hash = hashCode ^ (hashCode >>> 16);
    return { item, hash, bucket: hash & (tableSize - 1) };
  });
}
