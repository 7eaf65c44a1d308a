import { ZNodeFormatError } from '../errors.ts';
import { arrayOf, intOf, jsonBytes, objectsOf, parseObject, requireObject, stringOf } from './json.ts';

/** Kinds of resource by the name in requests and notifications, and the name in paths (`SecurityUtils.resourceTypeName`). */
export const aclResourceTypes = {
  TOPIC: 'Topic',
  GROUP: 'Group',
  CLUSTER: 'Cluster',
  TRANSACTIONAL_ID: 'TransactionalId',
  DELEGATION_TOKEN: 'DelegationToken',
} as const;
export type AclResourceType = keyof typeof aclResourceTypes;

/** A literal name, or a prefix of names. */
export interface ResourcePattern {
  readonly resourceType: AclResourceType;
  readonly name: string;
  readonly patternType: 'LITERAL' | 'PREFIXED';
}

/** One rule of access. */
export interface AclEntry {
  /** `User:alice`, `User:*`. */
  readonly principal: string;
  /** `Allow` or `Deny`. */
  readonly permissionType: string;
  /** `Read`, `Write`, `All` … */
  readonly operation: string;
  readonly host: string;
}

interface AclStore {
  readonly patternType: ResourcePattern['patternType'];
  readonly aclPath: string;
  readonly changePath: string;
}

const literalStore: AclStore = { patternType: 'LITERAL', aclPath: '/kafka-acl', changePath: '/kafka-acl-changes' };
const extendedStore: AclStore = {
  patternType: 'PREFIXED',
  aclPath: '/kafka-acl-extended/prefixed',
  changePath: '/kafka-acl-extended-changes',
};

export const ExtendedAclZNode = { path: '/kafka-acl-extended' };

/** The two places where rules are kept: literal patterns, and the others. Counterpart of `kafka.zk.ZkAclStore`. */
export const ZkAclStore = {
  stores: [literalStore, extendedStore] as readonly AclStore[],
  of: (patternType: ResourcePattern['patternType']): AclStore =>
    patternType === 'LITERAL' ? literalStore : extendedStore,
  typePath(patternType: ResourcePattern['patternType'], resourceType: AclResourceType): string {
    return `${this.of(patternType).aclPath}/${aclResourceTypes[resourceType]}`;
  },
};

/** `/kafka-acl/<Type>/<name>` and `/kafka-acl-extended/prefixed/<Type>/<name>`: the rules of one resource pattern. */
export const ResourceZNode = {
  path: ({ resourceType, name, patternType }: ResourcePattern): string =>
    `${ZkAclStore.typePath(patternType, resourceType)}/${name}`,
  encode: (acls: readonly AclEntry[]): Buffer =>
    jsonBytes({
      version: 1,
      acls: acls.map(({ principal, permissionType, operation, host }) => ({
        principal,
        permissionType,
        operation,
        host,
      })),
    }),
  /** @throws ZNodeFormatError */
  decode(pattern: ResourcePattern, bytes: Buffer | null): AclEntry[] {
    const path = this.path(pattern);
    const object = parseObject(path, bytes);
    if (object === undefined || arrayOf(path, object, 'acls').length === 0) return [];
    if (intOf(path, object, 'version') !== 1) throw new ZNodeFormatError(`${path}: unsupported version of ACLs`);
    return objectsOf(path, object, 'acls').map((acl) => ({
      principal: stringOf(path, acl, 'principal'),
      permissionType: stringOf(path, acl, 'permissionType'),
      operation: stringOf(path, acl, 'operation'),
      host: stringOf(path, acl, 'host'),
    }));
  },
};

/**
 * `/kafka-acl-changes/acl_changes_<n>` (plain `TOPIC:orders`) and `/kafka-acl-extended-changes/acl_changes_<n>` (JSON):
 * tell every broker which rules to read again.
 */
export const AclChangeNotificationSequenceZNode = {
  prefix: 'acl_changes_',
  createPath: ({ patternType }: ResourcePattern): string => `${ZkAclStore.of(patternType).changePath}/acl_changes_`,
  encode: ({ resourceType, name, patternType }: ResourcePattern): Buffer =>
    patternType === 'LITERAL'
      ? Buffer.from(`${resourceType}:${name}`, 'utf8')
      : jsonBytes({ version: 1, resourceType, name, patternType }),
  /** @throws ZNodeFormatError */
  decode(storedUnder: ResourcePattern['patternType'], bytes: Buffer | null): ResourcePattern {
    const path = ZkAclStore.of(storedUnder).changePath;
    if (storedUnder === 'LITERAL') {
      const text = bytes?.toString('utf8') ?? '';
      const colon = text.indexOf(':');
      if (colon === -1) throw new ZNodeFormatError(`${path}: expected ResourceType:ResourceName but got ${text}`);
      const resourceType = resourceTypeOf(path, text.slice(0, colon));
      return { resourceType, name: text.slice(colon + 1), patternType: 'LITERAL' };
    }
    const object = requireObject(path, bytes);
    if (intOf(path, object, 'version') > 1)
      throw new ZNodeFormatError(`${path}: unsupported version of ACL change event`);
    const patternType = stringOf(path, object, 'patternType');
    if (patternType !== 'PREFIXED') throw new ZNodeFormatError(`${path}: unknown pattern type ${patternType}`);
    return {
      resourceType: resourceTypeOf(path, stringOf(path, object, 'resourceType')),
      name: stringOf(path, object, 'name'),
      patternType,
    };
  },
};

/** Either name of a resource type, in any case. */
function resourceTypeOf(path: string, text: string): AclResourceType {
  for (const [type, name] of Object.entries(aclResourceTypes)) {
    const wanted = text.toUpperCase();
    if (wanted === type || wanted === name.toUpperCase()) return type as AclResourceType;
  }
  throw new ZNodeFormatError(`${path}: unknown resource type ${text}`);
}
