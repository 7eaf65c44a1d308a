#!/usr/bin/env node
import { reassignPartitionsCommand, runTool } from '../dist/index.js';

await runTool(reassignPartitionsCommand);
