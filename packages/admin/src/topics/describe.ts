import { topicPartitionKey } from '@klassic/common';
import { UnsupportedApiError } from '@klassic/client';
import type { Admin, ConfigEntry, OngoingReassignment, PartitionInfo, TopicInfo } from '@klassic/client';
import type { ToolIo } from '../tool.ts';

/** Which topics and partitions to show; none of them set: all. */
export interface DescribeFilters {
  readonly withOverrides: boolean;
  readonly underReplicated: boolean;
  readonly unavailable: boolean;
  readonly underMinIsr: boolean;
  readonly atMinIsr: boolean;
}

interface Surroundings {
  readonly liveBrokers: ReadonlySet<number>;
  readonly reassignments: ReadonlyMap<string, OngoingReassignment>;
}

/** Prints topics and partitions in the form of `kafka-topics --describe`. */
export async function describeTopics(
  admin: Admin,
  topics: readonly TopicInfo[],
  io: ToolIo,
  filters: DescribeFilters,
): Promise<void> {
  if (topics.length === 0) return;
  const { nodes } = await admin.describeCluster();
  const surroundings: Surroundings = {
    liveBrokers: new Set(nodes.keys()),
    reassignments: await orNothing(() => admin.listPartitionReassignments(), new Map()),
  };
  const onlyPartitions = filters.underReplicated || filters.unavailable || filters.underMinIsr || filters.atMinIsr;
  for (const topic of topics) {
    const configs = await orNothing(() => admin.describeConfigs({ type: 'topic', name: topic.name }), []);
    const overrides = configs.filter(({ source }) => source !== 'DEFAULT_CONFIG');
    if (!onlyPartitions && (!filters.withOverrides || overrides.length > 0)) {
      io.out(`${topicLine(topic, overrides, surroundings)}\n`);
    }
    if (filters.withOverrides) continue;
    for (const partition of topic.partitions) {
      if (!onlyPartitions || isWanted(partition, configs, filters, surroundings)) {
        io.out(`${partitionLine(partition, surroundings)}\n`);
      }
    }
  }
}

function topicLine(topic: TopicInfo, overrides: readonly ConfigEntry[], { reassignments }: Surroundings): string {
  const first = topic.partitions[0];
  const replicationFactor = first === undefined ? 0 : replicationFactorOf(first, reassignments);
  const configs = overrides.map(({ name, value }) => `${name}=${value}`).join(',');
  return `Topic: ${topic.name}\tPartitionCount: ${topic.partitions.length}\tReplicationFactor: ${replicationFactor}\tConfigs: ${configs}`;
}

function partitionLine(info: PartitionInfo, { reassignments }: Surroundings): string {
  const { topic, partition, leader, replicas, isr } = info;
  let line = `\tTopic: ${topic}\tPartition: ${partition}\tLeader: ${leader < 0 ? 'none' : leader}\tReplicas: ${replicas.join(',')}\tIsr: ${isr.join(',')}`;
  const reassignment = reassignments.get(topicPartitionKey(topic, partition));
  if (reassignment !== undefined) {
    line += `\tAdding Replicas: ${reassignment.addingReplicas.join(',')}\tRemoving Replicas: ${reassignment.removingReplicas.join(',')}`;
  }
  return line;
}

/** Replicas that are only being added do not count yet. */
function replicationFactorOf(
  { topic, partition, replicas }: PartitionInfo,
  reassignments: ReadonlyMap<string, OngoingReassignment>,
): number {
  const reassignment = reassignments.get(topicPartitionKey(topic, partition));
  return replicas.length - (reassignment?.addingReplicas.length ?? 0);
}

function isWanted(
  info: PartitionInfo,
  configs: readonly ConfigEntry[],
  filters: DescribeFilters,
  { liveBrokers, reassignments }: Surroundings,
): boolean {
  const minIsr = Number(configs.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1);
  return (
    (filters.underReplicated && info.isr.length < replicationFactorOf(info, reassignments)) ||
    (filters.unavailable && !liveBrokers.has(info.leader)) ||
    (filters.underMinIsr && info.isr.length < minIsr) ||
    (filters.atMinIsr && info.isr.length === minIsr)
  );
}

/** What a broker without the API would tell, were it to have it. */
async function orNothing<T>(ask: () => Promise<T>, nothing: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UnsupportedApiError) return nothing;
    throw error;
  }
}
