import { Histogram } from '@klassic/common';
import type { NetworkRequest, RequestTimings } from '@klassic/network';
import { errorByCode } from '@klassic/protocol';
import type { ApiName, ResponseInit } from '@klassic/protocol';

/** Microseconds are told apart. */
const TIME_RESOLUTION_MS = 0.001;

/** The phases of a request, each under the name of the reference's histogram. */
export const requestPhases = [
  'requestQueueTimeMs',
  'localTimeMs',
  'remoteTimeMs',
  'throttleTimeMs',
  'responseQueueTimeMs',
  'responseSendTimeMs',
  'totalTimeMs',
] as const;

export type RequestPhase = (typeof requestPhases)[number];

/** What is known of the requests of one kind. Counterpart of `kafka.network.RequestMetrics`. */
export class RequestMetrics {
  /** Requests by API version. */
  readonly requests = new Map<number, number>();
  /** Answers by error: one count for each place of an answer that holds an error code, `NONE` included. */
  readonly errors = new Map<number, number>();
  readonly requestBytes = new Histogram();
  readonly times: Readonly<Record<RequestPhase, Histogram>> = {
    requestQueueTimeMs: new Histogram(TIME_RESOLUTION_MS),
    localTimeMs: new Histogram(TIME_RESOLUTION_MS),
    remoteTimeMs: new Histogram(TIME_RESOLUTION_MS),
    throttleTimeMs: new Histogram(TIME_RESOLUTION_MS),
    responseQueueTimeMs: new Histogram(TIME_RESOLUTION_MS),
    responseSendTimeMs: new Histogram(TIME_RESOLUTION_MS),
    totalTimeMs: new Histogram(TIME_RESOLUTION_MS),
  };

  update(version: number, sizeInBytes: number, timings: RequestTimings): void {
    this.requests.set(version, (this.requests.get(version) ?? 0) + 1);
    this.requestBytes.update(sizeInBytes);
    const { times } = this;
    times.requestQueueTimeMs.update(timings.requestQueueTimeMs);
    times.localTimeMs.update(timings.localTimeMs);
    times.remoteTimeMs.update(timings.remoteTimeMs);
    times.throttleTimeMs.update(timings.throttleTimeMs);
    times.responseQueueTimeMs.update(timings.responseQueueTimeMs);
    times.responseSendTimeMs.update(timings.sendTimeMs);
    times.totalTimeMs.update(timings.totalTimeMs);
  }

  rotate(): void {
    this.requestBytes.rotate();
    for (const phase of requestPhases) this.times[phase].rotate();
  }
}

/**
 * The metrics of all requests, by the reference's names: the API's, and for Fetch also who fetched (`FetchConsumer`,
 * `FetchFollower`). A name is there once such a request has come. Counterpart of `RequestChannel.Metrics`.
 */
export class RequestChannelMetrics {
  private readonly metrics = new Map<string, RequestMetrics>();

  get byName(): ReadonlyMap<string, RequestMetrics> {
    return this.metrics;
  }

  /** Takes a completed request in. @param response null where there was none */
  update(request: NetworkRequest, response: ResponseInit<ApiName> | null, timings: RequestTimings): void {
    const { api, header, sizeInBytes } = request;
    const metrics = this.of(api);
    metrics.update(header.apiVersion, sizeInBytes, timings);
    if (api === 'Fetch') this.of(fetcherName(request)).update(header.apiVersion, sizeInBytes, timings);
    if (response !== null) countErrors(response, metrics.errors);
  }

  /** Ends a period of the histograms. */
  rotate(): void {
    for (const metrics of this.metrics.values()) metrics.rotate();
  }

  private of(name: string): RequestMetrics {
    let metrics = this.metrics.get(name);
    if (metrics === undefined) {
      metrics = new RequestMetrics();
      this.metrics.set(name, metrics);
    }
    return metrics;
  }
}

/** The name of an error code as the metrics print it. */
export function errorName(code: number): string {
  return errorByCode(code).name;
}

function fetcherName(request: NetworkRequest): string {
  return (request as NetworkRequest<'Fetch'>).body.replicaId >= 0 ? 'FetchFollower' : 'FetchConsumer';
}

/** Counts every `errorCode` of an answer, however deep. */
function countErrors(part: object, errors: Map<number, number>): void {
  for (const [name, value] of Object.entries(part) as [string, unknown][]) {
    if (name === 'errorCode') errors.set(value as number, (errors.get(value as number) ?? 0) + 1);
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) countErrors(value, errors);
  }
}
