import { batchesOf, Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { GroupAppendResult, GroupLog } from '../../src/group/index.ts';

/** One partition's log, which survives the broker that leads it. */
class MemoryPartition {
  batches: Buffer[] = [];
  endOffset = 0;
}

/** What all brokers of a test share: the replicated content of `__consumer_offsets`. */
export class SharedOffsetsTopic {
  private readonly partitions = new Map<number, MemoryPartition>();

  partition(index: number): MemoryPartition {
    const found = this.partitions.get(index) ?? new MemoryPartition();
    this.partitions.set(index, found);
    return found;
  }

  bytes(index: number): Buffer {
    return Buffer.concat(this.partition(index).batches);
  }
}

/** `__consumer_offsets` as one broker sees it, without disks: it leads what the test says, and fails when the test says. */
export class MemoryGroupLog implements GroupLog {
  readonly leaderEpochs = new Map<number, number>();
  /** What the next appends are answered; NONE appends. */
  nextError: ErrorEntry = Errors.NONE;
  /** Waits before an append is answered, as the ISR makes it wait. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  private readonly topic: SharedOffsetsTopic;

  constructor(topic = new SharedOffsetsTopic()) {
    this.topic = topic;
  }

  isHosted(): boolean {
    return true;
  }

  async append(partition: number, records: Buffer): Promise<GroupAppendResult> {
    const leaderEpoch = this.leaderEpochs.get(partition);
    const error = leaderEpoch === undefined ? Errors.NOT_LEADER_OR_FOLLOWER : this.nextError;
    if (error !== Errors.NONE) {
      await this.beforeAnswer();
      return { errorCode: error.code, baseOffset: -1 };
    }
    const log = this.topic.partition(partition);
    const copy = Buffer.from(records);
    const baseOffset = log.endOffset;
    for (const batch of batchesOf(copy)) {
      log.endOffset += batch.lastOffset - batch.baseOffset + 1;
      batch.setLastOffset(log.endOffset - 1);
      batch.setPartitionLeaderEpoch(leaderEpoch!);
    }
    log.batches.push(copy);
    await this.beforeAnswer();
    return { errorCode: Errors.NONE.code, baseOffset };
  }

  logStartOffset(): number {
    return 0;
  }

  leaderEndOffset(partition: number): number | undefined {
    return this.leaderEpochs.has(partition) ? this.topic.partition(partition).endOffset : undefined;
  }

  read(partition: number, offset: number, maxBytes: number): Buffer {
    const chosen: Buffer[] = [];
    let size = 0;
    for (const bytes of this.topic.partition(partition).batches) {
      for (const batch of batchesOf(bytes)) {
        if (batch.lastOffset < offset) continue;
        if (chosen.length > 0 && size + bytes.length > maxBytes) return Buffer.concat(chosen);
        chosen.push(bytes);
        size += bytes.length;
      }
    }
    return Buffer.concat(chosen);
  }
}
