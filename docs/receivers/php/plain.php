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
    // A recorded call keeps its good signature: only its age tells that it is replayed.
    if (!preg_match('/^[0-9]{1,12}$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        answer(400, 'webhook-timestamp is not within 5 minutes of now');
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // While a secret is rotated there are two signatures, and one good one is enough.
    foreach (explode(' ', $signatures) as $given) {
        // hash_equals takes constant time: how long it takes tells nothing about the right signature.
        if (hash_equals($expected, $given)) {
            return;
        }
    }
    answer(400, 'no signature matches');
}

$secret = (string) getenv('WEBHOOK_SECRET');
// whsec_ is followed by the base64 of the key; any other text is the key itself.
$key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6), true) : $secret;
if ($key === '' || $key === false) {
    error_log("Set WEBHOOK_SECRET to the webhook's secret.");
    answer(500);
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    answer(405, 'send a POST');
}
// The raw bytes: parsed and written again they would differ.
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

// PHP forgets everything between requests: a file, made only if it is not there yet, remembers the id.
// In production insert the id into a unique column instead.
$new = @fopen(sys_get_temp_dir() . '/webhook-' . hash('sha256', $id), 'x') !== false;
// If it is new, hand it to a queue here: the work must not delay the answer.
file_put_contents('php://stdout', ($event['type'] ?? 'unknown') . " $id" . ($new ? '' : ' again') . "\n");
answer(204);
