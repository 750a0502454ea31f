import json
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY = 1024 * 1024

secret = os.environ.get("WEBHOOK_SECRET", "")
if not secret.startswith("whsec_"):
    # Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
    sys.exit("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.")
webhook = Webhook(secret)

# In production, store the ids in a database, in a unique column.
seen = set()
lock = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # frees the thread of a caller that stalls

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            return self.answer(411, "content-length is missing")
        if int(length) > MAX_BODY:
            return self.answer(413, "the body is too large")
        body = self.rfile.read(int(length))  # the raw bytes: re-serialized JSON would not match the signature
        try:
            # The library also accepts 123.5.
            if re.search("[^0-9]", self.headers.get("webhook-timestamp", "")):
                raise ValueError("webhook-timestamp is not whole seconds")
            # Checks the signatures in constant time and rejects old timestamps.
            webhook.verify(body, dict(self.headers), json_parse=False)
            event = json.loads(body)
            if not isinstance(event, dict):
                raise ValueError("the body is not a JSON object")
        except (WebhookVerificationError, ValueError) as error:  # ValueError: malformed headers or body
            return self.answer(400, str(error))
        msg_id = self.headers["webhook-id"]
        with lock:
            again = " again" if msg_id in seen else ""
            seen.add(msg_id)
            # Put new events into a queue here: processing must not delay the response.
            print(f"{event.get('type', 'unknown')} {msg_id}{again}", flush=True)
        self.answer(204)

    def answer(self, status, reason=""):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reason.encode())


ThreadingHTTPServer.request_queue_size = 128  # the default of 5 refuses connections when many arrive at once
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4040"))), Receiver)
print("listening", flush=True)
server.serve_forever()
