#!/usr/bin/env node
import { topicCommand, runTool } from '../dist/index.js';

await runTool(topicCommand);
