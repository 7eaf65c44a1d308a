import { SystemTime } from '@klassic/common';
import type { Time } from '@klassic/common';
import type { GroupCoordinator } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { AnyApiHandler } from './api-handler.ts';
import type { AutoTopicCreation } from './auto-topic-creation.ts';
import { findCoordinatorHandler } from './find-coordinator.ts';
import { deleteGroupsHandler, describeGroupsHandler, listGroupsHandler } from './group-administration.ts';
import { heartbeatHandler, joinGroupHandler, leaveGroupHandler, syncGroupHandler } from './group-membership.ts';
import { offsetCommitHandler } from './offset-commit.ts';
import { offsetDeleteHandler } from './offset-delete.ts';
import { offsetFetchHandler } from './offset-fetch.ts';
import { OffsetsInZooKeeper } from './offsets-in-zookeeper.ts';
import type { ZooKeeperOffsetStore } from './offsets-in-zookeeper.ts';
import { txnOffsetCommitHandler } from './txn-offset-commit.ts';

export interface GroupHandlersOptions {
  readonly coordinator: GroupCoordinator;
  readonly metadataCache: MetadataCache;
  readonly autoTopicCreation: AutoTopicCreation;
  readonly zooKeeperOffsetStore: ZooKeeperOffsetStore;
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataMaxSize: number;
  /** Stamps commits. */
  readonly time?: Time;
}

/** The APIs of consumer groups and committed offsets. */
export function groupHandlers(options: GroupHandlersOptions): AnyApiHandler[] {
  const { coordinator, metadataCache, zooKeeperOffsetStore, offsetMetadataMaxSize, time = new SystemTime() } = options;
  const offsetsInZooKeeper = new OffsetsInZooKeeper(zooKeeperOffsetStore, metadataCache, offsetMetadataMaxSize);
  return [
    findCoordinatorHandler(options),
    joinGroupHandler(coordinator),
    syncGroupHandler(coordinator),
    heartbeatHandler(coordinator),
    leaveGroupHandler(coordinator),
    offsetCommitHandler(coordinator, metadataCache, offsetsInZooKeeper, time),
    txnOffsetCommitHandler(coordinator, metadataCache, time),
    offsetFetchHandler(coordinator, offsetsInZooKeeper),
    offsetDeleteHandler(coordinator, metadataCache),
    listGroupsHandler(coordinator),
    describeGroupsHandler(coordinator),
    deleteGroupsHandler(coordinator),
  ];
}
