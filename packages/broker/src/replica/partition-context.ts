import type { Logger, Time } from '@klassic/common';
import type { LogManager } from '@klassic/log';
import type { RequestOf } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { IsrChangeListener } from './isr-maintenance.ts';
import type { ZkIsrManager } from './isr-manager.ts';

/** State of one partition in a LeaderAndIsr request. */
export type LeaderAndIsrPartitionState = RequestOf<'LeaderAndIsr'>['topicStates'][number]['partitionStates'][number];

/** What every partition of a broker shares. */
export interface PartitionContext {
  readonly localBrokerId: number;
  readonly replicaLagTimeMaxMs: number;
  readonly time: Time;
  readonly logManager: LogManager;
  readonly metadataCache: MetadataCache;
  readonly isrManager: ZkIsrManager;
  readonly isrChangeListener: IsrChangeListener;
  readonly logger: Logger;
  readonly stateChangeLogger: Logger;
  /** Looks again at the fetches, produces and deletions that wait for the partition. */
  readonly completeDelayedRequests: (key: string) => void;
  /** Whether any DeleteRecords waits on this broker: only then is the low watermark worth its cost. */
  readonly hasDelayedDeleteRecords: () => boolean;
}
