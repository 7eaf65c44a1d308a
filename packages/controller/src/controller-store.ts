import type { KafkaZkClient } from '@klassic/zookeeper';

/**
 * The part of `KafkaZkClient` that the controller uses. Every write carries the expected version of
 * `/controller_epoch` and fails with `ControllerMovedError` when another controller has been elected since.
 */
export type ControllerStore = Pick<
  KafkaZkClient,
  // the session and its watches
  | 'registerStateChangeHandler'
  | 'unregisterStateChangeHandler'
  | 'registerZNodeChangeHandler'
  | 'registerZNodeChangeHandlerAndCheckExistence'
  | 'unregisterZNodeChangeHandler'
  | 'registerZNodeChildChangeHandler'
  | 'unregisterZNodeChildChangeHandler'
  // the election
  | 'getControllerId'
  | 'registerControllerAndIncrementControllerEpoch'
  | 'deleteController'
  // brokers
  | 'registerBroker'
  | 'getBroker'
  | 'getAllBrokerAndEpochs'
  // topics
  | 'getAllTopicsInCluster'
  | 'getReplicaAssignmentAndTopicIdForTopics'
  | 'getFullReplicaAssignmentForTopics'
  | 'setTopicAssignment'
  | 'getEntityConfigs'
  | 'getChildren'
  | 'getTopicPartitionStates'
  | 'getTopicPartitionStatesRaw'
  | 'createTopicPartitionStatesRaw'
  | 'updateLeaderAndIsr'
  // notifications
  | 'getAllIsrChangeNotifications'
  | 'getPartitionsFromIsrChangeNotifications'
  | 'deleteIsrChangeNotifications'
  | 'deleteAllIsrChangeNotifications'
  | 'getAllLogDirEventNotifications'
  | 'getBrokerIdsFromLogDirEvents'
  | 'deleteLogDirEventNotifications'
  | 'deleteAllLogDirEventNotifications'
  // admin
  | 'getTopicDeletions'
  | 'deleteTopicDeletions'
  | 'deleteTopicZNode'
  | 'deleteTopicConfigs'
  | 'getPreferredReplicaElection'
  | 'deletePreferredReplicaElection'
  | 'getPartitionReassignment'
  | 'reassignPartitionsInProgress'
  | 'setOrCreatePartitionReassignment'
  | 'deletePartitionReassignment'
  // features
  | 'getFeatureZNode'
  | 'createFeatureZNode'
  | 'updateFeatureZNode'
>;
