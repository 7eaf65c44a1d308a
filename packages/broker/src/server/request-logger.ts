import type { Logger, LoggerFactory } from '@klassic/common';
import type { NetworkRequest, RequestCompletion, RequestTimings } from '@klassic/network';
import { apis, messageToJson } from '@klassic/protocol';
import type { ApiName, ResponseInit } from '@klassic/protocol';

/**
 * Writes each completed request as one line of JSON under `kafka.request.logger`, as `kafka.network.RequestChannel` does
 * (KIP-673).
 *
 * @returns undefined where nobody listens, so that nothing is paid for it
 */
export function requestLogger(loggers: LoggerFactory): RequestCompletion | undefined {
  const logger = loggers('kafka.request.logger');
  if (!logger.isEnabled('DEBUG')) return undefined;
  return (request, response, timings) => {
    logCompletion(logger, request, response, timings);
  };
}

function logCompletion(
  logger: Logger,
  request: NetworkRequest,
  response: ResponseInit<ApiName> | null,
  timings: RequestTimings,
): void {
  const { header, context } = request;
  const api = apis[request.api];
  const version = request.unsupportedVersion ? 0 : header.apiVersion;
  const line = {
    isForwarded: false,
    requestHeader: {
      requestApiKey: header.apiKey,
      requestApiVersion: header.apiVersion,
      correlationId: header.correlationId,
      clientId: header.clientId,
      requestApiKeyName: api.loggedName,
    },
    request: messageToJson(api.request, version, request.body),
    response: response === null ? '' : messageToJson(api.response, version, response),
    connection: context.connectionId,
    totalTimeMs: rounded(timings.totalTimeMs),
    requestQueueTimeMs: rounded(timings.requestQueueTimeMs),
    localTimeMs: rounded(timings.localTimeMs),
    remoteTimeMs: rounded(timings.remoteTimeMs),
    throttleTimeMs: rounded(timings.throttleTimeMs),
    responseQueueTimeMs: rounded(timings.responseQueueTimeMs),
    sendTimeMs: rounded(timings.sendTimeMs),
    securityProtocol: context.securityProtocol,
    principal: context.principal,
    listener: context.listenerName,
    clientInformation: context.clientInformation,
  };
  const text = `Completed request:${JSON.stringify(line)}`;
  if (logger.isEnabled('TRACE')) logger.trace(text);
  else logger.debug(text);
}

/** Microseconds are enough. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
