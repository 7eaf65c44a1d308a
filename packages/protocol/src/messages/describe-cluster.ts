import { array, bool, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Cluster id, controller and brokers (KIP-700). */
export const DescribeClusterRequest = request(
  { name: 'DescribeClusterRequest', apiKey: 60, versions: '0', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool('0+'),
  },
);
export type DescribeClusterRequest = MessageOf<typeof DescribeClusterRequest>;
export type DescribeClusterRequestInit = InitOf<typeof DescribeClusterRequest>;

/** As the answering broker's metadata cache has it. */
export const DescribeClusterResponse = response(
  { name: 'DescribeClusterResponse', apiKey: 60, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1 }),
    brokers: array(
      '0+',
      struct('DescribeClusterBroker', {
        brokerId: int32('0+'),
        host: string('0+'),
        port: int32('0+'),
        rack: string('0+', { nullable: '0+', default: null }),
      }),
    ),
    clusterAuthorizedOperations: int32('0+', { default: -0x8000_0000 }),
  },
);
export type DescribeClusterResponse = MessageOf<typeof DescribeClusterResponse>;
export type DescribeClusterResponseInit = InitOf<typeof DescribeClusterResponse>;
