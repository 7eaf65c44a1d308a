#!/usr/bin/env node
import { zooKeeperShell, runTool } from '../dist/index.js';

await runTool(zooKeeperShell);
