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

export interface GroupHandlersOptions {
  readonly coordinator: GroupCoordinator;
  readonly metadataCache: MetadataCache;
  readonly autoTopicCreation: AutoTopicCreation;
  /** Stamps commits. */
  readonly time?: Time;
}

/** The APIs of consumer groups and committed offsets. */
export function groupHandlers(options: GroupHandlersOptions): AnyApiHandler[] {
  const { coordinator, metadataCache, time = new SystemTime() } = options;
  return [
    findCoordinatorHandler(options),
    joinGroupHandler(coordinator),
    syncGroupHandler(coordinator),
    heartbeatHandler(coordinator),
    leaveGroupHandler(coordinator),
    offsetCommitHandler(coordinator, metadataCache, time),
    offsetFetchHandler(coordinator),
    offsetDeleteHandler(coordinator, metadataCache),
    listGroupsHandler(coordinator),
    describeGroupsHandler(coordinator),
    deleteGroupsHandler(coordinator),
  ];
}
