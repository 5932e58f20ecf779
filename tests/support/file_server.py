#!/usr/bin/env python3
"""A web server of one file that knows ranges and can be unkind: it breaks off, changes the file, says no.

    file_server.py PORT FILE LOG [--cut BYTES] [--cuts N] [--status CODE]

/file is the file, /moved leads to it, everything else is not there. Each request is one line of LOG: the path, its Range and
what was answered. --cut breaks the connection off after so many bytes, --cuts times; --status answers everything with CODE.
"""

import argparse
import http.server
import pathlib
import zlib


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        options = self.server.options
        if options.status or self.path.split("?")[0] not in ("/file.tar", "/moved.tar"):
            return self.answer(options.status or 404)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/file.tar")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        content = pathlib.Path(options.file).read_bytes()
        etag, wanted = f'"{zlib.crc32(content):08x}"', self.headers.get("Range", "")
        begin = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and self.headers.get("If-Range") == etag else 0
        if begin > len(content):
            return self.answer(416)
        self.note(206 if begin else 200)
        self.send_response(206 if begin else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if options.cuts > 0:
            options.cuts -= 1
            self.wfile.write(content[begin:begin + options.cut])
            self.wfile.flush()
            self.close_connection = True
            return self.connection.shutdown(2)
        self.wfile.write(content[begin:])

    def answer(self, code):
        self.note(code)
        self.send_error(code)

    def note(self, code):
        with open(self.server.options.log, "a") as log:
            log.write(f"{self.path} {self.headers.get('Range', '-')} {code}\n")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("file")
    parser.add_argument("log")
    parser.add_argument("--cut", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--status", type=int, default=0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False) as server:
        server.options = parser.parse_args()
        server.server_address = ("127.0.0.1", server.options.port)
        server.allow_reuse_address = True
        server.server_bind()
        server.server_activate()
        server.serve_forever()
