import { Errors } from '@klassic/protocol';
import { DelayedOperation } from './delayed-operation.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { PartitionResponse } from './messages.ts';
import { Partition } from './partition.ts';

/** One partition of a Produce request with acks=all. */
export interface ProducePartitionStatus {
  readonly topic: string;
  readonly partition: number;
  /** Offset after the last record appended: the high watermark must reach it. */
  readonly requiredOffset: number;
  readonly response: PartitionResponse;
  acksPending: boolean;
}

/**
 * A produce with acks=all that waits for the ISR. A partition that this broker stops leading gets its error at once,
 * one that does not get there in time REQUEST_TIMED_OUT. Counterpart of `kafka.server.DelayedProduce`.
 */
export class DelayedProduce extends DelayedOperation {
  readonly watchKeys: string[];
  private readonly partitions: HostedPartitions;
  private readonly statuses: ReadonlyMap<string, ProducePartitionStatus>;
  private readonly complete: () => void;
  private pending = 0;

  /** @param complete answers with the responses as they stand in `statuses` */
  constructor(
    partitions: HostedPartitions,
    timeoutMs: number,
    statuses: ReadonlyMap<string, ProducePartitionStatus>,
    complete: () => void,
  ) {
    super(timeoutMs);
    this.partitions = partitions;
    this.statuses = statuses;
    this.watchKeys = [...statuses.keys()];
    this.complete = complete;
    for (const status of statuses.values()) {
      if (status.response.errorCode !== Errors.NONE.code) continue;
      status.acksPending = true;
      status.response.errorCode = Errors.REQUEST_TIMED_OUT.code;
      this.pending += 1;
    }
  }

  override tryComplete(changedKey?: string): boolean {
    const changed = changedKey === undefined ? undefined : this.statuses.get(changedKey);
    if (changed !== undefined) this.check(changed);
    else for (const status of this.statuses.values()) this.check(status);
    return this.pending === 0 && this.forceComplete();
  }

  protected override onComplete(): void {
    this.complete();
  }

  private check(status: ProducePartitionStatus): void {
    if (!status.acksPending) return;
    const partition = this.partitions.getOrError(status.topic, status.partition);
    const { hasEnough, error } =
      partition instanceof Partition
        ? partition.checkEnoughReplicasReachOffset(status.requiredOffset)
        : { hasEnough: false, error: partition };
    if (!hasEnough && error === Errors.NONE) return;
    status.acksPending = false;
    status.response.errorCode = error.code;
    this.pending -= 1;
  }
}
