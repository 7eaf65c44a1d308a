export {
  describeWithReference,
  readReferenceJson,
  readReferenceLines,
  referenceFile,
  referenceHome,
} from './reference.ts';
export {
  eventually,
  findJava,
  fourLetterWord,
  freePort,
  freePorts,
  identify,
  sleep,
  zooKeeperMode,
} from '@klassic/lab';
export { killAfterwards, temporaryFolder } from './left-overs.ts';
export { startZooKeeper } from './zookeeper.ts';
export type { StartZooKeeperOptions, TestZooKeeper } from './zookeeper.ts';
export type { ZooKeeperServer } from './zookeeper-server.ts';
export { prepareBroker, startBroker, startCluster, TestBroker } from './broker.ts';
export type { StartBrokerOptions, StartClusterOptions, TestCluster } from './broker.ts';
export { kafkaJs, kafkaJsRoundRobin } from './kafkajs.ts';
export type { KafkaJsOptions } from './kafkajs.ts';
export { isSoak } from './soak.ts';
export { describeWithKcat, hasKcat, kcat } from './kcat.ts';
export type { KcatResult } from './kcat.ts';
export { TcpRelay } from '@klassic/lab';
export type { Direction, TappedFrame, TcpRelayOptions } from '@klassic/lab';
export { hasDocker, startContainerCluster } from './docker-cluster.ts';
export type { ContainerBroker, ContainerCluster } from './docker-cluster.ts';
export { kafkaJars } from './kafka-jars.ts';
export type { KafkaRelease } from './kafka-jars.ts';
export { runChaos } from './chaos/run-chaos.ts';
export type { ChaosOptions, ChaosReport } from './chaos/run-chaos.ts';
export { readRequestLog } from '@klassic/lab';
export type { LoggedRequest } from '@klassic/lab';
export {
  dataText,
  grouped,
  isControllersOwn,
  isLostRace,
  isOwn,
  logs,
  recordedRpcText,
  recordedText,
  rpcText,
  sortedJson,
  transactionText,
} from './scenarios/normal-form.ts';
export type { WrittenOp, WrittenTransaction } from './scenarios/normal-form.ts';
export { apiNames, recordedLines } from './scenarios/recording.ts';
export type { LogLine, RecordedOp, RecordedRpc, RecordedTransaction, Snapshot, Step } from './scenarios/recording.ts';
export { controllersByEpoch } from './elections.ts';
