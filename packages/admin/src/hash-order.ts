const FIRST_TABLE_SIZE = 16;
const TABLE_LOAD = 0.75;

/** Items in the order in which a Scala hash table lists them: the original prints some of its tables as they come. */
export function inHashOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let tableSize = FIRST_TABLE_SIZE;
  while (items.length >= tableSize * TABLE_LOAD) tableSize *= 2;
  const mask = tableSize - 1;
  return items
    .map((item) => ({ item, hash: hashOf(item) }))
    .map(({ item, hash }) => ({ item, hash: hash ^ (hash >>> 16) }))
    .sort((a, b) => (a.hash & mask) - (b.hash & mask) || a.hash - b.hash)
    .map(({ item }) => item);
}
