import type { KafkaController } from '@klassic/controller';
import type { LogManager } from '@klassic/log';
import type { GroupCoordinator } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { Partition, ReplicaManager } from '../replica/index.ts';
import type { SessionWatch } from './session-watch.ts';

/** The parts of a broker that the pages `/state` and `/health` tell of. */
export interface StateParts {
  readonly brokerId: number;
  readonly clusterId: string;
  /** The reference's number: 3 is running. */
  readonly brokerState: () => number;
  readonly replicaManager: ReplicaManager;
  readonly logManager: LogManager;
  readonly metadataCache: MetadataCache;
  readonly controller: KafkaController;
  readonly groupCoordinator: GroupCoordinator;
  readonly session: SessionWatch;
}

const RUNNING = 3;

/** Whether the broker does its work: it runs, its session with ZooKeeper lives, and it has a disk. */
export function healthOf(parts: StateParts): { status: 'healthy' | 'unhealthy'; problems: string[] } {
  const problems: string[] = [];
  const brokerState = parts.brokerState();
  if (brokerState !== RUNNING) problems.push(`the broker is in state ${brokerState}, not running (${RUNNING})`);
  const { state } = parts.session;
  if (state !== 'CONNECTED') problems.push(`the session with ZooKeeper is ${state}`);
  const { offlineLogDirs } = parts.logManager;
  if (offlineLogDirs.length > 0) problems.push(`log dirs have failed: ${offlineLogDirs.join(', ')}`);
  return { status: problems.length === 0 ? 'healthy' : 'unhealthy', problems };
}

/** What the broker knows at this moment, each fact where it stands: a look at every partition, for people to read. */
export function stateOf(parts: StateParts): object {
  const { controller, session, metadataCache, groupCoordinator } = parts;
  return {
    broker: {
      id: parts.brokerId,
      epoch: controller.brokerEpoch,
      clusterId: parts.clusterId,
      state: parts.brokerState(),
      isController: controller.isActive,
    },
    zooKeeper: { session: session.sessionId, state: session.state, ...session.counts },
    partitions: Object.fromEntries(
      [...parts.replicaManager.onlinePartitions()].map((partition) => [partition.key, partitionState(partition)]),
    ),
    metadataCache: cachedMetadata(metadataCache),
    groups: groupCoordinator.handleListGroups(new Set()).groups,
    controller: controller.stateView ?? null,
  };
}

function partitionState(partition: Partition): object {
  const { log } = partition;
  const followers = [...partition.remoteReplicas].map(({ brokerId, logEndOffset, logStartOffset }) => ({
    brokerId,
    logEndOffset,
    logStartOffset,
  }));
  return {
    role: partition.isLeader ? 'leader' : 'follower',
    leader: partition.leaderReplicaId ?? null,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.assignmentState.replicas,
    ...(partition.isLeader ? { isr: partition.inSyncReplicaIds, zkVersion: partition.zkVersion, followers } : {}),
    ...(log === undefined
      ? {}
      : {
          logStartOffset: log.logStartOffset,
          lastStableOffset: log.lastStableOffset,
          highWatermark: log.highWatermark,
          logEndOffset: log.logEndOffset,
          segments: log.segmentBaseOffsets,
          sizeInBytes: log.size,
        }),
  };
}

function cachedMetadata(metadataCache: MetadataCache): object {
  return {
    controllerId: metadataCache.controllerId ?? null,
    aliveBrokers: metadataCache.getAliveBrokers(),
    partitions: Object.fromEntries(
      metadataCache.getAllPartitions().map(({ topic, partition }) => {
        const { leader, leaderEpoch, isr, replicas, offlineReplicas } = metadataCache.getPartitionInfo(
          topic,
          partition,
        )!;
        return [`${topic}-${partition}`, { leader, leaderEpoch, isr, replicas, offlineReplicas }];
      }),
    ),
  };
}
