import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson, readReferenceLines } from '@klassic/test-support';
import {
  AclChangeNotificationSequenceZNode,
  BrokerIdZNode,
  ClusterIdZNode,
  ConfigEntityChangeNotificationSequenceZNode,
  ConfigEntityZNode,
  ControllerEpochZNode,
  ControllerZNode,
  DeleteTopicsTopicZNode,
  DeleteTopicsZNode,
  FeatureZNode,
  IsrChangeNotificationSequenceZNode,
  LogDirEventNotificationSequenceZNode,
  persistentPaths,
  PreferredReplicaElectionZNode,
  ProducerIdBlockZNode,
  ReassignPartitionsZNode,
  ResourceZNode,
  secureRootPaths,
  sensitiveRootPaths,
  TopicPartitionStateZNode,
  TopicPartitionsZNode,
  TopicPartitionZNode,
  TopicsZNode,
  TopicZNode,
} from '@klassic/zookeeper';
import type { AclResourceType, ResourcePattern, Stat } from '@klassic/zookeeper';

interface Vector {
  readonly znode: string;
  readonly path: string;
  readonly data: string | null;
}

interface Rewritten {
  readonly path: string;
  readonly data: Buffer | null;
}

const stat = { version: 7 } as Stat;
const timestampMs = 1_600_000_000_000;

/** Reads a vector's bytes with the catalogue's codec and writes them anew, with the path the catalogue gives them. */
function rewrite({ znode, path, data }: Vector): Rewritten {
  const bytes = data === null ? null : Buffer.from(data, 'utf8');
  const last = path.split('/').at(-1)!;
  const kind = znode.replace(/,.*$/, '');
  const state = /^\/brokers\/topics\/([^/]+)\/partitions\/(\d+)/.exec(path);
  const partition = { topic: state?.[1] ?? '', partition: Number(state?.[2] ?? 0) };
  const resource = /^(?:\/kafka-acl|\/kafka-acl-extended\/prefixed)\/\w+\/(.*)$/.exec(path);

  if (kind === 'broker id') {
    const broker = BrokerIdZNode.decode(Number(last), bytes);
    return { path: BrokerIdZNode.path(broker.id), data: BrokerIdZNode.encode(broker, timestampMs) };
  }
  if (kind === 'topic') {
    const { topicId, assignment } = TopicZNode.decode(last, bytes);
    return { path: TopicZNode.path(last), data: TopicZNode.encode(topicId, assignment) };
  }
  if (kind.startsWith('acls of')) {
    const [type, patternType] = kind.slice('acls of '.length).split(' ');
    const pattern: ResourcePattern = {
      resourceType: type as AclResourceType,
      patternType: patternType as ResourcePattern['patternType'],
      name: resource![1]!,
    };
    return { path: ResourceZNode.path(pattern), data: ResourceZNode.encode(ResourceZNode.decode(pattern, bytes)) };
  }
  if (kind === 'config') {
    const [, type, ...name] = path.slice(1).split('/');
    return {
      path: ConfigEntityZNode.path(type!, name.join('/')),
      data: ConfigEntityZNode.encode(ConfigEntityZNode.decode(bytes)),
    };
  }
  switch (kind) {
    case 'controller':
      return { path: ControllerZNode.path, data: ControllerZNode.encode(ControllerZNode.decode(bytes)!, timestampMs) };
    case 'controller epoch':
      return { path: ControllerEpochZNode.path, data: ControllerEpochZNode.encode(ControllerEpochZNode.decode(bytes)) };
    case 'partition state':
      return {
        path: TopicPartitionStateZNode.path(partition),
        data: TopicPartitionStateZNode.encode(TopicPartitionStateZNode.decode(partition, bytes, stat)!),
      };
    case 'topics':
      return { path: TopicsZNode.path, data: null };
    case 'topic partitions':
      return { path: TopicPartitionsZNode.path('orders'), data: null };
    case 'topic partition':
      return { path: TopicPartitionZNode.path(partition), data: null };
    case 'delete topics':
      return { path: DeleteTopicsZNode.path, data: null };
    case 'topic to delete':
      return { path: DeleteTopicsTopicZNode.path(last), data: null };
    case 'generated broker ids':
      return { path: '/brokers/seqid', data: null };
    case 'reassign partitions':
      return {
        path: ReassignPartitionsZNode.path,
        data: ReassignPartitionsZNode.encode(ReassignPartitionsZNode.decode(bytes)),
      };
    case 'preferred replica election':
      return {
        path: PreferredReplicaElectionZNode.path,
        data: PreferredReplicaElectionZNode.encode(PreferredReplicaElectionZNode.decode(bytes)),
      };
    case 'isr change notification':
      return {
        path: IsrChangeNotificationSequenceZNode.path(),
        data: IsrChangeNotificationSequenceZNode.encode(IsrChangeNotificationSequenceZNode.decode(bytes)),
      };
    case 'log dir event notification':
      return {
        path: LogDirEventNotificationSequenceZNode.path(),
        data: LogDirEventNotificationSequenceZNode.encode(LogDirEventNotificationSequenceZNode.decode(bytes)!),
      };
    case 'config change':
      return {
        path: ConfigEntityChangeNotificationSequenceZNode.createPath,
        data: ConfigEntityChangeNotificationSequenceZNode.encode(
          ConfigEntityChangeNotificationSequenceZNode.decode(bytes),
        ),
      };
    case 'cluster id':
      return { path: ClusterIdZNode.path, data: ClusterIdZNode.encode(ClusterIdZNode.decode(bytes)) };
    case 'feature':
      return { path: FeatureZNode.path, data: FeatureZNode.encode(FeatureZNode.decode(bytes)) };
    case 'producer id block':
      return { path: ProducerIdBlockZNode.path, data: ProducerIdBlockZNode.encode(ProducerIdBlockZNode.decode(bytes)) };
    case 'acl change': {
      const under = path.startsWith('/kafka-acl-extended') ? 'PREFIXED' : 'LITERAL';
      const pattern = AclChangeNotificationSequenceZNode.decode(under, bytes);
      return {
        path: AclChangeNotificationSequenceZNode.createPath(pattern),
        data: AclChangeNotificationSequenceZNode.encode(pattern),
      };
    }
    default:
      throw new Error(`no codec in this test for ${znode}`);
  }
}

