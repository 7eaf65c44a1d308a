import { array, bool, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The configuration of topics, brokers and loggers. Null keys means all of them. */
export const DescribeConfigsRequest = request(
  { name: 'DescribeConfigsRequest', apiKey: 32, versions: '0-4', flexible: '4+' },
  {
    resources: array(
      '0+',
      struct('DescribeConfigsResource', {
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configurationKeys: array('0+', 'string', { nullable: '0+' }),
      }),
    ),
    includeSynonyms: bool('1+'),
    includeDocumentation: bool('3+'),
  },
);
export type DescribeConfigsRequest = MessageOf<typeof DescribeConfigsRequest>;
export type DescribeConfigsRequestInit = InitOf<typeof DescribeConfigsRequest>;

/** Each key with its value and where it comes from (synonyms, KIP-226). */
export const DescribeConfigsResponse = response(
  { name: 'DescribeConfigsResponse', apiKey: 32, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('DescribeConfigsResult', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configs: array(
          '0+',
          struct('DescribeConfigsResourceResult', {
            name: string('0+'),
            value: string('0+', { nullable: '0+' }),
            readOnly: bool('0+'),
            configSource: int8('1+', { default: -1, ignorable: true }),
            isDefault: bool('0'),
            isSensitive: bool('0+'),
            synonyms: array(
              '1+',
              struct('DescribeConfigsSynonym', {
                name: string('1+'),
                value: string('1+', { nullable: '1+' }),
                source: int8('1+'),
              }),
              { ignorable: true },
            ),
            configType: int8('3+', { ignorable: true }),
            documentation: string('3+', { nullable: '3+', ignorable: true }),
          }),
        ),
      }),
    ),
  },
);
export type DescribeConfigsResponse = MessageOf<typeof DescribeConfigsResponse>;
export type DescribeConfigsResponseInit = InitOf<typeof DescribeConfigsResponse>;
