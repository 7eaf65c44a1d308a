import { invariant, topicPartitionKey } from '@klassic/common';
import type { Log } from '@klassic/log';
import type { ReplicaManager } from '../replica/index.ts';
import type { GroupAppendResult, GroupLog } from './group-log.ts';
import { groupMetadataTopic } from './group-records.ts';

/** `__consumer_offsets` as this broker's replicas hold it. */
export class ReplicaGroupLog implements GroupLog {
  private readonly replicaManager: Pick<ReplicaManager, 'appendRecords' | 'getLog' | 'getPartition'>;

  constructor(replicaManager: Pick<ReplicaManager, 'appendRecords' | 'getLog' | 'getPartition'>) {
    this.replicaManager = replicaManager;
  }

  isHosted(partition: number): boolean {
    return this.log(partition) !== undefined;
  }

  async append(
    partition: number,
    records: Buffer,
    requiredAcks: number,
    timeoutMs: number,
  ): Promise<GroupAppendResult> {
    const key = topicPartitionKey(groupMetadataTopic, partition);
    const responses = await this.replicaManager.appendRecords({
      timeoutMs,
      requiredAcks,
      internalTopicsAllowed: true,
      origin: 'Coordinator',
      entries: new Map([[key, { topic: groupMetadataTopic, partition, records }]]),
    });
    const response = responses.get(key);
    invariant(response !== undefined, () => `no answer to the append to ${key}`);
    return response;
  }

  logStartOffset(partition: number): number | undefined {
    return this.log(partition)?.logStartOffset;
  }

  leaderEndOffset(partition: number): number | undefined {
    const hosted = this.replicaManager.getPartition(topicPartitionKey(groupMetadataTopic, partition));
    return hosted?.leaderLogIfLocal?.logEndOffset;
  }

  read(partition: number, offset: number, maxBytes: number): Buffer {
    const log = this.log(partition);
    invariant(log !== undefined, () => `no log of ${groupMetadataTopic}-${partition} to read`);
    return log.read(offset, maxBytes, 'log_end', true).records;
  }

  private log(partition: number): Log | undefined {
    return this.replicaManager.getLog(topicPartitionKey(groupMetadataTopic, partition));
  }
}
