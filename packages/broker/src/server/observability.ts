import { Histogram } from '@klassic/common';
import type { Cancel, LoggerFactory, Time } from '@klassic/common';
import type { RequestCompletion, SocketServer } from '@klassic/network';
import { BrokerTopicStats, IdlePercent, prometheusExporter, RequestChannelMetrics } from '../metrics/index.ts';
import type { HttpServer, Page, PrometheusExporter } from '../metrics/index.ts';
import { brokerCollectors } from './broker-collectors.ts';
import type { CollectedParts } from './broker-collectors.ts';
import { healthOf, stateOf } from './broker-state.ts';
import type { StateParts } from './broker-state.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { requestLogger } from './request-logger.ts';

/** How often the idle percentages take a look, in milliseconds: twelve looks are a minute. */
const TICK_MS = 5_000;
/** Percentiles are those of the last two and a half to five minutes. */
const PERIOD_MS = 150_000;

type OwnParts = 'time' | 'requests' | 'processorIdle' | 'handlerIdle' | 'topicStats' | 'flushTimeMs';

/** What the rest of the broker hands over to be shown. */
export type ShownParts = Omit<CollectedParts, OwnParts> & StateParts;

/** Histograms and counters that cost something on each request: kept only where somebody can see them. */
interface Recorders {
  readonly requests: RequestChannelMetrics;
  readonly flushTimeMs: Histogram;
  readonly processorIdle: IdlePercent;
  readonly handlerIdle: IdlePercent;
}

/**
 * What a broker shows of itself over HTTP, by `klassic.http.port`: `/metrics` for Prometheus, `/state` for people,
 * `/health`. Without that setting nothing is recorded but a few counters by topic.
 */
export class Observability {
  readonly topicStats = new BrokerTopicStats();
  /** Told of each completed request; undefined when nobody listens. */
  readonly onComplete: RequestCompletion | undefined;
  private readonly config: KafkaConfig;
  private readonly time: Time;
  private readonly loggers: LoggerFactory;
  private readonly recorders: Recorders | undefined;
  private socketServer: SocketServer | undefined;
  private server: HttpServer | undefined;
  private cancels: Cancel[] = [];

  constructor(config: KafkaConfig, time: Time, loggers: LoggerFactory) {
    this.config = config;
    this.time = time;
    this.loggers = loggers;
    this.recorders = this.port === null ? undefined : this.newRecorders();
    this.onComplete = this.completion(requestLogger(loggers), this.recorders);
  }

  /** Takes the duration of each flush; undefined when nobody looks. */
  get flushTimeMs(): Histogram | undefined {
    return this.recorders?.flushTimeMs;
  }

  /**
   * Serves the pages, if the setting asks for it. What only they need is loaded now, prom-client by the first scrape.
   *
   * @throws HttpServerError when the port cannot be bound
   */
  async start(parts: ShownParts): Promise<void> {
    const { port, recorders, time, topicStats, config, loggers } = this;
    if (port === null || recorders === undefined) return;
    const collectors = brokerCollectors({ ...parts, ...recorders, time, topicStats });
    let exporter: Promise<PrometheusExporter> | undefined;
    const metrics = async (): Promise<Page> => {
      exporter ??= prometheusExporter(collectors);
      const { contentType, scrape } = await exporter;
      return { contentType, body: await scrape() };
    };
    const http = await import('../metrics/http-server.ts');
    this.socketServer = parts.socketServer;
    this.server = new http.HttpServer({
      host: config.string('klassic.http.host'),
      port,
      pages: new Map<string, () => Page | Promise<Page>>([
        ['/metrics', metrics],
        ['/state', () => jsonPage(200, stateOf(parts))],
        ['/health', () => health(parts)],
      ]),
      logger: loggers('kafka.server.HttpServer'),
    });
    await this.server.start();
    this.cancels.push(
      time.scheduleEvery(TICK_MS, () => {
        recorders.processorIdle.tick(time.hiResMs());
        recorders.handlerIdle.tick(time.hiResMs());
      }),
      time.scheduleEvery(PERIOD_MS, () => {
        recorders.requests.rotate();
        recorders.flushTimeMs.rotate();
        parts.controller.rotateHistograms();
      }),
    );
  }

  stop(): void {
    for (const cancel of this.cancels.splice(0)) cancel();
    this.server?.stop();
  }

  private get port(): number | null {
    return this.config.optionalNumber('klassic.http.port');
  }

  private newRecorders(): Recorders {
    const nowMs = this.time.hiResMs();
    return {
      requests: new RequestChannelMetrics(),
      flushTimeMs: new Histogram(0.001),
      processorIdle: new IdlePercent(() => performance.eventLoopUtilization().active, nowMs),
      handlerIdle: new IdlePercent(() => this.socketServer?.handlerBusyMs ?? 0, nowMs),
    };
  }

  private completion(
    log: RequestCompletion | undefined,
    recorders: Recorders | undefined,
  ): RequestCompletion | undefined {
    if (recorders === undefined) return log;
    return (request, response, timings) => {
      recorders.requests.update(request, response, timings);
      log?.(request, response, timings);
    };
  }
}

function health(parts: StateParts): Page {
  const found = healthOf(parts);
  return jsonPage(found.status === 'healthy' ? 200 : 503, found);
}

function jsonPage(status: number, value: object): Page {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` };
}
