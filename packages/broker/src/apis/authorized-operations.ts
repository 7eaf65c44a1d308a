/** Codes of `AclOperation`. */
const operation = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const;

const { read, write, create, alter, describe, describeConfigs, alterConfigs } = operation;

function bits(...operations: readonly number[]): number {
  return operations.reduce((field, code) => field | (1 << code), 0);
}

/** What a client may do that asks (KIP-430): without an authorizer everything that there is for such a resource. */
export const authorizedOperations = {
  topic: bits(read, write, create, describe, operation.delete, alter, describeConfigs, alterConfigs),
  cluster: bits(
    create,
    operation.clusterAction,
    describeConfigs,
    alterConfigs,
    operation.idempotentWrite,
    alter,
    describe,
  ),
} as const;
