#!/bin/sh
# The escape corpus without a sandbox: what has to succeed there does, so that
# being contained elsewhere means something.
cd "$(dirname "$0")/../.." && make -s build/release/attack/escape &&
	exec build/release/attack/escape bare
