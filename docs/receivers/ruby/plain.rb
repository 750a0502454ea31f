require "json"
require "openssl"
require "webrick"

MAX_BODY = 1024 * 1024
TOLERANCE = 5 * 60 # seconds

secret = ENV.fetch("WEBHOOK_SECRET", "")
abort "Set WEBHOOK_SECRET to the webhook's secret." if secret.empty?
# whsec_ is followed by the key in base64. Any other secret is itself the key.
KEY = secret.start_with?("whsec_") ? secret.delete_prefix("whsec_").unpack1("m0") : secret

# In production, store the ids in a database, in a unique column.
SEEN = {}
LOCK = Mutex.new

class Refused < StandardError; end

def verify(body, id, timestamp, signatures)
  raise Refused, "a webhook header is missing" if [id, timestamp, signatures].any?(&:empty?)
  # Rejects replays: a recorded call has a valid signature, but an old timestamp.
  unless timestamp.match?(/\A\d{1,12}\z/) && (Time.now.to_i - timestamp.to_i).abs <= TOLERANCE
    raise Refused, "webhook-timestamp is not within 5 minutes of now"
  end
  mac = OpenSSL::HMAC.digest("SHA256", KEY, "#{id}.#{timestamp}.".b + body)
  expected = "v1,#{[mac].pack("m0")}"
  # During a rotation there are two signatures, and one match is enough.
  # secure_compare takes constant time, so timing reveals nothing about the expected signature.
  good = signatures.split(" ").any? { |given| OpenSSL.secure_compare(given, expected) }
  raise Refused, "no signature matches" unless good
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
  id, *rest = %w[webhook-id webhook-timestamp webhook-signature].map { |name| request[name].to_s }
  verify(body, id, *rest)
  event = JSON.parse(body.force_encoding(Encoding::UTF_8))
  raise Refused, "the body is not a JSON object" unless event.is_a?(Hash)

  LOCK.synchronize do
    again = SEEN.key?(id) ? " again" : ""
    SEEN[id] = true
    # Put new events into a queue here: processing must not delay the response.
    puts "#{event.fetch("type", "unknown")} #{id}#{again}"
  end
  response.status = 204
rescue Refused, JSON::ParserError => error
  response.status = 400
  response.body = error.message
end
$stdout.sync = true
trap("INT") { server.shutdown }
trap("TERM") { server.shutdown }
server.start
