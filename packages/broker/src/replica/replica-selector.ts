import type { Node } from '../metadata/index.ts';
import type { ClientMetadata } from './messages.ts';

/** A replica as a selector sees it. Counterpart of `org.apache.kafka.common.replica.ReplicaView`. */
export interface ReplicaView {
  readonly endpoint: Node;
  readonly logEndOffset: number;
  /** ms since it last had all that the leader had. */
  readonly timeSinceLastCaughtUpMs: number;
}

/**
 * Picks the replica that a consumer is to read from (KIP-392).
 *
 * @param replicas those that have what the consumer asks for, the leader among them
 */
export type ReplicaSelector = (
  client: ClientMetadata,
  replicas: readonly ReplicaView[],
  leader: ReplicaView,
) => ReplicaView;

/** Always the leader. */
const leaderSelector: ReplicaSelector = (_client, _replicas, leader) => leader;

/** The leader if it stands in the consumer's rack, else the replica there that is furthest, else the leader. */
const rackAwareReplicaSelector: ReplicaSelector = ({ rackId }, replicas, leader) => {
  if (rackId === '') return leader;
  const sameRack = replicas.filter(({ endpoint }) => endpoint.rack === rackId);
  if (sameRack.length === 0 || sameRack.includes(leader)) return leader;
  return sameRack.reduce((best, replica) => (isFurther(replica, best) ? replica : best));
};

const selectors: ReadonlyMap<string, ReplicaSelector> = new Map([
  ['org.apache.kafka.common.replica.LeaderSelector', leaderSelector],
  ['org.apache.kafka.common.replica.RackAwareReplicaSelector', rackAwareReplicaSelector],
]);

/** The classes that `replica.selector.class` may name. */
export const replicaSelectorClasses: readonly string[] = [...selectors.keys()];

/** The selector of one of the reference's class names; undefined when there is none of that name. */
export function replicaSelectorOf(className: string): ReplicaSelector | undefined {
  return selectors.get(className);
}

function isFurther(left: ReplicaView, right: ReplicaView): boolean {
  if (left.logEndOffset !== right.logEndOffset) return left.logEndOffset > right.logEndOffset;
  if (left.timeSinceLastCaughtUpMs !== right.timeSinceLastCaughtUpMs) {
    return left.timeSinceLastCaughtUpMs < right.timeSinceLastCaughtUpMs;
  }
  return left.endpoint.id > right.endpoint.id;
}
