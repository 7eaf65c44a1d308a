import { invariant } from '@klassic/common';

import type { Acl } from '../acl.ts';
import { ensureOk, matchAnyVersion, unknownVersion } from '../requests.ts';
import {
  AclChangeNotificationSequenceZNode,
  aclResourceTypes,
  ResourceZNode,
  ZkAclStore,
} from '../znodes/acl-store.ts';
import type { AclEntry, AclResourceType, ResourcePattern } from '../znodes/acl-store.ts';
import {
  DelegationTokenChangeNotificationSequenceZNode,
  DelegationTokenChangeNotificationZNode,
  DelegationTokenInfoZNode,
  DelegationTokensZNode,
} from '../znodes/delegation-token.ts';
import type { TokenInformation } from '../znodes/delegation-token.ts';
import { AdminRequestZkClient } from './admin-request-zk-client.ts';
import type { ConditionalUpdateResult } from './zk-requests.ts';

/** Kafka's ACLs and delegation tokens, and ZooKeeper's own ACLs. */
export abstract class SecurityZkClient extends AdminRequestZkClient {
  /** Makes the paths of rules and of their change notifications, where they are missing. */
  async createAclPaths(): Promise<void> {
    for (const { patternType, aclPath } of ZkAclStore.stores) {
      await this.createRecursive(aclPath, null, false);
      for (const type of Object.keys(aclResourceTypes)) {
        await this.createRecursive(ZkAclStore.typePath(patternType, type as AclResourceType), null, false);
      }
    }
    for (const { changePath } of ZkAclStore.stores) await this.createRecursive(changePath, null, false);
  }

  /** Rules of a resource pattern and the version of their znode; none and `unknownVersion` where there is none. */
  async getVersionedAclsForResource(pattern: ResourcePattern): Promise<{ acls: AclEntry[]; zkVersion: number }> {
    const found = await this.getDataAndStat(ResourceZNode.path(pattern));
    if (found === undefined) return { acls: [], zkVersion: unknownVersion };
    return { acls: ResourceZNode.decode(pattern, found.data), zkVersion: found.stat.version };
  }

  /** Writes the rules if their znode still has `expectedVersion`. @throws ZooKeeperError */
  conditionalSetAclsForResource(
    pattern: ResourcePattern,
    acls: readonly AclEntry[],
    expectedVersion: number,
  ): Promise<ConditionalUpdateResult> {
    invariant(expectedVersion >= 0, () => `Invalid version ${expectedVersion} provided for conditional update`);
    return this.conditionalUpdatePath(ResourceZNode.path(pattern), ResourceZNode.encode(acls), expectedVersion);
  }

  /** @throws ZooKeeperError */
  async createAclsForResourceIfNotExists(
    pattern: ResourcePattern,
    acls: readonly AclEntry[],
  ): Promise<ConditionalUpdateResult> {
    const path = ResourceZNode.path(pattern);
    const data = ResourceZNode.encode(acls);
    const response = await this.request({ op: 'create', path, data, acl: this.defaultAcl(path) });
    if (response.code === 'NODE_EXISTS') return { succeeded: false, version: unknownVersion };
    ensureOk(response);
    return { succeeded: true, version: 0 };
  }

  /** Tells every broker to read the rules of `pattern` again. */
  async createAclChangeNotification(pattern: ResourcePattern): Promise<void> {
    const path = AclChangeNotificationSequenceZNode.createPath(pattern);
    await this.createSequential(path, AclChangeNotificationSequenceZNode.encode(pattern));
  }

  async deleteAclChangeNotifications(): Promise<void> {
    for (const { changePath } of ZkAclStore.stores) {
      await this.deleteAll((await this.getChildren(changePath)).map((name) => `${changePath}/${name}`));
    }
  }

  /** Names of resource types, as they stand in paths. */
  getResourceTypes(patternType: ResourcePattern['patternType']): Promise<string[]> {
    return this.getChildren(ZkAclStore.of(patternType).aclPath);
  }

  /** Names of the resources of a type that have rules. */
  getResourceNames(patternType: ResourcePattern['patternType'], resourceType: AclResourceType): Promise<string[]> {
    return this.getChildren(ZkAclStore.typePath(patternType, resourceType));
  }

  /** @returns false where there were no rules */
  deleteResource(pattern: ResourcePattern): Promise<boolean> {
    return this.deleteRecursive(ResourceZNode.path(pattern));
  }

  resourceExists(pattern: ResourcePattern): Promise<boolean> {
    return this.pathExists(ResourceZNode.path(pattern));
  }

  /** @returns false when the rules have changed since `expectedVersion` */
  async conditionalDelete(pattern: ResourcePattern, expectedVersion: number): Promise<boolean> {
    const path = ResourceZNode.path(pattern);
    const response = await this.request({ op: 'delete', path, version: expectedVersion });
    if (response.code === 'BAD_VERSION') return false;
    if (response.code !== 'NO_NODE') ensureOk(response);
    return true;
  }

  async createDelegationTokenPaths(): Promise<void> {
    await this.createRecursive(DelegationTokenChangeNotificationZNode.path, null, false);
    await this.createRecursive(DelegationTokensZNode.path, null, false);
  }

  /** Tells every broker to read a token again. */
  async createTokenChangeNotification(tokenId: string): Promise<void> {
    await this.createSequential(
      DelegationTokenChangeNotificationSequenceZNode.createPath,
      DelegationTokenChangeNotificationSequenceZNode.encode(tokenId),
    );
  }

  async setOrCreateDelegationToken(token: TokenInformation): Promise<void> {
    await this.setOrCreate(DelegationTokenInfoZNode.path(token.tokenId), DelegationTokenInfoZNode.encode(token));
  }

  /** @returns undefined where there is none */
  async getDelegationTokenInfo(tokenId: string): Promise<TokenInformation | undefined> {
    const found = await this.getDataAndStat(DelegationTokenInfoZNode.path(tokenId));
    return found === undefined ? undefined : DelegationTokenInfoZNode.decode(tokenId, found.data);
  }

  /** @returns false where there was none */
  deleteDelegationToken(tokenId: string): Promise<boolean> {
    return this.deleteRecursive(DelegationTokenInfoZNode.path(tokenId));
  }

  /** ZooKeeper's ACL of a znode. @throws ZooKeeperError */
  async getAcl(path: string): Promise<readonly Acl[]> {
    const response = await this.request({ op: 'getAcl', path });
    ensureOk(response);
    return response.acl!;
  }

  /** @throws ZooKeeperError */
  async setAcl(path: string, acl: readonly Acl[]): Promise<void> {
    ensureOk(await this.request({ op: 'setAcl', path, acl, version: matchAnyVersion }));
  }
}
