import type { TopicPartition } from '@klassic/common';
import type { ZNodeChangeHandler, ZNodeChildChangeHandler } from '@klassic/zookeeper';
import {
  BrokerIdsZNode,
  BrokerIdZNode,
  ControllerZNode,
  DeleteTopicsZNode,
  IsrChangeNotificationZNode,
  LogDirEventNotificationZNode,
  PreferredReplicaElectionZNode,
  ReassignPartitionsZNode,
  TopicPartitionStateZNode,
  TopicsZNode,
  TopicZNode,
} from '@klassic/zookeeper';
import type { ControllerEvent } from './controller-events.ts';
import type { ControllerStore } from './controller-store.ts';

/** The znodes that only the controller watches for their children; each change becomes one event. */
const childWatches: readonly { readonly path: string; readonly event: ControllerEvent }[] = [
  { path: BrokerIdsZNode.path, event: { kind: 'BrokerChange' } },
  { path: TopicsZNode.path, event: { kind: 'TopicChange' } },
  { path: DeleteTopicsZNode.path, event: { kind: 'TopicDeletion' } },
  { path: LogDirEventNotificationZNode.path, event: { kind: 'LogDirEventNotification' } },
  { path: IsrChangeNotificationZNode.path, event: { kind: 'IsrChangeNotification' } },
];

/** Turns changes of znodes into controller events: what is watched, by whom, and for how long. */
export class ControllerWatches {
  private readonly store: ControllerStore;
  private readonly put: (event: ControllerEvent) => void;
  private readonly paths = new Set<string>();

  constructor(store: ControllerStore, put: (event: ControllerEvent) => void) {
    this.store = store;
    this.put = put;
  }

  /** `/controller`, which every broker watches. True when there is a controller. */
  watchController(): Promise<boolean> {
    return this.store.registerZNodeChangeHandlerAndCheckExistence({
      path: ControllerZNode.path,
      handleCreation: () => this.put({ kind: 'ControllerChange' }),
      handleDeletion: () => this.put({ kind: 'Reelect' }),
      handleDataChange: () => this.put({ kind: 'ControllerChange' }),
    });
  }

  /** What a new controller watches before it reads: the watches are set by the reads that follow. */
  async watchCluster(): Promise<void> {
    for (const { path, event } of childWatches) {
      const handler: ZNodeChildChangeHandler = { path, handleChildChange: () => this.put(event) };
      this.store.registerZNodeChildChangeHandler(handler);
    }
    await this.watchPreferredReplicaElection();
    await this.watchReassignPartitions();
  }

  /** True when the znode is there; else its creation will be seen. */
  watchPreferredReplicaElection(): Promise<boolean> {
    return this.watchNow({
      path: PreferredReplicaElectionZNode.path,
      handleCreation: () =>
        this.put({ kind: 'ReplicaLeaderElection', electionType: 'PREFERRED', trigger: 'ZkTriggered' }),
    });
  }

  /** True when the znode is there; else its creation will be seen. */
  watchReassignPartitions(): Promise<boolean> {
    return this.watchNow({
      path: ReassignPartitionsZNode.path,
      handleCreation: () => this.put({ kind: 'ZkPartitionReassignment' }),
    });
  }

  /** A broker that registers anew under another address does so by a write to its znode. */
  async watchBroker(brokerId: number): Promise<void> {
    await this.watchNow({
      path: BrokerIdZNode.path(brokerId),
      handleDataChange: () => this.put({ kind: 'BrokerModifications', brokerId }),
    });
  }

  unwatchBroker(brokerId: number): void {
    this.unwatch(BrokerIdZNode.path(brokerId));
  }

  watchTopic(topic: string): void {
    this.watch({
      path: TopicZNode.path(topic),
      handleDataChange: () => this.put({ kind: 'PartitionModifications', topic }),
    });
  }

  unwatchTopic(topic: string): void {
    this.unwatch(TopicZNode.path(topic));
  }

  /** A partition under reassignment: its leader writes each replica that joins the ISR there. */
  watchPartitionState(partition: TopicPartition): void {
    this.watch({
      path: TopicPartitionStateZNode.path(partition),
      handleDataChange: () => this.put({ kind: 'PartitionReassignmentIsrChange', partition }),
    });
  }

  unwatchPartitionState(partition: TopicPartition): void {
    this.unwatch(TopicPartitionStateZNode.path(partition));
  }

  /** All but `/controller`, on resignation. */
  unwatchCluster(): void {
    for (const { path } of childWatches) this.store.unregisterZNodeChildChangeHandler(path);
    for (const path of [...this.paths]) this.unwatch(path);
  }

  private watch(handler: ZNodeChangeHandler): void {
    this.paths.add(handler.path);
    this.store.registerZNodeChangeHandler(handler);
  }

  private watchNow(handler: ZNodeChangeHandler): Promise<boolean> {
    this.paths.add(handler.path);
    return this.store.registerZNodeChangeHandlerAndCheckExistence(handler);
  }

  private unwatch(path: string): void {
    if (this.paths.delete(path)) this.store.unregisterZNodeChangeHandler(path);
  }
}
