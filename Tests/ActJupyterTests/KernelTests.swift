// A kernel in this process, asked over its sockets as a front end asks it.

import ActArray
import ActFiles
import ActJupyter
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.serialized) struct KernelTests {
    func withKernel(key: [UInt8] = Array("a key".utf8), transport: ConnectionFile.Transport = .tcp, _ body: (JupyterClient) throws -> Void) throws {
        let client = try JupyterClient(key: key, transport: transport)
        defer { client.stop() }
        try body(client)
    }

    private func types(_ heard: [JupyterClient.Received]) -> [String] { heard.map(\.type) }

    // MARK: Cells

    @Test func aCellShowsItsValue() throws {
        try withKernel { kernel in
            let (reply, heard) = try kernel.execute("x = [1, 2, 3]\nx * 2")
            #expect(reply["status"]?.asText == "ok" && reply["execution_count"]?.asWhole == 1)
            #expect(types(heard) == ["execute_input", "execute_result"])
            #expect(heard[0].content["code"]?.asText == "x = [1, 2, 3]\nx * 2" && heard[0].content["execution_count"]?.asWhole == 1)
            #expect(heard[1].content[path: "data", "text/plain"]?.asText == "[2, 4, 6]" && heard[1].content["execution_count"]?.asWhole == 1)
            // Names stay; `ans` is the last value.
            let second = try kernel.execute("ans + x")
            #expect(second.heard.last?.content[path: "data", "text/plain"]?.asText == "[3, 6, 9]" && second.reply["execution_count"]?.asWhole == 2)
            // Silence means no output at all.
            #expect(types(try kernel.execute("y = 1; y;").heard) == ["execute_input"])
            #expect(types(try kernel.execute("").heard) == ["execute_input"])
        }
    }

    @Test func valuesInTheMiddleAreDisplays() throws {
        try withKernel { kernel in
            let (_, heard) = try kernel.execute("1\nprint(\"a\")\nprint(\"b\")\n2\n3")
            #expect(types(heard) == ["execute_input", "display_data", "stream", "display_data", "execute_result"])
            #expect(heard[2].content["text"]?.asText == "a\nb\n" && heard[2].content["name"]?.asText == "stdout")
            // What a function shows is never the cell's result.
            #expect(types(try kernel.execute("show(4)").heard) == ["execute_input", "display_data"])
        }
    }

    @Test func figuresComeInSeveralForms() throws {
        try withKernel { kernel in
            let (_, heard) = try kernel.execute("plot(relu, relu')")
            let data = try #require(heard.last?.content["data"])
            let picture = try #require(data["image/svg+xml"]?.asText)
            #expect(heard.last?.type == "execute_result" && picture.hasPrefix("<svg"))
            // Two figures in one page have no identifier in common: they have none.
            #expect(!picture.contains(" id=") && !picture.contains("url(#"))
            #expect(data["text/plain"]?.asText?.contains("relu") == true)
            if let png = data["image/png"]?.asText { #expect(png.hasPrefix("iVBORw0KGgo")) }
        }
    }

    @Test(arguments: ["?gelu", "gelu?", "help(gelu)", "help(\"gelu\");"]) func helpHasAPicture(_ request: String) throws {
        try withKernel { kernel in
            let heard = try kernel.execute(request).heard
            #expect(types(heard) == ["execute_input", "stream", "display_data"])
            let text = try #require(heard[1].content["text"]?.asText)
            #expect(text.contains("gelu(x") && !text.contains("┌"))
            #expect(heard[2].content[path: "data", "image/svg+xml"]?.asText?.hasPrefix("<svg") == true)
            #expect(heard[2].content[path: "data", "text/plain"]?.asText?.contains("┌") == true)
            // What draws nothing, and a name that the program has taken, are text.
            #expect(types(try kernel.execute("?sum").heard) == ["execute_input", "stream"])
            #expect(types(try kernel.execute("gelu = 3; help(\"gelu\")").heard) == ["execute_input", "stream"])
        }
    }

    @Test func errorsAndWarningsHavePlaces() throws {
        try withKernel { kernel in
            let (reply, heard) = try kernel.execute("a = 5\n1 / 0\n[1, 2] @ [1, 2, 3]")
            #expect(
                types(heard) == ["execute_input", "stream", "display_data", "error"] || types(heard) == ["execute_input", "display_data", "stream", "error"])
            let warning = try #require(heard.first { $0.type == "stream" })
            #expect(warning.content["name"]?.asText == "stderr" && warning.content["text"]?.asText?.contains("\u{1b}[1;33mwarning") == true)
            let traceback = try #require(heard.last?.content["traceback"]?.asList).compactMap(\.asText)
            #expect(traceback[0].contains("\u{1b}[1;31merror") && traceback.contains { $0.contains("In [1]:3:8") })
            #expect(
                reply["status"]?.asText == "error" && reply["ename"]?.asText == "shapesDiffer"
                    && heard.last?.content["evalue"]?.asText == reply["evalue"]?.asText)
            // What ran before the fault stays.
            #expect(try kernel.execute("a").heard.last?.content[path: "data", "text/plain"]?.asText == "5")
            // Every syntax error is in one traceback.
            let faults = try kernel.execute("x = (\ny = )\nz = 'a'")
            #expect(types(faults.heard) == ["execute_input", "error"])
        }
    }

    @Test func aSilentRequestSaysNothing() throws {
        try withKernel { kernel in
            let quiet = try kernel.request("execute_request", ["code": "print(1); 2", "silent": true])
            #expect(quiet.heard.isEmpty && quiet.reply["status"]?.asText == "ok" && quiet.reply["execution_count"]?.asWhole == 0)
            let forgotten = try kernel.request("execute_request", ["code": "5", "store_history": false])
            #expect(forgotten.reply["execution_count"]?.asWhole == 0 && forgotten.heard.last?.content[path: "data", "text/plain"]?.asText == "5")
        }
    }

    @Test func expressionsOfTheFrontEndAreAnswered() throws {
        try withKernel { kernel in
            let content: JSON = ["code": "x = 3; x", "user_expressions": ["good": "x + 1", "bad": "nothing_there"]]
            let (reply, heard) = try kernel.request("execute_request", content)
            #expect(reply[path: "user_expressions", "good", "data", "text/plain"]?.asText == "4")
            #expect(reply[path: "user_expressions", "bad", "status"]?.asText == "error" && types(heard) == ["execute_input", "execute_result"])
            #expect(try kernel.execute("ans").heard.last?.content[path: "data", "text/plain"]?.asText == "3")
        }
    }

    @Test func helpAndCommandsOfTheSessionWork() throws {
        try withKernel { kernel in
            let help = try kernel.execute("?relu").heard
            #expect(types(help) == ["execute_input", "stream", "display_data"] && help[1].content["text"]?.asText?.contains("relu(x)") == true)
            #expect(try kernel.execute("x = [1, 2]; x;\n").heard.count == 1)
            #expect(try kernel.execute(":vars").heard[1].content["text"]?.asText?.contains("array f64 (2,)") == true)
            #expect(try kernel.execute("act> f(x) = {\n...>     x + 1\n...> }\nact> f(2)").heard.last?.content[path: "data", "text/plain"]?.asText == "3")
            let leaving = try kernel.execute("exit").reply
            #expect(leaving["payload"]?.asList?.first?["source"]?.asText == "ask_exit")
        }
    }

    @Test func trainingIsOneDisplayThatChanges() throws {
        try withKernel { kernel in
            let (reply, heard) = try kernel.execute(
                "X = randn(64, 2); y = X[:, 0:1]\nnet = fit(Dense(2, 1), X, y, loss=mse, optimizer=SGD(0.1), epochs=5)\nprint(\"after\")", seconds: 60)
            #expect(reply["status"]?.asText == "ok", "\(reply)")
            let displays = heard.filter { $0.type.hasSuffix("display_data") }
            #expect(displays.first?.type == "display_data" && displays.dropFirst().allSatisfy { $0.type == "update_display_data" })
            #expect(Set(displays.compactMap { $0.content[path: "transient", "display_id"]?.asText }).count == 1)
            let last = try #require(displays.last?.content[path: "data", "text/plain"]?.asText)
            #expect(last.contains("epoch 1/5") && last.contains("epoch 5/5") && !last.contains("\u{1b}") && !last.contains("\r"))
            #expect(heard.last?.content["text"]?.asText == "after\n")
        }
    }

    @Test func muchOutputIsFewMessages() throws {
        try withKernel { kernel in
            let (_, heard) = try kernel.execute("for i in range(20000) { print(i) }", seconds: 60)
            let text = heard.filter { $0.type == "stream" }.compactMap { $0.content["text"]?.asText }.joined()
            #expect(text == (0..<20000).map { "\($0)\n" }.joined() && heard.count < 400)
        }
    }

    // MARK: Interrupting, aborting, ending

    @Test func anInterruptEndsTheCell() throws {
        try withKernel { kernel in
            let id = try kernel.ask("execute_request", ["code": "while true { }"])
            usleep(200_000)
            let start = Moment.now
            let reply = try kernel.answer(to: try kernel.ask("interrupt_request", .object([]), on: kernel.control), on: kernel.control)
            #expect(reply.reply.content["status"]?.asText == "ok")
            let ended = try kernel.message(try kernel.shell.receive())
            // A tenth of a second, where nothing else keeps the machine busy.
            #expect(
                ended.parent == id && ended.content["status"]?.asText == "error" && ended.content["ename"]?.asText == "interrupted" && Moment.now - start < 2)
            #expect(try kernel.execute("1 + 1").heard.last?.content[path: "data", "text/plain"]?.asText == "2")
            // One that comes when nothing runs ends nothing.
            _ = try kernel.request("interrupt_request", .object([]), on: kernel.control)
            #expect(try kernel.execute("sum(range(1000))").reply["status"]?.asText == "ok")
        }
    }

    @Test func theKernelIsAliveWhileACellRuns() throws {
        try withKernel { kernel in
            let id = try kernel.ask("execute_request", ["code": "while true { }"])
            usleep(100_000)
            for text in ["ping", "", String(repeating: "x", count: 100_000)] {
                kernel.heartbeat.send([[], Array(text.utf8)])
                #expect(try kernel.heartbeat.receive() == [[], Array(text.utf8)])
            }
            kernel.control.send([[1, 2, 3]])
            _ = try kernel.ask("kernel_info_request", .object([]), on: kernel.control)
            #expect(try kernel.message(try kernel.control.receive()).type == "kernel_info_reply")
            kernel.kernel.interrupt()
            _ = try kernel.answer(to: id)
        }
    }

    @Test func cellsThatWaitForAFaultyOneAreAborted() throws {
        try withKernel { kernel in
            let before = Moment.now
            _ = try kernel.ask("execute_request", ["code": "i = 0; while i < 200000 { i += 1 }; nothing_there"])
            let others = try (0..<3).map { try kernel.ask("execute_request", ["code": .text("b\($0) = 1")]) }
            let faulty = try kernel.message(try kernel.shell.receive())
            #expect(faulty.content["status"]?.asText == "error")
            // On its way when the error was answered.
            let late = try kernel.ask("execute_request", ["code": "c = 1"], date: before)
            // Sent by who knows of the error.
            let next = try kernel.ask("execute_request", ["code": "d = 1"])
            for id in others + [late] {
                let reply = try kernel.message(try kernel.shell.receive())
                #expect(reply.parent == id && reply.content["status"]?.asText == "aborted")
            }
            let last = try kernel.message(try kernel.shell.receive())
            #expect(last.parent == next && last.content["status"]?.asText == "ok")
            // Whoever says so goes on.
            _ = try kernel.ask("execute_request", ["code": "nothing_there", "stop_on_error": false])
            let after = try kernel.ask("execute_request", ["code": "e = 1"])
            _ = try kernel.shell.receive()
            let reply = try kernel.message(try kernel.shell.receive())
            #expect(reply.parent == after && reply.content["status"]?.asText == "ok")
        }
    }

    @Test func aKernelEndsWhenItIsAskedTo() throws {
        for isRunning in [false, true] {
            let kernel = try JupyterClient()
            if isRunning {
                try kernel.ask("execute_request", ["code": "while true { }"])
                usleep(100_000)
            }
            let id = try kernel.ask("shutdown_request", ["restart": true], on: kernel.control)
            let reply = try kernel.message(try kernel.control.receive())
            #expect(reply.type == "shutdown_reply" && reply.parent == id && reply.content["restart"]?.asFlag == true)
            var heard: [String] = []
            while !heard.contains("shutdown_reply") { heard.append(try kernel.message(try kernel.iopub.receive()).type) }
            #expect(kernel.control.ends(10))
            kernel.stop()
        }
    }

    // MARK: Questions

    @Test func completionCountsInCodePoints() throws {
        try withKernel { kernel in
            func complete(_ code: String, _ position: Int) throws -> (matches: [String], start: Int?, end: Int?) {
                let reply = try kernel.request("complete_request", ["code": .text(code), "cursor_pos": .whole(position)]).reply
                return (reply["matches"]?.asList?.compactMap(\.asText) ?? [], reply["cursor_start"]?.asWhole, reply["cursor_end"]?.asWhole)
            }
            let sigm = try complete("sigm", 4)
            #expect(sigm.matches.contains("sigmoid") && sigm.start == 0 && sigm.end == 4)
            // 𝜎 is one code point, two units of UTF-16, four bytes.
            let wide = try complete("\"𝜎é\" + softm", 12)
            #expect(wide.matches == ["softmax", "softmin"] && wide.start == 7 && wide.end == 12)
            #expect(try complete("\\sigma", 6).matches == ["σ"])
            _ = try kernel.execute("weights = {first: 1}")
            #expect(try complete("weights.fi", 10).matches == ["first"])
            for position in [-5, 1000] { #expect(try complete("x", position).end.map { $0 <= 1 && $0 >= 0 } == true) }
        }
    }

    @Test func inspectionGivesHelp() throws {
        try withKernel { kernel in
            for (code, position) in [("sigmoid", 3), ("sigmoid", 7), ("y = sigmoid([1, 2])", 15)] {
                let reply = try kernel.request("inspect_request", ["code": .text(code), "cursor_pos": .whole(position), "detail_level": 0]).reply
                let text = reply[path: "data", "text/plain"]?.asText ?? ""
                #expect(reply["found"]?.asFlag == true && text.contains("derivative") && text.contains("sigmoid(x)"), "\(code)")
            }
            #expect(try kernel.request("inspect_request", ["code": "nothing_there", "cursor_pos": 2]).reply["found"]?.asFlag == false)
        }
    }

    @Test func completenessIsTold() throws {
        try withKernel { kernel in
            for (code, status) in [
                ("1 + 1", "complete"), ("f(x) = {", "incomplete"), ("(1 +", "incomplete"), ("x = )", "invalid"), ("?relu", "complete"), ("", "complete"),
                ("if true {\n    f(", "incomplete"),
            ] {
                let reply = try kernel.request("is_complete_request", ["code": .text(code)]).reply
                #expect(reply["status"]?.asText == status, "\(code)")
                if code.hasPrefix("if") { #expect(reply["indent"]?.asText == "        ") }
            }
        }
    }

    @Test func theHistoryIsKept() throws {
        try withKernel { kernel in
            for code in ["a = 1", "a + 1", "b = 2", "a + 1"] { _ = try kernel.execute(code) }
            func history(_ content: JSON) throws -> [JSON] { try kernel.request("history_request", content).reply["history"]?.asList ?? [] }
            #expect(try JSON.list(try history(["hist_access_type": "tail", "n": 2, "output": false, "raw": true])).text() == #"[[1,3,"b = 2"],[1,4,"a + 1"]]"#)
            #expect(
                try JSON.list(try history(["hist_access_type": "range", "session": 0, "start": 1, "stop": 3, "output": true, "raw": true])).text()
                    == #"[[1,1,["a = 1",null]],[1,2,["a + 1","2"]]]"#)
            #expect(
                try JSON.list(try history(["hist_access_type": "search", "pattern": "a*1", "unique": true, "n": 10, "output": false, "raw": true])).text()
                    == #"[[1,1,"a = 1"],[1,4,"a + 1"]]"#)
            #expect(try history(["hist_access_type": "search", "pattern": "?", "n": 10]).isEmpty)
        }
    }

    @Test func itSaysWhatItIs() throws {
        try withKernel { kernel in
            let reply = try kernel.request("kernel_info_request", .object([])).reply
            #expect(
                reply["protocol_version"]?.asText == "5.4" && reply[path: "language_info", "file_extension"]?.asText == ".act"
                    && reply["status"]?.asText == "ok")
            #expect(try kernel.request("comm_info_request", .object([])).reply["comms"] != nil)
            let id = try kernel.ask("comm_open", ["comm_id": "c1", "target_name": "widgets", "data": .object([])])
            var heard: [JupyterClient.Received] = []
            while heard.last?.type != "comm_close" { heard.append(try kernel.message(try kernel.iopub.receive())) }
            #expect(heard.last?.parent == id && heard.last?.content["comm_id"]?.asText == "c1")
        }
    }

    // MARK: Other ways in, and what is not one

    @Test func otherTransportsAndKeysWork() throws {
        for key in [[], Array(repeating: UInt8(65), count: 200)] {
            try withKernel(key: key) { kernel in
                let (reply, _) = try kernel.execute("1")
                #expect(reply["status"]?.asText == "ok")
            }
        }
        try withKernel(transport: .ipc) { kernel in
            let (reply, _) = try kernel.execute("1")
            #expect(reply["status"]?.asText == "ok")
            var status = stat()
            #expect(stat("\(kernel.connection.ip)-1", &status) == 0)
            kernel.stop()
            #expect(stat("\(kernel.connection.ip)-1", &status) != 0, "its sockets are removed")
        }
    }

    /// Two kernels in one process do not disturb each other.
    @Test func twoKernelsGoTheirWays() throws {
        try withKernel { first in
            try withKernel { second in
                _ = try first.execute("x = 1")
                let id = try first.ask("execute_request", ["code": "while true { }"])
                #expect(try second.execute("x").reply["status"]?.asText == "error")
                #expect(try second.execute("2 + 2").heard.last?.content[path: "data", "text/plain"]?.asText == "4")
                first.kernel.interrupt()
                _ = try first.answer(to: id)
                let third = try? Kernel(first.connection, version: "0")
                #expect(third == nil, "its ports are taken")
            }
        }
    }
}
