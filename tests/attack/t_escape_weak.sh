#!/bin/sh
# The escape corpus, in sandboxes of a host without Landlock and cgroups.
cd "$(dirname "$0")/../.." && make -s build/release/attack/escape &&
	exec build/release/attack/escape weak
