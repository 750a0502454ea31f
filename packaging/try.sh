#!/usr/bin/env bash
# Unpacks an archive into an empty folder and uses what is in it, without anything else of this machine: start, sign in,
# look at the page and at a file of it, stop.
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
	kill -0 "$server" 2>/dev/null || fail "it does not start"
	sleep 0.1
done
url=$(sed -n 's/^Caleida runs at //p' "$folder/printed")
password=$(sed -n 's/^One-time password, shown only now: //p' "$folder/printed")
[ -n "$url" ] && [ -n "$password" ] || fail "it does not say where it runs"

env -i CALEIDA_LISTEN="${url#http://}" "$program" healthcheck || fail "it is not healthy"
jar=$folder/cookies
printf '%s' "$password" | curl -sS -o /dev/null -c "$jar" -w '%{http_code}' "$url/login" \
	--data-urlencode email=admin@localhost --data-urlencode password@- | grep -qx 303 || fail "nobody can sign in"
page=$(curl -sS -b "$jar" "$url/integrations/webhook")
grep -q '<h1' <<<"$page" || fail "there is no page"
style=$(grep -o '/pkg/[^"]*\.css' <<<"$page" | head -1)
curl -sSf -o /dev/null "$url$style" || fail "the page has no style"

kill -TERM "$server"
wait "$server" || fail "it does not stop well"
server=
echo "$(basename "$archive"): starts from an empty folder, signs in, shows its page, stops"
