#!/bin/sh
# The escape corpus (tests/attack/escape), in sandboxes started by root.
cd "$(dirname "$0")/../.." && make -s build/release/attack/escape &&
	exec build/release/attack/escape root
