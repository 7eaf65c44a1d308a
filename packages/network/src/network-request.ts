import type { ApiName, Codec, RequestHeader, RequestOf, ResponseInit } from '@klassic/protocol';

/** `security.protocol` of a listener. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** What a client says of itself in ApiVersions v3 and later (KIP-511); `unknown` until it has. */
export interface ClientInformation {
  readonly softwareName: string;
  readonly softwareVersion: string;
}

/** Where a request came from. Counterpart of `org.apache.kafka.common.requests.RequestContext`. */
export interface RequestContext {
  /** Local end, remote end and a number, for example `127.0.0.1:9092-127.0.0.1:53122-0`. */
  readonly connectionId: string;
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  /** The peer's IP address without its port. */
  readonly clientAddress: string;
  readonly codec: Codec;
  readonly principal: 'User:ANONYMOUS';
  readonly clientInformation: ClientInformation;
}

/**
 * A decoded request with the means to answer it. Exactly one of `respond`, `noResponse` and `closeConnection` must be
 * called once; until then the connection takes no further request. Counterpart of `kafka.network.RequestChannel.Request`.
 */
export interface NetworkRequest<A extends ApiName = ApiName> {
  readonly api: A;
  readonly header: RequestHeader;
  /** For an ApiVersions request of a version the broker does not know: the body with every default. */
  readonly body: RequestOf<A>;
  /**
   * True only for ApiVersions of a version the broker does not know: the handler answers UNSUPPORTED_VERSION, which goes
   * out in version 0 (KIP-35). Any other API at such a version closes the connection before it reaches a handler.
   */
  readonly unsupportedVersion: boolean;
  readonly context: RequestContext;
  /** Bytes of the frame without its size field. */
  readonly sizeInBytes: number;
  /** Wall clock, milliseconds since 1970, when the frame was complete. */
  readonly receivedAtMs: number;
  /** Monotonic clock (`Time.hiResMs`) at the same instant. */
  readonly startHiResMs: number;
  /**
   * Before the request is answered: asks to be told when the whole answer has been handed to the operating system, so that
   * what it refers to may be written over. It is not told where the connection ends before.
   */
  whenSent(callback: () => void): void;
  /** How long the client is held back after the answer, ms: see `throttle`. */
  readonly throttleTimeMs: number;
  /** The client is above a quota: its next request is begun this many ms after the answer. The longest of several counts. */
  throttle(throttleTimeMs: number): void;
  /** Milliseconds in the handler itself, up to now or until it returned. @param nowHiResMs by `Time.hiResMs` */
  localTimeMs(nowHiResMs: number): number;
  /** Sends the answer; on a connection that has gone meanwhile it is dropped. */
  respond(body: ResponseInit<A>): void;
  /** The request asks for no answer (Produce with acks=0). */
  noResponse(): void;
  /** Ends the connection without an answer. */
  closeConnection(): void;
}

/** Takes each request in the order of arrival of its connection; may answer at once or later. It must not throw. */
export type RequestHandler = (request: NetworkRequest) => void;

/** How long a request spent where, in milliseconds with a fraction: the fields of the request log. */
export interface RequestTimings {
  /** From the complete frame to the answer handed to the operating system. */
  readonly totalTimeMs: number;
  readonly requestQueueTimeMs: number;
  /** In the handler itself. */
  readonly localTimeMs: number;
  /** After the handler returned, until it answered (waiting for followers, for data, for members). */
  readonly remoteTimeMs: number;
  /** Held back for a quota. */
  readonly throttleTimeMs: number;
  readonly responseQueueTimeMs: number;
  readonly sendTimeMs: number;
}

/**
 * Told of each request once its answer has been sent (`response` null: there was none): for the request log and metrics.
 */
export type RequestCompletion = (
  request: NetworkRequest,
  response: ResponseInit<ApiName> | null,
  timings: RequestTimings,
) => void;
