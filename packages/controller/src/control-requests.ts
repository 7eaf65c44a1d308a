/** The three requests by which a controller commands brokers. Their bodies stand here field by field, as on the wire. */
export type ControlApi = 'LeaderAndIsr' | 'StopReplica' | 'UpdateMetadata';

interface FromController {
  controllerId: number;
  controllerEpoch: number;
  /** The receiver's own epoch (czxid of its registration, KIP-380): a request meant for its earlier life is refused. */
  brokerEpoch: number;
}

export interface LeaderAndIsrPartition {
  partitionIndex: number;
  /** Epoch of the controller that wrote this state, which may be an earlier one. */
  controllerEpoch: number;
  leader: number;
  leaderEpoch: number;
  isr: number[];
  zkVersion: number;
  replicas: number[];
  addingReplicas: number[];
  removingReplicas: number[];
  isNew: boolean;
}

export interface LeaderAndIsrRequestBody extends FromController {
  topicStates: { topicName: string; partitionStates: LeaderAndIsrPartition[] }[];
  liveLeaders: { brokerId: number; hostName: string; port: number }[];
}

export interface UpdateMetadataPartition {
  partitionIndex: number;
  controllerEpoch: number;
  leader: number;
  leaderEpoch: number;
  isr: number[];
  zkVersion: number;
  replicas: number[];
  offlineReplicas: number[];
}

export interface UpdateMetadataRequestBody extends FromController {
  topicStates: { topicName: string; partitionStates: UpdateMetadataPartition[] }[];
  liveBrokers: {
    id: number;
    endpoints: { port: number; host: string; listener: string; securityProtocol: number }[];
    rack: string | null;
  }[];
}

export interface StopReplicaPartition {
  partitionIndex: number;
  leaderEpoch: number;
  deletePartition: boolean;
}

export interface StopReplicaRequestBody extends FromController {
  topicStates: { topicName: string; partitionStates: StopReplicaPartition[] }[];
}

export interface PartitionErrorsResponse {
  readonly errorCode: number;
  readonly partitionErrors: readonly {
    readonly topicName: string;
    readonly partitionIndex: number;
    readonly errorCode: number;
  }[];
}
