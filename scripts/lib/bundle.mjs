// bundle.mjs: puts what the build made of the broker, with the libraries it needs, into one file that scripts/kafka-server-start
// runs: Node.js takes most of a broker's start to find and read some 750 files. Names and lines stay as they are.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const dist = join(import.meta.dirname, '../../packages/broker/dist');
const target = join(dist, 'bundle');
const made = `${target}.${process.pid}`;

// What comes from CommonJS expects these three.
const commonJs = [
  "import { createRequire as createRequireHere } from 'node:module';",
  'const require = createRequireHere(import.meta.url);',
  'const [__filename, __dirname] = [import.meta.filename, import.meta.dirname];',
].join('\n');

await build({
  entryPoints: [join(dist, 'server/main.js')],
  outfile: join(made, 'kafka-server.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  banner: { js: commonJs },
  loader: { '.node': 'copy' },
  logLevel: 'warning',
});

// Moved into place whole: a broker that starts meanwhile finds the old one, the new one or none.
mkdirSync(dist, { recursive: true });
rmSync(target, { recursive: true, force: true });
renameSync(made, target);
