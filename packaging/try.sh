#!/usr/bin/env bash
# Smoke test of a release archive: unpacks it into an empty folder, starts the program with an empty environment, signs
# in, loads a page and its style sheet, and stops.
set -euo pipefail
archive=$(realpath "$1")
folder=$(mktemp -d)
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$folder"
}
trap cleanup EXIT
fail() {
	echo "error: $archive: $1" >&2
	cat "$folder/printed" "$folder/log" >&2 || true
	exit 1
}

(cd "$(dirname "$archive")" && sha256sum --check --quiet "$archive.sha256")
tar --zstd -xf "$archive" -C "$folder"
program=$(echo "$folder"/caleida-*/caleida)
mkdir "$folder/work"
cd "$folder/work"
env -i CALEIDA_LISTEN=127.0.0.1:0 CALEIDA_METRICS_LISTEN=off "$program" serve >"$folder/printed" 2>"$folder/log" &
server=$!
for _ in $(seq 100); do
	grep -q 'One-time password' "$folder/printed" && break
	kill -0 "$server" 2>/dev/null || fail "the program did not start"
	sleep 0.1
done
url=$(sed -n 's/^Caleida runs at //p' "$folder/printed")
password=$(sed -n 's/^One-time password, shown only now: //p' "$folder/printed")
[ -n "$url" ] && [ -n "$password" ] || fail "the program did not print its URL and one-time password"

env -i CALEIDA_LISTEN="${url#http://}" "$program" healthcheck || fail "the health check failed"
jar=$folder/cookies
printf '%s' "$password" | curl -sS -o /dev/null -c "$jar" -w '%{http_code}' "$url/login" \
	--data-urlencode email=admin@localhost --data-urlencode password@- | grep -qx 303 || fail "sign-in failed"
page=$(curl -sS -b "$jar" "$url/integrations/webhook")
grep -q '<h1' <<<"$page" || fail "the page has no heading"
style=$(grep -o '/pkg/[^"]*\.css' <<<"$page" | head -1)
curl -sSf -o /dev/null "$url$style" || fail "the style sheet failed to load"

kill -TERM "$server"
wait "$server" || fail "the program did not stop cleanly"
server=
echo "$(basename "$archive"): smoke test passed"
