import { stringHash } from '@klassic/common';

/**
 * The partition of the coordinator's topic that an id belongs to: its leader is the coordinator. Java's
 * `String.hashCode`, made positive as Kafka's `Utils.abs` does (the least integer becomes 0), modulo the partitions.
 */
export function coordinatorPartition(id: string, partitionCount: number): number {
  const hash = stringHash(id);
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}
