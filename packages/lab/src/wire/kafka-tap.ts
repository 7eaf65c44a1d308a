import { decodeRequestBody, decodeRequestHeader, decodeResponseFrame, detectCodec } from '@klassic/protocol';
import type { ApiName, Codec, DecodedHeader, RequestOf, ResponseOf } from '@klassic/protocol';
import { messageOf } from '../lab-error.ts';
import type { TappedFrame } from './tcp-relay.ts';

/** A request and its answer, as they went over a wire. */
export interface Exchange {
  readonly connection: number;
  readonly codec: Codec;
  readonly header: DecodedHeader;
  readonly request: RequestOf<ApiName>;
  readonly response: ResponseOf<ApiName>;
}

export interface KafkaTapOptions {
  readonly onExchange: (exchange: Exchange) => void;
  /** Told, in a line, of frames that cannot be read. */
  readonly onUnreadable?: (line: string) => void;
}

interface Waiting {
  readonly header: DecodedHeader;
  readonly request: RequestOf<ApiName>;
}

interface ConnectionState {
  readonly codec: Codec;
  /** Requests by correlation id that have no answer yet; those with acks=0 never get one. */
  readonly waiting: Map<number, Waiting>;
}

/** Requests remembered of one connection; what never gets an answer must not be kept for ever. */
const mostWaiting = 10_000;

/** Reads Kafka's frames off a relay, in either codec, and puts requests and answers together. */
export class KafkaTap {
  private readonly options: KafkaTapOptions;
  private readonly connections = new Map<number, ConnectionState>();

  constructor(options: KafkaTapOptions) {
    this.options = options;
  }

  /** To be handed to a relay: `onFrame: (frame) => tap.push(frame)`. */
  push(tapped: TappedFrame): void {
    try {
      if (tapped.direction === 'to-server') this.request(tapped);
      else this.response(tapped);
    } catch (error) {
      this.options.onUnreadable?.(`connection ${tapped.connection}, ${tapped.direction}: ${messageOf(error)}`);
    }
  }

  private request({ connection, frame }: TappedFrame): void {
    let state = this.connections.get(connection);
    if (state === undefined) {
      state = { codec: detectCodec(frame[0] ?? 0), waiting: new Map() };
      this.connections.set(connection, state);
    }
    const header = decodeRequestHeader(state.codec, frame);
    if (!header.versionSupported) return;
    const request = decodeRequestBody(state.codec, frame, header);
    state.waiting.set(header.correlationId, { header, request });
    if (state.waiting.size > mostWaiting) state.waiting.delete(state.waiting.keys().next().value!);
  }

  private response({ connection, frame }: TappedFrame): void {
    const state = this.connections.get(connection);
    const [oldest] = state?.waiting.values() ?? [];
    if (state === undefined || oldest === undefined) return;
    // Answers come in the order of the requests, but for those that get none: the correlation id tells.
    const correlationId = state.codec === 'kafka' ? frame.readInt32BE(0) : undefined;
    const waiting = correlationId === undefined ? oldest : state.waiting.get(correlationId);
    if (waiting === undefined) return;
    const { header, request } = waiting;
    state.waiting.delete(header.correlationId);
    const { body } = decodeResponseFrame(state.codec, header.api.name, header.apiVersion, frame);
    this.options.onExchange({ connection, codec: state.codec, header, request, response: body });
  }
}
