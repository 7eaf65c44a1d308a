import { apis } from '@klassic/protocol';
import type { ApiName, RequestInit } from '@klassic/protocol';

const subscription = (topic: string): Buffer =>
  Buffer.from([0, 0, 0, 0, 0, 1, 0, topic.length, ...Buffer.from(topic), 255, 255, 255, 255]);

/** From the first to the last. */
export function versionsOf(api: ApiName): number[] {
  const { minVersion, maxVersion } = apis[api];
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => minVersion + index);
}

export interface JoinOptions {
  readonly instance?: string | null;
  readonly protocols?: readonly string[];
  readonly topic?: string;
  readonly sessionTimeoutMs?: number;
  readonly protocolType?: string;
}

export function joinBody(groupId: string, memberId: string, version: number, options: JoinOptions = {}) {
  const { instance = null, protocols = ['range'], topic = 't', sessionTimeoutMs = 60_000, protocolType } = options;
  return {
    groupId,
    sessionTimeoutMs,
    memberId,
    protocolType: protocolType ?? 'consumer',
    protocols: protocols.map((name) => ({ name, metadata: subscription(topic) })),
    ...(version >= 1 ? { rebalanceTimeoutMs: 60_000 } : {}),
    ...(version >= 5 ? { groupInstanceId: instance } : {}),
  };
}

export function syncBody(
  groupId: string,
  memberId: string,
  generationId: number,
  version: number,
  instance?: string | null,
) {
  return {
    groupId,
    generationId,
    memberId,
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
    ...(version >= 3 ? { groupInstanceId: instance ?? null } : {}),
    ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
  };
}

export function commitBody(
  groupId: string,
  version: number,
  {
    memberId = '',
    generationId = -1,
    metadata = null as string | null,
    topics = ['t'],
    instance = null as string | null,
  } = {},
): RequestInit<'OffsetCommit'> {
  return {
    groupId,
    ...(version >= 1 ? { generationId, memberId } : {}),
    ...(version >= 7 ? { groupInstanceId: instance } : {}),
    topics: topics.map((name) => ({
      name,
      partitions: [0, 1, 7].map((partitionIndex) => ({
        partitionIndex,
        committedOffset: 10 + partitionIndex,
        committedMetadata: metadata,
        ...(version >= 6 ? { committedLeaderEpoch: 3 } : {}),
      })),
    })),
  };
}
