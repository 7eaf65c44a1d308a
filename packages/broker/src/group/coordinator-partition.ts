/**
 * The partition of the coordinator's topic that an id belongs to: its leader is the coordinator. Java's
 * `String.hashCode`, made positive as Kafka's `Utils.abs` does (the least integer becomes 0), modulo the partitions.
 */
export function coordinatorPartition(id: string, partitionCount: number): number {
  let hash = 0;
  for (let index = 0; index < id.length; index += 1) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0;
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}
