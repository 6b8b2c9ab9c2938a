// What the tests of the language server talk to it with: messages as an editor sends them, and what came back.

import ActFiles
import ActServer
import ActTestSupport
import Testing

/// An editor in small.
final class Editor {
    private var server: LanguageServer!
    private(set) var sent: [JSON] = []
    private var number = 0
    static let uri = "file:///tmp/program.act"

    init(_ text: String? = nil, encodings: [String] = [], pulls: Bool = false) throws {
        server = try LanguageServer(version: "0", runCommand: nil) { [unowned self] in sent.append($0) }
        let general: JSON = ["positionEncodings": .list(encodings.map { .text($0) })]
        let document: JSON = pulls ? ["diagnostic": .object([])] : .object([])
        try request("initialize", ["capabilities": ["general": general, "textDocument": document]])
        notify("initialized", .object([]))
        if let text { open(text) }
    }

    func handle(_ message: JSON) { server.handle(message) }
    var exitStatus: Int32? { server.exitStatus }

    @discardableResult
    func request(_ method: String, _ parameters: JSON) throws -> JSON {
        number += 1
        server.handle(["jsonrpc": "2.0", "id": .whole(number), "method": .text(method), "params": parameters])
        let answer = try #require(sent.last { $0["id"]?.asWhole == number })
        if let error = answer["error"] { throw TestFailure("\(error["code"]?.asWhole ?? 0): \(error["message"]?.asText ?? "")") }
        return try #require(answer["result"])
    }

    func notify(_ method: String, _ parameters: JSON) { server.handle(["jsonrpc": "2.0", "method": .text(method), "params": parameters]) }

    func open(_ text: String, version: Int = 1) {
        notify("textDocument/didOpen", ["textDocument": ["uri": .text(Self.uri), "languageId": "act", "version": .whole(version), "text": .text(text)]])
        server.publish()
    }

    func change(_ changes: [JSON], version: Int = 2) {
        notify("textDocument/didChange", ["textDocument": ["uri": .text(Self.uri), "version": .whole(version)], "contentChanges": .list(changes)])
        server.publish()
    }

    func ask(_ method: String, _ line: Int, _ character: Int, _ more: [(name: String, value: JSON)] = []) throws -> JSON {
        try request(
            "textDocument/" + method,
            .object([("textDocument", ["uri": .text(Self.uri)]), ("position", ["line": .whole(line), "character": .whole(character)])] + more))
    }

    func ask(_ method: String, _ more: [(name: String, value: JSON)] = []) throws -> JSON {
        try request("textDocument/" + method, .object([("textDocument", ["uri": .text(Self.uri)])] + more))
    }

    /// Forgets what was sent.
    func forget() { sent = [] }

    /// The faults that were told last.
    var diagnostics: [JSON] { sent.last { $0["method"]?.asText == "textDocument/publishDiagnostics" }?["params"]?["diagnostics"]?.asList ?? [] }
}
