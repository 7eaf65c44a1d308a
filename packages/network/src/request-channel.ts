import type { Time } from '@klassic/common';
import type { RequestHandler } from './network-request.ts';
import type { ServerRequest } from './server-request.ts';

/** How long requests are handled one after another before everything else on the thread has its turn, ms. */
const BURST_MS = 20;
/** A pause of this length ends a burst, ms: whatever else waited has had its turn. */
const PAUSE_MS = 1;

/** A connection that could not hand its next request on. */
export interface BlockedConnection {
  /** There is room now. */
  resume(): void;
}

export interface RequestChannelOptions {
  /** `queued.max.requests`: how many requests may wait for the handler. */
  readonly maxQueuedRequests: number;
  readonly time: Time;
  readonly handler: RequestHandler;
}

/**
 * The queue between the connections and the handler. With one thread a request is handled as soon as it has come, as
 * long as the thread keeps up; under a flood requests queue here, so that timers, fetchers and ZooKeeper have their turns,
 * and when the queue is full the sockets are no longer read. Counterpart of `kafka.network.RequestChannel`.
 */
export class RequestChannel {
  private readonly options: RequestChannelOptions;
  private readonly time: Time;
  private queue: ServerRequest[] = [];
  private readonly blocked = new Set<BlockedConnection>();
  private draining = false;
  private burstBeganHiResMs = 0;
  private burstEndedHiResMs = -Infinity;
  private busy = 0;

  constructor(options: RequestChannelOptions) {
    this.options = options;
    this.time = options.time;
  }

  /** Requests that wait: `RequestQueueSize`. */
  get requestQueueSize(): number {
    return this.queue.length;
  }

  /** Milliseconds spent in the handler since the start. */
  get handlerBusyMs(): number {
    return this.busy;
  }

  get isFull(): boolean {
    return this.queue.length >= this.options.maxQueuedRequests;
  }

  /** Hands a request on: at once, or when its turn comes. Not to be called while the channel is full. */
  send(request: ServerRequest): void {
    const busyMs = this.burstEndedHiResMs - this.burstBeganHiResMs;
    if (this.queue.length === 0 && busyMs < BURST_MS) {
      this.handle(request);
      return;
    }
    this.queue.push(request);
    this.drainSoon();
  }

  /** Calls `connection.resume` once there is room. */
  awaitRoom(connection: BlockedConnection): void {
    this.blocked.add(connection);
  }

  /** The connection has ended: its requests are not handled any more. */
  forget(connection: BlockedConnection, request: ServerRequest | undefined): void {
    this.blocked.delete(connection);
    if (request === undefined || this.queue.length === 0) return;
    this.queue = this.queue.filter((each) => each !== request);
    this.admitBlocked();
  }

  /** Drops what waits; nothing more is handled. */
  close(): void {
    this.queue = [];
    this.blocked.clear();
  }

  private drainSoon(): void {
    if (this.draining) return;
    this.draining = true;
    this.time.soon(() => {
      this.draining = false;
      this.drain();
    });
  }

  private drain(): void {
    this.burstBeganHiResMs = this.burstEndedHiResMs = this.time.hiResMs();
    while (this.burstEndedHiResMs - this.burstBeganHiResMs < BURST_MS) {
      const request = this.queue.shift();
      if (request === undefined) break;
      this.handle(request);
    }
    if (this.queue.length > 0) this.drainSoon();
    this.admitBlocked();
  }

  private admitBlocked(): void {
    for (const connection of this.blocked) {
      if (this.isFull) return;
      this.blocked.delete(connection);
      connection.resume();
    }
  }

  private handle(request: ServerRequest): void {
    const dequeuedHiResMs = this.time.hiResMs();
    request.dequeuedHiResMs = dequeuedHiResMs;
    if (dequeuedHiResMs - this.burstEndedHiResMs > PAUSE_MS) this.burstBeganHiResMs = dequeuedHiResMs;
    this.options.handler(request);
    const endedHiResMs = (request.localCompleteHiResMs ??= this.time.hiResMs());
    this.burstEndedHiResMs = endedHiResMs;
    this.busy += endedHiResMs - dequeuedHiResMs;
  }
}
