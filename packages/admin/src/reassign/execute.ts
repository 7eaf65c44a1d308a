import type { Admin } from '@klassic/client';
import { topicPartitionKey } from '@klassic/common';
import { compareTopicPartitions } from '../partition-file.ts';
import type { ToolIo } from '../tool.ts';
import { currentAssignments } from './current.ts';
import { ReassignmentFailedError } from './failure.ts';
import { executeMoves } from './log-dir-moves.ts';
import { formatPlan, listPartitions, parseExecutablePlan } from './plan.ts';
import type { Assignment } from './plan.ts';
import { limitLogDirMoves, limitReassignment, proposedMoves } from './throttles.ts';

export interface ExecuteOptions {
  /** Whether there may be reassignments under way. */
  readonly isAdditional: boolean;
  /** Bytes per second between brokers; negative for no limit. */
  readonly throttle: number;
  /** Bytes per second between log dirs; negative for no limit. */
  readonly logDirThrottle: number;
  /** For moves between log dirs to begin. */
  readonly timeoutMs: number;
}

/** Carries out a plan. @throws PartitionFileError, ReassignmentFailedError, KafkaError, TimeoutError */
export async function executeAssignment(
  admin: Admin,
  planText: string,
  io: ToolIo,
  options: ExecuteOptions,
): Promise<void> {
  const plan = parseExecutablePlan(planText);
  const { assignments, moves } = plan;
  const ongoing = await admin.listPartitionReassignments();
  if (!options.isAdditional && ongoing.size > 0) {
    throw new ReassignmentFailedError(
      'Cannot execute because there is an existing partition assignment.  Use --additional to override this and create ' +
        'a new partition assignment in addition to the existing one. The --additional flag can also be used to change the ' +
        'throttle by resubmitting the current reassignment.',
    );
  }
  await checkBrokerIds(admin, assignments);
  const current = await currentAssignments(admin, assignments);
  io.out(
    `Current partition replica assignment\n\n${formatPlan(current)}\n\nSave this to use as the --reassignment-json-file ` +
      `option during rollback\n`,
  );
  const { throttle, logDirThrottle } = options;
  if (throttle >= 0 || logDirThrottle >= 0) {
    io.out(
      'Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.\n',
    );
    if (throttle >= 0) {
      await limitReassignment(admin, proposedMoves(ongoing, assignments, current), throttle, io);
    }
    if (logDirThrottle >= 0) await limitLogDirMoves(admin, plan, logDirThrottle, io);
  }
  const refused = await admin.alterPartitionReassignments(assignments);
  if (refused.size > 0) {
    throw new ReassignmentFailedError(`Error reassigning partition(s):\n${refusals(assignments, refused)}`);
  }
  io.out(
    `Successfully started partition reassignment${assignments.length === 1 ? '' : 's'} for ` +
      `${listPartitions(assignments)}\n`,
  );
  if (moves.length > 0) await executeMoves(admin, moves, options.timeoutMs, io);
}

/** Each partition that was refused, and why, on a line of its own. */
export function refusals(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  refused: ReadonlyMap<string, Error>,
): string {
  return [...partitions]
    .sort(compareTopicPartitions)
    .map(({ topic, partition }) => topicPartitionKey(topic, partition))
    .filter((key) => refused.has(key))
    .map((key) => `${key}: ${refused.get(key)!.message}`)
    .join('\n');
}

async function checkBrokerIds(admin: Admin, assignments: readonly Assignment[]): Promise<void> {
  const { nodes } = await admin.describeCluster();
  const unknown = assignments.flatMap(({ replicas }) => replicas).find((id) => !nodes.has(id));
  if (unknown !== undefined) throw new Error(`Unknown broker id ${unknown}`);
}
