#!/bin/sh
# A release is the same bytes whoever makes it and where; and one builds it
# without npm and node.
cd "$(dirname "$0")/../.." || exit 1
n=0 bad=0
tap() {	# RC NAME [LOG]
	n=$((n + 1))
	[ "$1" -eq 0 ] && echo "ok $n - $2" && return
	bad=$((bad + 1))
	echo "not ok $n - $2"
	[ -z "${3:-}" ] || tail -20 "$3" | sed 's/^/# /'
}
if ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
	echo "ok 1 - a release # SKIP made of a checkout only"
	echo "1..1"
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
log=$tmp/log
# what is committed is what is released
if ! git diff --quiet HEAD -- ui/package-lock.json; then
	echo "ok 1 - a release # SKIP ui/package-lock.json is being changed"
	echo "1..1"
	exit 0
fi

one=$(make -s dist 2>"$log")
tap $? "a release" "$log"
name=$(basename "$one" .tar.gz)
cp "$one" "$tmp/one.tar.gz"
echo "# $(wc -c <"$one") bytes"

# Somebody else: another path, a blank in it, time zone, umask, locale.
there="$tmp/some other/place"
(
	umask 077
	export TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8
	git clone -q . "$there" &&
		{ cp -al ui/node_modules "$there/ui/" 2>/dev/null ||
			cp -a ui/node_modules "$there/ui/"; } &&
		cd "$there" && node ui/build.mjs && node ui/pack.mjs &&
		mv build/ui "$tmp/ui" && tools/dist
) >"$log" 2>&1
tap $? "somebody else's" "$log"
cmp "$one" "$there/$one" >"$log" 2>&1
tap $? "the same bytes" "$log"

mkdir "$tmp/release"
tar -xzf "$tmp/one.tar.gz" -C "$tmp/release"
cd "$tmp/release/$name" || exit 1
for f in assets.S assets.def pack; do
	diff -r "ui/dist/ui/$f" "$tmp/ui/$f" || echo "$f differs"
done >"$log" 2>&1
[ -d ui/dist/ui/pack ] && [ ! -s "$log" ]
tap $? "a UI built twice is the same" "$log"

# No node, no npm, no git: whatever else there is.
mkdir "$tmp/bin"
ln -s /bin/* /usr/bin/* "$tmp/bin/" 2>/dev/null
rm -f "$tmp"/bin/node* "$tmp"/bin/npm "$tmp"/bin/npx "$tmp"/bin/git
bare() { env -i PATH="$tmp/bin" HOME="$tmp" "$@"; }
bare make -n all >"$log" 2>&1 && ! grep -E '^ *(node|npm|npx|git|cd ui)\b' "$log"
tap $? "nothing asks for npm" "$log"
bare make -s build/release/unit/ui/t_ui >"$log" 2>&1 &&
	bare build/release/unit/ui/t_ui >>"$log" 2>&1 && grep -q '^ok' "$log" &&
	! grep -q ui/dist build/release/ui/ui.o
tap $? "the files are in the program" "$log"
rm -rf ui/dist
! bare make -s build/release/ui/ui.o >"$log" 2>&1 &&
	[ "$(grep -vc '^make' "$log")" -eq 1 ] && grep -q "needs node and npm" "$log"
tap $? "one line says what is missing" "$log"
echo "1..$n"
[ "$bad" -eq 0 ]
