import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { invariant } from '@klassic/common';
import type { Cancel, Time } from '@klassic/common';
import { decodeResponseFrame, encodeRequestFrame } from '@klassic/protocol';
import type { ApiName, Codec, RequestInit, ResponseOf } from '@klassic/protocol';
import { FrameReader } from './frame-reader.ts';
import { DisconnectError, InvalidReceiveError, RequestTimeoutError } from './network-errors.ts';
import { writeChunks } from './socket-writing.ts';

export interface BrokerConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** `client.id` in every request header. */
  readonly clientId: string | null;
  readonly codec: Codec;
  readonly time: Time;
  /** How long to wait for an answer, in milliseconds, unless a request says otherwise. */
  readonly requestTimeoutMs: number;
  /** How long to wait for the connection, in milliseconds; default: `requestTimeoutMs`. */
  readonly connectTimeoutMs?: number;
  /** Largest answer accepted, in bytes; default 2^31 - 1. */
  readonly maxFrameBytes?: number;
}

export interface SendOptions {
  readonly timeoutMs?: number;
}

interface InFlightRequest {
  readonly api: ApiName;
  readonly version: number;
  readonly correlationId: number;
  readonly resolve: (body: ResponseOf<ApiName>) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimeout: Cancel;
}

const MAX_INT32 = 0x7fffffff;

/**
 * One outgoing connection to a broker: requests go out at once, in order, and answers must come in the same order
 * (`org.apache.kafka.clients.NetworkClient` for a single node). Once closed it stays closed: make a new one.
 */
export class BrokerConnection {
  readonly host: string;
  readonly port: number;
  private readonly options: BrokerConnectionOptions;
  private readonly reader: FrameReader;
  /** Oldest first: the head is the one whose answer is due. */
  private readonly inFlight: InFlightRequest[] = [];
  private readonly closeCallbacks: ((reason: Error) => void)[] = [];
  private socket: Socket | undefined;
  private established = false;
  private closeReason: Error | undefined;
  private nextCorrelationId = 0;
  private failConnect: ((error: Error) => void) | undefined;

  constructor(options: BrokerConnectionOptions) {
    this.options = options;
    this.host = options.host;
    this.port = options.port;
    this.reader = new FrameReader(options.maxFrameBytes ?? MAX_INT32);
  }

  /** True from the established connection until it is closed by either side. */
  get isOpen(): boolean {
    return this.established && this.closeReason === undefined;
  }

  /** Requests sent and not answered yet. */
  get inFlightCount(): number {
    return this.inFlight.length;
  }

  /**
   * Opens the connection. To be called once.
   *
   * @throws DisconnectError when the broker cannot be reached, or not in time
   */
  connect(): Promise<void> {
    invariant(this.socket === undefined, 'connect() is called once');
    return new Promise((resolve, reject) => {
      if (this.closeReason !== undefined) {
        reject(this.closeReason);
        return;
      }
      const socket = connect({ host: this.host, port: this.port, noDelay: true });
      this.socket = socket;
      const timeoutMs = this.options.connectTimeoutMs ?? this.options.requestTimeoutMs;
      const cancel = this.options.time.schedule(timeoutMs, () => {
        this.fail(new DisconnectError(`Connection to ${this.place} was not established within ${timeoutMs} ms`));
      });
      this.failConnect = (error) => {
        cancel();
        reject(error);
      };
      socket.once('connect', () => {
        cancel();
        if (this.closeReason !== undefined) return;
        this.failConnect = undefined;
        this.established = true;
        resolve();
      });
      socket.on('data', (chunk: Buffer) => {
        this.receive(chunk);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const what = this.established
          ? `Connection to ${this.place} failed`
          : `Connection to ${this.place} could not be established. Broker may not be available`;
        this.fail(new DisconnectError(`${what} (${error.code ?? error.message})`, { cause: error }));
      });
      socket.on('close', () => {
        this.fail(new DisconnectError(`Connection to ${this.place} was closed by the broker`));
      });
    });
  }

