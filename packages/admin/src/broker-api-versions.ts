import { Admin } from '@klassic/client';
import type { ApiVersionRange } from '@klassic/client';
import { apiByKey } from '@klassic/protocol';
import { parseArguments, required } from './arguments.ts';
import { clientOptions, readProperties } from './client-settings.ts';
import type { Tool } from './tool.ts';

const options = { 'bootstrap-server': 'string', 'command-config': 'string' } as const;

/** kafka-broker-api-versions: what each broker offers. Counterpart of `kafka.admin.BrokerApiVersionsCommand`. */
export const brokerApiVersionsCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  const bootstrapServer = required(args['bootstrap-server'], 'bootstrap-server');
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const admin = new Admin(clientOptions(bootstrapServer, settings));
  try {
    const { nodes } = await admin.describeCluster();
    for (const node of nodes.values()) {
      const versions = await admin.apiVersions(node);
      const lines = [...versions].sort(([one], [other]) => one - other).map(([key, range]) => versionLine(key, range));
      io.out(`${node.host}:${node.port} (id: ${node.id} rack: ${node.rack}) -> (\n\t${lines.join(',\n\t')}\n)\n`);
    }
    return 0;
  } finally {
    admin.close();
  }
};

/** `Produce(0): 0 to 9 [usable: 9]`, in the words of `NodeApiVersions`. */
function versionLine(key: number, { minVersion, maxVersion }: ApiVersionRange): string {
  const range = minVersion === maxVersion ? `${minVersion}` : `${minVersion} to ${maxVersion}`;
  const api = apiByKey(key);
  if (api === undefined) return `UNKNOWN(${key}): ${range}`;
  const usable = Math.min(maxVersion, api.maxVersion);
  const verdict =
    minVersion > api.maxVersion
      ? 'unusable: node too new'
      : maxVersion < api.minVersion
        ? 'unusable: node too old'
        : `usable: ${usable}`;
  return `${api.name}(${key}): ${range} [${verdict}]`;
}
