import { UsageError } from '../tool.ts';

/** An assignment that cannot be. */
export class ReplicaAssignmentError extends Error {}

/**
 * Reads `1:2:3,2:3:1`: the broker ids of each partition.
 *
 * @throws ReplicaAssignmentError when a broker stands twice in a partition, or partitions differ in length
 * @throws UsageError when an id is no number
 */
export function parseReplicaAssignment(text: string): number[][] {
  const partitions = text.split(',').map((list) =>
    list.split(':').map((id) => {
      if (!/^\s*\d+\s*$/.test(id)) throw new UsageError(`For input string: "${id}"`);
      return Number(id);
    }),
  );
  for (const [partition, replicas] of partitions.entries()) {
    const twice = replicas.filter((id, index) => replicas.indexOf(id) !== index);
    if (twice.length > 0) {
      throw new ReplicaAssignmentError(
        `Partition replica lists may not contain duplicate entries: ${[...new Set(twice)].join(',')}`,
      );
    }
    if (replicas.length !== partitions[0]!.length) {
      throw new ReplicaAssignmentError(
        `Partition ${partition} has different replication factor: ${replicas.join(':')}`,
      );
    }
  }
  return partitions;
}
