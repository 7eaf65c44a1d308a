#!/usr/bin/env node
import { consumerGroupCommand, runTool } from '../dist/index.js';

await runTool(consumerGroupCommand);
