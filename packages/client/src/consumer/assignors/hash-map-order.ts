const FIRST_TABLE_SIZE = 16;
const LOAD_FACTOR = 0.75;

/**
 * Items in the order in which Java's `HashMap` lists them as keys. Where the reference's assignors have a choice, that
 * order makes it; following it gives the same assignment whichever client leads the group.
 *
 * @param hashOf the `hashCode` of an item
 */
export function inHashMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let tableSize = FIRST_TABLE_SIZE;
  while (items.length > tableSize * LOAD_FACTOR) tableSize *= 2;
  const bucketOf = (item: T): number => {
    const hash = hashOf(item);
    return (hash ^ (hash >>> 16)) & (tableSize - 1);
  };
  return items
    .map((item) => ({ item, bucket: bucketOf(item) }))
    .sort((one, other) => one.bucket - other.bucket)
    .map(({ item }) => item);
}
