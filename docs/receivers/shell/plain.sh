#!/usr/bin/env bash
# Verifies one call: WEBHOOK_SECRET, WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE hold the secret and the three
# webhook-* headers, and the body comes on standard input. Exit status 0, or 1 with the reason on standard error.
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

# A recorded call keeps its good signature: only its age tells that it is replayed.
[[ $timestamp =~ ^[0-9]{1,12}$ ]] || refuse "webhook-timestamp is not a whole number of seconds"
age=$(($(date +%s) - 10#$timestamp))
((age <= tolerance && age >= -tolerance)) || refuse "webhook-timestamp is not within 5 minutes of now"

# whsec_ is followed by the base64 of the key; any other text is the key itself.
if [[ $secret == whsec_* ]]; then
  key=$(printf %s "${secret#whsec_}" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n') ||
    refuse "WEBHOOK_SECRET is not base64 after whsec_"
else
  key=$(printf %s "$secret" | od -An -v -tx1 | tr -d ' \n')
fi
[[ -n $key ]] || refuse "WEBHOOK_SECRET is empty after whsec_"

# The body goes straight from standard input to openssl: a variable would lose NUL bytes and the last newlines.
# openssl takes the key as an argument, which other users of the machine can see while it runs.
expected=v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 | tr -d '\n')

# While a secret is rotated there are two signatures, and one good one is enough. The shell does not compare in
# constant time: verify by hand with this, and let a server verify with one of the other languages.
read -ra given <<<"$signatures"
for signature in "${given[@]}"; do
  [[ $signature == "$expected" ]] && exit 0
done
refuse "no signature matches"
