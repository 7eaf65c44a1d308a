import type { Admin } from '@klassic/client';
import type { Random } from '@klassic/common';
import { SystemRandom } from '@klassic/common';
import { assignReplicasToBrokers } from '@klassic/controller';
import type { ToolIo } from '../tool.ts';
import { assignmentsOfTopics } from './current.ts';
import { formatPlan, parseBrokerList, parseTopicsToMove } from './plan.ts';
import type { Assignment } from './plan.ts';

interface Broker {
  readonly id: number;
  readonly rack: string | null;
}

/** Proposes where the partitions of some topics might lie. @throws PartitionFileError, KafkaError, TimeoutError */
export async function generateAssignment(
  admin: Admin,
  topicsText: string,
  brokerList: string,
  isRackAware: boolean,
  io: ToolIo,
): Promise<void> {
  const wanted = parseBrokerList(brokerList);
  const current = await assignmentsOfTopics(admin, parseTopicsToMove(topicsText));
  const { nodes } = await admin.describeCluster();
  const brokers = [...nodes.values()]
    .filter(({ id }) => wanted.includes(id))
    .sort((a, b) => a.id - b.id)
    .map(({ id, rack }) => ({ id, rack: isRackAware ? rack : null }));
  const racks = brokers.filter(({ rack }) => rack !== null).length;
  if (racks > 0 && racks < brokers.length) {
    throw new Error(
      'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment ' +
        'without rack information.',
    );
  }
  const proposed = proposeAssignments(current, brokers, new SystemRandom());
  io.out(`Current partition replica assignment\n${formatPlan(current)}\n\n`);
  io.out(`Proposed partition reassignment configuration\n${formatPlan(proposed)}\n`);
}

/** Places each topic's partitions anew, as many replicas each as its first one has. @throws KafkaError */
export function proposeAssignments(
  current: readonly Assignment[],
  brokers: readonly Broker[],
  random: Random,
): Assignment[] {
  const byTopic = Map.groupBy(current, ({ topic }) => topic);
  return [...byTopic].flatMap(([topic, partitions]) => {
    const placed = assignReplicasToBrokers(brokers, partitions.length, partitions[0]!.replicas.length, { random });
    return [...placed].map(([partition, replicas]) => ({ topic, partition, replicas }));
  });
}
