/** A metric as it is served. */
export interface MetricDefinition {
  /** A `histogram` is served as a gauge with a label `quantile`, and as a counter `<name>_count`. */
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const gauge = (help: string, ...labels: string[]): MetricDefinition => ({ type: 'gauge', labels, help });
const counter = (help: string, ...labels: string[]): MetricDefinition => ({ type: 'counter', labels, help });
const histogram = (help: string, ...labels: string[]): MetricDefinition => ({ type: 'histogram', labels, help });

const partition = ['topic', 'partition'] as const;
const quota = ['resource', 'user', 'clientId'] as const;

/**
 * Every metric: the reference's MBean `kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions` is
 * `kafka_server_replicamanager_underreplicatedpartitions`, its other keys are labels, and a meter `…PerSec` is the counter
 * `…_total`, as the JMX exporter's sample rules for Kafka make them. docs/metrics.md tells what to look at.
 */
export const metricDefinitions = {
  kafka_server_kafkaserver_brokerstate: gauge(
    'State of the broker: 1 starting, 3 running, 6 pending controlled shutdown, 7 shutting down',
  ),

  // Replication
  kafka_server_replicamanager_leadercount: gauge('Partitions led by this broker'),
  kafka_server_replicamanager_partitioncount: gauge('Partitions hosted by this broker'),
  kafka_server_replicamanager_offlinereplicacount: gauge('Replicas of this broker in failed log dirs'),
  kafka_server_replicamanager_underreplicatedpartitions: gauge('Partitions led here with fewer in sync than assigned'),
  kafka_server_replicamanager_underminisrpartitioncount: gauge(
    'Partitions led here with fewer in sync than min.insync.replicas',
  ),
  kafka_server_replicamanager_atminisrpartitioncount: gauge(
    'Partitions led here with just min.insync.replicas in sync',
  ),
  kafka_server_replicamanager_reassigningpartitions: gauge('Partitions led here that are being reassigned'),
  kafka_server_replicamanager_isrshrinks_total: counter('ISRs that this broker, as leader, has made smaller'),
  kafka_server_replicamanager_isrexpands_total: counter('ISRs that this broker, as leader, has made larger'),
  kafka_server_replicamanager_failedisrupdates_total: counter('ISR changes that ZooKeeper refused'),
  kafka_server_replicafetchermanager_maxlag: gauge(
    'Records behind the leader, of the follower here that is furthest behind',
    'clientId',
  ),
  kafka_server_replicafetchermanager_failedpartitionscount: gauge(
    'Partitions that no fetcher follows after an error',
    'clientId',
  ),
  kafka_cluster_partition_underreplicated: gauge(
    '1 for a partition led here with fewer in sync than assigned',
    ...partition,
  ),
  kafka_cluster_partition_underminisr: gauge(
    '1 for a partition led here with fewer in sync than min.insync.replicas',
    ...partition,
  ),
  kafka_cluster_partition_replicascount: gauge('Replicas of a partition led here; 0 on a follower', ...partition),
  kafka_cluster_partition_insyncreplicascount: gauge(
    'Members of the ISR of a partition led here; 0 on a follower',
    ...partition,
  ),
  kafka_cluster_partition_laststableoffsetlag: gauge(
    'Records between last stable offset and high watermark',
    ...partition,
  ),

  // Requests
  kafka_network_requestmetrics_requests_total: counter('Requests', 'request', 'version'),
  kafka_network_requestmetrics_errors_total: counter('Error codes in answers, NONE included', 'request', 'error'),
  kafka_network_requestmetrics_requestbytes: histogram('Size of requests, bytes', 'request'),
  kafka_network_requestmetrics_requestqueuetimems: histogram(
    'Time from the complete frame until a handler took it, ms',
    'request',
  ),
  kafka_network_requestmetrics_localtimems: histogram('Time in the handler itself, ms', 'request'),
  kafka_network_requestmetrics_remotetimems: histogram(
    'Time waited for followers, data, members or the controller, ms',
    'request',
  ),
  kafka_network_requestmetrics_throttletimems: histogram('Time the client was held back for a quota, ms', 'request'),
  kafka_network_requestmetrics_responsequeuetimems: histogram(
    'Time from the answer until it was written, ms',
    'request',
  ),
  kafka_network_requestmetrics_responsesendtimems: histogram(
    'Time until the operating system had taken the answer, ms',
    'request',
  ),
  kafka_network_requestmetrics_totaltimems: histogram(
    'Time from the complete frame until the answer was sent, ms',
    'request',
  ),
  kafka_network_requestchannel_requestqueuesize: gauge('Requests that wait for a handler'),
  kafka_network_socketserver_networkprocessoravgidlepercent: gauge(
    'Share (0 to 1) of the last minute in which the event loop was idle',
  ),
  kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent: gauge(
    'Share (0 to 1) of the last minute in which no request was in a handler',
  ),
  kafka_server_socket_server_metrics_connection_count: gauge('Open connections', 'listener'),
  kafka_server_socket_server_metrics_connection_creation_total: counter('Connections accepted', 'listener'),
  kafka_server_delayedoperationpurgatory_numdelayedoperations: gauge('Operations that wait', 'delayedOperation'),
  kafka_server_delayedoperationpurgatory_purgatorysize: gauge(
    'Keys that waiting operations are watched under',
    'delayedOperation',
  ),

  kafka_server_quota_byte_rate: gauge('Bytes per second that count towards a quota', ...quota),
  kafka_server_quota_request_time: gauge('Percent of the thread that counts towards a quota', ...quota),
  kafka_server_quota_throttle_time: gauge('Time the client was last told to be held back, ms', ...quota),

  // Traffic
  kafka_server_brokertopicmetrics_messagesin_total: counter('Records produced; without a topic: to all', 'topic'),
  kafka_server_brokertopicmetrics_bytesin_total: counter('Bytes produced', 'topic'),
  kafka_server_brokertopicmetrics_bytesout_total: counter('Bytes served to consumers', 'topic'),
  kafka_server_brokertopicmetrics_bytesrejected_total: counter('Bytes of records refused for their size', 'topic'),
  kafka_server_brokertopicmetrics_totalproducerequests_total: counter('Partitions in Produce requests', 'topic'),
  kafka_server_brokertopicmetrics_totalfetchrequests_total: counter('Partitions read for Fetch requests', 'topic'),
  kafka_server_brokertopicmetrics_failedproducerequests_total: counter(
    'Partitions in Produce requests that failed',
    'topic',
  ),
  kafka_server_brokertopicmetrics_failedfetchrequests_total: counter(
    'Partitions in Fetch requests that failed',
    'topic',
  ),
  kafka_server_brokertopicmetrics_replicationbytesin_total: counter('Bytes fetched from leaders'),
  kafka_server_brokertopicmetrics_replicationbytesout_total: counter('Bytes served to followers'),

  // Logs
  kafka_log_logflushstats_logflushrateandtimems: histogram('Time of a flush of a log to the disk, ms'),
  kafka_log_logmanager_offlinelogdirectorycount: gauge('Log dirs that have failed'),
  kafka_log_log_logstartoffset: gauge('First offset of the log', ...partition),
  kafka_log_log_logendoffset: gauge('Offset of the next record', ...partition),
  kafka_log_log_numlogsegments: gauge('Segments of the log', ...partition),
  kafka_log_log_size: gauge('Bytes of the log', ...partition),
  kafka_log_logcleaner_cleaner_recopy_percent: gauge('Bytes written per 100 read, over the last cleanings'),
  kafka_log_logcleaner_max_clean_time_secs: gauge('Longest of the last cleanings, s'),
  kafka_log_logcleaner_max_buffer_utilization_percent: gauge('Fullest offset map of the last cleanings'),
  kafka_log_logcleanermanager_uncleanable_partitions_count: gauge('Partitions that could not be cleaned'),

  // Controller
  kafka_controller_kafkacontroller_activecontrollercount: gauge(
    '1 on the controller, 0 elsewhere: the sum over the cluster must be 1',
  ),
  kafka_controller_kafkacontroller_offlinepartitionscount: gauge('Partitions without a leader'),
  kafka_controller_kafkacontroller_preferredreplicaimbalancecount: gauge(
    'Partitions not led by their preferred replica',
  ),
  kafka_controller_kafkacontroller_globaltopiccount: gauge('Topics of the cluster'),
  kafka_controller_kafkacontroller_globalpartitioncount: gauge('Partitions of the cluster'),
  kafka_controller_kafkacontroller_topicstodeletecount: gauge('Topics whose deletion is asked for'),
  kafka_controller_kafkacontroller_replicastodeletecount: gauge('Replicas whose deletion is not done'),
  kafka_controller_kafkacontroller_topicsineligibletodeletecount: gauge('Topics whose deletion must wait'),
  kafka_controller_kafkacontroller_replicasineligibletodeletecount: gauge('Replicas whose deletion must wait'),
  kafka_controller_controllereventmanager_eventqueuesize: gauge('Events that wait for the controller'),
  kafka_controller_controllereventmanager_eventqueuetimems: histogram('Time that events waited for the controller, ms'),
  kafka_controller_controllerchannelmanager_totalqueuesize: gauge('Requests to brokers that wait to be sent'),
  kafka_controller_controllerchannelmanager_queuesize: gauge(
    'Requests to the broker that wait to be sent',
    'broker_id',
  ),
  kafka_controller_controllerchannelmanager_requestrateandqueuetimems: histogram(
    'Time that requests to the broker waited to be sent, ms',
    'broker_id',
  ),
  kafka_controller_controllerstats_uncleanleaderelections_total: counter('Leaders chosen from outside the ISR'),
  kafka_controller_controllerstats_leaderelectionrateandtimems: histogram(
    'Time the controller took over brokers that came, went or changed, ms',
  ),
  kafka_controller_controllerstats_controllerchangerateandtimems: histogram(
    'Time the controller took over elections of the controller, ms',
  ),
  kafka_controller_controllerstats_topicchangerateandtimems: histogram(
    'Time the controller took over topics and partitions that were made, ms',
  ),
  kafka_controller_controllerstats_topicdeletionrateandtimems: histogram(
    'Time the controller took over deletions of topics, ms',
  ),
  kafka_controller_controllerstats_isrchangerateandtimems: histogram(
    'Time the controller took over ISR change notifications, ms',
  ),
  kafka_controller_controllerstats_logdirchangerateandtimems: histogram(
    'Time the controller took over log dirs that failed, ms',
  ),
  kafka_controller_controllerstats_autoleaderbalancerateandtimems: histogram(
    'Time the controller took over checks of the leader balance, ms',
  ),
  kafka_controller_controllerstats_manualleaderbalancerateandtimems: histogram(
    'Time the controller took over elections that were asked for, ms',
  ),
  kafka_controller_controllerstats_uncleanleaderelectionenablerateandtimems: histogram(
    'Time the controller took over unclean elections switched on for all, ms',
  ),
  kafka_controller_controllerstats_topicuncleanleaderelectionenablerateandtimems: histogram(
    'Time the controller took over unclean elections switched on for a topic, ms',
  ),
  kafka_controller_controllerstats_controlledshutdownrateandtimems: histogram(
    'Time the controller took over controlled shutdowns, ms',
  ),
  kafka_controller_controllerstats_leaderandisrresponsereceivedrateandtimems: histogram(
    'Time the controller took over answers to LeaderAndIsr, ms',
  ),
  kafka_controller_controllerstats_updatemetadataresponsereceivedrateandtimems: histogram(
    'Time the controller took over answers to UpdateMetadata, ms',
  ),
  kafka_controller_controllerstats_partitionreassignmentrateandtimems: histogram(
    'Time the controller took over reassignments, ms',
  ),
  kafka_controller_controllerstats_listpartitionreassignmentrateandtimems: histogram(
    'Time the controller took over lists of reassignments, ms',
  ),

  // Groups
  kafka_coordinator_group_groupmetadatamanager_numgroups: gauge('Groups coordinated here'),
  kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance: gauge('Of these, in PreparingRebalance'),
  kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance: gauge('Of these, in CompletingRebalance'),
  kafka_coordinator_group_groupmetadatamanager_numgroupsstable: gauge('Of these, Stable'),
  kafka_coordinator_group_groupmetadatamanager_numgroupsdead: gauge('Of these, Dead'),
  kafka_coordinator_group_groupmetadatamanager_numgroupsempty: gauge('Of these, Empty'),
  kafka_coordinator_group_groupmetadatamanager_numoffsets: gauge('Offsets committed by them'),

  // ZooKeeper
  kafka_server_sessionexpirelistener_sessionstate: gauge('1 for the state that the session is in', 'state'),
  kafka_server_sessionexpirelistener_zookeepersyncconnects_total: counter('Times the session was connected'),
  kafka_server_sessionexpirelistener_zookeeperdisconnects_total: counter('Times the connection was lost'),
  kafka_server_sessionexpirelistener_zookeeperexpires_total: counter('Sessions that expired'),
  kafka_server_sessionexpirelistener_zookeeperauthfailures_total: counter('Times ZooKeeper refused the credentials'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metricDefinitions;

type NamesOfType<T extends MetricDefinition['type']> = {
  [N in MetricName]: T extends (typeof metricDefinitions)[N]['type'] ? N : never;
}[MetricName];

export type HistogramName = NamesOfType<'histogram'>;
