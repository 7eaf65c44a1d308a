import type { ClientInformation } from './network-request.ts';

export const unknownClient: ClientInformation = { softwareName: 'unknown', softwareVersion: 'unknown' };

/** What KIP-511 allows as a software's name or version. */
const PATTERN = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/**
 * The client's software as an ApiVersions request names it.
 *
 * @returns undefined when the request (before v3) names none, or not in the allowed form
 */
export function clientInformationOf(apiVersionsRequest: object): ClientInformation | undefined {
  const { clientSoftwareName, clientSoftwareVersion } = apiVersionsRequest as Record<string, unknown>;
  if (typeof clientSoftwareName !== 'string' || typeof clientSoftwareVersion !== 'string') return undefined;
  if (!PATTERN.test(clientSoftwareName) || !PATTERN.test(clientSoftwareVersion)) return undefined;
  return { softwareName: clientSoftwareName, softwareVersion: clientSoftwareVersion };
}
