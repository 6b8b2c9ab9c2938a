// The language server: messages of the Language Server Protocol 3.17 in, messages out. Every answer follows from the texts of the open files, which
// are read again after each edit: there is no index that could lag.
//
// What must stay true: every request gets one answer, in words if it makes no sense; no message ends the process but `exit`.
// https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/

import ActFiles
import ActLanguage
import ActSyntax

package final class LanguageServer {
    private enum Phase { case new, open, shutDown, over }

    /// What is wrong with a request, by the numbers of the protocol.
    struct Fault: Error {
        let code: Int
        let message: String

        static let notInitialized = Fault(code: -32002, message: "the first request must be `initialize`")
        static let invalidRequest = Fault(code: -32600, message: "this is not a request")
        static let cancelled = Fault(code: -32800, message: "the request was cancelled")
        static let contentModified = Fault(code: -32801, message: "the text has changed meanwhile")
        static func unknownMethod(_ name: String) -> Fault { Fault(code: -32601, message: "there is no method `\(name)`") }
        static func invalidParameters(_ words: String) -> Fault { Fault(code: -32602, message: words) }
        static func failed(_ words: String) -> Fault { Fault(code: -32803, message: words) }
    }

    let session: Session
    private let send: (JSON) -> Void
    private let version: String
    /// Runs a program to see shapes; `nil` where nothing may be run.
    private let runCommand: [String]?
    private var phase = Phase.new
    private var encoding = PositionEncoding.utf16
    private var documents: [String: Document] = [:]
    /// Files whose faults the editor has not been told of since their last edit.
    private var unpublished: [String] = []
    private var pulls = false
    private var canRefreshHints = false
    private(set) var run: ShapeRun?
    /// Requests for hints that wait for the run.
    private var waiting: [(id: JSON, uri: String, range: JSON?)] = []

    /// - Parameters:
    ///   - send: Takes what is to be written.
    ///   - runCommand: The program and arguments of `ShapeRun`.
    package init(version: String, runCommand: [String]?, send: @escaping (JSON) -> Void) throws {
        self.version = version
        self.runCommand = runCommand
        self.send = send
        session = try Session()
    }

    /// Whether the process shall end, and with which status.
    package var exitStatus: Int32? { phase == .over ? status : nil }
    private var status: Int32 = 1

    // MARK: Messages

    /// Answers a message.
    package func handle(_ message: JSON) {
        guard let method = message["method"]?.asText else {
            // An answer to what we asked, which we need not know.
            if message["id"] != nil, message["result"] != nil || message["error"] != nil { return }
            return fail(message["id"] ?? .null, .invalidRequest)
        }
        let parameters = message["params"] ?? .object([])
        guard let id = message["id"] else { return notice(method, parameters) }
        do {
            if phase == .new, method != "initialize" { throw Fault.notInitialized }
            if phase == .shutDown { throw Fault.invalidRequest }
            if method == "textDocument/inlayHint", try waits(id, parameters) { return }
            send(["jsonrpc": "2.0", "id": id, "result": try answer(method, parameters)])
        } catch {
            fail(id, error as? Fault ?? .failed("\(error)"))
        }
    }

    /// Answers what was no message.
    package func handle(fault words: String) { fail(.null, Fault(code: -32700, message: words)) }

    /// Answers a request that the editor has taken back before its turn.
    package func cancel(_ message: JSON) { if let id = message["id"] { fail(id, .cancelled) } }

    private func fail(_ id: JSON, _ fault: Fault) {
        send(["jsonrpc": "2.0", "id": id, "error": ["code": .whole(fault.code), "message": .text(fault.message)]])
    }

    private func notify(_ method: String, _ parameters: JSON) { send(["jsonrpc": "2.0", "method": .text(method), "params": parameters]) }

    private func notice(_ method: String, _ parameters: JSON) {
        switch (method, phase) {
        case ("exit", _):
            status = phase == .shutDown ? 0 : 1
            phase = .over
        case ("textDocument/didOpen", .open):
            guard let item = parameters["textDocument"], let uri = item["uri"]?.asText, let text = item["text"]?.asText else { return }
            documents[uri] = Document(uri: uri, version: item["version"]?.asWhole ?? 0, text: text, encoding: encoding, session: session)
            hasChanged(uri)
        case ("textDocument/didChange", .open):
            guard let item = parameters["textDocument"], let uri = item["uri"]?.asText, let document = documents[uri] else { return }
            document.apply(parameters["contentChanges"]?.asList ?? [], version: item["version"]?.asWhole ?? document.version + 1)
            hasChanged(uri)
        case ("textDocument/didClose", .open):
            guard let uri = parameters["textDocument"]?["uri"]?.asText, documents.removeValue(forKey: uri) != nil else { return }
            unpublished.removeAll { $0 == uri }
            endRun(of: uri)
            if !pulls { notify("textDocument/publishDiagnostics", ["uri": .text(uri), "diagnostics": []]) }
        default: break
        }
    }

    private func hasChanged(_ uri: String) {
        if !unpublished.contains(uri) { unpublished.append(uri) }
        endRun(of: uri)
    }

    /// Tells of what is wrong in files that have changed: for when no more messages wait.
    package func publish() {
        for uri in unpublished {
            guard !pulls, let document = documents[uri] else { continue }
            notify(
                "textDocument/publishDiagnostics", ["uri": .text(uri), "version": .whole(document.version), "diagnostics": .list(diagnostics(of: document))])
        }
        unpublished = []
    }

    // MARK: Requests

    private func answer(_ method: String, _ parameters: JSON) throws -> JSON {
        switch method {
        case "initialize": return try initialize(parameters)
        case "shutdown":
            phase = .shutDown
            run = nil
            return .null
        case "completionItem/resolve": return resolve(parameters)
        default: break
        }
        guard let feature = Self.features.first(where: { $0.method == method }) else { throw Fault.unknownMethod(method) }
        guard let uri = parameters["textDocument"]?["uri"]?.asText else { throw Fault.invalidParameters("`textDocument` is missing") }
        guard let document = documents[uri] else { throw Fault.invalidParameters("\(uri) is not open") }
        return try feature.answer(self, document, parameters)
    }

    /// What can be asked about a file: the method, what the server says of it at the start, and what answers.
    private struct Feature: Sendable {
        let method: String
        let capability: String
        let options: JSON
        let answer: @Sendable (LanguageServer, Document, JSON) throws -> JSON
    }

    private static let features: [Feature] = [
        Feature(method: "textDocument/hover", capability: "hoverProvider", options: true) { try $0.hover($1, $2) },
        Feature(
            method: "textDocument/completion", capability: "completionProvider",
            options: ["triggerCharacters": [".", "\\", "(", ","], "resolveProvider": true]
        ) { try $0.completion($1, $2) },
        Feature(
            method: "textDocument/signatureHelp", capability: "signatureHelpProvider",
            options: ["triggerCharacters": ["(", ","], "retriggerCharacters": ["="]]
        ) { try $0.signatureHelp($1, $2) },
        Feature(method: "textDocument/definition", capability: "definitionProvider", options: true) { try $0.definition($1, $2) },
        Feature(method: "textDocument/references", capability: "referencesProvider", options: true) { try $0.references($1, $2) },
        Feature(method: "textDocument/documentHighlight", capability: "documentHighlightProvider", options: true) { try $0.highlights($1, $2) },
        Feature(method: "textDocument/rename", capability: "renameProvider", options: ["prepareProvider": true]) { try $0.rename($1, $2) },
        Feature(method: "textDocument/prepareRename", capability: "", options: .null) { try $0.prepareRename($1, $2) },
        Feature(method: "textDocument/documentSymbol", capability: "documentSymbolProvider", options: true) { server, document, _ in server.symbols(document) },
        Feature(method: "textDocument/foldingRange", capability: "foldingRangeProvider", options: true) { server, document, _ in server.folds(document) },
        Feature(
            method: "textDocument/semanticTokens/full", capability: "semanticTokensProvider",
            options: [
                "legend": ["tokenTypes": .list(TokenType.allCases.map { .text("\($0)") }), "tokenModifiers": ["definition", "defaultLibrary"]],
                "full": true,
            ]
        ) { server, document, _ in server.tokens(document) },
        Feature(method: "textDocument/formatting", capability: "documentFormattingProvider", options: true) { server, document, _ in server.formatting(document)
        },
        Feature(
            method: "textDocument/codeAction", capability: "codeActionProvider", options: ["codeActionKinds": ["quickfix", "source.fixAll"]]
        ) { try $0.actions($1, $2) },
        Feature(
            method: "textDocument/diagnostic", capability: "diagnosticProvider", options: ["interFileDependencies": false, "workspaceDiagnostics": false]
        ) { server, document, _ in ["kind": "full", "items": .list(server.diagnostics(of: document))] },
        Feature(method: "textDocument/inlayHint", capability: "inlayHintProvider", options: true) { server, document, parameters in
            server.hints(document, parameters["range"])
        },
    ]

    private func initialize(_ parameters: JSON) throws -> JSON {
        guard phase == .new else { throw Fault.invalidRequest }
        phase = .open
        let client = parameters["capabilities"] ?? .object([])
        let encodings = client["general"]?["positionEncodings"]?.asList?.compactMap(\.asText) ?? []
        // Bytes are what places are in here.
        encoding = encodings.contains("utf-8") ? .utf8 : .utf16
        pulls = client["textDocument"]?["diagnostic"] != nil
        var capabilities: [(name: String, value: JSON)] = [
            ("positionEncoding", .text(encoding.rawValue)), ("textDocumentSync", ["openClose": true, "change": 2]),
        ]
        for feature in Self.features where !feature.capability.isEmpty {
            if feature.capability == "diagnosticProvider", !pulls { continue }
            if feature.capability == "inlayHintProvider", runCommand == nil { continue }
            capabilities.append((feature.capability, feature.options))
        }
        return ["capabilities": .object(capabilities), "serverInfo": ["name": "act", "version": .text(version)]]
    }

    // MARK: Runs

    /// Begins a run if nobody knows the shapes of the file yet.
    /// - Returns: Whether the request is answered when it ends.
    private func waits(_ id: JSON, _ parameters: JSON) throws -> Bool {
        guard let uri = parameters["textDocument"]?["uri"]?.asText, let document = documents[uri], document.kinds == nil, let runCommand else { return false }
        if run?.document !== document || run?.version != document.version {
            if let other = run { endRun(of: other.document.uri) }
            run = ShapeRun(runCommand, document)
        }
        guard run != nil else { return false }
        waiting.append((id, uri, parameters["range"]))
        return true
    }

    /// Ends the run of a file, and what waits for it.
    private func endRun(of uri: String) {
        guard run?.document.uri == uri else { return }
        run = nil
        let requests = waiting
        waiting = []
        for request in requests { fail(request.id, .contentModified) }
    }

    /// Takes what the run has found, if it is over or takes too long.
    package func finishRun() {
        guard let run else { return }
        if run.document.version == run.version { run.document.kinds = run.kinds }
        self.run = nil
        let requests = waiting
        waiting = []
        for request in requests {
            guard let document = documents[request.uri] else { continue }
            send(["jsonrpc": "2.0", "id": request.id, "result": hints(document, request.range)])
        }
    }

    /// Answers a request for hints that the editor takes back.
    package func cancelWaiting(_ id: JSON) {
        guard let text = try? id.text(), let index = waiting.firstIndex(where: { (try? $0.id.text()) == text }) else { return }
        fail(waiting.remove(at: index).id, .cancelled)
    }
}
