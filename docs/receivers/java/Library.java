import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

public class Library {
    static final int MAX_BODY = 1024 * 1024;
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    // In production, store the ids in a database, in a unique column.
    static final Set<String> SEEN = ConcurrentHashMap.newKeySet();
    static Webhook webhook;

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
            // Checks the signatures in constant time and rejects old timestamps.
            HttpHeaders headers = HttpHeaders.of(exchange.getRequestHeaders(), (name, value) -> true);
            webhook.verify(new String(body, StandardCharsets.UTF_8), headers);
            event = JSON.readTree(body);
        } catch (WebhookVerificationException | IOException error) {
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

    public static void main(String[] args) throws Exception {
        String secret = System.getenv().getOrDefault("WEBHOOK_SECRET", "");
        if (!secret.startsWith("whsec_")) {
            // Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
            System.err.println("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
            System.exit(1);
        }
        webhook = new Webhook(secret);
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "4040"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", Library::receive);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        System.out.println("listening");
    }
}
