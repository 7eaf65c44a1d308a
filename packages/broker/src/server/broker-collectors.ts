import type { Histogram, Time } from '@klassic/common';
import type { KafkaController } from '@klassic/controller';
import type { LogManager } from '@klassic/log';
import type { SocketServer } from '@klassic/network';
import type { GroupCoordinator } from '../group/index.ts';
import { errorName, metricDefinitions, requestPhases, topicCounterNames } from '../metrics/index.ts';
import type {
  BrokerTopicStats,
  IdlePercent,
  MetricCollector,
  MetricName,
  MetricSink,
  RequestChannelMetrics,
} from '../metrics/index.ts';
import type { QuotaManagers } from '../quota/index.ts';
import { isrFigures } from '../replica/index.ts';
import type { ReplicaManager } from '../replica/index.ts';
import type { SessionWatch } from './session-watch.ts';

/** The parts of a broker that metrics tell of. */
export interface CollectedParts {
  readonly time: Time;
  readonly brokerState: () => number;
  readonly socketServer: SocketServer;
  readonly requests: RequestChannelMetrics;
  readonly processorIdle: IdlePercent;
  readonly handlerIdle: IdlePercent;
  readonly topicStats: BrokerTopicStats;
  readonly logManager: LogManager;
  readonly flushTimeMs: Histogram;
  readonly replicaManager: ReplicaManager;
  readonly controller: KafkaController;
  readonly groupCoordinator: GroupCoordinator;
  readonly session: SessionWatch;
  readonly quotas: QuotaManagers;
}

const replicaFetcher = { clientId: 'Replica' };

/** Everything that `/metrics` shows: each part is looked at once a scrape. */
export function brokerCollectors(parts: CollectedParts): MetricCollector[] {
  return [
    (sink) => sink.put('kafka_server_kafkaserver_brokerstate', parts.brokerState()),
    (sink) => replication(sink, parts.replicaManager),
    (sink) => partitions(sink, parts.replicaManager),
    (sink) => requests(sink, parts.requests),
    (sink) => connections(sink, parts),
    (sink) => traffic(sink, parts.topicStats),
    (sink) => logs(sink, parts),
    (sink) => controller(sink, parts.controller),
    (sink) => groups(sink, parts.groupCoordinator),
    (sink) => session(sink, parts.session),
    (sink) => quotas(sink, parts),
  ];
}

function replication(sink: MetricSink, replicaManager: ReplicaManager): void {
  const metrics = replicaManager.metrics();
  sink.put('kafka_server_replicamanager_leadercount', metrics.leaderCount);
  sink.put('kafka_server_replicamanager_partitioncount', metrics.partitionCount);
  sink.put('kafka_server_replicamanager_offlinereplicacount', metrics.offlineReplicaCount);
  sink.put('kafka_server_replicamanager_underreplicatedpartitions', metrics.underReplicatedPartitions);
  sink.put('kafka_server_replicamanager_underminisrpartitioncount', metrics.underMinIsrPartitionCount);
  sink.put('kafka_server_replicamanager_atminisrpartitioncount', metrics.atMinIsrPartitionCount);
  sink.put('kafka_server_replicamanager_reassigningpartitions', metrics.reassigningPartitions);
  sink.put('kafka_server_replicamanager_isrshrinks_total', metrics.isrShrinks);
  sink.put('kafka_server_replicamanager_isrexpands_total', metrics.isrExpands);
  sink.put('kafka_server_replicamanager_failedisrupdates_total', metrics.failedIsrUpdates);
  sink.put('kafka_server_replicafetchermanager_maxlag', metrics.maxLag, replicaFetcher);
  const { failedFetchPartitions } = metrics;
  sink.put('kafka_server_replicafetchermanager_failedpartitionscount', failedFetchPartitions, replicaFetcher);
  for (const [delayedOperation, waiting] of Object.entries(metrics.purgatorySizes)) {
    sink.put('kafka_server_delayedoperationpurgatory_numdelayedoperations', waiting, { delayedOperation });
  }
  for (const [delayedOperation, watched] of Object.entries(metrics.purgatoryWatches)) {
    sink.put('kafka_server_delayedoperationpurgatory_purgatorysize', watched, { delayedOperation });
  }
}

