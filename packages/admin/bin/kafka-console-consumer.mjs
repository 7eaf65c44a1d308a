#!/usr/bin/env node
import { consoleConsumerCommand, runTool } from '../dist/index.js';

await runTool(consoleConsumerCommand);
