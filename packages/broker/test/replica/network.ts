import type { Cancel, Time } from '@klassic/common';
import type { ApiName, RequestInit, RequestOf, ResponseOf } from '@klassic/protocol';
import type { LeaderConnection } from '../../src/replica/index.ts';

/** What a broker answers to another broker's request. */
export type Handler = (api: ApiName, body: RequestOf<ApiName>) => Promise<ResponseOf<ApiName>>;

/** Brokers joined by links that take their time each way, and that a test can cut. */
export class Network {
  /** How long one way takes, ms. */
  latencyMs: () => number = () => 1;
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

  connect(from: number, to: number): LeaderConnection {
    const link = new Link(from, to, this, () => (this.reachable(from, to) ? this.handlers.get(to) : undefined));
    this.open.add(link);
    return link;
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
  private readonly network: Network;
  private readonly handler: () => Handler | undefined;
  private readonly pending = new Set<(error: Error) => void>();
  private closed = false;

  constructor(from: number, to: number, network: Network, handler: () => Handler | undefined) {
    this.from = from;
    this.to = to;
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
      this.later(() => {
        const handler = this.handler();
        if (handler === undefined) {
          fail(new Error(`broker ${this.to} cannot be reached`));
          return;
        }
        void handler(api, body as RequestOf<A>).then((response) => {
          this.later(() => {
            if (this.pending.delete(fail)) resolve(response as ResponseOf<A>);
          });
        });
      });
    });
  }

  close(): void {
    this.closed = true;
    for (const fail of [...this.pending]) fail(new Error('the link broke'));
  }

  private later(task: () => void): Cancel {
    return this.network.time.schedule(this.network.latencyMs(), task);
  }
}

function pair(left: number, right: number): string {
  return left < right ? `${left}-${right}` : `${right}-${left}`;
}
