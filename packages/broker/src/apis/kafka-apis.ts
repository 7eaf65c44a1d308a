import { InvariantViolation } from '@klassic/common';
import type { Logger, LoggerFactory } from '@klassic/common';
import type { NetworkRequest } from '@klassic/network';
import { apis } from '@klassic/protocol';
import type { ApiName, ResponseInit } from '@klassic/protocol';
import type { QuotaManagers } from '../quota/index.ts';
import { CloseConnection } from './api-handler.ts';
import type { AnyApiHandler, ApiHandler } from './api-handler.ts';
import { toApiError } from './request-errors.ts';

/**
 * Takes every request to the handler of its API, and every failure to an answer: the request path begins here.
 * Counterpart of `kafka.server.KafkaApis`.
 */
export class KafkaApis {
  private readonly handlers = new Map<ApiName, ApiHandler>();
  private readonly quotas: QuotaManagers;
  private readonly logger: Logger;
  private readonly onFatal: (error: unknown) => void;

  /**
   * @param handlers one per API served
   * @param quotas that the time of every request counts towards
   * @param onFatal told of a programmer's error: the broker ends
   */
  constructor(
    handlers: readonly AnyApiHandler[],
    quotas: QuotaManagers,
    loggers: LoggerFactory,
    onFatal: (error: unknown) => void,
  ) {
    this.quotas = quotas;
    for (const handler of handlers) this.handlers.set(handler.api, handler);
    this.logger = loggers('kafka.server.KafkaApis');
    this.onFatal = onFatal;
  }

  /** Answers one request; never throws. */
  handle(request: NetworkRequest): void {
    const handler = this.handlers.get(request.api);
    const { apiVersion } = request.header;
    const served = handler !== undefined && apiVersion >= handler.minVersion && apiVersion <= handler.maxVersion;
    if (!served && !request.unsupportedVersion) {
      this.logger.warn(
        `Closing ${request.context.connectionId}: ${request.api} version ${apiVersion} is not served by this broker`,
      );
      request.closeConnection();
      return;
    }
    if (handler === undefined) return;
    let answer: ReturnType<ApiHandler['handle']>;
    try {
      answer = handler.handle(request);
    } catch (thrown) {
      this.fail(handler, request, thrown);
      return;
    }
    if (answer instanceof Promise) {
      answer.then(
        (body) => this.answer(request, body),
        (thrown: unknown) => this.fail(handler, request, thrown),
      );
    } else {
      this.answer(request, answer);
    }
  }

  private answer(request: NetworkRequest, body: ResponseInit<ApiName> | null): void {
    if (body === null) {
      request.noResponse();
      return;
    }
    if (!isExempt(request)) request.throttle(this.quotas.recordRequestTime(request));
    request.respond(request.throttleTimeMs > 0 ? withThrottleTime(request, body) : body);
  }

  private fail(handler: ApiHandler, request: NetworkRequest, thrown: unknown): void {
    if (thrown instanceof InvariantViolation) this.onFatal(thrown);
    if (thrown instanceof CloseConnection) {
      request.closeConnection();
      return;
    }
    const { error, message, expected } = toApiError(thrown);
    if (!expected) {
      this.logger.error(`Error when handling ${request.api} request ${request.context.connectionId}`, thrown);
    }
    this.answer(request, handler.failure(request, error, message));
  }
}

/** Requests among brokers are never held back. */
function isExempt(request: NetworkRequest): boolean {
  if (request.api === 'Fetch') return (request as NetworkRequest<'Fetch'>).body.replicaId >= 0;
  return apis[request.api].clusterAction;
}

/** Tells the client how long it is held back, in the APIs and versions that can (KIP-219). */
function withThrottleTime(request: NetworkRequest, body: ResponseInit<ApiName>): ResponseInit<ApiName> {
  if (!('throttleTimeMs' in apis[request.api].response.body.fields)) return body;
  return { ...body, throttleTimeMs: request.throttleTimeMs };
}
