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
    # Libraries take only this form. For a secret of your own the dashboard shows the equivalent.
    sys.exit("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.")
webhook = Webhook(secret)

# In production keep the ids where a restart keeps them, e.g. in a unique column.
seen = set()
lock = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # a caller that stalls holds its thread no longer

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            return self.answer(411, "content-length is missing")
        if int(length) > MAX_BODY:
            return self.answer(413, "the body is too large")
        body = self.rfile.read(int(length))  # the raw bytes: parsed and written again they would differ
        try:
            # The library also takes 123.5 for 123.
            if re.search("[^0-9]", self.headers.get("webhook-timestamp", "")):
                raise ValueError("webhook-timestamp is not whole seconds")
            # Checks the signatures in constant time, and the timestamp against replays.
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
            # If it is new, hand it to a queue here: the work must not delay the answer.
            print(f"{event.get('type', 'unknown')} {msg_id}{again}", flush=True)
        self.answer(204)

    def answer(self, status, reason=""):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reason.encode())


ThreadingHTTPServer.request_queue_size = 128  # the default, 5, turns callers away when several come at once
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4040"))), Receiver)
print("listening", flush=True)
server.serve_forever()
