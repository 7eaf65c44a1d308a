import type { Socket } from 'node:net';
import type { Cancel, Logger, Time } from '@klassic/common';
import {
  decodeRequestBody,
  decodeRequestHeader,
  detectCodec,
  encodeResponseFrame,
  ProtocolError,
} from '@klassic/protocol';
import type { ApiVersionsRequest, Codec } from '@klassic/protocol';
import { clientInformationOf, unknownClient } from './client-information.ts';
import { FrameReader } from './frame-reader.ts';
import { InvalidReceiveError } from './network-errors.ts';
import type { RequestCompletion, RequestContext, SecurityProtocol } from './network-request.ts';
import type { RequestChannel } from './request-channel.ts';
import { ServerRequest } from './server-request.ts';
import type { RequestOutcome } from './server-request.ts';
import { writeChunks } from './socket-writing.ts';

/** Complete frames that may wait behind the one in work before the socket is no longer read. */
const MAX_WAITING_FRAMES = 1;

/** While more than this many bytes of answers wait to be taken by the peer, its next request is not begun. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** How long the answers before a bad frame have to leave, ms. */
const LINGER_MS = 1_000;

/** Stands for the body of an ApiVersions request of an unknown version, which cannot be read. */
const unreadableApiVersions: ApiVersionsRequest = { clientSoftwareName: '', clientSoftwareVersion: '' };

export interface ServerConnectionOptions {
  readonly socket: Socket;
  readonly connectionId: string;
  readonly clientAddress: string;
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  readonly maxRequestBytes: number;
  readonly time: Time;
  readonly logger: Logger;
  /** Where its requests are handed on. */
  readonly channel: RequestChannel;
  readonly onComplete: RequestCompletion | undefined;
  /** Called once when the connection has ended. */
  readonly onClosed: (connection: ServerConnection) => void;
}

interface WaitingFrame {
  readonly frame: Buffer;
  readonly receivedAtMs: number;
  readonly startHiResMs: number;
}

/**
 * One accepted connection. It takes one request at a time, like a muted and unmuted channel of `kafka.network.Processor`:
 * the next begins when the answer to the last has been written, so answers keep the order of requests. A client above its
 * quota is answered at once, and its next request is begun when its throttle time is over (KIP-219).
 */
export class ServerConnection {
  readonly connectionId: string;
  readonly clientAddress: string;
  readonly listenerName: string;
  private readonly options: ServerConnectionOptions;
  private readonly socket: Socket;
  private readonly time: Time;
  private readonly reader: FrameReader;
  private readonly waiting: WaitingFrame[] = [];
  private context: RequestContext | undefined;
  private current: ServerRequest | undefined;
  private processing = false;
  private draining = false;
  /** The channel was full when the next request came. */
  private blocked = false;
  private cancelThrottle: Cancel | undefined;
  /** Why nothing after the waiting frames can be read. */
  private brokenBy: InvalidReceiveError | undefined;
  private closed = false;
  private lastActiveHiResMs: number;

  constructor(options: ServerConnectionOptions) {
    this.options = options;
    this.socket = options.socket;
    this.connectionId = options.connectionId;
    this.clientAddress = options.clientAddress;
    this.listenerName = options.listenerName;
    this.time = options.time;
    this.reader = new FrameReader(options.maxRequestBytes);
    this.lastActiveHiResMs = options.time.hiResMs();
  }

