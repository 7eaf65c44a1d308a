#!/usr/bin/env node
import { leaderElectionCommand, runTool } from '../dist/index.js';

await runTool(leaderElectionCommand);
