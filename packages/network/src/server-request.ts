import { invariant } from '@klassic/common';
import type { ApiName, RequestHeader, RequestOf, ResponseInit } from '@klassic/protocol';
import type { NetworkRequest, RequestContext } from './network-request.ts';

/** How a request was ended by its handler. */
export type RequestOutcome =
  | { readonly kind: 'response'; readonly body: ResponseInit<ApiName> }
  | { readonly kind: 'none' }
  | { readonly kind: 'close' };

/** The connection that waits for a request's outcome. */
export interface RequestOwner {
  requestEnded(request: ServerRequest, outcome: RequestOutcome): void;
}

/** A decoded request as its connection follows it: the handler's view is `NetworkRequest`. */
export class ServerRequest implements NetworkRequest {
  readonly api: ApiName;
  readonly header: RequestHeader;
  readonly body: RequestOf<ApiName>;
  readonly unsupportedVersion: boolean;
  readonly context: RequestContext;
  readonly sizeInBytes: number;
  readonly receivedAtMs: number;
  readonly startHiResMs: number;
  /** When the handler was called, by `Time.hiResMs`. */
  dequeuedHiResMs = 0;
  /** When the handler had returned, or had answered if that came first; undefined until then. */
  localCompleteHiResMs: number | undefined;
  throttleTimeMs = 0;
  /** See `whenSent`. */
  onSent: (() => void) | undefined;
  private readonly owner: RequestOwner;
  private ended = false;

  constructor(
    parts: Omit<
      NetworkRequest,
      'whenSent' | 'respond' | 'noResponse' | 'closeConnection' | 'throttle' | 'throttleTimeMs' | 'localTimeMs'
    >,
    owner: RequestOwner,
  ) {
    this.api = parts.api;
    this.header = parts.header;
    this.body = parts.body;
    this.unsupportedVersion = parts.unsupportedVersion;
    this.context = parts.context;
    this.sizeInBytes = parts.sizeInBytes;
    this.receivedAtMs = parts.receivedAtMs;
    this.startHiResMs = parts.startHiResMs;
    this.owner = owner;
  }

  whenSent(callback: () => void): void {
    invariant(!this.ended && this.onSent === undefined, 'one asks to be told, before the answer');
    this.onSent = callback;
  }

  throttle(throttleTimeMs: number): void {
    this.throttleTimeMs = Math.max(this.throttleTimeMs, throttleTimeMs);
  }

  localTimeMs(nowHiResMs: number): number {
    return (this.localCompleteHiResMs ?? nowHiResMs) - this.dequeuedHiResMs;
  }

  respond(body: ResponseInit<ApiName>): void {
    this.end({ kind: 'response', body });
  }

  noResponse(): void {
    this.end({ kind: 'none' });
  }

  closeConnection(): void {
    this.end({ kind: 'close' });
  }

  private end(outcome: RequestOutcome): void {
    invariant(!this.ended, () => `the ${this.api} request ${this.header.correlationId} was answered twice`);
    this.ended = true;
    this.owner.requestEnded(this, outcome);
  }
}
