import { afterEach } from '@jest/globals';
import { ReplicaCluster } from './replica-cluster.ts';
import type { ReplicaClusterOptions } from './replica-cluster.ts';

/**
 * For the tests of a file, each of which may start one cluster, stopped when the test is over.
 *
 * @param defaults what the file's tests have in common
 * @returns starts it
 */
export function clusterPerTest(
  defaults: ReplicaClusterOptions = {},
): (options?: ReplicaClusterOptions) => Promise<ReplicaCluster> {
  let cluster: ReplicaCluster | undefined;
  afterEach(async () => {
    await cluster?.stop();
    cluster = undefined;
  });
  return async (options = {}) => {
    cluster = await new ReplicaCluster({ ...defaults, ...options }).start();
    return cluster;
  };
}
