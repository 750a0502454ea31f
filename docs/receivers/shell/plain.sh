#!/usr/bin/env bash
# Verifies one call. WEBHOOK_SECRET, WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE hold the secret and the three
# webhook-* headers; standard input is the body. Exits with 0, or with 1 and the reason on standard error.
set -euo pipefail
export LC_ALL=C

tolerance=300 # seconds

refuse() {
  echo "$1" >&2
  exit 1
}

secret=${WEBHOOK_SECRET:-} id=${WEBHOOK_ID:-} timestamp=${WEBHOOK_TIMESTAMP:-} signatures=${WEBHOOK_SIGNATURE:-}
[[ -n $secret ]] || refuse "Set WEBHOOK_SECRET to the webhook's secret."
[[ -n $id && -n $timestamp && -n $signatures ]] || refuse "a webhook header is missing"

# Rejects replays: a recorded call has a valid signature, but an old timestamp.
[[ $timestamp =~ ^[0-9]{1,12}$ ]] || refuse "webhook-timestamp is not a whole number of seconds"
age=$(($(date +%s) - 10#$timestamp))
((age <= tolerance && age >= -tolerance)) || refuse "webhook-timestamp is not within 5 minutes of now"

# whsec_ is followed by the key in base64. Any other secret is itself the key.
if [[ $secret == whsec_* ]]; then
  key=$(printf %s "${secret#whsec_}" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n') ||
    refuse "WEBHOOK_SECRET is not base64 after whsec_"
else
  key=$(printf %s "$secret" | od -An -v -tx1 | tr -d ' \n')
fi
[[ -n $key ]] || refuse "WEBHOOK_SECRET is empty after whsec_"

# The body goes straight from standard input to openssl: a variable would lose NUL bytes and trailing newlines.
# The key is an argument of openssl, so other users of the machine can see it while openssl runs.
expected=v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 | tr -d '\n')

# During a rotation there are two signatures, and one match is enough. The shell does not compare in constant time:
# use this script by hand, and one of the other languages in a server.
read -ra given <<<"$signatures"
for signature in "${given[@]}"; do
  [[ $signature == "$expected" ]] && exit 0
done
refuse "no signature matches"