describeWithReference(describe)('The catalogue of znodes', () => {
  it('writes every kind of znode byte for byte as Apache Kafka does', () => {
    const vectors = readReferenceLines('vectors/zookeeper/znodes.jsonl').map((line) => JSON.parse(line) as Vector);
    const wrong = vectors.flatMap((vector) => {
      const { path, data } = rewrite(vector);
      const text = data?.toString('utf8') ?? null;
      return path === vector.path && text === vector.data ? [] : [{ vector, path, text }];
    });
    expect(wrong).toEqual([]);
    expect(vectors.length).toBeGreaterThan(50);
  });

  it('knows the paths made at start, the secured and the sensitive ones', () => {
    const paths = readReferenceJson('vectors/zookeeper/paths.json') as Record<string, string[]>;
    expect(persistentPaths).toEqual(paths['persistentPaths']);
    expect([...secureRootPaths].sort()).toEqual(paths['secureRootPaths']!.sort());
    expect(sensitiveRootPaths).toEqual(paths['sensitiveRootPaths']);
  });

  it('writes the configs, topics and partition states of captured trees as they stand there', () => {
    const trees = ['02-create-topic', '03-kill-leader', '09-reassign', '11-add-partitions', '12-configs'];
    let compared = 0;
    for (const scenario of trees) {
      const tree = readReferenceJson(`cluster/2.8.2/ibp-2.6/${scenario}/znodes-after.json`) as Tree;
      for (const [path, { data }] of Object.entries(tree)) {
        const znode = kindOf(path);
        // Parsing has put the keys of a larger topic into numeric order.
        if (znode === undefined || data === null || Object.keys(data.partitions ?? {}).length > 10) continue;
        const text = JSON.stringify(data);
        expect(rewrite({ znode, path, data: text }).data?.toString('utf8')).toBe(text);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

type Tree = Record<string, { data: { partitions?: object } | null }>;

function kindOf(path: string): string | undefined {
  if (/^\/config\/(topics|brokers|clients|users|ips)\/./.test(path)) return 'config';
  if (/^\/brokers\/topics\/[^/]+$/.test(path)) return 'topic';
  if (/^\/brokers\/topics\/.*\/state$/.test(path)) return 'partition state';
  return undefined;
}
