import { DisconnectError } from '@klassic/network';
import { Errors, KafkaError } from '@klassic/protocol';
import { throwIfError } from './client-errors.ts';
import type { ClientParts } from './list-offsets.ts';
import type { Node } from './metadata/cluster.ts';
import { retrying } from './retrying.ts';

const GROUP_KEY = 0;

/**
 * Asks any broker which one coordinates a group.
 *
 * @throws KafkaError (COORDINATOR_NOT_AVAILABLE is retriable), DisconnectError
 */
export async function findGroupCoordinator({ client, metadata }: ClientParts, groupId: string): Promise<Node> {
  let failure: unknown = new DisconnectError('No broker is known');
  for (const node of metadata.candidates()) {
    try {
      const answer = await client.send(node, 'FindCoordinator', { key: groupId, keyType: GROUP_KEY });
      throwIfError(answer.errorCode, answer.errorMessage);
      return { id: answer.nodeId, host: answer.host, port: answer.port, rack: null };
    } catch (error) {
      if (!(error instanceof DisconnectError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Does something at a group's coordinator, looking for it again when it has moved or gone. */
export async function atCoordinator<T>(
  parts: ClientParts,
  groupId: string,
  what: string,
  attempt: (coordinator: Node) => Promise<T>,
): Promise<T> {
  return await retrying(parts.config, { what }, async () => await attempt(await findGroupCoordinator(parts, groupId)));
}

/** True when the answer says that this broker does not, or not any more, coordinate the group. */
export function isCoordinatorGone(error: unknown): boolean {
  if (error instanceof DisconnectError) return true;
  if (!(error instanceof KafkaError)) return false;
  const { code } = error.error;
  return code === Errors.NOT_COORDINATOR.code || code === Errors.COORDINATOR_NOT_AVAILABLE.code;
}
