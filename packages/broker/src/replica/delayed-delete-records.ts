import { Errors } from '@klassic/protocol';
import { DelayedOperation } from './delayed-operation.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { Partition } from './partition.ts';

/** One partition of a DeleteRecords request. */
export interface DeleteRecordsStatus {
  readonly topic: string;
  readonly partition: number;
  /** The new log start offset asked for. */
  readonly requestedOffset: number;
  lowWatermark: number;
  errorCode: number;
  acksPending: boolean;
}

/**
 * A DeleteRecords that waits until every live replica has moved its log start offset. Counterpart of
 * `kafka.server.DelayedDeleteRecords`.
 */
export class DelayedDeleteRecords extends DelayedOperation {
  readonly watchKeys: string[];
  private readonly partitions: HostedPartitions;
  private readonly statuses: ReadonlyMap<string, DeleteRecordsStatus>;
  private readonly complete: () => void;

  constructor(
    partitions: HostedPartitions,
    timeoutMs: number,
    statuses: ReadonlyMap<string, DeleteRecordsStatus>,
    complete: () => void,
  ) {
    super(timeoutMs);
    this.partitions = partitions;
    this.statuses = statuses;
    this.watchKeys = [...statuses.keys()];
    this.complete = complete;
    for (const status of statuses.values()) {
      if (status.errorCode !== Errors.NONE.code) continue;
      status.acksPending = true;
      status.errorCode = Errors.REQUEST_TIMED_OUT.code;
    }
  }

  override tryComplete(): boolean {
    let pending = false;
    for (const status of this.statuses.values()) {
      if (status.acksPending) this.check(status);
      pending ||= status.acksPending;
    }
    return !pending && this.forceComplete();
  }

  protected override onComplete(): void {
    this.complete();
  }

  private check(status: DeleteRecordsStatus): void {
    const partition = this.partitions.getOrError(status.topic, status.partition);
    if (!(partition instanceof Partition) || !partition.isLeader) {
      status.acksPending = false;
      status.errorCode = partition instanceof Partition ? Errors.NOT_LEADER_OR_FOLLOWER.code : partition.code;
      return;
    }
    const lowWatermark = partition.lowWatermarkIfLeader();
    if (lowWatermark < status.requestedOffset) return;
    status.acksPending = false;
    status.errorCode = Errors.NONE.code;
    status.lowWatermark = lowWatermark;
  }
}
