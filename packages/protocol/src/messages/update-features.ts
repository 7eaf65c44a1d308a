import { array, bool, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Finalizes feature versions (KIP-584). */
export const UpdateFeaturesRequest = request(
  { name: 'UpdateFeaturesRequest', apiKey: 57, versions: '0', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    featureUpdates: array(
      '0+',
      struct('FeatureUpdateKey', {
        feature: string('0+'),
        maxVersionLevel: int16('0+'),
        allowDowngrade: bool('0+'),
      }),
    ),
  },
);
export type UpdateFeaturesRequest = MessageOf<typeof UpdateFeaturesRequest>;
export type UpdateFeaturesRequestInit = InitOf<typeof UpdateFeaturesRequest>;

/** What became of each feature. */
export const UpdateFeaturesResponse = response(
  { name: 'UpdateFeaturesResponse', apiKey: 57, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0+',
      struct('UpdatableFeatureResult', {
        feature: string('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    ),
  },
);
export type UpdateFeaturesResponse = MessageOf<typeof UpdateFeaturesResponse>;
export type UpdateFeaturesResponseInit = InitOf<typeof UpdateFeaturesResponse>;
