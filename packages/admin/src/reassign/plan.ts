import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { ReplicaMove } from '@klassic/client';
import { compareTopicPartitions, duplicates, JsonObject, PartitionFileError } from '../partition-file.ts';

const ANY_LOG_DIR = 'any';

/** Broker ids of a partition's replicas, the preferred one first. */
export interface Assignment extends TopicPartition {
  readonly replicas: readonly number[];
}

/** What a plan asks for. */
export interface Plan {
  readonly assignments: readonly Assignment[];
  /** Of the replicas for which the plan names a log dir. */
  readonly moves: readonly ReplicaMove[];
}

/**
 * Reads `{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any","/d"]}]}`.
 *
 * @throws PartitionFileError
 */
export function parsePlan(text: string): Plan {
  const file = JsonObject.parse(text);
  const version = file.has('version') ? file.number('version') : 1;
  if (version !== 1) throw new PartitionFileError(`Not supported version field value ${version}`);
  const assignments: Assignment[] = [];
  const moves: ReplicaMove[] = [];
  for (const entry of file.has('partitions') ? file.objects('partitions') : []) {
    const assignment = {
      topic: entry.string('topic'),
      partition: entry.number('partition'),
      replicas: entry.numbers('replicas'),
    };
    const { topic, partition, replicas } = assignment;
    const logDirs = entry.has('log_dirs') ? entry.strings('log_dirs') : replicas.map(() => ANY_LOG_DIR);
    if (logDirs.length !== replicas.length) {
      throw new PartitionFileError(
        `Size of replicas list ${listText(replicas)} is different from size of log dirs list ${listText(logDirs)} for ` +
          `partition ${topicPartitionKey(topic, partition)}`,
      );
    }
    assignments.push(assignment);
    for (const [at, logDir] of logDirs.entries()) {
      if (logDir !== ANY_LOG_DIR) moves.push({ topic, partition, brokerId: replicas[at]!, logDir });
    }
  }
  return { assignments, moves };
}

/** A plan that may be carried out. @throws PartitionFileError */
export function parseExecutablePlan(text: string): Plan {
  const plan = parsePlan(text);
  const { assignments } = plan;
  if (assignments.length === 0) throw new PartitionFileError('Partition reassignment list cannot be empty');
  if (assignments.some(({ replicas }) => replicas.length === 0)) {
    throw new PartitionFileError('Partition replica list cannot be empty');
  }
  const twice = duplicates(assignments.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
  if (twice.length > 0) {
    throw new PartitionFileError(`Partition reassignment contains duplicate topic partitions: ${twice.join(',')}`);
  }
  const faults = assignments
    .map(({ topic, partition, replicas }) => ({ key: topicPartitionKey(topic, partition), ids: duplicates(replicas) }))
    .filter(({ ids }) => ids.length > 0)
    .map(({ key, ids }) => `${key} contains multiple entries for ${ids.join(',')}`);
  if (faults.length > 0) {
    throw new PartitionFileError(`Partition replica lists may not contain duplicate entries: ${faults.join('. ')}`);
  }
  return plan;
}

/** Reads `{"topics":[{"topic":"t"}],"version":1}`. @throws PartitionFileError */
export function parseTopicsToMove(text: string): string[] {
  const file = JsonObject.parse(text);
  const version = file.has('version') ? file.number('version') : 1;
  if (version !== 1) throw new PartitionFileError(`Not supported version field value ${version}`);
  const topics = file.has('topics') ? file.objects('topics').map((entry) => entry.string('topic')) : [];
  const twice = duplicates(topics);
  if (twice.length === 0) return topics;
  throw new PartitionFileError(`List of topics to reassign contains duplicate entries: ${twice.join(',')}`);
}

/** Reads `1,2,3`. @throws PartitionFileError */
export function parseBrokerList(text: string): number[] {
  const ids = text.split(',').map((id) => {
    if (!/^\d+$/.test(id)) throw new PartitionFileError(`For input string: "${id}"`);
    return Number(id);
  });
  const twice = duplicates(ids);
  if (twice.length === 0) return ids;
  throw new PartitionFileError(`Broker list contains duplicate entries: ${twice.join(',')}`);
}

/** An assignment as a plan, in order of topics and partitions. */
export function formatPlan(assignments: readonly Assignment[]): string {
  return JSON.stringify({
    version: 1,
    partitions: [...assignments].sort(compareTopicPartitions).map(({ topic, partition, replicas }) => ({
      topic,
      partition,
      replicas,
      log_dirs: replicas.map(() => ANY_LOG_DIR),
    })),
  });
}

/** Partitions by name, in order: `t-0,t-1`. */
export function listPartitions(partitions: readonly TopicPartition[]): string {
  return [...partitions]
    .sort(compareTopicPartitions)
    .map(({ topic, partition }) => topicPartitionKey(topic, partition))
    .join(',');
}

/** `t-0-1`: partition and broker. */
export function replicaName({ topic, partition, brokerId }: Omit<ReplicaMove, 'logDir'>): string {
  return `${topicPartitionKey(topic, partition)}-${brokerId}`;
}

export function compareReplicas(a: ReplicaMove, b: ReplicaMove): number {
  return a.brokerId - b.brokerId || compareTopicPartitions(a, b);
}

function listText(items: readonly (string | number)[]): string {
  return `List(${items.join(', ')})`;
}
