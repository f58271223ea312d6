"""Serves landed pages again over HTTP, with the demo market's manners and the outages that a test asks for."""

import hashlib
import http.server
import os
import threading
import urllib.parse

import prices

KEY = "demo-key"
NEXT = {"ebay_prices"}  # The feed whose next page stands in a header, which a landed file does not hold.


class ReplayMarket:
    """A market on a free port of 127.0.0.1.

    `down` holds the feeds that answer 503, `altered` replaces the body of a path. Once in the server's life each feed answers its
    second page with 429 and its last with 500.
    """

    def __init__(self, landing, days):
        self.down, self.altered, self.requests = set(), {}, []
        self.pages, self.feeds = {}, {}
        for day in days:
            found = prices.manifest(landing, day)["files"]
            for entry in found:
                with open(os.path.join(landing, "raw", day, entry["name"]), "rb") as file:
                    body = file.read()
                parts = urllib.parse.urlsplit(entry["url"])
                path = f"{parts.path}?{parts.query}"
                last = max(other["page"] for other in found if other["source"] == entry["source"])
                self.pages[path] = (entry, body, last)
                self.feeds[parts.path] = entry["source"]
        self.refused = set()
        market = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                market.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        self.requests.append(request.path)
        path = request.path.split("?")[0]
        feed = self.feeds.get(path)
        if path == "/robots.txt":
            return self.send(request, 200, b"User-agent: *\nAllow: /\n", {"Content-Type": "text/plain"})
        if feed in self.down:
            return self.send(request, 503, b"down for maintenance\n", {"Content-Type": "text/plain"})
        if feed == "amazon_prices" and request.headers.get("X-API-Key") != KEY:
            return self.send(request, 401, b'{"error": {"code": "key", "message": "no key"}}', {"Content-Type": "application/json"})
        if request.path not in self.pages:
            return self.send(request, 404, b"no such page\n", {"Content-Type": "text/plain"})
        entry, body, last = self.pages[request.path]
        for page, status, headers in [(min(2, last), 429, {"Retry-After": "1"}), (last, 500, {})]:
            if entry["page"] == page and (feed, status) not in self.refused:
                self.refused.add((feed, status))
                return self.send(request, status, b"not now\n", {"Content-Type": "text/plain", **headers})
        body = self.altered.get(request.path, body)
        headers = {"Content-Type": entry["contentType"], "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        if feed in NEXT and entry["page"] < last:
            following = request.path.replace(f"page={entry['page']}", f"page={entry['page'] + 1}")
            headers["Link"] = f'<{following}>; rel="next"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return self.send(request, 304, b"", headers)
        self.send(request, 200, body, headers)

    @staticmethod
    def send(request, status, body, headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        try:
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
