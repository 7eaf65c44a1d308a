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
  /** undefined for a version that cannot be read. */
  readonly request: RequestOf<ApiName> | undefined;
}

interface ConnectionState {
  readonly codec: Codec;
  /** Requests that have no answer yet, oldest first: answers come in the order of the requests. */
  readonly waiting: Waiting[];
}

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
      state = { codec: detectCodec(frame[0] ?? 0), waiting: [] };
      this.connections.set(connection, state);
    }
    const header = decodeRequestHeader(state.codec, frame);
    const request = header.versionSupported ? decodeRequestBody(state.codec, frame, header) : undefined;
    const getsNoAnswer = header.api.name === 'Produce' && (request as RequestOf<'Produce'>).acks === 0;
    if (!getsNoAnswer) state.waiting.push({ header, request });
  }

  private response({ connection, frame }: TappedFrame): void {
    const state = this.connections.get(connection);
    const waiting = state?.waiting.shift();
    // An ApiVersions request of an unknown version is answered in version 0, with no more than an error.
    if (state === undefined || waiting?.request === undefined) return;
    const { header, request } = waiting;
    const { body } = decodeResponseFrame(state.codec, header.api.name, header.apiVersion, frame);
    this.options.onExchange({ connection, codec: state.codec, header, request, response: body });
  }
}
