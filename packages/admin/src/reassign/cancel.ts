import type { Admin } from '@klassic/client';
import { topicPartitionKey } from '@klassic/common';
import type { ToolIo } from '../tool.ts';
import { refusals } from './execute.ts';
import { ReassignmentFailedError } from './failure.ts';
import { executeMoves, findMoveStates } from './log-dir-moves.ts';
import { listPartitions, parsePlan } from './plan.ts';
import { clearAllThrottles } from './throttles.ts';

/** Gives up what a plan has begun. @throws PartitionFileError, ReassignmentFailedError, KafkaError, TimeoutError */
export async function cancelAssignment(
  admin: Admin,
  planText: string,
  options: {
    readonly preserveThrottles: boolean;
    /** For moves between log dirs to be turned back. */
    readonly timeoutMs: number;
  },
  io: ToolIo,
): Promise<void> {
  const plan = parsePlan(planText);
  const ongoing = await admin.listPartitionReassignments();
  const active = plan.assignments.filter(({ topic, partition }) => ongoing.has(topicPartitionKey(topic, partition)));
  const plural = active.length === 1 ? '' : 's';
  if (active.length > 0) {
    const refused = await admin.alterPartitionReassignments(
      active.map(({ topic, partition }) => ({ topic, partition, replicas: null })),
    );
    if (refused.size > 0) {
      throw new ReassignmentFailedError(
        `Error cancelling partition reassignment${refused.size === 1 ? '' : 's'} for:\n${refusals(active, refused)}`,
      );
    }
    io.out(`Successfully cancelled partition reassignment${plural} for: ${listPartitions(active)}\n`);
  } else {
    io.out('None of the specified partition reassignments are active.\n');
  }
  // A move is given up by asking for the log dir where the replica lies.
  const moving = (await findMoveStates(admin, plan.moves)).flatMap(({ move, current, future }) =>
    future === undefined || current === undefined ? [] : [{ ...move, logDir: current }],
  );
  if (moving.length > 0) await executeMoves(admin, moving, options.timeoutMs, io);
  else io.out('None of the specified partition moves are active.\n');
  if (!options.preserveThrottles) await clearAllThrottles(admin, plan, io);
}
