/** Session id of a fetch outside any session. */
export const invalidSessionId = 0;
/** Epoch of a full fetch that asks for a new session. */
export const initialEpoch = 0;
/** Epoch of a full fetch that wants no session, and closes the one it names. */
export const finalEpoch = -1;

/** Where a fetch stands in its session. Counterpart of `org.apache.kafka.common.requests.FetchMetadata` (KIP-227). */
export interface FetchMetadata {
  readonly sessionId: number;
  readonly epoch: number;
}

/** Whether the fetch names all its partitions, rather than what changed since the last one. */
export function isFullFetch({ epoch }: FetchMetadata): boolean {
  return epoch === initialEpoch || epoch === finalEpoch;
}

/** The epoch after this one; past 2^31 - 1 it begins again at 1. */
export function nextFetchEpoch(epoch: number): number {
  if (epoch < 0) return finalEpoch;
  return epoch === 0x7fffffff ? 1 : epoch + 1;
}

/** As the reference prints it. */
export function describeFetchMetadata({ sessionId, epoch }: FetchMetadata): string {
  const id = sessionId === invalidSessionId ? 'INVALID' : String(sessionId);
  const named = epoch === finalEpoch ? 'FINAL' : String(epoch);
  return `(sessionId=${id}, epoch=${epoch === initialEpoch ? 'INITIAL' : named})`;
}
