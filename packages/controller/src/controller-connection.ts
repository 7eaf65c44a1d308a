import type { RequestInit, ResponseOf } from '@klassic/protocol';
import type { ControlApi } from './control-requests.ts';

/** A connection from the controller to one broker. It is used for one request at a time. */
export interface ControllerConnection {
  /** Opens the connection where that is a step of its own; rejects when the broker cannot be reached. */
  connect?(): Promise<void>;
  /** Rejects when the connection fails or the request times out; the connection is not used again then. */
  send<A extends ControlApi>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>>;
  /** Closes the connection; a request under way rejects. */
  close(): void;
}

/** A broker's address for the controller's connection. */
export interface BrokerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Makes a connection to a broker, not yet opened. The client id of the controller's requests is its bare broker id. */
export type ConnectToBroker = (broker: BrokerNode) => ControllerConnection;
