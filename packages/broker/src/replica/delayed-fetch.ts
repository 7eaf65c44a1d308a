import { topicPartitionKey } from '@klassic/common';
import type { FetchIsolation, LogOffsetMetadata, LogOffsetSnapshot } from '@klassic/log';
import { onOlderSegment, positionDiff } from '@klassic/log';
import { KafkaError } from '@klassic/protocol';
import { DelayedOperation } from './delayed-operation.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { FetchParameters } from './local-reads.ts';
import type { FetchRequestPartition } from './messages.ts';
import { divergence } from './partition-reads.ts';

/** One partition of a waiting fetch and where its log was when the fetch began to wait. */
export interface FetchPartitionStatus {
  readonly key: string;
  readonly request: FetchRequestPartition;
  readonly startOffsetMetadata: LogOffsetMetadata;
}

/** What became readable: bytes, or a reason to answer at once whatever the bytes. */
type Readable = number | 'answer now';

/**
 * A fetch that waits for `fetch.min.bytes`. It is answered early when this broker stops leading one of its partitions,
 * when an epoch is fenced, and when the log was truncated or rolled on. Counterpart of `kafka.server.DelayedFetch`.
 */
export class DelayedFetch extends DelayedOperation {
  readonly watchKeys: string[];
  private readonly partitions: HostedPartitions;
  private readonly parameters: FetchParameters;
  private readonly statuses = new Map<string, FetchPartitionStatus>();
  private readonly complete: () => void;

  /** @param complete reads what there is and answers */
  constructor(
    partitions: HostedPartitions,
    parameters: FetchParameters,
    statuses: readonly FetchPartitionStatus[],
    complete: () => void,
  ) {
    super(parameters.options.maxWaitMs);
    this.partitions = partitions;
    this.parameters = parameters;
    for (const status of statuses) this.statuses.set(status.key, status);
    this.watchKeys = [...this.statuses.keys()];
    this.complete = complete;
  }

  override tryComplete(changedKey?: string): boolean {
    const { minBytes } = this.parameters.options;
    const changed = changedKey === undefined ? undefined : this.statuses.get(changedKey);
    if (changed !== undefined) {
      // The partition that changed is most often enough by itself: with min.bytes=1, always.
      const readable = this.readable(changed);
      if (readable === 'answer now' || readable >= minBytes) return this.forceComplete();
      if (readable === 0) return false;
    }
    let accumulated = 0;
    for (const status of this.statuses.values()) {
      const readable = this.readable(status);
      if (readable === 'answer now') return this.forceComplete();
      accumulated += readable;
    }
    return accumulated >= minBytes && this.forceComplete();
  }

  protected override onComplete(): void {
    this.complete();
  }

  private readable({ request, startOffsetMetadata: start }: FetchPartitionStatus): Readable {
    if (start.messageOffset < 0) return 0;
    try {
      const partition = this.partitions.getOrThrow(request.topic, request.partition);
      const snapshot = partition.fetchOffsetSnapshot(request.currentLeaderEpoch, this.parameters.requireLeader);
      if (divergence(partition, request) !== null) return 'answer now';
      const end = endOf(snapshot, this.parameters.isolation);
      // What is held back from the follower gives no reason to answer, but for a log that was truncated.
      if (this.parameters.isThrottled(partition)) return onOlderSegment(end, start) ? 'answer now' : 0;
      return bytesBetween(start, end, request.maxBytes);
    } catch (error) {
      if (error instanceof KafkaError) return 'answer now';
      throw error;
    }
  }
}

function endOf(snapshot: LogOffsetSnapshot, isolation: FetchIsolation): LogOffsetMetadata {
  if (isolation === 'log_end') return snapshot.logEndOffset;
  return isolation === 'high_watermark' ? snapshot.highWatermark : snapshot.lastStableOffset;
}

/** An end on another segment (truncated, or rolled on) means: answer now. On the same one the positions tell the bytes. */
function bytesBetween(start: LogOffsetMetadata, end: LogOffsetMetadata, maxBytes: number): Readable {
  if (start.messageOffset === end.messageOffset) return 0;
  if (onOlderSegment(end, start) || onOlderSegment(start, end)) return 'answer now';
  if (start.messageOffset > end.messageOffset) return 0;
  return Math.min(positionDiff(end, start), maxBytes);
}

/** The watch keys and start positions of a fetch that is about to wait. */
export function fetchStatuses(
  requests: readonly FetchRequestPartition[],
  starts: readonly LogOffsetMetadata[],
): FetchPartitionStatus[] {
  return requests.map((request, index) => ({
    key: topicPartitionKey(request.topic, request.partition),
    request,
    startOffsetMetadata: starts[index]!,
  }));
}
