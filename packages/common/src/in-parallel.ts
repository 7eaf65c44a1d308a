/**
 * Does a task for each item, `atOnce` at a time, in their order.
 *
 * @throws what a task throws first; those under way go on
 */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: Math.min(atOnce, items.length) }, async () => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) await task(next.value);
    }),
  );
}
