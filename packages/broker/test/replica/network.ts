import type { Cancel, Time } from '@klassic/common';
import type { ApiName, RequestInit, RequestOf, ResponseOf } from '@klassic/protocol';
import type { LeaderConnection } from '../../src/replica/index.ts';

/** What a broker answers to another broker's request. */
export type Handler = (api: ApiName, body: RequestOf<ApiName>) => Promise<ResponseOf<ApiName>>;

/** A request as it was sent. */
export interface SentRequest {
  readonly from: number;
  readonly to: number;
  readonly clientId: string;
  readonly api: ApiName;
  readonly body: RequestOf<ApiName>;
  readonly atMs: number;
}

/** Brokers joined by links that take their time each way, and that a test can cut. */
export class Network {
  /** How long one way takes, ms. */
  latencyMs: () => number = () => 1;
  /** Answers a request in the receiver's stead; undefined leaves it to the receiver. */
  answer: (request: SentRequest) => ResponseOf<ApiName> | undefined = () => undefined;
  /** Requests sent since the test began to keep them. */
  sent: SentRequest[] | undefined;
  readonly time: Time;
  private readonly handlers = new Map<number, Handler>();
  private readonly cuts = new Set<string>();
  private readonly open = new Set<Link>();

  constructor(time: Time) {
    this.time = time;
  }

  attach(brokerId: number, handler: Handler): void {
    this.handlers.set(brokerId, handler);
  }

  /** The broker is gone: every link to and from it breaks. */
  detach(brokerId: number): void {
    this.handlers.delete(brokerId);
    this.breakLinks((link) => link.from === brokerId || link.to === brokerId);
  }

  cut(left: number, right: number): void {
    this.cuts.add(pair(left, right));
    this.breakLinks((link) => pair(link.from, link.to) === pair(left, right));
  }

  heal(left: number, right: number): void {
    this.cuts.delete(pair(left, right));
  }

  healAll(): void {
    this.cuts.clear();
  }

  connect(from: number, to: number, clientId: string): LeaderConnection {
    const handler = (): Handler | undefined => (this.reachable(from, to) ? this.handlers.get(to) : undefined);
    const link = new Link(from, to, clientId, this, handler);
    this.open.add(link);
    return link;
  }

  /** Client ids of the connections that a broker has open to another. */
  clientIds(from: number, to: number): string[] {
    return [...this.open].filter((link) => link.from === from && link.to === to).map(({ clientId }) => clientId);
  }

  forget(link: Link): void {
    this.open.delete(link);
  }

  private reachable(from: number, to: number): boolean {
    return this.handlers.has(from) && !this.cuts.has(pair(from, to));
  }

  private breakLinks(broken: (link: Link) => boolean): void {
    for (const link of this.open) {
      if (!broken(link)) continue;
      this.open.delete(link);
      link.close();
    }
  }
}

class Link implements LeaderConnection {
  readonly from: number;
  readonly to: number;
  readonly clientId: string;
  private readonly network: Network;
  private readonly handler: () => Handler | undefined;
  private readonly pending = new Set<(error: Error) => void>();
  private closed = false;

  constructor(from: number, to: number, clientId: string, network: Network, handler: () => Handler | undefined) {
    this.from = from;
    this.to = to;
    this.clientId = clientId;
    this.network = network;
    this.handler = handler;
  }

  send<A extends ApiName>(api: A, _version: number, body: RequestInit<A>): Promise<ResponseOf<A>> {
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      if (this.closed) {
        reject(new Error('the link is closed'));
        return;
      }
      const fail = (error: Error): void => {
        this.pending.delete(fail);
        reject(error);
      };
      this.pending.add(fail);
      const { network, from, to, clientId } = this;
      const request: SentRequest = {
        from,
        to,
        clientId,
        api,
        body: body as RequestOf<A>,
        atMs: network.time.milliseconds(),
      };
      network.sent?.push(request);
      this.later(() => {
        const handler = this.handler();
        if (handler === undefined) {
          fail(new Error(`broker ${this.to} cannot be reached`));
          return;
        }
        const instead = network.answer(request);
        const answered = instead === undefined ? handler(api, request.body) : Promise.resolve(instead);
        void answered.then((response) => {
          this.later(() => {
            if (this.pending.delete(fail)) resolve(response as ResponseOf<A>);
          });
        });
      });
    });
  }

  close(): void {
    this.closed = true;
    this.network.forget(this);
    for (const fail of [...this.pending]) fail(new Error('the link broke'));
  }

  private later(task: () => void): Cancel {
    return this.network.time.schedule(this.network.latencyMs(), task);
  }
}

function pair(left: number, right: number): string {
  return left < right ? `${left}-${right}` : `${right}-${left}`;
}
