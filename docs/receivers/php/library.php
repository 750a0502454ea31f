<?php
declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

const MAX_BODY = 1024 * 1024;

function answer(int $status, string $reason = ''): never
{
    http_response_code($status);
    exit($reason);
}

$secret = (string) getenv('WEBHOOK_SECRET');
if (!str_starts_with($secret, 'whsec_')) {
    // Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
    error_log("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
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
$headers = array_filter([
    'webhook-id' => $_SERVER['HTTP_WEBHOOK_ID'] ?? '',
    'webhook-timestamp' => $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '',
    'webhook-signature' => $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '',
]);
// The library also accepts 123abc.
if (preg_match('/[^0-9]/', $headers['webhook-timestamp'] ?? '')) {
    answer(400, 'webhook-timestamp is not whole seconds');
}
// The library only warns about malformed headers. A warning must reject the call, not appear in the response.
set_error_handler(fn ($level, $message) => throw new ErrorException($message));
try {
    // Checks the signatures in constant time and rejects old timestamps, then parses the JSON.
    $event = (new StandardWebhooks\Webhook($secret))->verify($body, $headers);
} catch (Throwable $error) {
    answer(400, $error->getMessage());
}
restore_error_handler();
if (!is_array($event)) {
    answer(400, 'the body is not a JSON object');
}

// PHP keeps nothing between requests, so a file marks the id as seen.
// In production, insert the id into a unique column instead.
$id = $headers['webhook-id'];
$new = @fopen(sys_get_temp_dir() . '/webhook-' . hash('sha256', $id), 'x') !== false;
// Put new events into a queue here: processing must not delay the response.
file_put_contents('php://stdout', ($event['type'] ?? 'unknown') . " $id" . ($new ? '' : ' again') . "\n");
answer(204);
