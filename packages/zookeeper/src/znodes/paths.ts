import { creatorAllAcl, openAcl, readAcl } from '../acl.ts';
import type { Acl } from '../acl.ts';
import { ExtendedAclZNode, ZkAclStore } from './acl-store.ts';
import { AdminZNode, DeleteTopicsZNode } from './admin.ts';
import { BrokerIdsZNode, BrokerSequenceIdZNode, BrokersZNode } from './broker.ts';
import { ClusterZNode, ConsumerPathZNode, ProducerIdBlockZNode } from './cluster.ts';
import { ConfigEntityChangeNotificationZNode, ConfigEntityTypeZNode, configTypes, ConfigZNode } from './config.ts';
import { ControllerEpochZNode, ControllerZNode } from './controller.ts';
import { DelegationTokenAuthZNode, DelegationTokensZNode } from './delegation-token.ts';
import { IsrChangeNotificationZNode, LogDirEventNotificationZNode } from './notification.ts';
import { TopicsZNode } from './topic.ts';

/** Paths that every broker makes when it starts, in this order (`ZkData.PersistentZkPaths`). */
export const persistentPaths: readonly string[] = [
  ConsumerPathZNode.path,
  BrokerIdsZNode.path,
  TopicsZNode.path,
  ConfigEntityChangeNotificationZNode.path,
  DeleteTopicsZNode.path,
  BrokerSequenceIdZNode.path,
  IsrChangeNotificationZNode.path,
  ProducerIdBlockZNode.path,
  LogDirEventNotificationZNode.path,
  ...configTypes.map((type) => ConfigEntityTypeZNode.path(type)),
];

/** Roots that `zookeeper.set.acl` secures (`ZkData.SecureRootPaths`). */
export const secureRootPaths: readonly string[] = [
  AdminZNode.path,
  BrokersZNode.path,
  ClusterZNode.path,
  ConfigZNode.path,
  ControllerZNode.path,
  ControllerEpochZNode.path,
  IsrChangeNotificationZNode.path,
  ProducerIdBlockZNode.path,
  LogDirEventNotificationZNode.path,
  DelegationTokenAuthZNode.path,
  ExtendedAclZNode.path,
  ...ZkAclStore.stores.flatMap(({ aclPath, changePath }) => [aclPath, changePath]),
];

/** Roots that nobody but the creator may even read when secured (`ZkData.SensitiveRootPaths`). */
export const sensitiveRootPaths: readonly string[] = [
  ConfigEntityTypeZNode.path('users'),
  ConfigEntityTypeZNode.path('brokers'),
  DelegationTokensZNode.path,
];

/** The ACL of a new znode (`ZkData.defaultAcls`). `/consumers` stays open: consumers of old write there. */
export function defaultAcl(secure: boolean, path: string): readonly Acl[] {
  if (!secure || path === ConsumerPathZNode.path) return openAcl;
  const sensitive = sensitiveRootPaths.some((root) => path.startsWith(root));
  return sensitive ? creatorAllAcl : [...creatorAllAcl, ...readAcl];
}
