#!/bin/sh
# The escape corpus (tests/attack/escape), in sandboxes started by an ordinary user.
cd "$(dirname "$0")/../.." && make -s build/release/attack/escape &&
	exec build/release/attack/escape user
