import base64
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY = 1024 * 1024
TOLERANCE = 5 * 60  # seconds

secret = os.environ.get("WEBHOOK_SECRET") or sys.exit("Set WEBHOOK_SECRET to the webhook's secret.")
# whsec_ is followed by the key in base64. Any other secret is itself the key.
key = base64.b64decode(secret[6:], validate=True) if secret.startswith("whsec_") else secret.encode()

# In production, store the ids in a database, in a unique column.
seen = set()
lock = threading.Lock()


def verify(body, headers):
    names = "webhook-id", "webhook-timestamp", "webhook-signature"
    msg_id, timestamp, signatures = (headers.get(name, "") for name in names)
    if not (msg_id and timestamp and signatures):
        raise ValueError("a webhook header is missing")
    # Rejects replays: a recorded call has a valid signature, but an old timestamp.
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(int(time.time()) - int(timestamp)) > TOLERANCE:
        raise ValueError("webhook-timestamp is not within 5 minutes of now")
    mac = hmac.new(key, f"{msg_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(mac.digest())
    # During a rotation there are two signatures, and one match is enough.
    # compare_digest takes constant time, so timing reveals nothing about the expected signature.
    if not any(hmac.compare_digest(expected, given.encode()) for given in signatures.split(" ")):
        raise ValueError("no signature matches")


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
            verify(body, self.headers)
            event = json.loads(body)
            if not isinstance(event, dict):
                raise ValueError("the body is not a JSON object")
        except ValueError as error:
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
