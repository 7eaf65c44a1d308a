import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchesOf, DefaultRecordBatch } from '@klassic/protocol';

export interface LoggedBatch {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  /** The batch as it stands in the file. */
  readonly bytes: Buffer;
  readonly records: readonly { readonly offset: number; readonly value: string }[];
}

/** One replica's log, as it is on disk. */
export interface ReplicaLog {
  readonly broker: number;
  readonly partition: number;
  readonly batches: readonly LoggedBatch[];
}

/**
 * Reads a partition's `.log` files.
 *
 * @param dataFolder the broker's log dir
 * @throws Error when the broker has no such partition, or a batch's CRC is wrong
 */
export function readReplicaLog(dataFolder: string, broker: number, topic: string, partition: number): ReplicaLog {
  const folder = join(dataFolder, `${topic}-${partition}`);
  if (!existsSync(folder)) throw new Error(`broker ${broker} has no ${topic}-${partition}`);
  const segments = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();
  const batches = segments.flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    return [...batchesOf(bytes)].map((batch) => {
      if (!(batch instanceof DefaultRecordBatch)) throw new Error(`${name} of broker ${broker} holds an old batch`);
      batch.ensureValid();
      const { baseOffset, partitionLeaderEpoch, position, sizeInBytes } = batch;
      const records = [...batch.records()].map(({ offset, value }) => ({ offset, value: value?.toString() ?? '' }));
      return {
        baseOffset,
        leaderEpoch: partitionLeaderEpoch,
        bytes: bytes.subarray(position, position + sizeInBytes),
        records,
      };
    });
  });
  return { broker, partition, batches };
}
