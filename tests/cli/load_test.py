# SPDX-License-Identifier: Apache-2.0
"""narae load against a server that this test plays: what it says when nothing is answered, and which URLs it reads."""
import http.server
import json
import socket
import subprocess
import threading

from command import BINARY, FAILED, OK, USAGE, CommandTest

METADATA = {"name": "m", "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2]}], "outputs": []}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.hosts.add(self.headers["Host"])
        self.reply(200, json.dumps(METADATA).encode() if self.path.startswith("/v2/") else b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(*self.server.answer)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


class Load(CommandTest):
    def server(self, answer, host="127.0.0.1"):
        kind = type("Server", (Server,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
        server = kind((host, 0), Handler)
        server.answer, server.hosts = answer, set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def load(self, url, *flags):
        return subprocess.run([BINARY, "load", url, "--model", "m", "--duration", "0.2", *flags], capture_output=True,
                              text=True, timeout=60, cwd=self.folder)

    def test_nothing_answered_is_a_failure(self):
        for answer, count in (((400, b'{"error":"input x is wrong"}'), "failed"), ((503, b'{"error":"full"}'), "refused")):
            url = f"http://127.0.0.1:{self.server(answer).server_port}"
            told = self.load(url, "--json")
            self.assertEqual(told.returncode, FAILED, told.stderr)
            tally = json.loads(told.stdout)
            self.conforms("load", tally)
            self.assertEqual((tally["answered"], tally[count]), (0, tally["sent"]))
            self.assertIn(answer[1].decode(), tally["first_error"])
            text = self.load(url)
            self.assertEqual(text.returncode, FAILED)
            self.assertIn(answer[1].decode(), text.stdout)

    def test_answers_are_not(self):
        told = self.load(f"http://127.0.0.1:{self.server((200, b'{}')).server_port}", "--json")
        self.assertEqual(told.returncode, OK, told.stderr)
        self.assertNotIn("first_error", json.loads(told.stdout))

    def test_ipv6_addresses_stand_in_brackets(self):
        told = self.load("http://::1:8000", "--json")
        self.assertEqual(told.returncode, USAGE)
        self.assertIn("[::1]", json.loads(told.stdout)["error"]["message"])
        try:
            server = self.server((200, b"{}"), "::1")
        except OSError as error:
            self.skipTest(f"hardware: this machine has no IPv6 ({error})")
        told = self.load(f"http://[::1]:{server.server_port}", "--json")
        self.assertEqual(told.returncode, OK, told.stdout)
        self.assertEqual({host.split("]")[0] for host in server.hosts}, {"[::1"})
