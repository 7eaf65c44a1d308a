import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** What does the broker speak? The one request that is understood in every version (KIP-35, KIP-511). */
export const ApiVersionsRequest = request(
  { name: 'ApiVersionsRequest', apiKey: 18, versions: '0-3', flexible: '3+' },
  {
    clientSoftwareName: string('3+', { ignorable: true }),
    clientSoftwareVersion: string('3+', { ignorable: true }),
  },
);
export type ApiVersionsRequest = MessageOf<typeof ApiVersionsRequest>;
export type ApiVersionsRequestInit = InitOf<typeof ApiVersionsRequest>;

/** The APIs and versions served. Its header is always v0, so that a client that knows little can read it. */
export const ApiVersionsResponse = response(
  { name: 'ApiVersionsResponse', apiKey: 18, versions: '0-3', flexible: '3+' },
  {
    errorCode: int16('0+'),
    apiKeys: array(
      '0+',
      struct('ApiVersion', {
        apiKey: int16('0+'),
        minVersion: int16('0+'),
        maxVersion: int16('0+'),
      }),
    ),
    throttleTimeMs: int32('1+', { ignorable: true }),
    supportedFeatures: array(
      '3+',
      struct('SupportedFeatureKey', {
        name: string('3+'),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      }),
      { tag: 0 },
    ),
    // The znode version of /feature; -1 for none.
    finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: array(
      '3+',
      struct('FinalizedFeatureKey', {
        name: string('3+'),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      }),
      { tag: 2 },
    ),
  },
);
export type ApiVersionsResponse = MessageOf<typeof ApiVersionsResponse>;
export type ApiVersionsResponseInit = InitOf<typeof ApiVersionsResponse>;
