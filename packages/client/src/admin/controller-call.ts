import { Errors } from '@klassic/protocol';
import { kafkaError } from '../client-errors.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Cluster, Node } from '../metadata/cluster.ts';
import { retrying } from '../retrying.ts';

/** The cluster as a broker knows it now, without topics. @throws TimeoutError */
export async function currentCluster({ metadata, config }: ClientParts): Promise<Cluster> {
  return await retrying(config, { what: 'describing the cluster' }, async () => await metadata.ask(new Set()));
}

/**
 * Does something at the controller, looking for it again when it has moved.
 *
 * @throws TimeoutError, or whatever retrying cannot mend
 */
export async function atController<T>(
  parts: ClientParts,
  what: string,
  attempt: (controller: Node) => Promise<T>,
): Promise<T> {
  return await retrying(parts.config, { what }, async () => {
    const { controller } = await parts.metadata.ask(new Set());
    if (controller === undefined) throw kafkaError(Errors.NOT_CONTROLLER.code);
    return await attempt(controller);
  });
}
