import { apis, Errors } from '@klassic/protocol';
import type { ApiHandler } from './api-handler.ts';

/** An API with the versions that its handler honours. */
interface ServedApi {
  readonly api: keyof typeof apis;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * ApiVersions: what this broker serves (KIP-35, KIP-511).
 *
 * @param served asked at each request, so that this handler can be among them
 */
export function apiVersionsHandler(served: () => readonly ServedApi[]): ApiHandler<'ApiVersions'> {
  const versions = (): { apiKey: number; minVersion: number; maxVersion: number }[] =>
    served()
      .map(({ api, minVersion, maxVersion }) => ({ apiKey: apis[api].key, minVersion, maxVersion }))
      .sort((left, right) => left.apiKey - right.apiKey);
  return {
    api: 'ApiVersions',
    minVersion: 0,
    maxVersion: 3,
    handle(request) {
      if (request.unsupportedVersion) {
        const own = versions().filter(({ apiKey }) => apiKey === apis.ApiVersions.key);
        return { errorCode: Errors.UNSUPPORTED_VERSION.code, apiKeys: own };
      }
      const { clientSoftwareName: name, clientSoftwareVersion: version } = request.body;
      if (request.header.apiVersion >= 3 && !(isSoftwareWord(name) && isSoftwareWord(version))) {
        return { errorCode: Errors.INVALID_REQUEST.code };
      }
      return { errorCode: Errors.NONE.code, apiKeys: versions(), finalizedFeaturesEpoch: 0 };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** KIP-511: letters, digits, dots and dashes, with no dot or dash at either end. */
function isSoftwareWord(text: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(text);
}
