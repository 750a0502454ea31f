using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

const int MaxBody = 1024 * 1024;
const long Tolerance = 5 * 60; // seconds

var secret = Environment.GetEnvironmentVariable("WEBHOOK_SECRET");
if (string.IsNullOrEmpty(secret))
{
    Console.Error.WriteLine("Set WEBHOOK_SECRET to the webhook's secret.");
    return 1;
}
// whsec_ is followed by the key in base64. Any other secret is itself the key.
byte[] key = secret.StartsWith("whsec_", StringComparison.Ordinal)
    ? Convert.FromBase64String(secret.Substring(6))
    : Encoding.UTF8.GetBytes(secret);

// In production, store the ids in a database, in a unique column.
var seen = new ConcurrentDictionary<string, bool>();

// Returns the reason why the call is invalid, or null.
string? Verify(byte[] body, IHeaderDictionary headers)
{
    string id = headers["webhook-id"].ToString();
    string timestamp = headers["webhook-timestamp"].ToString();
    string signatures = headers["webhook-signature"].ToString();
    if (id == "" || timestamp == "" || signatures == "") return "a webhook header is missing";
    // Rejects replays: a recorded call has a valid signature, but an old timestamp.
    long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out long sent)
        || Math.Abs(now - sent) > Tolerance)
        return "webhook-timestamp is not within 5 minutes of now";
    using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
    mac.AppendData(body);
    byte[] expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(mac.GetHashAndReset()));
    // During a rotation there are two signatures, and one match is enough.
    // FixedTimeEquals takes constant time, so timing reveals nothing about the expected signature.
    bool good = signatures.Split(' ')
        .Any(given => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected));
    return good ? null : "no signature matches";
}

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = MaxBody);
builder.Logging.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
var app = builder.Build();

app.MapPost("/{**path}", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream(); // the raw bytes: re-serialized JSON would not match the signature
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
    // Put new events into a queue here: processing must not delay the response.
    Console.WriteLine($"{type} {id}{again}");
    return Results.NoContent();
});

app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine("listening"));
app.Run($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "4040"}");
return 0;
