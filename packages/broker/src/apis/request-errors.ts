import { InvalidConfigError } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';

/** A failure as an answer names it; anything unforeseen is UNKNOWN_SERVER_ERROR. */
export function toApiError(thrown: unknown): {
  readonly error: ErrorEntry;
  readonly message: string;
  readonly expected: boolean;
} {
  if (thrown instanceof KafkaError) return { error: thrown.error, message: thrown.message, expected: true };
  if (thrown instanceof InvalidConfigError)
    return { error: Errors.INVALID_CONFIG, message: thrown.message, expected: true };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { error: Errors.UNKNOWN_SERVER_ERROR, message, expected: false };
}

/**
 * The message of an answer beside its error: null where it says no more than the error, or would give away the
 * server's inside (`ApiError.fromThrowable`).
 */
export function answerMessage(error: ErrorEntry, message: string): string | null {
  return error === Errors.UNKNOWN_SERVER_ERROR || message === error.message ? null : message;
}
