#!/usr/bin/env node
import { brokerApiVersionsCommand, runTool } from '../dist/index.js';

await runTool(brokerApiVersionsCommand);
