import type { LeaderAndIsr, ReplicaAssignment } from '@klassic/zookeeper';
import { nextLeaderAndIsr } from './leader-and-isr.ts';
import {
  controlledShutdownPartitionLeaderElection,
  offlinePartitionLeaderElection,
  preferredReplicaPartitionLeaderElection,
  reassignPartitionLeaderElection,
} from './partition-leader-election-algorithms.ts';
import { targetReplicas } from './replica-assignment.ts';

/** Why a leader is elected, which decides who may become it. */
export type PartitionLeaderElectionStrategy =
  | { readonly kind: 'offline'; readonly allowUnclean: boolean }
  | { readonly kind: 'reassign' }
  | { readonly kind: 'preferred' }
  | { readonly kind: 'controlledShutdown' };

/** All that an election looks at: it decides by this alone. */
export interface ElectionInput {
  readonly assignment: ReplicaAssignment;
  readonly current: LeaderAndIsr;
  /** Whether the replica on that broker is alive, its log directory too, and its broker not shutting down. */
  readonly isOnline: (brokerId: number) => boolean;
  /** The same, but a broker that shuts down still counts. */
  readonly isOnlineOrShuttingDown: (brokerId: number) => boolean;
  readonly shuttingDownBrokers: ReadonlySet<number>;
}

/** The new state, or undefined when nobody may lead, and the brokers that LeaderAndIsr goes to. */
export interface ElectionResult {
  readonly leaderAndIsr: LeaderAndIsr | undefined;
  readonly recipients: readonly number[];
}

/** For new and offline partitions: the ISR shrinks to its live members; an unclean leader is the ISR alone. */
export function leaderForOffline(input: ElectionInput, uncleanLeaderElectionEnabled: boolean): ElectionResult {
  const { assignment, current, isOnline } = input;
  const live = assignment.replicas.filter(isOnline);
  const leader = offlinePartitionLeaderElection(
    assignment.replicas,
    current.isr,
    new Set(live),
    uncleanLeaderElectionEnabled,
  );
  if (leader === undefined) return { leaderAndIsr: undefined, recipients: live };
  const isr = current.isr.includes(leader) ? current.isr.filter(isOnline) : [leader];
  return { leaderAndIsr: nextLeaderAndIsr(current, leader, isr), recipients: live };
}

/** For partitions under reassignment: the leader moves into the target replicas, the ISR stays. */
export function leaderForReassign({ assignment, current, isOnline }: ElectionInput): ElectionResult {
  const target = targetReplicas(assignment);
  const leader = reassignPartitionLeaderElection(target, current.isr, new Set(target.filter(isOnline)));
  return moved(current, leader, target);
}

/** For preferred replica elections: the first replica of the assignment, the ISR stays. */
export function leaderForPreferredReplica({ assignment, current, isOnline }: ElectionInput): ElectionResult {
  const live = new Set(assignment.replicas.filter(isOnline));
  const leader = preferredReplicaPartitionLeaderElection(assignment.replicas, current.isr, live);
  return moved(current, leader, assignment.replicas);
}

/** For partitions led by a broker that shuts down: it leaves the ISR in the same step, and is told as well. */
export function leaderForControlledShutdown(input: ElectionInput): ElectionResult {
  const { assignment, current, isOnlineOrShuttingDown, shuttingDownBrokers } = input;
  const live = assignment.replicas.filter(isOnlineOrShuttingDown);
  const leader = controlledShutdownPartitionLeaderElection(
    assignment.replicas,
    current.isr,
    new Set(live),
    shuttingDownBrokers,
  );
  if (leader === undefined) return { leaderAndIsr: undefined, recipients: live };
  const isr = current.isr.filter((id) => !shuttingDownBrokers.has(id));
  return { leaderAndIsr: nextLeaderAndIsr(current, leader, isr), recipients: live };
}

function moved(current: LeaderAndIsr, leader: number | undefined, recipients: readonly number[]): ElectionResult {
  if (leader === undefined) return { leaderAndIsr: undefined, recipients };
  return { leaderAndIsr: nextLeaderAndIsr(current, leader, current.isr), recipients };
}
