import { DisconnectError } from '@klassic/network';
import { errorByCode, Errors, KafkaError } from '@klassic/protocol';

/** What was asked for did not happen in time. Counterpart of Kafka's `TimeoutException`. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** The broker knows no version of an API that the client knows. */
export class UnsupportedApiError extends Error {
  override readonly name = 'UnsupportedApiError';
}

/** The client was closed, or used in a way its state does not allow. */
export class IllegalStateError extends Error {
  override readonly name = 'IllegalStateError';
}

/** True when trying again may help: a broken connection, a timeout, or an error that Kafka marks as retriable. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof DisconnectError || error instanceof TimeoutError) return true;
  return error instanceof KafkaError && error.error.retriable;
}

/** The error behind a code of an answer, with the broker's own words where it gave some. */
export function kafkaError(code: number, message?: string | null): KafkaError {
  return new KafkaError(errorByCode(code), message ?? undefined);
}

/** @throws KafkaError unless the code is NONE */
export function throwIfError(code: number, message?: string | null): void {
  if (code !== Errors.NONE.code) throw kafkaError(code, message);
}