function partitions(sink: MetricSink, replicaManager: ReplicaManager): void {
  for (const partition of replicaManager.onlinePartitions()) {
    const labels = { topic: partition.topic, partition: partition.partitionId };
    const { isLeader, log } = partition;
    const { isUnderReplicated, isUnderMinIsr } = isrFigures(partition);
    sink.put('kafka_cluster_partition_underreplicated', isUnderReplicated ? 1 : 0, labels);
    sink.put('kafka_cluster_partition_underminisr', isUnderMinIsr ? 1 : 0, labels);
    sink.put('kafka_cluster_partition_replicascount', isLeader ? partition.assignmentState.replicas.length : 0, labels);
    sink.put('kafka_cluster_partition_insyncreplicascount', isLeader ? partition.inSyncReplicaIds.length : 0, labels);
    if (log === undefined) continue;
    sink.put('kafka_cluster_partition_laststableoffsetlag', log.highWatermark - log.lastStableOffset, labels);
    sink.put('kafka_log_log_logstartoffset', log.logStartOffset, labels);
    sink.put('kafka_log_log_logendoffset', log.logEndOffset, labels);
    sink.put('kafka_log_log_numlogsegments', log.numberOfSegments, labels);
    sink.put('kafka_log_log_size', log.size, labels);
  }
}

function requests(sink: MetricSink, { byName }: RequestChannelMetrics): void {
  for (const [request, metrics] of byName) {
    for (const [version, count] of metrics.requests) {
      sink.put('kafka_network_requestmetrics_requests_total', count, { request, version });
    }
    for (const [code, count] of metrics.errors) {
      sink.put('kafka_network_requestmetrics_errors_total', count, { request, error: errorName(code) });
    }
    sink.putHistogram('kafka_network_requestmetrics_requestbytes', metrics.requestBytes, { request });
    for (const phase of requestPhases) {
      const name = `kafka_network_requestmetrics_${phase.toLowerCase() as Lowercase<typeof phase>}` as const;
      sink.putHistogram(name, metrics.times[phase], { request });
    }
  }
}

function connections(sink: MetricSink, { socketServer, processorIdle, handlerIdle, time }: CollectedParts): void {
  const nowMs = time.hiResMs();
  sink.put('kafka_network_socketserver_networkprocessoravgidlepercent', processorIdle.value(nowMs));
  sink.put('kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent', handlerIdle.value(nowMs));
  sink.put('kafka_network_requestchannel_requestqueuesize', socketServer.requestQueueSize);
  for (const [listener, { open, created }] of socketServer.connectionCounts) {
    sink.put('kafka_server_socket_server_metrics_connection_count', open, { listener });
    sink.put('kafka_server_socket_server_metrics_connection_creation_total', created, { listener });
  }
}

function traffic(sink: MetricSink, topicStats: BrokerTopicStats): void {
  const all = topicStats.all();
  for (const counter of topicCounterNames) {
    const name = `kafka_server_brokertopicmetrics_${counter.toLowerCase() as Lowercase<typeof counter>}_total` as const;
    sink.put(name, all[counter]);
    for (const [topic, counters] of topicStats.topics) sink.put(name, counters[counter], { topic });
  }
  sink.put('kafka_server_brokertopicmetrics_replicationbytesin_total', topicStats.replicationBytesIn);
  sink.put('kafka_server_brokertopicmetrics_replicationbytesout_total', topicStats.replicationBytesOut);
}

