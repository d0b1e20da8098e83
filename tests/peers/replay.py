"""replay.py TRAFFIC COMMAND...: answers on port 80 what AWS's case recorded, in its order, while the command runs. Then says, as a
line of JSON, which recorded requests came as they were recorded. Meant for a network of its own, whose addresses are AWS's."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


def recorded(path):
    """[(method, URI, headers that matter, status, body)] in the order of the requests."""
    by_connection = {}
    for event in json.load(open(path))["events"]:
        action = event["action"]
        c = by_connection.setdefault(event["connection_id"], {"status": 0, "body": ""})
        if "Request" in action:
            c.update(action["Request"]["request"])
        elif "Response" in action:
            c["status"] = action["Response"]["response"]["Ok"]["status"]
        elif "Data" in action and action["Data"]["direction"] == "Response":
            c["body"] += action["Data"]["data"]["Utf8"]
    return list(by_connection.values())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def serve(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        want = self.server.script[self.server.at] if self.server.at < len(self.server.script) else None
        self.server.at += 1
        right = want is not None and want["method"] == self.command and (urlsplit(want["uri"]).path or "/") == self.path
        for name, values in (want or {}).get("headers", {}).items():
            if name.startswith("x-aws-ec2-metadata-token"):
                right = right and self.headers.get(name) == values[0]
        self.server.right += right
        status, body = (want["status"], want["body"].encode()) if right else (500, b"not as it was recorded")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = serve


def main():
    server = ThreadingHTTPServer(("0.0.0.0", 80), Handler)
    server.script, server.at, server.right = recorded(sys.argv[1]), 0, 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    status = subprocess.call(sys.argv[2:])
    print(json.dumps({"asked": server.at, "right": server.right, "recorded": len(server.script)}))
    return status


if __name__ == "__main__":
    sys.exit(main())
