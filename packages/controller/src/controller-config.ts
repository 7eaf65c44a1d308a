/** The settings of a broker that its controller reads. They are read at each use: a getter may follow dynamic changes. */
export interface ControllerConfig {
  readonly brokerId: number;
  /** `inter.broker.listener.name`: the listener under which other brokers are called. */
  readonly interBrokerListenerName: string;
  /** `delete.topic.enable` */
  readonly deleteTopicEnable: boolean;
  /** `auto.leader.rebalance.enable` */
  readonly autoLeaderRebalanceEnable: boolean;
  /** `leader.imbalance.per.broker.percentage` */
  readonly leaderImbalancePerBrokerPercentage: number;
  /** `leader.imbalance.check.interval.seconds` */
  readonly leaderImbalanceCheckIntervalSeconds: number;
  /** `unclean.leader.election.enable`, the default of topics without their own. */
  readonly uncleanLeaderElectionEnable: boolean;
}
