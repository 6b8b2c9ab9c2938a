"""How long `act lsp` takes from a keystroke to what is wrong with the file, and to colours and completion, in a file of 10,000 lines.

    python3 Tools/editor-latency.py PATH/TO/act [LINES]

Prints the median and the longest of 30 keystrokes in milliseconds. The release build is to stay below 100 ms.
"""

import json
import statistics
import subprocess
import sys
import time


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen([command, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def send(self, method, parameters, wants_answer):
        message = {"jsonrpc": "2.0", "method": method, "params": parameters}
        if wants_answer:
            self.number += 1
            message["id"] = self.number
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def ask(self, method, parameters):
        self.send(method, parameters, True)
        while (message := self.receive()).get("id") != self.number or "method" in message:
            pass
        return message["result"]

    def wait_for(self, method):
        while self.receive().get("method") != method:
            pass


def main():
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    part = ["f{0}(x, W) = {{", "    z = x @ W + {0}", "    relu(z)", "}}", "x{0} = zeros({0}, 3)  # data", "y{0} = f{0}(x{0}, zeros(3, 2))",
            "if len(y{0}) > 5 {{ print(\"{{y{0}.shape}}\") }}", ""]
    text = "".join(line.format(i) + "\n" for i in range(1, lines // len(part) + 1) for line in part)
    server = Server(sys.argv[1])
    server.ask("initialize", {"capabilities": {}, "processId": None, "rootUri": None})
    server.send("initialized", {}, False)
    uri = "file:///long.act"
    server.send("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "act", "version": 1, "text": text}}, False)
    server.wait_for("textDocument/publishDiagnostics")
    faults, colours, completions = [], [], []
    for step in range(30):
        place = {"line": 1, "character": 4}
        start = time.perf_counter()
        change = {"range": {"start": place, "end": place}, "text": "y"}
        server.send("textDocument/didChange", {"textDocument": {"uri": uri, "version": step + 2}, "contentChanges": [change]}, False)
        server.wait_for("textDocument/publishDiagnostics")
        faults.append(time.perf_counter() - start)
        start = time.perf_counter()
        server.ask("textDocument/semanticTokens/full", {"textDocument": {"uri": uri}})
        colours.append(time.perf_counter() - start)
        start = time.perf_counter()
        server.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 5}})
        completions.append(time.perf_counter() - start)
    for name, times in [("faults", faults), ("colours", colours), ("completion", completions)]:
        print(f"{name:11} median {statistics.median(times) * 1e3:7.1f} ms   longest {max(times) * 1e3:7.1f} ms")
    server.ask("shutdown", None)
    server.send("exit", None, False)


main()
