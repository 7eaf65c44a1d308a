#!/usr/bin/env node
import { consoleProducerCommand, runTool } from '../dist/index.js';

await runTool(consoleProducerCommand);
