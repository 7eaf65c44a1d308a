import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import { nextFetchEpoch } from './fetch-metadata.ts';
import type { FetchMetadata } from './fetch-metadata.ts';
import type { FetchPartitionData, FetchRequestPartition } from './messages.ts';

/** What a fetch answers with: the partitions to send and the session they belong to (0: none). */
export interface FetchSessionResponse {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly partitions: readonly FetchPartitionData[];
}

/** One fetch as its session sees it. Counterpart of `kafka.server.FetchContext`. */
export interface FetchContext {
  /** Set when the session does not exist or is at another epoch: nothing is to be fetched. */
  readonly error: ErrorEntry;
  /** All partitions to fetch, those the request left unsaid included, in the order of the session. */
  readonly partitions: readonly FetchRequestPartition[];
  /** Takes note of what was fetched and leaves out what the fetcher knows already. */
  updateAndGenerateResponse(fetched: readonly FetchPartitionData[]): FetchSessionResponse;
}

/** What a session remembers of a partition: what was asked last, and what was answered. */
interface CachedPartition {
  request: FetchRequestPartition;
  highWatermark: number;
  localLogStartOffset: number;
}

/** The partitions of a fetcher that fetches in steps (KIP-227). Counterpart of `kafka.server.FetchSession`. */
export class FetchSession {
  readonly id: number;
  /** A follower's session: not pushed out by consumers'. */
  readonly privileged: boolean;
  readonly creationMs: number;
  lastUsedMs: number;
  /** Epoch that the next fetch must carry. */
  epoch: number;
  private readonly cached = new Map<string, CachedPartition>();

  constructor(id: number, privileged: boolean, nowMs: number, epoch: number) {
    this.id = id;
    this.privileged = privileged;
    this.creationMs = nowMs;
    this.lastUsedMs = nowMs;
    this.epoch = epoch;
  }

  get size(): number {
    return this.cached.size;
  }

  get partitions(): FetchRequestPartition[] {
    return [...this.cached.values()].map(({ request }) => request);
  }

  /** Puts in a partition of the full fetch that began the session, with what was answered to it. */
  add(request: FetchRequestPartition, { highWatermark, logStartOffset }: FetchPartitionData): void {
    const key = topicPartitionKey(request.topic, request.partition);
    this.cached.set(key, { request, highWatermark, localLogStartOffset: logStartOffset });
  }

  /** Takes over what an incremental fetch adds, changes and forgets. */
  update(requested: readonly FetchRequestPartition[], toForget: readonly TopicPartition[]): void {
    for (const request of requested) {
      const key = topicPartitionKey(request.topic, request.partition);
      const cached = this.cached.get(key);
      if (cached === undefined) this.cached.set(key, { request, highWatermark: -1, localLogStartOffset: -1 });
      else cached.request = request;
    }
    for (const { topic, partition } of toForget) this.cached.delete(topicPartitionKey(topic, partition));
  }

  /**
   * Picks what must be told: records, a changed high watermark or log start offset, an error, a divergence. A partition
   * that is answered moves to the end, so that the others come first when the next response is too small for all.
   */
  select(fetched: readonly FetchPartitionData[]): FetchPartitionData[] {
    return fetched.filter((data) => {
      const key = topicPartitionKey(data.topic, data.partition);
      const cached = this.cached.get(key);
      if (cached === undefined || !mustRespond(cached, data)) return false;
      cached.highWatermark = data.errorCode === Errors.NONE.code ? data.highWatermark : -1;
      cached.localLogStartOffset = data.logStartOffset;
      this.cached.delete(key);
      this.cached.set(key, cached);
      return true;
    });
  }
}

function mustRespond(cached: CachedPartition, data: FetchPartitionData): boolean {
  return (
    data.records.length > 0 ||
    data.highWatermark !== cached.highWatermark ||
    data.logStartOffset !== cached.localLogStartOffset ||
    data.preferredReadReplica !== -1 ||
    data.errorCode !== Errors.NONE.code ||
    data.divergingEpoch !== null
  );
}

/** A fetch that names a session that is gone, or another epoch of it. */
export function sessionErrorContext(error: ErrorEntry): FetchContext {
  return {
    error,
    partitions: [],
    updateAndGenerateResponse: () => ({ errorCode: error.code, sessionId: 0, partitions: [] }),
  };
}

/** A full fetch without a session. */
export function sessionlessContext(partitions: readonly FetchRequestPartition[]): FetchContext {
  return {
    error: Errors.NONE,
    partitions,
    updateAndGenerateResponse: (fetched) => ({ errorCode: Errors.NONE.code, sessionId: 0, partitions: fetched }),
  };
}

/** A full fetch that begins a session, if `createSession` finds room for one (0 when it does not). */
export function fullContext(
  partitions: readonly FetchRequestPartition[],
  createSession: (fetched: readonly FetchPartitionData[]) => number,
): FetchContext {
  return {
    error: Errors.NONE,
    partitions,
    updateAndGenerateResponse: (fetched) => ({
      errorCode: Errors.NONE.code,
      sessionId: createSession(fetched),
      partitions: fetched,
    }),
  };
}

/** A fetch within a session. */
export function incrementalContext(session: FetchSession, requested: FetchMetadata): FetchContext {
  const expectedEpoch = nextFetchEpoch(requested.epoch);
  return {
    error: Errors.NONE,
    partitions: session.partitions,
    updateAndGenerateResponse: (fetched) => {
      // A second fetch came in the meantime: its answer counts, not this one.
      if (session.epoch !== expectedEpoch) {
        return { errorCode: Errors.INVALID_FETCH_SESSION_EPOCH.code, sessionId: session.id, partitions: [] };
      }
      return { errorCode: Errors.NONE.code, sessionId: session.id, partitions: session.select(fetched) };
    },
  };
}
