import { parseTopicPartition } from '@klassic/common';
import type { Admin, ConfigChange, OngoingReassignment } from '@klassic/client';
import { topicPartitionKey } from '@klassic/common';
import type { ToolIo } from '../tool.ts';
import type { Assignment, Plan } from './plan.ts';

const LEADER_THROTTLE = 'leader.replication.throttled.replicas';
const FOLLOWER_THROTTLE = 'follower.replication.throttled.replicas';
const LEADER_RATE = 'leader.replication.throttled.rate';
const FOLLOWER_RATE = 'follower.replication.throttled.rate';
const LOG_DIR_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';

/** Which brokers a partition is copied from, and to which. */
interface PartitionMove {
  readonly sources: ReadonlySet<number>;
  readonly destinations: ReadonlySet<number>;
}

/** By topic, then by partition. */
type MoveMap = Map<string, Map<number, PartitionMove>>;

/**
 * The moves under way, and those that are proposed. Counterpart of `ReassignPartitionsCommand.calculateProposedMoveMap`.
 *
 * @param ongoing by topicPartitionKey
 * @param current the assignments before
 */
export function proposedMoves(
  ongoing: ReadonlyMap<string, OngoingReassignment>,
  proposed: readonly Assignment[],
  current: readonly Assignment[],
): MoveMap {
  const moves: MoveMap = new Map();
  for (const [key, { replicas, addingReplicas }] of ongoing) {
    const { topic, partition } = parseTopicPartition(key)!;
    const destinations = new Set(addingReplicas);
    const sources = new Set(replicas.filter((id) => !destinations.has(id)));
    ofTopic(moves, topic).set(partition, { sources, destinations });
  }
  const before = new Map(current.map((known) => [topicPartitionKey(known.topic, known.partition), known.replicas]));
  for (const { topic, partition, replicas } of proposed) {
    const key = topicPartitionKey(topic, partition);
    const sources = ofTopic(moves, topic).get(partition)?.sources ?? new Set(before.get(key));
    if (sources.size === 0) throw new Error(`Trying to reassign a topic partition ${key} with 0 replicas`);
    const destinations = new Set(replicas.filter((id) => !sources.has(id)));
    ofTopic(moves, topic).set(partition, { sources, destinations });
  }
  return moves;
}

/** The text of `leader.replication.throttled.replicas` of each topic. */
export function leaderThrottles(moves: MoveMap): Map<string, string> {
  return throttledReplicas(moves, ({ sources }) => sources);
}

/** The text of `follower.replication.throttled.replicas` of each topic. */
export function followerThrottles(moves: MoveMap): Map<string, string> {
  return throttledReplicas(moves, ({ destinations }) => destinations);
}

/** Limits the copying between brokers. @param rate bytes per second */
export async function limitReassignment(admin: Admin, moves: MoveMap, rate: number, io: ToolIo): Promise<void> {
  const followers = followerThrottles(moves);
  for (const [topic, leaders] of leaderThrottles(moves)) {
    await admin.incrementalAlterConfigs({ type: 'topic', name: topic }, [
      { name: LEADER_THROTTLE, operation: 'set', value: leaders },
      { name: FOLLOWER_THROTTLE, operation: 'set', value: followers.get(topic) ?? '' },
    ]);
  }
  const partitions = [...moves.values()].flatMap((ofOne) => [...ofOne.values()]);
  const brokers = new Set(partitions.flatMap(({ sources, destinations }) => [...sources, ...destinations]));
  await alterBrokers(admin, brokers, [
    { name: LEADER_RATE, operation: 'set', value: String(rate) },
    { name: FOLLOWER_RATE, operation: 'set', value: String(rate) },
  ]);
  io.out(`The inter-broker throttle limit was set to ${rate} B/s\n`);
}

/** Limits the copying between log dirs of a broker. @param rate bytes per second */
export async function limitLogDirMoves(admin: Admin, { moves }: Plan, rate: number, io: ToolIo): Promise<void> {
  const brokers = new Set(moves.map(({ brokerId }) => brokerId));
  await alterBrokers(admin, brokers, [{ name: LOG_DIR_RATE, operation: 'set', value: String(rate) }]);
  io.out(`The replica-alter-dir throttle limit was set to ${rate} B/s\n`);
}

/** Removes every limit from all brokers and the plan's topics: which brokers were limited is not known any more. */
export async function clearAllThrottles(admin: Admin, { assignments }: Plan, io: ToolIo): Promise<void> {
  const { nodes } = await admin.describeCluster();
  const live = [...nodes.keys()].sort((a, b) => a - b);
  const brokers = new Set([...live, ...assignments.flatMap(({ replicas }) => replicas)]);
  io.out(`Clearing broker-level throttles on broker${brokers.size === 1 ? '' : 's'} ${[...brokers].join(',')}\n`);
  await alterBrokers(
    admin,
    brokers,
    [LEADER_RATE, FOLLOWER_RATE, LOG_DIR_RATE].map((name) => ({ name, operation: 'delete' })),
  );
  const topics = new Set(assignments.map(({ topic }) => topic));
  io.out(`Clearing topic-level throttles on topic${topics.size === 1 ? '' : 's'} ${[...topics].join(',')}\n`);
  for (const name of topics) {
    await admin.incrementalAlterConfigs({ type: 'topic', name }, [
      { name: LEADER_THROTTLE, operation: 'delete' },
      { name: FOLLOWER_THROTTLE, operation: 'delete' },
    ]);
  }
}

async function alterBrokers(
  admin: Admin,
  brokers: ReadonlySet<number>,
  changes: readonly ConfigChange[],
): Promise<void> {
  await Promise.all(
    [...brokers].map((id) => admin.incrementalAlterConfigs({ type: 'broker', name: String(id) }, changes)),
  );
}

function throttledReplicas(moves: MoveMap, which: (move: PartitionMove) => ReadonlySet<number>): Map<string, string> {
  return new Map(
    [...moves].map(([topic, partitions]) => {
      const replicas = [...partitions].flatMap(([partition, move]) =>
        [...which(move)].map((brokerId) => `${partition}:${brokerId}`),
      );
      return [topic, [...new Set(replicas)].sort().join(',')];
    }),
  );
}

function ofTopic(moves: MoveMap, topic: string): Map<number, PartitionMove> {
  let partitions = moves.get(topic);
  if (partitions === undefined) moves.set(topic, (partitions = new Map<number, PartitionMove>()));
  return partitions;
}
