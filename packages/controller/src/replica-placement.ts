import type { Random } from '@klassic/common';
import { invariant, nextInt } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';

/** Ids and replicas of more would not fit into a znode (`jute.maxbuffer`, 1 MiB by default). */
const MAX_PARTITIONS = 100_000;

/** A broker as placement sees it. */
export interface BrokerMetadata {
  readonly id: number;
  readonly rack: string | null;
}

export interface PlacementOptions {
  /** Index into the broker list of partition 0's first replica, and the first shift; by chance when absent. */
  readonly fixedStartIndex?: number;
  /** Id of the first partition to place; 0 when absent. */
  readonly startPartitionId?: number;
  readonly random: Random;
}

/**
 * Places the replicas of new partitions round-robin: first replicas go around the brokers, the others follow at a
 * distance that grows by one each time around; with racks, brokers are taken in turn from each rack and a partition
 * gets a second replica in a rack only when each rack has one (`kafka.admin.AdminUtils.assignReplicasToBrokers`, KIP-36).
 *
 * @returns the replicas per partition id, in ascending order of ids
 * @throws KafkaError when a count is not possible or only some brokers have a rack
 */
export function assignReplicasToBrokers(
  brokers: readonly BrokerMetadata[],
  nPartitions: number,
  replicationFactor: number,
  options: PlacementOptions,
): Map<number, number[]> {
  if (nPartitions <= 0) {
    throw new KafkaError(Errors.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.');
  }
  if (nPartitions > MAX_PARTITIONS) {
    throw new KafkaError(
      Errors.INVALID_PARTITIONS,
      `Number of partitions must not be larger than ${MAX_PARTITIONS}: ZooKeeper keeps no larger topic.`,
    );
  }
  if (replicationFactor <= 0) {
    throw new KafkaError(Errors.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.');
  }
  if (replicationFactor > brokers.length) {
    throw new KafkaError(
      Errors.INVALID_REPLICATION_FACTOR,
      `Replication factor: ${replicationFactor} larger than available brokers: ${brokers.length}.`,
    );
  }
  const withRack = brokers.filter(({ rack }) => rack !== null);
  if (withRack.length > 0 && withRack.length < brokers.length) {
    throw new KafkaError(
      Errors.UNKNOWN_SERVER_ERROR,
      'Not all brokers have rack information for replica rack aware assignment.',
    );
  }
  const racks = new Map(brokers.map(({ id, rack }) => [id, rack ?? '']));
  const order = withRack.length > 0 ? rackAlternatedBrokers(racks) : brokers.map(({ id }) => id);
  const followers = withRack.length > 0 ? rackAwareFollowers(order, racks) : rackUnawareFollowers(order);

  const startIndex = options.fixedStartIndex ?? nextInt(options.random, order.length);
  let shift = options.fixedStartIndex ?? nextInt(options.random, order.length);
  const firstPartition = Math.max(0, options.startPartitionId ?? 0);
  const assignment = new Map<number, number[]>();
  for (let partition = firstPartition; partition < firstPartition + nPartitions; partition += 1) {
    if (partition > 0 && partition % order.length === 0) shift += 1;
    const firstIndex = (partition + startIndex) % order.length;
    assignment.set(partition, [order[firstIndex]!, ...followers(firstIndex, shift, replicationFactor - 1)]);
  }
  return assignment;
}

/** Brokers in turn from each rack, racks by name, brokers by id: the order in which racks are served evenly. */
export function rackAlternatedBrokers(racks: ReadonlyMap<number, string>): number[] {
  const byRack = new Map<string, number[]>();
  for (const id of [...racks.keys()].sort((a, b) => a - b)) {
    const rack = racks.get(id)!;
    byRack.set(rack, [...(byRack.get(rack) ?? []), id]);
  }
  const columns = [...byRack.keys()].sort().map((rack) => byRack.get(rack)!);
  const order: number[] = [];
  for (let row = 0; order.length < racks.size; row += 1) {
    for (const column of columns) {
      const id = column[row];
      if (id !== undefined) order.push(id);
    }
  }
  return order;
}

type Followers = (firstIndex: number, shift: number, count: number) => number[];

function rackUnawareFollowers(order: readonly number[]): Followers {
  return (firstIndex, shift, count) =>
    Array.from({ length: count }, (_, j) => order[followerIndex(firstIndex, shift, j, order.length)]!);
}

function rackAwareFollowers(order: readonly number[], racks: ReadonlyMap<number, string>): Followers {
  const rackCount = new Set(racks.values()).size;
  return (firstIndex, shift, count) => {
    const chosen: number[] = [];
    const usedBrokers = new Set([order[firstIndex]!]);
    const usedRacks = new Set([racks.get(order[firstIndex]!)!]);
    for (let k = 0; chosen.length < count; k += 1) {
      invariant(k < order.length * (count + rackCount + 1), 'every follower finds a broker');
      const broker = order[followerIndex(firstIndex, shift * rackCount, k, order.length)]!;
      const rack = racks.get(broker)!;
      const rackIsFree = !usedRacks.has(rack) || usedRacks.size === rackCount;
      const brokerIsFree = !usedBrokers.has(broker) || usedBrokers.size === order.length;
      if (!rackIsFree || !brokerIsFree) continue;
      chosen.push(broker);
      usedBrokers.add(broker);
      usedRacks.add(rack);
    }
    return chosen;
  };
}

/** Never the first replica's own index: followers go around the other brokers. */
function followerIndex(firstIndex: number, shift: number, follower: number, brokerCount: number): number {
  return (firstIndex + 1 + ((shift + follower) % (brokerCount - 1))) % brokerCount;
}
