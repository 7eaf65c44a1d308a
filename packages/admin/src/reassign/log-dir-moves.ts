import type { Admin, ReplicaMove } from '@klassic/client';
import { delay } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { topicPartitionKey } from '@klassic/common';
import type { ToolIo } from '../tool.ts';
import { ReassignmentFailedError } from './failure.ts';
import { compareReplicas, replicaName } from './plan.ts';

const RETRY_MS = 100;

/** Where a replica lies, and where it is being moved to; undefined for nowhere. */
export interface MoveState {
  readonly move: ReplicaMove;
  /** Log dir of the replica in use. */
  readonly current: string | undefined;
  readonly future: string | undefined;
}

/** Asks the brokers where the replicas of some moves lie. */
export async function findMoveStates(admin: Admin, moves: readonly ReplicaMove[]): Promise<MoveState[]> {
  const brokers = [...new Set(moves.map(({ brokerId }) => brokerId))];
  const infos = new Map(await Promise.all(brokers.map(async (id) => [id, await admin.describeLogDirs(id)] as const)));
  return moves.map((move) => {
    const logDirOf = (wantsFuture: boolean): string | undefined =>
      infos
        .get(move.brokerId)
        ?.find(({ replicas }) =>
          replicas.some(
            ({ topic, partition, isFuture }) =>
              topic === move.topic && partition === move.partition && isFuture === wantsFuture,
          ),
        )?.path;
    return { move, current: logDirOf(false), future: logDirOf(true) };
  });
}

/** Whether nothing is being moved (any more). */
export function isDone({ future }: MoveState): boolean {
  return future === undefined;
}

/** What there is to tell of moves, a line each. */
export function describeMoves(states: readonly MoveState[]): string {
  return [...states]
    .sort((a, b) => compareReplicas(a.move, b.move))
    .map(describeMove)
    .join('\n');
}

function describeMove({ move, current, future }: MoveState): string {
  const { topic, partition, brokerId, logDir } = move;
  const key = topicPartitionKey(topic, partition);
  if (current === undefined) {
    return `Partition ${key} cannot be found in any live log directory on broker ${brokerId}.`;
  }
  if (future === logDir) return `Reassignment of replica ${replicaName(move)} is still in progress.`;
  if (future !== undefined) {
    return `Partition ${key} on broker ${brokerId} is being moved to log dir ${future} instead of ${logDir}.`;
  }
  return current === logDir
    ? `Reassignment of replica ${replicaName(move)} completed successfully.`
    : `Partition ${key} on broker ${brokerId} is not being moved from log dir ${current} to ${logDir}.`;
}

/**
 * Begins moves. A replica that is yet to come to its broker is asked for again and again.
 *
 * @param timeoutMs for all to have begun
 * @throws ReassignmentFailedError
 */
export async function executeMoves(
  admin: Admin,
  moves: readonly ReplicaMove[],
  timeoutMs: number,
  io: ToolIo,
): Promise<void> {
  const { time } = io;
  const deadlineMs = time.milliseconds() + timeoutMs;
  let pending = [...moves];
  for (;;) {
    const results = await admin.alterReplicaLogDirs(pending);
    const begun = pending.filter((move, at) => hasBegun(move, results[at] ?? null));
    if (begun.length > 0) {
      io.out(`Successfully started log directory move${begun.length === 1 ? '' : 's'} for: ${namesOf(begun)}\n`);
    }
    pending = pending.filter((move) => !begun.includes(move));
    if (pending.length === 0) return;
    if (time.milliseconds() >= deadlineMs) {
      const moveOrMoves = pending.length === 1 ? 'move' : 'moves';
      throw new ReassignmentFailedError(
        `Timed out before log directory ${moveOrMoves} could be started for: ${namesOf(pending)}`,
      );
    }
    await delay(time, RETRY_MS);
  }
}

function hasBegun(move: ReplicaMove, error: Error | null): boolean {
  if (error === null) return true;
  if (error instanceof KafkaError && error.error === Errors.REPLICA_NOT_AVAILABLE) return false;
  throw new Error(`Failed to alter dir for ${replicaName(move)}`, { cause: error });
}

function namesOf(moves: readonly ReplicaMove[]): string {
  return [...moves].sort(compareReplicas).map(replicaName).join(',');
}
