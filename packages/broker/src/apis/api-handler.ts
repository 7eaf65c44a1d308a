import type { NetworkRequest } from '@klassic/network';
import type { ApiName, ErrorEntry, ResponseInit } from '@klassic/protocol';

/** What answers one API. A version is advertised only when a handler honours it. */
export interface ApiHandler<A extends ApiName = ApiName> {
  readonly api: A;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** The answer; null when the request asks for none (Produce with acks=0). */
  handle(request: NetworkRequest<A>): ResponseInit<A> | null | Promise<ResponseInit<A> | null>;
  /** The answer when `handle` failed as a whole: the error in every place where this API has one. */
  failure(request: NetworkRequest<A>, error: ErrorEntry, message: string): ResponseInit<A>;
}

/** Handlers of different APIs in one list. */
export type AnyApiHandler = { [A in ApiName]: ApiHandler<A> }[ApiName];

/** Ends the request by closing its connection: for a client that cannot be answered otherwise. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection';
}
