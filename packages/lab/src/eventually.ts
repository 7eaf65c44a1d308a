import { messageOf } from './lab-error.ts';

export interface EventuallyOptions {
  /** How long to wait at most, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds. Default 50. */
  readonly intervalMs?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

/**
 * Looks again and again until `condition` gives something other than false, null or undefined, and returns it.
 * A condition that throws counts as not yet met.
 *
 * @throws Error naming what was waited for and the last thing seen, after `timeoutMs`
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = 15_000, intervalMs = 50, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const seen = await condition();
      if (seen !== false && seen !== null && seen !== undefined) return seen as Exclude<T, false | null | undefined>;
      last = String(seen);
    } catch (error) {
      last = messageOf(error);
    }
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${timeoutMs} ms (last: ${last})`);
    await sleep(intervalMs);
  }
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
