export { BrokerTopicStats, topicCounterNames } from './broker-topic-stats.ts';
export type { TopicCounters } from './broker-topic-stats.ts';
export type { HttpServer, HttpServerOptions, Page } from './http-server.ts';
export { IdlePercent } from './idle-percent.ts';
export { metricDefinitions } from './metric-definitions.ts';
export type { MetricDefinition, MetricName } from './metric-definitions.ts';
export { prometheusExporter } from './prometheus-exporter.ts';
export type { Labels, MetricCollector, MetricSink, PrometheusExporter } from './prometheus-exporter.ts';
export { errorName, RequestChannelMetrics, requestPhases } from './request-metrics.ts';