  /**
   * Sends a request and waits for its answer. Any number may be in flight.
   *
   * @throws DisconnectError when the connection is not open, or closes before the answer is there
   * @throws RequestTimeoutError when the answer is not there in time; the connection is closed then
   * @throws ProtocolError when the body cannot be encoded at this version
   */
  send<A extends ApiName>(
    api: A,
    version: number,
    body: RequestInit<A>,
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      const socket = this.openSocket();
      const correlationId = this.takeCorrelationId();
      const frame = encodeRequestFrame(this.options.codec, api, version, correlationId, this.options.clientId, body);
      const timeoutMs = options.timeoutMs ?? this.options.requestTimeoutMs;
      const cancelTimeout = this.options.time.schedule(timeoutMs, () => {
        this.fail(new RequestTimeoutError(`${api} request to ${this.place} timed out after ${timeoutMs} ms`));
      });
      this.inFlight.push({
        api,
        version,
        correlationId,
        resolve: resolve as (body: ResponseOf<ApiName>) => void,
        reject,
        cancelTimeout,
      });
      writeChunks(socket, frame);
    });
  }

  /**
   * Sends a request that has no answer (Produce with acks=0). Resolves when the operating system has taken its bytes.
   *
   * @throws DisconnectError when the connection is not open or fails first
   */
  sendOneWay<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.openSocket();
      const correlationId = this.takeCorrelationId();
      const frame = encodeRequestFrame(this.options.codec, api, version, correlationId, this.options.clientId, body);
      writeChunks(socket, frame, (error) => {
        if (error) reject(new DisconnectError(`Connection to ${this.place} failed`, { cause: error }));
        else resolve();
      });
    });
  }

  /** Closes the connection; requests in flight fail with a DisconnectError. */
  close(): void {
    this.fail(new DisconnectError(`Connection to ${this.place} was closed`));
  }

  /** Calls back once when the connection has closed, for whatever reason; at once when it is closed already. */
  onClose(callback: (reason: Error) => void): void {
    if (this.closeReason === undefined) this.closeCallbacks.push(callback);
    else callback(this.closeReason);
  }

  private get place(): string {
    return `${this.host}:${this.port}`;
  }

  private openSocket(): Socket {
    if (this.closeReason !== undefined) throw this.closeReason;
    if (this.socket === undefined || !this.established) {
      throw new DisconnectError(`Connection to ${this.place} is not established`);
    }
    return this.socket;
  }

  private takeCorrelationId(): number {
    const id = this.nextCorrelationId;
    this.nextCorrelationId = id === MAX_INT32 ? 0 : id + 1;
    return id;
  }

  private receive(chunk: Buffer): void {
    if (this.closeReason !== undefined) return;
    try {
      this.reader.push(chunk, (frame) => {
        this.complete(frame);
      });
    } catch (error) {
      // Whatever cannot be read leaves the stream without a known place to go on from.
      this.fail(
        new DisconnectError(`Connection to ${this.place} was closed: ${(error as Error).message}`, { cause: error }),
      );
    }
  }

  private complete(frame: Buffer): void {
    const request = this.inFlight[0];
    if (request === undefined) throw new InvalidReceiveError('an answer came that no request asked for');
    const { correlationId, body } = decodeResponseFrame(this.options.codec, request.api, request.version, frame);
    if (correlationId !== request.correlationId) {
      throw new InvalidReceiveError(
        `Correlation id for response (${correlationId}) does not match request (${request.correlationId}), ${request.api}`,
      );
    }
    this.inFlight.shift();
    request.cancelTimeout();
    request.resolve(body);
  }

  private fail(reason: Error): void {
    if (this.closeReason !== undefined) return;
    this.closeReason = reason;
    this.socket?.destroy();
    this.failConnect?.(reason);
    for (const request of this.inFlight.splice(0)) {
      request.cancelTimeout();
      request.reject(reason);
    }
    for (const callback of this.closeCallbacks.splice(0)) callback(reason);
  }
}
