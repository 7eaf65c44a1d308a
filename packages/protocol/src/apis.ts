import type { InitOf, MessageOf, Schema } from './schema/index.ts';
import * as m from './messages/index.ts';

/** An API: its key, its two messages, and how the broker treats it. */
export interface Api<N extends string = string, Q extends Schema = Schema, R extends Schema = Schema> {
  readonly key: number;
  readonly name: N;
  /** The name in request logs and metrics of requests: `LEADER_AND_ISR`. */
  readonly loggedName: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly request: Q;
  readonly response: R;
  /** Between brokers only: needs ClusterAction on the cluster. */
  readonly clusterAction: boolean;
  /** A KRaft broker forwards it to its controller; ZooKeeper mode answers NOT_CONTROLLER or does it itself. */
  readonly forwardable: boolean;
  /** Known to KRaft alone: a ZooKeeper-mode broker neither serves nor advertises it. */
  readonly raftOnly: boolean;
  /** With a record format below this magic on all topics it is not advertised. */
  readonly minRequiredInterBrokerMagic: 0 | 2;
}

type Traits = Partial<Pick<Api, 'clusterAction' | 'forwardable' | 'raftOnly' | 'minRequiredInterBrokerMagic'>>;

function api<N extends string, Q extends Schema, R extends Schema>(
  key: number,
  name: N,
  request: Q,
  response: R,
  traits: Traits = {},
): Api<N, Q, R> {
  return {
    key,
    name,
    loggedName: name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(),
    minVersion: request.versions.min,
    maxVersion: request.versions.max,
    request,
    response,
    clusterAction: traits.clusterAction ?? false,
    forwardable: traits.forwardable ?? false,
    raftOnly: traits.raftOnly ?? false,
    minRequiredInterBrokerMagic: traits.minRequiredInterBrokerMagic ?? 0,
  };
}

