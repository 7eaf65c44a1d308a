const TASKS_AT_ONCE = 4;

/** Does a task for each item, four at a time. */
export async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: TASKS_AT_ONCE }, async () => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) await task(next.value);
    }),
  );
}