  /** Begins to read. */
  start(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.receive(chunk);
    });
    this.socket.on('drain', () => {
      this.draining = false;
      this.processNext();
    });
    this.socket.on('error', (error: Error) => {
      this.options.logger.debug(`Connection ${this.connectionId} with /${this.clientAddress} failed: ${error.message}`);
    });
    this.socket.on('close', () => {
      this.close();
    });
    this.socket.resume();
  }

  /** Milliseconds since the last byte either way; 0 while a request is in work or the client is throttled. */
  idleMs(): number {
    return this.current === undefined && this.cancelThrottle === undefined
      ? this.time.hiResMs() - this.lastActiveHiResMs
      : 0;
  }

  /** Ends the connection; answers that the operating system has not taken are lost, as with Kafka. */
  close(): void {
    if (this.letGo()) this.socket.destroy();
  }

  /** Ends the connection once the answers that were written have been taken, or after a while. */
  private closeAfterAnswers(): void {
    if (!this.letGo()) return;
    this.socket.destroySoon();
    this.time.schedule(LINGER_MS, () => {
      this.socket.destroy();
    });
  }

  /** @returns false when that was done before */
  private letGo(): boolean {
    if (this.closed) return false;
    this.closed = true;
    this.waiting.length = 0;
    this.cancelThrottle?.();
    this.options.channel.forget(this, this.current);
    this.options.onClosed(this);
    return true;
  }

  /** Called by the request in work, once. */
  requestEnded(request: ServerRequest, outcome: RequestOutcome): void {
    const endedHiResMs = this.time.hiResMs();
    request.localCompleteHiResMs ??= endedHiResMs;
    this.current = undefined;
    this.lastActiveHiResMs = endedHiResMs;
    if (request.throttleTimeMs > 0 && !this.closed) this.throttle(request.throttleTimeMs);
    if (outcome.kind === 'close') {
      this.options.logger.debug(`Closing the connection ${this.connectionId} at the request's word`);
      this.close();
    } else if (outcome.kind === 'none') {
      this.complete(request, outcome, endedHiResMs, endedHiResMs);
    } else {
      this.send(request, outcome, endedHiResMs);
    }
    this.processNext();
  }

  /** Called by the channel when it has room again. */
  resume(): void {
    this.blocked = false;
    this.processNext();
  }

  /** Whether something other than the request in work keeps the next one back; the socket is not read meanwhile. */
  private get isHeld(): boolean {
    return this.draining || this.blocked || this.cancelThrottle !== undefined;
  }

  private throttle(throttleTimeMs: number): void {
    this.cancelThrottle?.();
    this.cancelThrottle = this.time.schedule(throttleTimeMs, () => {
      this.cancelThrottle = undefined;
      this.lastActiveHiResMs = this.time.hiResMs();
      this.processNext();
    });
  }

  private receive(chunk: Buffer): void {
    if (this.closed || this.brokenBy !== undefined) return;
    this.lastActiveHiResMs = this.time.hiResMs();
    const receivedAtMs = this.time.milliseconds();
    const startHiResMs = this.lastActiveHiResMs;
    try {
      this.reader.push(chunk, (frame) => {
        this.waiting.push({ frame, receivedAtMs, startHiResMs });
      });
    } catch (error) {
      if (!(error instanceof InvalidReceiveError)) throw error;
      this.brokenBy = error;
    }
    this.processNext();
  }

  /** Runs requests as long as one waits and nothing holds it back. Not re-entered from a handler that answers at once. */
  private processNext(): void {
    if (this.processing) return;
    this.processing = true;
    while (this.current === undefined && !this.isHeld && !this.closed) {
      if (this.waiting.length > 0 && this.options.channel.isFull) {
        this.blocked = true;
        this.options.channel.awaitRoom(this);
        break;
      }
      const next = this.waiting.shift();
      if (next === undefined) break;
      this.process(next);
    }
    this.processing = false;
    if (this.closed) return;
    if (this.brokenBy !== undefined && this.waiting.length === 0 && this.current === undefined) {
      // What came whole before the bad frame has been answered, as in the original.
      this.complain(this.brokenBy.message);
      this.closeAfterAnswers();
      return;
    }
    const mute = this.waiting.length > MAX_WAITING_FRAMES || this.isHeld || this.brokenBy !== undefined;
    if (mute !== this.socket.isPaused()) {
      if (mute) this.socket.pause();
      else this.socket.resume();
    }
  }

  private process(waiting: WaitingFrame): void {
    const request = this.parse(waiting);
    if (request === undefined) return;
    this.current = request;
    this.options.channel.send(request);
  }

  /** @returns undefined when the frame is no request: the connection has been closed then */
  private parse({ frame, receivedAtMs, startHiResMs }: WaitingFrame): ServerRequest | undefined {
    try {
      const context = (this.context ??= this.newContext(detectCodec(frame[0]!)));
      const decoded = decodeRequestHeader(context.codec, frame);
      const { api, apiKey, apiVersion, correlationId, clientId, versionSupported } = decoded;
      if (api.raftOnly)
        throw new InvalidReceiveError(`Received request api key ${api.loggedName} which is not enabled`);
      const body = versionSupported ? decodeRequestBody(context.codec, frame, decoded) : unreadableApiVersions;
      if (versionSupported && api.name === 'ApiVersions') this.noteClient(body);
      return new ServerRequest(
        {
          api: api.name,
          header: { apiKey, apiVersion, correlationId, clientId },
          body,
          unsupportedVersion: !versionSupported,
          context: this.context,
          sizeInBytes: frame.length,
          receivedAtMs,
          startHiResMs,
        },
        this,
      );
    } catch (error) {
      // Only what the peer sent is read here, and by readers that fail on nonsense in more ways than one class.
      this.refuse((error as Error).message);
      return undefined;
    }
  }

  private newContext(codec: Codec): RequestContext {
    return {
      connectionId: this.connectionId,
      listenerName: this.options.listenerName,
      securityProtocol: this.options.securityProtocol,
      clientAddress: this.clientAddress,
      codec,
      principal: 'User:ANONYMOUS',
      clientInformation: unknownClient,
    };
  }

  private noteClient(body: object): void {
    const clientInformation = clientInformationOf(body);
    if (clientInformation !== undefined) this.context = { ...this.context!, clientInformation };
  }

  private send(request: ServerRequest, outcome: RequestOutcome & { kind: 'response' }, endedHiResMs: number): void {
    if (this.closed) {
      this.options.logger.warn(
        `Attempting to send response via channel for which there is no open connection, connection id ${this.connectionId}`,
      );
      this.complete(request, outcome, endedHiResMs, endedHiResMs);
      return;
    }
    const { apiVersion, correlationId } = request.header;
    const version = request.unsupportedVersion ? 0 : apiVersion;
    let frame: Buffer[];
    try {
      frame = encodeResponseFrame(request.context.codec, request.api, version, correlationId, outcome.body);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // A fault of this broker, of one answer: the client asks again or elsewhere, everybody else goes on.
      this.options.logger.error(`The answer to ${request.api} v${version} cannot be written`, error);
      this.close();
      return;
    }
    const { onSent } = request;
    if (this.options.onComplete === undefined && onSent === undefined) {
      writeChunks(this.socket, frame);
    } else {
      const sendHiResMs = this.time.hiResMs();
      writeChunks(this.socket, frame, (error) => {
        this.complete(request, outcome, endedHiResMs, sendHiResMs);
        if (!error) onSent?.();
      });
    }
    this.draining = this.socket.writableNeedDrain && this.socket.writableLength > MAX_UNSENT_BYTES;
  }

  private complete(request: ServerRequest, outcome: RequestOutcome, endedHiResMs: number, sendHiResMs: number): void {
    const { onComplete } = this.options;
    if (onComplete === undefined) return;
    const now = this.time.hiResMs();
    const localCompleteHiResMs = request.localCompleteHiResMs ?? endedHiResMs;
    onComplete(request, outcome.kind === 'response' ? outcome.body : null, {
      totalTimeMs: now - request.startHiResMs,
      requestQueueTimeMs: request.dequeuedHiResMs - request.startHiResMs,
      localTimeMs: localCompleteHiResMs - request.dequeuedHiResMs,
      remoteTimeMs: endedHiResMs - localCompleteHiResMs,
      throttleTimeMs: request.throttleTimeMs,
      responseQueueTimeMs: sendHiResMs - endedHiResMs,
      sendTimeMs: now - sendHiResMs,
    });
  }

  private refuse(reason: string): void {
    this.complain(reason);
    this.close();
  }

  private complain(reason: string): void {
    this.options.logger.warn(
      `[SocketServer listener=${this.options.listenerName}] Closing the connection ${this.connectionId} from /${this.clientAddress}: ${reason}`,
    );
  }
}
