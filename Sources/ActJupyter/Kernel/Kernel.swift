// A kernel of Jupyter: cells in, messages out. Cells run one after the other on the thread that calls `run`; what interrupts, ends and checks
// it is answered by the thread that serves the sockets.
//
// What must stay true: every request is answered or passed over as the protocol has it, between `busy` and `idle` of its own; no message ends the
// process but `shutdown_request`.

import ActSystem
import ActArray
import ActFiles
import ActLanguage
import ActMachine
import ActPlot
import ActSyntax
import CActSystem

/// `@unchecked`: what both threads touch is guarded by the lock; the rest belongs to the thread of `run`.
package final class Kernel: @unchecked Sendable {
    private enum Task {
        case request(Message, ZMTPPeer, received: Double)
        case leave
    }

    private let server: ZMTPServer
    private let form: MessageForm
    private let mailbox = Mailbox<Task>()
    private let connection: ConnectionFile
    private let version: String
    private let lexer: String
    private let lock = Lock()
    private var session: Session?
    private var isLeaving = false
    /// When the process ends although a computation does not.
    private var leaveBy: Double?
    /// Called if a computation cannot be ended.
    package var onStuck: () -> Void = {}
    /// Asked every second: whether whoever started the kernel has gone.
    package var isOrphaned: () -> Bool = { false }
    private var nextLook = 0.0

    private var output: KernelOutput?
    private var interaction: Interaction?
    private var count = 0
    private var history = CellHistory()
    /// When the last error was answered: what was sent before it does not run.
    private var lastError: Double?

    /// Pygments knows it without act's own lexer, and it reads `f'` as act does.
    package static let commonLexer = "julia"

    /// Listens where the file says.
    /// - Parameter lexer: What colours cells in documents that Pygments makes; `act` where act's lexer is installed.
    /// - Throws: `ZMTPServer.Fault`.
    package init(_ connection: ConnectionFile, version: String, lexer: String = commonLexer) throws(ZMTPServer.Fault) {
        self.connection = connection
        self.version = version
        self.lexer = lexer
        form = MessageForm(key: connection.key)
        server = try ZMTPServer()
        for channel in ConnectionFile.Channel.allCases {
            let port = connection.ports[channel] ?? 0
            let listener = listener(channel)
            switch connection.transport {
            case .tcp: try server.listen(ip: connection.ip, port: port, listener)
            case .ipc: try server.listen(path: "\(connection.ip)-\(port)", listener)
            }
        }
    }

    private func listener(_ channel: ConnectionFile.Channel) -> ZMTPServer.Listener {
        switch channel {
        case .shell:
            ZMTPServer.Listener(.router) { [unowned self] peer, frames in
                guard let message = form.message(frames), !refuse(message, peer) else { return }
                mailbox.put(.request(message, peer, received: Moment.now))
            }
        case .control:
            ZMTPServer.Listener(.router) { [unowned self] peer, frames in
                if let message = form.message(frames), !refuse(message, peer) { control(message, peer) }
            }
        case .iopub: ZMTPServer.Listener(.publisher, onSubscription: { [unowned self] peer, topic in welcome(peer, topic) })
        case .heartbeat: ZMTPServer.Listener(.reply)
        // act asks its user nothing.
        case .stdin: ZMTPServer.Listener(.router)
        }
    }

    /// What the session writes to. It belongs to one session.
    package func makeOutput() -> SessionOutput {
        let output = KernelOutput(
            publish: { [unowned self] type, content, parent in publish(type, content, parent) }, onPending: { [unowned self] in server.wake() })
        self.output = output
        return output
    }

    /// Answers until it is asked to end.
    /// - Parameter session: Writes to `makeOutput()`.
    /// - Throws: `ZMTPServer.Fault`.
    package func run(_ session: Session) throws(ZMTPServer.Fault) {
        guard let output else { return }
        lock.locked { self.session = session }
        interaction = Interaction(session: session, output: output)
        server.onTick = { [unowned self] in tick() }
        try server.start()
        publish("status", ["execution_state": "starting"], nil)
        loop: while true {
            switch mailbox.take(after: 1, whenIdle: MemoryPool.giveBack) {
            case .leave: break loop
            case .request(let message, let peer, let received): answer(message, peer, received)
            }
        }
        server.drain(seconds: 1)
        server.stop()
        lock.locked { self.session = nil }
        interaction = nil
    }

    // MARK: On the thread that serves

    private func tick() -> Int32 {
        let now = act_seconds()
        if let leaveBy = lock.locked({ self.leaveBy }), now > leaveBy {
            lock.locked { self.leaveBy = nil }
            onStuck()
        }
        if now >= nextLook {
            nextLook = now + 1
            if isOrphaned() { leave() }
        }
        return min(output?.tick() ?? 1000, 1000)
    }

    /// Ends `run`.
    package func leave() {
        lock.locked {
            if isLeaving { return }
            isLeaving = true
            leaveBy = act_seconds() + 2
            session?.engine.interrupt.raise()
            mailbox.put(.leave)
        }
    }

    /// Ends the cell that runs.
    package func interrupt() { lock.locked { session?.engine.interrupt.raise() } }

    /// Tells who listens that they do: what is sent from now on reaches them.
    private func welcome(_ peer: ZMTPPeer, _ topic: [UInt8]) {
        let content: JSON = ["subscription": .text(String(decoding: topic, as: UTF8.self))]
        if let frames = form.frames("iopub_welcome", content, envelope: [topic], parent: nil) { server.send(frames, to: peer) }
    }

    /// Answers a request that cannot be done, at once: nothing of it is kept.
    /// - Returns: Whether it is one.
    private func refuse(_ request: Message, _ peer: ZMTPPeer) -> Bool {
        guard let fault = request.fault else { return false }
        let (name, words) =
            switch fault {
            case .unreadable: ("unreadableMessage", "the content of the request is not an object of JSON")
            case .tooLarge: ("outOfMemory", "there is no memory to keep the request until its turn comes")
            }
        withStatus(request) { reply(request, peer, request.type.replyType, failure(name, words)) }
        return true
    }

    private func failure(_ name: String, _ words: String) -> JSON {
        ["status": "error", "ename": .text(name), "evalue": .text(words), "traceback": [.text(words)]]
    }

    private func control(_ request: Message, _ peer: ZMTPPeer) {
        withStatus(request) {
            switch request.type {
            case "interrupt_request":
                interrupt()
                reply(request, peer, "interrupt_reply", ["status": "ok"])
            case "shutdown_request": shutDown(request, peer)
            case "kernel_info_request": reply(request, peer, "kernel_info_reply", information)
            case "connect_request": reply(request, peer, "connect_reply", ports)
            default: break
            }
        }
        if lock.locked({ isLeaving }) { server.wake() }
    }

    private func shutDown(_ request: Message, _ peer: ZMTPPeer) {
        let content: JSON = ["status": "ok", "restart": .flag(request.content["restart"]?.asFlag ?? false)]
        reply(request, peer, "shutdown_reply", content)
        publish("shutdown_reply", content, request)
        leave()
    }

    // MARK: Sending

    private func publish(_ type: String, _ content: JSON, _ parent: Message?) {
        if let frames = form.frames(type, content, envelope: [Array(type.utf8)], parent: parent) { server.publish(frames) }
    }

    private func reply(_ request: Message, _ peer: ZMTPPeer, _ type: String, _ content: JSON) {
        if let frames = form.frames(type, content, envelope: request.envelope, parent: request) { server.send(frames, to: peer) }
    }

    private func withStatus(_ request: Message, _ body: () -> Void) {
        publish("status", ["execution_state": "busy"], request)
        body()
        publish("status", ["execution_state": "idle"], request)
    }

    // MARK: On the thread that runs

    private func answer(_ request: Message, _ peer: ZMTPPeer, _ received: Double) {
        // What came while nothing ran.
        session?.engine.interrupt.clear()
        withStatus(request) {
            func reply(_ type: String, _ content: JSON) { self.reply(request, peer, type, content) }
            /// What takes no time as a rule, and is ended if it does.
            func reply(_ type: String, interruptible body: () -> JSON) {
                let content = session?.engine.run { () -> JSON in
                    let content = body()
                    return Interrupt.isSet ? failure("interrupted", "interrupted") : content
                }
                reply(type, content ?? body())
            }
            switch request.type {
            case "execute_request": reply("execute_reply", isAborted(request, received) ? ["status": "aborted"] : execute(request))
            case "complete_request": reply("complete_reply") { completion(request.content) }
            case "inspect_request": reply("inspect_reply") { inspection(request.content) }
            case "is_complete_request": reply("is_complete_reply", completeness(request.content))
            case "history_request": reply("history_reply") { history.answer(to: request.content) }
            case "kernel_info_request": reply("kernel_info_reply", information)
            case "connect_request": reply("connect_reply", ports)
            case "comm_info_request": reply("comm_info_reply", ["status": "ok", "comms": .object([])])
            case "comm_open":
                // No comm has a target here: its other end is told.
                publish("comm_close", ["comm_id": request.content["comm_id"] ?? "", "data": .object([])], request)
            case "shutdown_request": shutDown(request, peer)
            case "interrupt_request": reply("interrupt_reply", ["status": "ok"])
            default: break
            }
        }
    }

    /// Whether a cell was sent when the error before it was not known yet.
    private func isAborted(_ request: Message, _ received: Double) -> Bool {
        guard let error = lastError else { return false }
        if received <= error { return true }
        // What was on its way. Clocks may differ: later than this, it counts what has come, not what it says.
        guard received <= error + 0.1, let sent = request.date else { return false }
        return sent < error - 0.002
    }

    private func execute(_ request: Message) -> JSON {
        guard let interaction, let output else { return ["status": "aborted"] }
        let code = request.content["code"]?.asText ?? ""
        let isSilent = request.content["silent"]?.asFlag ?? false
        let isStored = !isSilent && request.content["store_history"]?.asFlag ?? true
        if isStored { count += 1 }
        if !isSilent { publish("execute_input", ["code": .text(code), "execution_count": .whole(count)], request) }
        output.begin(request, count: count, isSilent: isSilent)
        let ending = interaction.run(cell: code, named: "In [\(count)]")
        var outcome = output.end()
        if outcome.traceback.isEmpty, ending == .interrupted || ending == .failed {
            (outcome.errorName, outcome.errorText) = ending == .failed ? ("error", "the cell failed") : ("interrupted", "interrupted")
            outcome.traceback = [outcome.errorText]
            publish("error", faultContent(outcome), isSilent ? nil : request)
        }
        if isStored { history.remember(count, code, outcome.result) }
        if outcome.traceback.isEmpty {
            var payload: [JSON] = []
            if case .leave = ending { payload.append(["source": "ask_exit", "keepkernel": false]) }
            return [
                "status": "ok", "execution_count": .whole(count), "payload": .list(payload),
                "user_expressions": expressions(request.content["user_expressions"]),
            ]
        }
        if request.content["stop_on_error"]?.asFlag ?? true { lastError = Moment.now }
        return .object(
            [("status", "error"), ("execution_count", .whole(count)), ("payload", []), ("user_expressions", .object([]))] + fields(of: faultContent(outcome)))
    }

    private func faultContent(_ outcome: KernelOutput.Outcome) -> JSON {
        ["ename": .text(outcome.errorName), "evalue": .text(outcome.errorText), "traceback": .list(outcome.traceback.map { .text($0) })]
    }

    private func fields(of object: JSON) -> [(name: String, value: JSON)] { if case .object(let fields) = object { fields } else { [] } }

    /// What a front end wants to know besides.
    private func expressions(_ asked: JSON?) -> JSON {
        guard let session, let asked, case .object(let fields) = asked else { return .object([]) }
        return .object(
            fields.map { name, text in
                let collector = Collector(), ans = session.module["ans"]
                session.output = collector
                defer {
                    session.output = output
                    session.module["ans"] = ans
                }
                let status = session.run(text.asText ?? "", named: "<expression \(name)>")
                guard status == .done, let display = collector.display else {
                    return (
                        name,
                        [
                            "status": "error", "ename": .text(collector.fault?.code.rawValue ?? "error"),
                            "evalue": .text(collector.fault?.title ?? "it has no value"), "traceback": [],
                        ]
                    )
                }
                return (name, ["status": "ok", "data": display.data, "metadata": display.metadata])
            })
    }

    // MARK: Questions

    private func completion(_ content: JSON) -> JSON {
        let code = content["code"]?.asText ?? "", position = content["cursor_pos"]?.asWhole ?? code.unicodeScalars.count
        let offset = offset(position, in: code)
        let found = session?.completions(of: code, at: offset) ?? (offset, [])
        let start = String(decoding: code.utf8.prefix(found.0), as: UTF8.self).unicodeScalars.count
        return [
            "status": "ok", "matches": .list(found.1.map { .text($0) }), "cursor_start": .whole(start),
            "cursor_end": .whole(max(start, min(position, code.unicodeScalars.count))),
            "metadata": .object([]),
        ]
    }

    private func inspection(_ content: JSON) -> JSON {
        let code = content["code"]?.asText ?? "", position = content["cursor_pos"]?.asWhole ?? code.unicodeScalars.count
        let text = session.flatMap { session in session.helpTopic(in: code, at: offset(position, in: code)).flatMap { session.help($0) } }
        return [
            "status": "ok", "found": .flag(text != nil), "data": text.map { ["text/plain": .text($0)] } ?? .object([]), "metadata": .object([]),
        ]
    }

    private func completeness(_ content: JSON) -> JSON {
        let code = content["code"]?.asText ?? ""
        guard let interaction else { return ["status": "unknown"] }
        switch interaction.completeness(of: code) {
        case .complete: return ["status": "complete"]
        case .invalid: return ["status": "invalid"]
        case .incomplete(let indent): return ["status": "incomplete", "indent": .text(indent)]
        }
    }

    /// The UTF-8 offset of a position that counts code points.
    private func offset(_ position: Int, in text: String) -> Int {
        text.unicodeScalars.prefix(max(0, position)).reduce(0) { $0 + UTF8.width($1) }
    }

    // MARK: About itself

    private var information: JSON {
        [
            "status": "ok", "protocol_version": .text(MessageForm.version), "implementation": "act", "implementation_version": .text(version),
            "language_info": [
                "name": "act", "version": .text(version), "mimetype": "text/x-act", "file_extension": ".act", "pygments_lexer": .text(lexer),
                "codemirror_mode": "julia",
                "nbconvert_exporter": "script",
            ],
            "banner": .text(
                "act \(version): a small array language for activation functions and neural-network layers. `?` lists topics, `?name` explains a function."),
            "debugger": false, "supported_features": [],
            "help_links": [],
        ]
    }

    private var ports: JSON {
        .object(ConnectionFile.Channel.allCases.map { (name: "\($0.rawValue)_port", value: .whole(connection.ports[$0] ?? 0)) })
    }
}

extension String {
    /// Of a request, the type of its answer.
    fileprivate var replyType: String { hasSuffix("_request") ? dropLast("request".count) + "reply" : self + "_reply" }
}

/// Keeps what an expression shows and what is wrong with it.
private final class Collector: SessionOutput {
    private(set) var display: DisplayData?
    private(set) var fault: Diagnostic?

    func write(_ text: String) {}
    func show(_ shown: Shown) { display = DisplayData(shown) }
    func report(_ diagnostic: Diagnostic, _ session: Session) { if fault == nil, diagnostic.level == .error { fault = diagnostic } }
}
