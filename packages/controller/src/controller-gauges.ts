import type { ControllerContext } from './controller-context.ts';

/** What Kafka reports of its controller, by the names of its gauges; all 0 where the broker is not the controller. */
export function controllerGauges(context: ControllerContext, isActive: boolean): Readonly<Record<string, number>> {
  const whenActive = (value: () => number): number => (isActive ? value() : 0);
  const replicasToDelete = (): readonly string[] =>
    [...context.topicsToBeDeleted]
      .flatMap((topic) => context.replicasForTopic(topic))
      .map((replica) => context.replicaState(replica));
  return {
    ActiveControllerCount: isActive ? 1 : 0,
    OfflinePartitionsCount: whenActive(() => context.offlinePartitionCount),
    PreferredReplicaImbalanceCount: whenActive(() => context.preferredReplicaImbalanceCount),
    GlobalTopicCount: whenActive(() => context.allTopics.size),
    GlobalPartitionCount: whenActive(() => context.partitionWithLeadersCount),
    TopicsToDeleteCount: whenActive(() => context.topicsToBeDeleted.size),
    ReplicasToDeleteCount: whenActive(
      () => replicasToDelete().filter((state) => state !== 'ReplicaDeletionSuccessful').length,
    ),
    TopicsIneligibleToDeleteCount: whenActive(() => context.topicsIneligibleForDeletion.size),
    ReplicasIneligibleToDeleteCount: whenActive(
      () => replicasToDelete().filter((state) => state === 'ReplicaDeletionIneligible').length,
    ),
  };
}
