import type { Node } from '../metadata/index.ts';
import type { ClientMetadata } from './messages.ts';
import type { Partition } from './partition.ts';
import type { ReplicaSelector, ReplicaView } from './replica-selector.ts';

/**
 * The broker that a consumer had better fetch from, if it is not this one, which leads the partition.
 *
 * @param endpoints the partition's reachable replicas, by broker id
 * @returns its id; -1 when the consumer is in the right place
 */
export function preferredReadReplica(
  partition: Partition,
  selector: ReplicaSelector,
  client: ClientMetadata,
  fetchOffset: number,
  endpoints: ReadonlyMap<number, Node>,
  nowMs: number,
): number {
  const leaderEndpoint = endpoints.get(partition.localBrokerId);
  if (leaderEndpoint === undefined) return -1;
  const { logEndOffset } = partition.localLogOrException();
  const leader: ReplicaView = { endpoint: leaderEndpoint, logEndOffset, timeSinceLastCaughtUpMs: 0 };
  const replicas = [leader];
  for (const replica of partition.remoteReplicas) {
    const endpoint = endpoints.get(replica.brokerId);
    if (endpoint === undefined || replica.logEndOffset < fetchOffset || replica.logStartOffset > fetchOffset) continue;
    const timeSinceLastCaughtUpMs = nowMs - replica.lastCaughtUpTimeMs;
    replicas.push({ endpoint, logEndOffset: replica.logEndOffset, timeSinceLastCaughtUpMs });
  }
  const selected = selector(client, replicas, leader);
  return selected === leader ? -1 : selected.endpoint.id;
}
