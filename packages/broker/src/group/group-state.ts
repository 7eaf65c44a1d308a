/**
 * The life of a group. Counterpart of `kafka.coordinator.group.GroupState`.
 *
 * - Empty: no members; offsets may be there. A group that only stores offsets never leaves it.
 * - PreparingRebalance: members are asked to join again; JoinGroup requests wait.
 * - CompletingRebalance: everybody has joined; SyncGroup requests wait for the leader's assignment.
 * - Stable: every member can have its assignment.
 * - Dead: deleted, expired, or moved to another coordinator.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

export const groupStates: readonly GroupState[] = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
];

/** From which states each one can be entered. */
export const validPreviousStates: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
};
