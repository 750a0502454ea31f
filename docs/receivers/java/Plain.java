import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Plain {
    static final int MAX_BODY = 1024 * 1024;
    static final int TOLERANCE = 5 * 60; // seconds
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    // In production, store the ids in a database, in a unique column.
    static final Set<String> SEEN = ConcurrentHashMap.newKeySet();
    static byte[] key;

    static void verify(byte[] body, Headers headers) throws GeneralSecurityException {
        String id = headers.getFirst("webhook-id");
        String timestamp = headers.getFirst("webhook-timestamp");
        String signatures = headers.getFirst("webhook-signature");
        if (id == null || timestamp == null || signatures == null || id.isEmpty()) {
            throw new GeneralSecurityException("a webhook header is missing");
        }
        // Rejects replays: a recorded call has a valid signature, but an old timestamp.
        long now = Instant.now().getEpochSecond();
        if (!timestamp.matches("[0-9]{1,12}") || Math.abs(now - Long.parseLong(timestamp)) > TOLERANCE) {
            throw new GeneralSecurityException("webhook-timestamp is not within 5 minutes of now");
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        String signature = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        byte[] expected = signature.getBytes(StandardCharsets.UTF_8);
        // During a rotation there are two signatures, and one match is enough.
        for (String given : signatures.split(" ")) {
            // isEqual takes constant time, so timing reveals nothing about the expected signature.
            if (MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), expected)) {
                return;
            }
        }
        throw new GeneralSecurityException("no signature matches");
    }

    static void receive(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            answer(exchange, 405, "send a POST");
            return;
        }
        // The raw bytes: re-serialized JSON would not match the signature.
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            answer(exchange, 413, "the body is too large");
            return;
        }
        JsonNode event;
        try {
            verify(body, exchange.getRequestHeaders());
            event = JSON.readTree(body);
        } catch (GeneralSecurityException | IOException error) {
            answer(exchange, 400, error instanceof IOException ? "the body is not JSON" : error.getMessage());
            return;
        }
        if (!event.isObject()) {
            answer(exchange, 400, "the body is not a JSON object");
            return;
        }
        String id = exchange.getRequestHeaders().getFirst("webhook-id");
        String again = SEEN.add(id) ? "" : " again";
        // Put new events into a queue here: processing must not delay the response.
        System.out.println(event.path("type").asText("unknown") + " " + id + again);
        answer(exchange, 204, "");
    }

    static void answer(HttpExchange exchange, int status, String reason) throws IOException {
        byte[] bytes = reason.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    public static void main(String[] args) throws IOException {
        String secret = System.getenv().getOrDefault("WEBHOOK_SECRET", "");
        if (secret.isEmpty()) {
            System.err.println("Set WEBHOOK_SECRET to the webhook's secret.");
            System.exit(1);
        }
        // whsec_ is followed by the key in base64. Any other secret is itself the key.
        key = secret.startsWith("whsec_")
                ? Base64.getDecoder().decode(secret.substring(6))
                : secret.getBytes(StandardCharsets.UTF_8);
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "4040"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", Plain::receive);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        System.out.println("listening");
    }
}
