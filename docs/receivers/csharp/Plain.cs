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
// whsec_ is followed by the base64 of the key; any other text is the key itself.
byte[] key = secret.StartsWith("whsec_", StringComparison.Ordinal)
    ? Convert.FromBase64String(secret.Substring(6))
    : Encoding.UTF8.GetBytes(secret);

// In production keep the ids where a restart keeps them, e.g. in a unique column.
var seen = new ConcurrentDictionary<string, bool>();

// Returns why the call does not verify, or null.
string? Verify(byte[] body, IHeaderDictionary headers)
{
    string id = headers["webhook-id"].ToString();
    string timestamp = headers["webhook-timestamp"].ToString();
    string signatures = headers["webhook-signature"].ToString();
    if (id == "" || timestamp == "" || signatures == "") return "a webhook header is missing";
    // A recorded call keeps its good signature: only its age tells that it is replayed.
    long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out long sent)
        || Math.Abs(now - sent) > Tolerance)
        return "webhook-timestamp is not within 5 minutes of now";
    using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
    mac.AppendData(body);
    byte[] expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(mac.GetHashAndReset()));
    // While a secret is rotated there are two signatures, and one good one is enough.
    // FixedTimeEquals takes constant time: how long it takes tells nothing about the right signature.
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
