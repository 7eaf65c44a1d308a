import { runTraffic } from './traffic.ts';

// The process behind `scripts/lab traffic start`: ends on SIGTERM, when what was acknowledged has been read back.
const [file, topic, rate, ...bootstrapServers] = process.argv.slice(2);
const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve());
});
await runTraffic({ file: file!, topic: topic!, rate: Number(rate), bootstrapServers }, stop);
