require "json"
require "standardwebhooks"
require "webrick"

MAX_BODY = 1024 * 1024

secret = ENV.fetch("WEBHOOK_SECRET", "")
# Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
abort "Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form." unless secret.start_with?("whsec_")
WEBHOOK = StandardWebhooks::Webhook.new(secret)

# In production, store the ids in a database, in a unique column.
SEEN = {}
LOCK = Mutex.new

# Checks the signatures in constant time and rejects old timestamps, then parses the JSON.
def verify(body, headers)
  event = WEBHOOK.verify(body, headers)
  event.is_a?(Hash) ? event : nil
rescue StandardError => error # malformed headers and bodies raise other errors
  warn "#{error.class}: #{error.message}"
  nil
end

server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: ENV.fetch("PORT", 4040), AccessLog: [],
  Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN),
  StartCallback: -> { puts "listening" }
)
server.mount_proc "/" do |request, response|
  raise WEBrick::HTTPStatus::MethodNotAllowed, "send a POST" unless request.request_method == "POST"

  body = "".b # the raw bytes: re-serialized JSON would not match the signature
  request.body do |chunk|
    body << chunk
    raise WEBrick::HTTPStatus::RequestEntityTooLarge, "the body is too large" if body.bytesize > MAX_BODY
  end
  headers = %w[webhook-id webhook-timestamp webhook-signature].to_h { |name| [name, request[name]] }
  unless (event = verify(body.force_encoding(Encoding::UTF_8), headers))
    response.status = 400
    next response.body = "the call does not verify"
  end

  id = headers["webhook-id"]
  LOCK.synchronize do
    again = SEEN.key?(id) ? " again" : ""
    SEEN[id] = true
    # Put new events into a queue here: processing must not delay the response.
    puts "#{event.fetch("type", "unknown")} #{id}#{again}"
  end
  response.status = 204
end
$stdout.sync = true
trap("INT") { server.shutdown }
trap("TERM") { server.shutdown }
server.start
