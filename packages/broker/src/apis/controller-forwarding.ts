import { Errors, KafkaError } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import type { NetworkRequest } from '@klassic/network';
import type { ApiHandler } from './api-handler.ts';

/** What a broker needs to pass a request on to the controller. */
export interface ControllerForwarder {
  /**
   * Sends the request on and brings the answer back.
   *
   * @throws KafkaError NOT_CONTROLLER when no controller is known or it cannot be reached: the client tries again
   */
  forward<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>>;
}

/**
 * Lets any broker take a request that only the controller can fulfil: the documents' way ("Broker forwards request to
 * controller"). The original answers NOT_CONTROLLER, as this does when `forwarder` is undefined
 * (`klassic.forward.to.controller=false`).
 */
export function onController<A extends ApiName>(
  handler: ApiHandler<A>,
  isController: () => boolean,
  forwarder: ControllerForwarder | undefined,
): ApiHandler<A> {
  return {
    ...handler,
    handle(request: NetworkRequest<A>): ReturnType<ApiHandler<A>['handle']> {
      if (isController()) return handler.handle(request);
      if (forwarder === undefined) throw new KafkaError(Errors.NOT_CONTROLLER, '');
      return forwarder.forward(request.api, request.header.apiVersion, request.body);
    },
  };
}
