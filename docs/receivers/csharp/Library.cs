using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

const int MaxBody = 1024 * 1024;

var secret = Environment.GetEnvironmentVariable("WEBHOOK_SECRET");
if (secret is null || !secret.StartsWith("whsec_", StringComparison.Ordinal))
{
    // Libraries take only this form. For a secret of your own the dashboard shows the equivalent.
    Console.Error.WriteLine("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
    return 1;
}
var webhook = new StandardWebhook(secret);

// In production keep the ids where a restart keeps them, e.g. in a unique column.
var seen = new ConcurrentDictionary<string, bool>();

// Returns why the call does not verify, or null.
string? Verify(byte[] body, IHeaderDictionary headers)
{
    string text = Encoding.UTF8.GetString(body);
    string reason = "no signature matches";
    // While a secret is rotated there are two signatures, and one good one is enough.
    // The package skips the last of several: so it gets one at a time.
    foreach (string given in headers["webhook-signature"].ToString().Split(' '))
    {
        if (!given.StartsWith("v1,", StringComparison.Ordinal) || given.Length == 3) continue;
        try
        {
            // Checks the signature in constant time, and the timestamp against replays.
            webhook.Verify(text, new HeaderDictionary
            {
                ["webhook-id"] = headers["webhook-id"],
                ["webhook-timestamp"] = headers["webhook-timestamp"],
                ["webhook-signature"] = given,
            });
            return null;
        }
        catch (WebhookVerificationException error) { reason = error.Message; }
    }
    return reason;
}

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = MaxBody);
builder.Logging.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
var app = builder.Build();

app.MapPost("/{**path}", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream(); // the raw bytes: parsed and written again they would differ
    try { await request.Body.CopyToAsync(buffer); }
    catch (BadHttpRequestException error) { return Results.StatusCode(error.StatusCode); } // 413: too large
    byte[] body = buffer.ToArray();
    string? reason = Verify(body, request.Headers);
    if (reason is not null) return Results.Text(reason, statusCode: 400);
    string type;
    try
    {
        using var json = JsonDocument.Parse(body);
        if (json.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("not an object");
        type = json.RootElement.TryGetProperty("type", out JsonElement value) ? value.ToString() : "unknown";
    }
    catch (JsonException) { return Results.Text("the body is not a JSON object", statusCode: 400); }
    string id = request.Headers["webhook-id"].ToString();
    string again = seen.TryAdd(id, true) ? "" : " again";
    // If it is new, hand it to a queue here: the work must not delay the answer.
    Console.WriteLine($"{type} {id}{again}");
    return Results.NoContent();
});

app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine("listening"));
app.Run($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "4040"}");
return 0;
