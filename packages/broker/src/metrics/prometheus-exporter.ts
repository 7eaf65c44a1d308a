import type { Histogram } from '@klassic/common';
import type { Counter, Gauge } from 'prom-client';
import { metricDefinitions } from './metric-definitions.ts';
import type { MetricDefinition, MetricName } from './metric-definitions.ts';

export type Labels = Readonly<Record<string, string | number>>;

/** Takes what the collectors find. */
export interface MetricSink {
  put(name: MetricName, value: number, labels?: Labels): void;
  putHistogram(name: MetricName, histogram: Histogram, labels?: Labels): void;
}

/** Looks at one part of the broker and puts its figures down; called once a scrape. */
export type MetricCollector = (sink: MetricSink) => void;

/** The percentiles that Kafka's library reports, as the JMX exporter writes them. */
const quantiles: readonly (readonly [string, number])[] = [
  ['0.50', 0.5],
  ['0.75', 0.75],
  ['0.95', 0.95],
  ['0.98', 0.98],
  ['0.99', 0.99],
  ['0.999', 0.999],
];

export interface PrometheusExporter {
  /** For the header of the answer. */
  readonly contentType: string;
  /** All figures of this moment, in Prometheus' text format. */
  readonly scrape: () => Promise<string>;
}

/**
 * Loads prom-client, which nothing else of the broker needs: a broker that serves no metrics starts without it.
 *
 * @param collectors run in order, once for each scrape
 */
export async function prometheusExporter(collectors: readonly MetricCollector[]): Promise<PrometheusExporter> {
  const prometheus = await import('prom-client');
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  const gauges = new Map<string, Gauge>();
  const counters = new Map<string, Counter>();
  const registers = [registry];
  for (const [name, definition] of Object.entries<MetricDefinition>(metricDefinitions)) {
    const { help, type } = definition;
    const labelNames = [...definition.labels];
    if (type === 'counter') counters.set(name, new prometheus.Counter({ name, help, labelNames, registers }));
    if (type === 'gauge') gauges.set(name, new prometheus.Gauge({ name, help, labelNames, registers }));
    if (type === 'histogram') {
      const withQuantile = [...labelNames, 'quantile'];
      gauges.set(name, new prometheus.Gauge({ name, help, labelNames: withQuantile, registers }));
      const count = `${name}_count`;
      counters.set(count, new prometheus.Counter({ name: count, help: `How many: ${help}`, labelNames, registers }));
    }
  }
  const sink: MetricSink = {
    put(name, value, labels = {}) {
      const gauge = gauges.get(name);
      if (gauge === undefined) counters.get(name)!.inc(labels, value);
      else gauge.set(labels, value);
    },
    putHistogram(name, histogram, labels = {}) {
      const { count, quantile } = histogram.snapshot();
      counters.get(`${name}_count`)!.inc(labels, count);
      for (const [text, share] of quantiles) gauges.get(name)!.set({ ...labels, quantile: text }, quantile(share));
    },
  };
  return {
    contentType: registry.contentType,
    scrape: () => {
      for (const metric of [...gauges.values(), ...counters.values()]) metric.reset();
      for (const collect of collectors) collect(sink);
      return registry.metrics();
    },
  };
}
