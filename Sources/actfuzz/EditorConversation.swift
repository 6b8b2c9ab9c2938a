// What no editor says to a language server: messages before `initialize` and after `shutdown`, wrong lengths, text that is not JSON, places outside of
// files, edits at random, requests that are taken back; and after all of it what an editor says.
//
// What must stay true: how many bytes of an announced message are still owed is known, so that a message after them is one.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct EditorConversation: Conversation {
    static let name = "editor"

    private enum Step {
        case send(Bytes)
        case read(Double)
        /// No more is sent: the server ends. With nobody to read, too.
        case leave
        case hangUp
    }

    private var steps: [Step] = []
    /// Bytes of a message that were announced and never came.
    private var owed = 0
    private var number = 0
    private var uris = ["file:///a.act", "file:///b.act", "untitled:1"]

    /// More than these are not paid back: the editor goes.
    private static let mostOwed = 1 << 24

    init(_ generator: Generator, _ index: Int) {
        var random = Random(seed: generator.seed ^ 0x1507_0317, index: index)
        if random.chance(85) { say(request("initialize", capabilities(generator, &random)), &random) }
        if random.chance(70) { say(notice("initialized", Array("{}".utf8)), &random) }
        if random.chance(80) { say(open(generator, &random), &random) }
        for _ in 0...random.below(25) {
            let message = random.chance(88) ? message(generator, &random) : strangeBytes(generator, &random)
            say(message, &random)
            if owed > 0 { break }
            if random.chance(10) { steps.append(.read(0.001 * Double(random.below(40)))) }
        }
        if owed > Self.mostOwed || random.chance(8) { steps.append(random.chance(70) ? .leave : .hangUp) }
    }

    // MARK: What is said

    private mutating func say(_ bytes: Bytes, _ random: inout Random) {
        guard random.chance(15), bytes.count > 1 else { return steps.append(.send(bytes)) }
        let cut = random.below(bytes.count)
        steps += [.send(Array(bytes[..<cut])), .read(0.002), .send(Array(bytes[cut...]))]
    }

    static func message(_ content: Bytes) -> Bytes { Array("Content-Length: \(content.count)\r\n\r\n".utf8) + content }

    private mutating func request(_ method: String, _ parameters: Bytes) -> Bytes {
        number += 1
        return Generator.object([
            ("jsonrpc", Generator.quoted("2.0")), ("id", Array("\(number)".utf8)), ("method", Generator.quoted(method)), ("params", parameters),
        ])
    }

    private func notice(_ method: String, _ parameters: Bytes) -> Bytes {
        Generator.object([("jsonrpc", Generator.quoted("2.0")), ("method", Generator.quoted(method)), ("params", parameters)])
    }

    private func capabilities(_ generator: Generator, _ random: inout Random) -> Bytes {
        let encodings = random.pick(["[\"utf-8\"]", "[\"utf-16\"]", "[]", "null"], or: "[]")
        let pulls = random.chance(50) ? ",\"textDocument\":{\"diagnostic\":{}}" : ""
        return generator.mostly(
            Array("{\"processId\":null,\"rootUri\":null,\"capabilities\":{\"general\":{\"positionEncodings\":\(encodings)}\(pulls)}}".utf8), &random, oneIn: 15)
    }

    private func open(_ generator: Generator, _ random: inout Random) -> Bytes {
        let text = random.chance(3) ? Bytes(repeating: UInt8(ascii: "x"), count: 1 << random.below(24)) : generator.code(&random)
        let item = Generator.object([
            ("uri", generator.mostly(uri(&random), &random, oneIn: 30)), ("languageId", Generator.quoted("act")), ("version", Array("1".utf8)),
            ("text", generator.mostly(Generator.quoted(text), &random, oneIn: 30)),
        ])
        return notice("textDocument/didOpen", Generator.object([("textDocument", generator.mostly(item, &random, oneIn: 30))]))
    }

    private func uri(_ random: inout Random) -> Bytes { Generator.quoted(random.pick(uris, or: "")) }

    private func place(_ generator: Generator, _ random: inout Random) -> Bytes {
        func coordinate() -> Bytes { random.chance(75) ? Array("\(random.below(random.chance(50) ? 4 : 60))".utf8) : generator.value(&random) }
        return generator.mostly(Generator.object([("line", coordinate()), ("character", coordinate())]), &random, oneIn: 30)
    }

    private func range(_ generator: Generator, _ random: inout Random) -> Bytes {
        Generator.object([("start", place(generator, &random)), ("end", place(generator, &random))])
    }

    private static let methods = [
        "textDocument/hover", "textDocument/completion", "textDocument/signatureHelp", "textDocument/definition", "textDocument/references",
        "textDocument/documentHighlight", "textDocument/rename", "textDocument/prepareRename", "textDocument/documentSymbol", "textDocument/foldingRange",
        "textDocument/semanticTokens/full", "textDocument/formatting", "textDocument/codeAction", "textDocument/diagnostic", "completionItem/resolve",
        "textDocument/selectionRange", "workspace/symbol", "initialize", "shutdown", "$/setTrace", "",
    ]

    private mutating func message(_ generator: Generator, _ random: inout Random) -> Bytes {
        var content: Bytes
        switch random.below(20) {
        case 0...6:
            let changes = (0...random.below(4)).map { _ in
                var fields: [(name: String, value: Bytes)] = [
                    (
                        "text",
                        generator.mostly(Generator.quoted(random.chance(60) ? generator.noiseOfWords(&random) : generator.code(&random)), &random, oneIn: 25)
                    )
                ]
                if random.chance(85) { fields.append(("range", generator.mostly(range(generator, &random), &random, oneIn: 25))) }
                return Generator.object(fields)
            }
            let list = Array("[".utf8) + Array(changes.joined(separator: Array(",".utf8))) + Array("]".utf8)
            content = notice(
                "textDocument/didChange",
                Generator.object([
                    ("textDocument", Generator.object([("uri", uri(&random)), ("version", generator.number(&random))])),
                    ("contentChanges", generator.mostly(list, &random, oneIn: 25)),
                ]))
        case 7: content = open(generator, &random)
        case 8: content = notice("textDocument/didClose", Generator.object([("textDocument", Generator.object([("uri", uri(&random))]))]))
        case 9:
            content = notice(
                "$/cancelRequest", Generator.object([("id", random.chance(70) ? Array("\(random.below(number + 3))".utf8) : generator.value(&random))]))
        case 10: content = generator.value(&random)
        case 11 where random.chance(30):
            // A run of the file, in a process of its own.
            content = request(
                "textDocument/inlayHint", Generator.object([("textDocument", Generator.object([("uri", uri(&random))])), ("range", range(generator, &random))]))
        default:
            var method = random.pick(Self.methods, or: "")
            // Most of what follows `shutdown` says nothing new.
            if method == "shutdown", !random.chance(20) { method = "textDocument/hover" }
            content = request(
                method,
                generator.mostly(
                    Generator.object([
                        ("textDocument", Generator.object([("uri", uri(&random))])), ("position", place(generator, &random)),
                        ("range", range(generator, &random)),
                        ("newName", generator.mostly(Generator.quoted(random.pick(["y", "if", "a b", "é", "relu"], or: "y")), &random)),
                        ("context", generator.mostly(Array("{\"includeDeclaration\":true,\"diagnostics\":[]}".utf8), &random)),
                        ("label", Generator.quoted("relu")), ("options", generator.value(&random)),
                    ]), &random, oneIn: 20))
        }
        if random.chance(6) { content = generator.faulty(content, &random) }
        return Self.message(content)
    }

    /// What is not a message, or one with another length than it says.
    private mutating func strangeBytes(_ generator: Generator, _ random: inout Random) -> Bytes {
        let content = request("textDocument/hover", generator.value(&random))
        func announcing(_ length: String) -> Bytes { Array("Content-Length: \(length)\r\n\r\n".utf8) + content }
        switch random.below(9) {
        case 0: return generator.noise(&random)
        case 1: return announcing(random.pick(["", "x", "-1", "0x10", "1e3", "99999999999999999999", "١٢"], or: ""))
        case 2: return announcing("\(random.below(content.count))")
        case 3, 4:
            // Too long: up to more than any message may have, and far beyond.
            let length = content.count + random.pick([1, 20, 1000, 1 << 20, 1 << 28, 1 << 29, 1 << 31, 1 << 62], or: 1)
            owed = length - content.count
            return announcing("\(length)")
        case 5: return Array("Content-Type: application/vscode-jsonrpc; charset=utf-16\r\ncontent-length:\(content.count)\r\n\r\n".utf8) + content
        case 6: return Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        case 7: return Bytes(repeating: UInt8(random.below(256)), count: 1 << random.below(20))
        default: return Array("Content-Length: 0\r\n\r\nContent-Length: 2\n\n{}Content-Length: 4\r\n\r\nnull".utf8)
        }
    }

    var text: Bytes {
        Array(
            steps.flatMap { step -> Bytes in
                switch step {
                case .send(let bytes): bytes
                case .read(let seconds): Array("\n\n[read for \(seconds) s]\n\n".utf8)
                case .leave: Array("\n\n[leave]\n".utf8)
                case .hangUp: Array("\n\n[hang up]\n".utf8)
                }
            })
    }

    // MARK: How it goes

    func hold(_ patience: Double) -> (fault: String?, program: TalkingProgram?) {
        guard let program = TalkingProgram(["lsp"], talks: true) else { return ("start", nil) }
        for step in steps {
            switch step {
            case .send(let bytes): if program.wire?.send(bytes, within: 10 * patience) != true { return ("deaf", program) }
            case .read(let seconds): program.wire?.drop(for: seconds)
            case .leave:
                program.expected = [1]
                program.wire?.closeOutput()
                if let wire = program.wire { drain(wire, patience) }
                return (nil, program)
            case .hangUp:
                program.expected = [1]
                program.hangUp()
                return (nil, program)
            }
        }
        return (program.wire.flatMap { editor($0, patience) }, program)
    }

    /// What an editor says.
    private func editor(_ wire: Wire, _ patience: Double) -> String? {
        if owed > 0, !wire.send(Bytes(repeating: UInt8(ascii: " "), count: owed), within: 10 * patience) { return "deaf" }
        // Of what followed a wrong length, one may be lost.
        let nothing = Self.message(notice("$/probe", Array("{}".utf8)))
        let uri = "\"uri\":\"file:///probe.act\""
        let probes = [
            #"{"jsonrpc":"2.0","id":"probe-1","method":"initialize","params":{"capabilities":{}}}"#,
            #"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{\#(uri),"version":1,"text":"relu(1)"}}}"#,
            #"{"jsonrpc":"2.0","id":"probe-2","method":"textDocument/hover","params":{"textDocument":{\#(uri)},"position":{"line":0,"character":1}}}"#,
            #"{"jsonrpc":"2.0","id":"probe-3","method":"shutdown"}"#,
        ]
        guard wire.send(nothing + nothing + probes.flatMap { Self.message(Array($0.utf8)) }, within: 10 * patience) else { return "deaf" }
        var isOpen = true
        for number in 1...3 {
            guard let answer = answer(to: "probe-\(number)", wire, 20 * patience) else { return "no-answer" }
            // The first tells whether it had been initialized; after `shutdown` there is nothing but faults.
            if number == 2 { isOpen = !answer.contains("-32600") }
            if number == 2, isOpen, !answer.contains("max(x, 0)"), !answer.contains("relu") { return "wrong-answer" }
        }
        guard wire.send(Self.message(Array(#"{"jsonrpc":"2.0","method":"exit"}"#.utf8)), within: 10 * patience) else { return "deaf" }
        drain(wire, patience)
        return nil
    }

    /// Reads to the end.
    private func drain(_ wire: Wire, _ patience: Double) {
        let start = seconds()
        while !wire.isAtEnd, seconds() - start < 10 * patience { wire.drop(for: 0.02) }
    }

    /// The message that answers a request. Those before it are passed over.
    private func answer(to id: String, _ wire: Wire, _ limit: Double) -> String? {
        while let content = wire.take(within: limit, Self.content) {
            let text = String(decoding: content, as: UTF8.self)
            if text.contains("\"id\":\"\(id)\"") { return text }
        }
        return nil
    }

    private static func content(_ bytes: Bytes) -> (Bytes, Int)? {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
        let length = bytes[..<end].split(separator: UInt8(ascii: " ")).last.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        let start = end + 4
        return bytes.count >= start + length ? (Array(bytes[start..<start + length]), start + length) : nil
    }
}

extension Generator {
    /// A few characters, as somebody types them.
    func noiseOfWords(_ random: inout Random) -> Bytes {
        Array(random.pick(["", "x", " = ", "relu(", ")", "\n", "\r\n", "é", "😀", "\"", "{", "}", "'", "# ", "1e", "\\sigma", "f(x) = x", "\t"], or: "").utf8)
    }
}
