export { BrokerConnection } from './broker-connection.ts';
export type { BrokerConnectionOptions, SendOptions } from './broker-connection.ts';
export { FrameReader } from './frame-reader.ts';
export { DisconnectError, InvalidReceiveError, RequestTimeoutError, SocketServerError } from './network-errors.ts';
export type {
  ClientInformation,
  NetworkRequest,
  RequestCompletion,
  RequestContext,
  RequestHandler,
  RequestTimings,
  SecurityProtocol,
} from './network-request.ts';
export { SocketServer } from './socket-server.ts';
export type { SocketServerOptions } from './socket-server.ts';
export { defaultSocketServerConfig } from './socket-server-config.ts';
export { SampledRate, throttleTimeMs } from './sampled-rate.ts';
export type { RateConfig } from './sampled-rate.ts';
export type { ConnectionLimits, ListenerEndPoint, SocketServerConfig } from './socket-server-config.ts';