/** Every API of the reference release (org.apache.kafka.common.protocol.ApiKeys). */
export const apis = {
  Produce: api(0, 'Produce', m.ProduceRequest, m.ProduceResponse),
  Fetch: api(1, 'Fetch', m.FetchRequest, m.FetchResponse),
  ListOffsets: api(2, 'ListOffsets', m.ListOffsetsRequest, m.ListOffsetsResponse),
  Metadata: api(3, 'Metadata', m.MetadataRequest, m.MetadataResponse),
  LeaderAndIsr: api(4, 'LeaderAndIsr', m.LeaderAndIsrRequest, m.LeaderAndIsrResponse, { clusterAction: true }),
  StopReplica: api(5, 'StopReplica', m.StopReplicaRequest, m.StopReplicaResponse, { clusterAction: true }),
  UpdateMetadata: api(6, 'UpdateMetadata', m.UpdateMetadataRequest, m.UpdateMetadataResponse, { clusterAction: true }),
  ControlledShutdown: api(7, 'ControlledShutdown', m.ControlledShutdownRequest, m.ControlledShutdownResponse, {
    clusterAction: true,
  }),
  OffsetCommit: api(8, 'OffsetCommit', m.OffsetCommitRequest, m.OffsetCommitResponse),
  OffsetFetch: api(9, 'OffsetFetch', m.OffsetFetchRequest, m.OffsetFetchResponse),
  FindCoordinator: api(10, 'FindCoordinator', m.FindCoordinatorRequest, m.FindCoordinatorResponse),
  JoinGroup: api(11, 'JoinGroup', m.JoinGroupRequest, m.JoinGroupResponse),
  Heartbeat: api(12, 'Heartbeat', m.HeartbeatRequest, m.HeartbeatResponse),
  LeaveGroup: api(13, 'LeaveGroup', m.LeaveGroupRequest, m.LeaveGroupResponse),
  SyncGroup: api(14, 'SyncGroup', m.SyncGroupRequest, m.SyncGroupResponse),
  DescribeGroups: api(15, 'DescribeGroups', m.DescribeGroupsRequest, m.DescribeGroupsResponse),
  ListGroups: api(16, 'ListGroups', m.ListGroupsRequest, m.ListGroupsResponse),
  SaslHandshake: api(17, 'SaslHandshake', m.SaslHandshakeRequest, m.SaslHandshakeResponse),
  ApiVersions: api(18, 'ApiVersions', m.ApiVersionsRequest, m.ApiVersionsResponse),
  CreateTopics: api(19, 'CreateTopics', m.CreateTopicsRequest, m.CreateTopicsResponse, { forwardable: true }),
  DeleteTopics: api(20, 'DeleteTopics', m.DeleteTopicsRequest, m.DeleteTopicsResponse, { forwardable: true }),
  DeleteRecords: api(21, 'DeleteRecords', m.DeleteRecordsRequest, m.DeleteRecordsResponse),
  InitProducerId: api(22, 'InitProducerId', m.InitProducerIdRequest, m.InitProducerIdResponse),
  OffsetForLeaderEpoch: api(23, 'OffsetForLeaderEpoch', m.OffsetForLeaderEpochRequest, m.OffsetForLeaderEpochResponse),
  AddPartitionsToTxn: api(24, 'AddPartitionsToTxn', m.AddPartitionsToTxnRequest, m.AddPartitionsToTxnResponse, {
    minRequiredInterBrokerMagic: 2,
  }),
  AddOffsetsToTxn: api(25, 'AddOffsetsToTxn', m.AddOffsetsToTxnRequest, m.AddOffsetsToTxnResponse, {
    minRequiredInterBrokerMagic: 2,
  }),
  EndTxn: api(26, 'EndTxn', m.EndTxnRequest, m.EndTxnResponse, { minRequiredInterBrokerMagic: 2 }),
  WriteTxnMarkers: api(27, 'WriteTxnMarkers', m.WriteTxnMarkersRequest, m.WriteTxnMarkersResponse, {
    clusterAction: true,
    minRequiredInterBrokerMagic: 2,
  }),
  TxnOffsetCommit: api(28, 'TxnOffsetCommit', m.TxnOffsetCommitRequest, m.TxnOffsetCommitResponse, {
    minRequiredInterBrokerMagic: 2,
  }),
  DescribeAcls: api(29, 'DescribeAcls', m.DescribeAclsRequest, m.DescribeAclsResponse),
  CreateAcls: api(30, 'CreateAcls', m.CreateAclsRequest, m.CreateAclsResponse, { forwardable: true }),
  DeleteAcls: api(31, 'DeleteAcls', m.DeleteAclsRequest, m.DeleteAclsResponse, { forwardable: true }),
  DescribeConfigs: api(32, 'DescribeConfigs', m.DescribeConfigsRequest, m.DescribeConfigsResponse),
  AlterConfigs: api(33, 'AlterConfigs', m.AlterConfigsRequest, m.AlterConfigsResponse, { forwardable: true }),
  AlterReplicaLogDirs: api(34, 'AlterReplicaLogDirs', m.AlterReplicaLogDirsRequest, m.AlterReplicaLogDirsResponse),
  DescribeLogDirs: api(35, 'DescribeLogDirs', m.DescribeLogDirsRequest, m.DescribeLogDirsResponse),
  SaslAuthenticate: api(36, 'SaslAuthenticate', m.SaslAuthenticateRequest, m.SaslAuthenticateResponse),
  CreatePartitions: api(37, 'CreatePartitions', m.CreatePartitionsRequest, m.CreatePartitionsResponse, {
    forwardable: true,
  }),
  CreateDelegationToken: api(
    38,
    'CreateDelegationToken',
    m.CreateDelegationTokenRequest,
    m.CreateDelegationTokenResponse,
    { forwardable: true },
  ),
  RenewDelegationToken: api(39, 'RenewDelegationToken', m.RenewDelegationTokenRequest, m.RenewDelegationTokenResponse, {
    forwardable: true,
  }),
  ExpireDelegationToken: api(
    40,
    'ExpireDelegationToken',
    m.ExpireDelegationTokenRequest,
    m.ExpireDelegationTokenResponse,
    { forwardable: true },
  ),
  DescribeDelegationToken: api(
    41,
    'DescribeDelegationToken',
    m.DescribeDelegationTokenRequest,
    m.DescribeDelegationTokenResponse,
  ),
  DeleteGroups: api(42, 'DeleteGroups', m.DeleteGroupsRequest, m.DeleteGroupsResponse),
  ElectLeaders: api(43, 'ElectLeaders', m.ElectLeadersRequest, m.ElectLeadersResponse),
  IncrementalAlterConfigs: api(
    44,
    'IncrementalAlterConfigs',
    m.IncrementalAlterConfigsRequest,
    m.IncrementalAlterConfigsResponse,
    { forwardable: true },
  ),
  AlterPartitionReassignments: api(
    45,
    'AlterPartitionReassignments',
    m.AlterPartitionReassignmentsRequest,
    m.AlterPartitionReassignmentsResponse,
    { forwardable: true },
  ),
  ListPartitionReassignments: api(
    46,
    'ListPartitionReassignments',
    m.ListPartitionReassignmentsRequest,
    m.ListPartitionReassignmentsResponse,
  ),
  OffsetDelete: api(47, 'OffsetDelete', m.OffsetDeleteRequest, m.OffsetDeleteResponse),
  DescribeClientQuotas: api(48, 'DescribeClientQuotas', m.DescribeClientQuotasRequest, m.DescribeClientQuotasResponse),
  AlterClientQuotas: api(49, 'AlterClientQuotas', m.AlterClientQuotasRequest, m.AlterClientQuotasResponse, {
    forwardable: true,
  }),
  DescribeUserScramCredentials: api(
    50,
    'DescribeUserScramCredentials',
    m.DescribeUserScramCredentialsRequest,
    m.DescribeUserScramCredentialsResponse,
  ),
  AlterUserScramCredentials: api(
    51,
    'AlterUserScramCredentials',
    m.AlterUserScramCredentialsRequest,
    m.AlterUserScramCredentialsResponse,
    { forwardable: true },
  ),
  Vote: api(52, 'Vote', m.VoteRequest, m.VoteResponse, { raftOnly: true }),
  BeginQuorumEpoch: api(53, 'BeginQuorumEpoch', m.BeginQuorumEpochRequest, m.BeginQuorumEpochResponse, {
    raftOnly: true,
  }),
  EndQuorumEpoch: api(54, 'EndQuorumEpoch', m.EndQuorumEpochRequest, m.EndQuorumEpochResponse, { raftOnly: true }),
  DescribeQuorum: api(55, 'DescribeQuorum', m.DescribeQuorumRequest, m.DescribeQuorumResponse, { raftOnly: true }),
  AlterIsr: api(56, 'AlterIsr', m.AlterIsrRequest, m.AlterIsrResponse, { clusterAction: true }),
  UpdateFeatures: api(57, 'UpdateFeatures', m.UpdateFeaturesRequest, m.UpdateFeaturesResponse, { forwardable: true }),
  Envelope: api(58, 'Envelope', m.EnvelopeRequest, m.EnvelopeResponse, { raftOnly: true }),
  FetchSnapshot: api(59, 'FetchSnapshot', m.FetchSnapshotRequest, m.FetchSnapshotResponse, { raftOnly: true }),
  DescribeCluster: api(60, 'DescribeCluster', m.DescribeClusterRequest, m.DescribeClusterResponse),
  DescribeProducers: api(61, 'DescribeProducers', m.DescribeProducersRequest, m.DescribeProducersResponse),
  BrokerRegistration: api(62, 'BrokerRegistration', m.BrokerRegistrationRequest, m.BrokerRegistrationResponse, {
    raftOnly: true,
  }),
  BrokerHeartbeat: api(63, 'BrokerHeartbeat', m.BrokerHeartbeatRequest, m.BrokerHeartbeatResponse, { raftOnly: true }),
  UnregisterBroker: api(64, 'UnregisterBroker', m.UnregisterBrokerRequest, m.UnregisterBrokerResponse, {
    raftOnly: true,
  }),
};

export type ApiName = keyof typeof apis;

/** The TypeScript types of each API's messages. */
export type ApiMessages = {
  [A in ApiName]: {
    request: MessageOf<(typeof apis)[A]['request']>;
    requestInit: InitOf<(typeof apis)[A]['request']>;
    response: MessageOf<(typeof apis)[A]['response']>;
    responseInit: InitOf<(typeof apis)[A]['response']>;
  };
};

export type RequestOf<A extends ApiName> = ApiMessages[A]['request'];
export type RequestInit<A extends ApiName> = ApiMessages[A]['requestInit'];
export type ResponseOf<A extends ApiName> = ApiMessages[A]['response'];
export type ResponseInit<A extends ApiName> = ApiMessages[A]['responseInit'];

const byKey: readonly Api<ApiName>[] = Object.values(apis);

/** The API of a key, or undefined for one this release doesn't know. */
export function apiByKey(key: number): Api<ApiName> | undefined {
  return byKey[key];
}
