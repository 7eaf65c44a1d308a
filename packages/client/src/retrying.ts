import { delay } from '@klassic/common';
import type { ClientConfig } from './client-config.ts';
import { isRetriable, TimeoutError } from './client-errors.ts';

export interface RetryOptions {
  /** What is being done, for the message when time is up. */
  readonly what: string;
  /** For all attempts together, in milliseconds; default: `default.api.timeout.ms`. */
  readonly timeoutMs?: number;
  /** Called before each further attempt, for example to forget a coordinator. */
  readonly beforeRetry?: (error: unknown) => void | Promise<void>;
}

/**
 * Attempts something until it succeeds, fails for good, or time is up.
 *
 * @throws TimeoutError with the last failure as its cause when time is up; else whatever is not retriable
 */
export async function retrying<T>(config: ClientConfig, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { time, retryBackoffMs } = config;
  const timeoutMs = options.timeoutMs ?? config.defaultApiTimeoutMs;
  const deadline = time.hiResMs() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetriable(error)) throw error;
      if (time.hiResMs() + retryBackoffMs >= deadline) {
        throw new TimeoutError(
          `Timed out after ${timeoutMs} ms: ${options.what}. The last failure: ${(error as Error).message}`,
          { cause: error },
        );
      }
      await delay(time, retryBackoffMs);
      await options.beforeRetry?.(error);
    }
  }
}