function logs(sink: MetricSink, { logManager, flushTimeMs }: CollectedParts): void {
  sink.putHistogram('kafka_log_logflushstats_logflushrateandtimems', flushTimeMs);
  sink.put('kafka_log_logmanager_offlinelogdirectorycount', logManager.offlineLogDirs.length);
  const cleaner = logManager.cleanerMetrics;
  if (cleaner === undefined) return;
  sink.put('kafka_log_logcleaner_cleaner_recopy_percent', cleaner.recopyPercent);
  sink.put('kafka_log_logcleaner_max_clean_time_secs', cleaner.maxCleanTimeSecs);
  sink.put('kafka_log_logcleaner_max_buffer_utilization_percent', cleaner.maxBufferUtilizationPercent);
  sink.put('kafka_log_logcleanermanager_uncleanable_partitions_count', cleaner.uncleanablePartitionsCount);
}

function controller(sink: MetricSink, { metrics, stats, brokerQueues, controllerContext }: KafkaController): void {
  const { EventQueueSize, TotalQueueSize, ...gauges } = metrics;
  for (const [gauge, value] of Object.entries(gauges)) {
    sink.put(definedName(`kafka_controller_kafkacontroller_${gauge.toLowerCase()}`), value);
  }
  sink.put('kafka_controller_controllereventmanager_eventqueuesize', EventQueueSize ?? 0);
  sink.put('kafka_controller_controllerchannelmanager_totalqueuesize', TotalQueueSize ?? 0);
  sink.putHistogram('kafka_controller_controllereventmanager_eventqueuetimems', stats.eventQueueTimeMs);
  for (const [timer, histogram] of stats.rateAndTimeMs) {
    sink.putHistogram(definedName(`kafka_controller_controllerstats_${timer.toLowerCase()}rateandtimems`), histogram);
  }
  for (const [brokerId, { queueSize, queueTimeMs }] of brokerQueues) {
    const labels = { broker_id: brokerId };
    sink.put('kafka_controller_controllerchannelmanager_queuesize', queueSize, labels);
    sink.putHistogram('kafka_controller_controllerchannelmanager_requestrateandqueuetimems', queueTimeMs, labels);
  }
  const { uncleanLeaderElections } = controllerContext;
  sink.put('kafka_controller_controllerstats_uncleanleaderelections_total', uncleanLeaderElections);
}

function groups(sink: MetricSink, { metrics }: GroupCoordinator): void {
  const { groupsByState, offsets } = metrics;
  const prefix = 'kafka_coordinator_group_groupmetadatamanager_numgroups';
  let all = 0;
  for (const count of groupsByState.values()) all += count;
  sink.put(prefix, all);
  for (const state of ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty']) {
    sink.put(definedName(`${prefix}${state.toLowerCase()}`), groupsByState.get(state) ?? 0);
  }
  sink.put('kafka_coordinator_group_groupmetadatamanager_numoffsets', offsets);
}

function session(sink: MetricSink, { state, counts }: SessionWatch): void {
  sink.put('kafka_server_sessionexpirelistener_sessionstate', 1, { state });
  sink.put('kafka_server_sessionexpirelistener_zookeepersyncconnects_total', counts.syncConnects);
  sink.put('kafka_server_sessionexpirelistener_zookeeperdisconnects_total', counts.disconnects);
  sink.put('kafka_server_sessionexpirelistener_zookeeperexpires_total', counts.expires);
  sink.put('kafka_server_sessionexpirelistener_zookeeperauthfailures_total', counts.authFailures);
}

function quotas(sink: MetricSink, { quotas: { produce, fetch, request }, time }: CollectedParts): void {
  const nowMs = time.milliseconds();
  for (const [type, manager, measured] of [
    ['Produce', produce, 'kafka_server_quota_byte_rate'],
    ['Fetch', fetch, 'kafka_server_quota_byte_rate'],
    ['Request', request, 'kafka_server_quota_request_time'],
  ] as const) {
    for (const { user, clientId, meter, lastThrottleMs } of manager.measured) {
      const labels = { resource: type, user, clientId };
      sink.put(measured, meter.measure(nowMs), labels);
      sink.put('kafka_server_quota_throttle_time', lastThrottleMs, labels);
    }
  }
}

/** A name that was put together. @throws TypeError when the table has none like it */
function definedName(name: string): MetricName {
  if (name in metricDefinitions) return name as MetricName;
  throw new TypeError(`${name} is no metric`);
}
