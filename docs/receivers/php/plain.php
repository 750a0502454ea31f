<?php
declare(strict_types=1);

const MAX_BODY = 1024 * 1024;
const TOLERANCE = 5 * 60; // seconds

function answer(int $status, string $reason = ''): never
{
    http_response_code($status);
    exit($reason);
}

function verify(string $body, string $id, string $timestamp, string $signatures, string $key): void
{
    if ($id === '' || $timestamp === '' || $signatures === '') {
        answer(400, 'a webhook header is missing');
    }
    // Rejects replays: a recorded call has a valid signature, but an old timestamp.
    if (!preg_match('/^[0-9]{1,12}$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        answer(400, 'webhook-timestamp is not within 5 minutes of now');
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // During a rotation there are two signatures, and one match is enough.
    foreach (explode(' ', $signatures) as $given) {
        // hash_equals takes constant time, so timing reveals nothing about the expected signature.
        if (hash_equals($expected, $given)) {
            return;
        }
    }
    answer(400, 'no signature matches');
}

$secret = (string) getenv('WEBHOOK_SECRET');
// whsec_ is followed by the key in base64. Any other secret is itself the key.
$key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6), true) : $secret;
if ($key === '' || $key === false) {
    error_log("Set WEBHOOK_SECRET to the webhook's secret.");
    answer(500);
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    answer(405, 'send a POST');
}
// The raw bytes: re-serialized JSON would not match the signature.
$body = (string) file_get_contents('php://input', false, null, 0, MAX_BODY + 1);
if (strlen($body) > MAX_BODY) {
    answer(413, 'the body is too large');
}
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
verify($body, $id, $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $key);
$event = json_decode($body, true);
if (!is_array($event)) {
    answer(400, 'the body is not a JSON object');
}

// PHP keeps nothing between requests, so a file marks the id as seen.
// In production, insert the id into a unique column instead.
$new = @fopen(sys_get_temp_dir() . '/webhook-' . hash('sha256', $id), 'x') !== false;
// Put new events into a queue here: processing must not delay the response.
file_put_contents('php://stdout', ($event['type'] ?? 'unknown') . " $id" . ($new ? '' : ' again') . "\n");
answer(204);
