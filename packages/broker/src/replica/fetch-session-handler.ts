import { topicPartitionKey } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import {
  describeFetchMetadata,
  initialEpoch,
  invalidSessionId,
  isFullFetch,
  nextFetchEpoch,
} from './fetch-metadata.ts';
import type { FetchMetadata } from './fetch-metadata.ts';
import type { FetchRequestPartition } from './messages.ts';

/** One fetch of a session: what goes over the wire, and all that the leader will answer for. */
export interface FetchRequestData {
  readonly metadata: FetchMetadata;
  /** New or changed partitions; all of them in a full fetch. */
  readonly toSend: ReadonlyMap<string, FetchRequestPartition>;
  /** Partitions that leave the session. */
  readonly toForget: readonly FetchRequestPartition[];
  /** The whole session, by `topicPartitionKey`. */
  readonly sessionPartitions: ReadonlyMap<string, FetchRequestPartition>;
}

const initial: FetchMetadata = { sessionId: invalidSessionId, epoch: initialEpoch };

/**
 * A fetcher's side of a fetch session: it remembers what the leader has been told and sends only what is new.
 * Counterpart of `org.apache.kafka.clients.FetchSessionHandler` (KIP-227).
 */
export class FetchSessionHandler {
  private readonly node: number;
  private readonly logger: Logger;
  private nextMetadata: FetchMetadata = initial;
  private session = new Map<string, FetchRequestPartition>();

  constructor(node: number, logger: Logger) {
    this.node = node;
    this.logger = logger;
  }

  /** Makes the next fetch for exactly these partitions, in this order. */
  build(wanted: ReadonlyMap<string, FetchRequestPartition>): FetchRequestData {
    const metadata = this.nextMetadata;
    if (isFullFetch(metadata)) {
      this.session = new Map(wanted);
      return { metadata, toSend: wanted, toForget: [], sessionPartitions: this.session };
    }
    const toForget: FetchRequestPartition[] = [];
    for (const [key, known] of this.session) {
      if (wanted.has(key)) continue;
      this.session.delete(key);
      toForget.push(known);
    }
    const toSend = new Map<string, FetchRequestPartition>();
    for (const [key, next] of wanted) {
      const known = this.session.get(key);
      if (known !== undefined && isSame(known, next)) continue;
      this.session.set(key, next);
      toSend.set(key, next);
    }
    return { metadata, toSend, toForget, sessionPartitions: this.session };
  }

  /** Takes note of an answer. Returns false when it is of no use: the next fetch then begins a new session. */
  handleResponse(response: ResponseOf<'Fetch'>): boolean {
    const { sessionId, errorCode } = response;
    if (errorCode !== Errors.NONE.code) {
      this.logger.info(
        `Node ${this.node} was unable to process the fetch request with ${describeFetchMetadata(this.nextMetadata)}: ` +
          `${errorByCode(errorCode).name}.`,
      );
      this.nextMetadata = errorCode === Errors.FETCH_SESSION_ID_NOT_FOUND.code ? initial : this.closeExisting();
      return false;
    }
    const full = isFullFetch(this.nextMetadata);
    const problem = this.verify(response, full);
    if (problem !== undefined) {
      this.logger.info(
        `Node ${this.node} sent an invalid ${full ? 'full' : 'incremental'} fetch response with ${problem}`,
      );
      this.nextMetadata = full ? initial : this.closeExisting();
      return false;
    }
    if (sessionId === invalidSessionId) this.nextMetadata = initial;
    else if (full) this.nextMetadata = { sessionId, epoch: nextFetchEpoch(initialEpoch) };
    else this.nextMetadata = { sessionId, epoch: nextFetchEpoch(this.nextMetadata.epoch) };
    return true;
  }

  /** Takes note of a fetch that was not answered: the session is closed by the next one, which asks for a new one. */
  handleError(error: unknown): void {
    this.logger.info(
      `Error sending fetch request ${describeFetchMetadata(this.nextMetadata)} to node ${this.node}:\n${String(error)}`,
    );
    this.nextMetadata = this.closeExisting();
  }

  private closeExisting(): FetchMetadata {
    return { sessionId: this.nextMetadata.sessionId, epoch: initialEpoch };
  }

  private verify(response: ResponseOf<'Fetch'>, full: boolean): string | undefined {
    const answered = new Set<string>();
    for (const { topic, partitionResponses } of response.responses) {
      for (const { partition } of partitionResponses) answered.add(topicPartitionKey(topic, partition));
    }
    const extra = [...answered].filter((key) => !this.session.has(key));
    const omitted = full ? [...this.session.keys()].filter((key) => !answered.has(key)) : [];
    if (extra.length === 0 && omitted.length === 0) return undefined;
    return `omitted=(${omitted.join(', ')}), extra=(${extra.join(', ')}), response=(${[...answered].join(', ')})`;
  }
}

function isSame(left: FetchRequestPartition, right: FetchRequestPartition): boolean {
  return (
    left.fetchOffset === right.fetchOffset &&
    left.logStartOffset === right.logStartOffset &&
    left.maxBytes === right.maxBytes &&
    left.currentLeaderEpoch === right.currentLeaderEpoch
  );
}
