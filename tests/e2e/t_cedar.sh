#!/bin/sh
# Decisions compared with Cedar's, 20,000 of the 100,000 of `make cedar`.
# Without Node.js, or without the package, there is nobody to ask.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v node >/dev/null 2>&1; then
	echo "ok 1 - cedar_agrees # SKIP no Node.js"
	echo "1..1"
	exit 0
fi
if [ ! -d tests/cedar/node_modules/@cedar-policy/cedar-wasm ] &&
	! why=$(cd tests/cedar && npm ci --ignore-scripts 2>&1); then
	case $why in
	*ENOTFOUND*|*ECONNREFUSED*|*EAI_AGAIN*|*ETIMEDOUT*)
		echo "ok 1 - cedar_agrees # SKIP the package cannot be had"
		echo "1..1"
		exit 0 ;;
	esac
	echo "not ok 1 - cedar cannot be installed"
	printf '%s\n' "$why" | sed 's/^/# /'
	echo "1..1"
	exit 1
fi
exec make -s cedar CEDAR_REQUESTS=20000
