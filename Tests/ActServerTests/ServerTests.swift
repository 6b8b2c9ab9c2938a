// The language server as an editor talks to it: what it answers about names, texts and faults, and what it does with messages that make no sense.

import ActArray
import ActFiles
import ActServer
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private func place(_ range: JSON?) -> [Int] {
    [range?["start"]?["line"], range?["start"]?["character"], range?["end"]?["line"], range?["end"]?["character"]].map { $0?.asWhole ?? -1 }
}

@Suite struct ServerTests {
    // MARK: Life

    @Test func livesAsTheProtocolHasIt() throws {
        let server = try LanguageServer(version: "0", runCommand: nil) { _ in }
        #expect(server.exitStatus == nil)
        server.handle(["jsonrpc": "2.0", "method": "exit"])
        #expect(server.exitStatus == 1, "nobody asked it to shut down")
        let editor = try Editor("x = 1")
        #expect(throws: TestFailure.self) { try editor.request("initialize", .object([])) }
        let answer = try editor.request("shutdown", .null)
        #expect(answer.isNull)
        #expect(throws: TestFailure.self) { try editor.ask("hover", 0, 0) }
        editor.notify("exit", .null)
        #expect(editor.exitStatus == 0)
    }

    @Test func sensesNoMeaningInWords() throws {
        var sent: [JSON] = []
        let server = try LanguageServer(version: "0", runCommand: nil) { sent.append($0) }
        server.handle(["jsonrpc": "2.0", "id": 1, "method": "textDocument/hover"])
        #expect(sent.last?["error"]?["code"]?.asWhole == -32002, "before `initialize`")
        server.handle(["jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 7])
        server.handle(["jsonrpc": "2.0", "id": 2, "method": "initialize", "params": .null])
        #expect(sent.last?["result"]?["capabilities"] != nil)
        for (message, code) in [
            (["id": 3, "method": "no/such"], -32601), (["id": 4, "method": "textDocument/hover", "params": .object([])], -32602),
            (["id": 5, "method": "textDocument/hover", "params": ["textDocument": ["uri": "file:///none"]]], -32602), (["id": "six"], -32600),
            (.list([]), -32600),
            (.null, -32600),
        ] as [(JSON, Int)] {
            server.handle(message)
            #expect(sent.last?["error"]?["code"]?.asWhole == code)
        }
        let count = sent.count
        for method in ["$/setTrace", "textDocument/didChange", "textDocument/didClose", "workspace/didChangeConfiguration"] {
            for parameters: JSON in [.null, 7, ["textDocument": ["uri": "file:///none"]]] { server.handle(["method": .text(method), "params": parameters]) }
        }
        server.handle(["id": 9, "result": .null])
        #expect(sent.count == count, "what is only told is not answered")
        server.handle(fault: "a message is not JSON")
        #expect(sent.last?["error"]?["code"]?.asWhole == -32700)
    }

    // MARK: Faults

    @Test func faultsAreToldAsTheyAreTyped() throws {
        let editor = try Editor("x = undefinedname + 1\n")
        #expect(editor.diagnostics.count == 1 && place(editor.diagnostics.first?["range"]) == [0, 4, 0, 17])
        #expect(editor.diagnostics.first?["severity"]?.asWhole == 1 && editor.diagnostics.first?["code"]?.asText == "unknownName")
        editor.change([["range": ["start": ["line": 0, "character": 4], "end": ["line": 0, "character": 17]], "text": "pi"]])
        #expect(editor.diagnostics.isEmpty)
        editor.change([["text": "relu(1, 2)\nf(x) = {\n    y = 1\n    x\n}\n"]], version: 3)
        #expect(editor.diagnostics.compactMap { $0["code"]?.asText } == ["tooManyArguments", "unusedAssignment"])
        #expect(editor.diagnostics.last?["severity"]?.asWhole == 2)
        editor.change([["text": "x = (1\n"]], version: 4)
        #expect(editor.diagnostics.first?["code"]?.asText == "unclosedBracket")
        editor.notify("textDocument/didClose", ["textDocument": ["uri": .text(Editor.uri)]])
        #expect(editor.diagnostics.isEmpty)
        let pulling = try Editor("nothing_there", pulls: true)
        #expect(try pulling.ask("diagnostic")["items"]?.asList?.count == 1)
        #expect(!pulling.sent.contains { $0["method"] != nil })
    }

    @Test func editsDoAsTheHelpSays() throws {
        let editor = try Editor("x = np.exp(1)\ny = sigmod(2)\n")
        let all: [(name: String, value: JSON)] = [
            ("range", ["start": ["line": 0, "character": 0], "end": ["line": 2, "character": 0]]), ("context", ["diagnostics": []]),
        ]
        let actions = try editor.ask("codeAction", all).asList ?? []
        #expect(actions.compactMap { $0["kind"]?.asText } == ["quickfix", "quickfix", "source.fixAll"])
        #expect(actions[0]["isPreferred"]?.asFlag == true && actions[1]["isPreferred"]?.asFlag == false)
        #expect(actions[1]["title"]?.asText == "Write `sigmoid`")
        let edit = try #require(actions[0]["edit"]?["changes"]?[Editor.uri]?.asList?.first)
        #expect(place(edit["range"]) == [0, 4, 0, 10] && edit["newText"]?.asText == "exp")
        #expect(actions[2]["edit"]?["changes"]?[Editor.uri]?.asList?.first?["newText"]?.asText == "x = exp(1)\n")
        #expect(
            try editor.ask(
                "codeAction", [("range", ["start": ["line": 1, "character": 0], "end": ["line": 1, "character": 1]]), ("context", ["only": ["quickfix"]])]
            ).asList?.isEmpty == true)
    }

    /// Where several may have been meant, each is offered.
    @Test func everyNearNameIsOffered() throws {
        let editor = try Editor("relu3(1)\n")
        let actions = try editor.ask("codeAction", [("range", ["start": ["line": 0, "character": 2], "end": ["line": 0, "character": 2]])]).asList ?? []
        #expect(actions.compactMap { $0["title"]?.asText } == ["Write `relu`", "Write `relu2`", "Write `relu6`"])
        #expect(actions.allSatisfy { place($0["edit"]?["changes"]?[Editor.uri]?.asList?.first?["range"]) == [0, 0, 0, 5] })
    }

    // MARK: Names

    @Test func hoverSaysWhatANameIs() throws {
        let editor = try Editor("# Twice as much.\ndouble(x, by=2) = by * x\ny = double(sigmoid(pi))\nif true { y }\n")
        func hover(_ line: Int, _ character: Int) throws -> String { try editor.ask("hover", line, character)["contents"]?["value"]?.asText ?? "" }
        let sigmoid = try hover(2, 13)
        #expect(sigmoid.contains("sigmoid(x)") && sigmoid.contains("- derivative: `") && !sigmoid.contains("⠀"))
        let double = try hover(2, 6)
        #expect(double.contains("double(x, by=2) = by * x") && double.contains("Twice as much."))
        #expect(try hover(2, 19).contains("pi = 3.14159265"))
        #expect(try hover(2, 0).contains("a variable"))
        #expect(try hover(1, 7).contains("a parameter"))
        #expect(try hover(3, 1).contains("runs the first block"))
        #expect(try hover(0, 5) == "")
        #expect(place(try editor.ask("hover", 2, 6)["range"]) == [2, 4, 2, 10])
    }

    @Test func completionKnowsNamesFieldsAndSigns() throws {
        let editor = try Editor("weights = [1, 2]\nsum(wei\n\\sigma\nlinspace(0, 1, nu\n")
        func items(_ line: Int, _ character: Int) throws -> [JSON] { try editor.ask("completion", line, character)["items"]?.asList ?? [] }
        let names = try items(1, 7)
        #expect(names.first?["label"]?.asText == "weights" && place(names.first?["textEdit"]?["range"]) == [1, 4, 1, 7])
        let sign = try items(2, 6)
        #expect(
            sign.first?["label"]?.asText == "σ" && sign.first?["filterText"]?.asText == "\\sigma" && place(sign.first?["textEdit"]?["range"]) == [2, 0, 2, 6])
        #expect(try items(3, 17).contains { $0["label"]?.asText == "num=" })
        let resolved = try editor.request("completionItem/resolve", ["label": "softmax", "kind": 3])
        #expect(resolved["documentation"]?["value"]?.asText?.contains("softmax(x, axis=-1)") == true && resolved["kind"]?.asWhole == 3)
    }

    /// What runs know, a file says by itself too: fields of its records and layers, arguments of its functions.
    @Test func completionReadsTheFile() throws {
        let text =
            "layer Scale(n) {\n    gain = ones(n); other = {shift: zeros(n)}\n    x -> x * gain\n}\ns = Scale(3)\nr = {alpha: 1, beta: {gamma: 2, ...s}}\nq = r\n"
            + "f(x, factor=2) = x * factor\n"
        func labels(_ line: String) throws -> [String] {
            let editor = try Editor(text + line)
            return try editor.ask("completion", 8, line.utf16.count)["items"]?.asList?.compactMap { $0["label"]?.asText } ?? []
        }
        #expect(try labels("s.").starts(with: ["gain", "other"]))
        #expect(try labels("y = 2 * q.").starts(with: ["alpha", "beta"]))
        #expect(try labels("q.beta.g").starts(with: ["gain", "gamma"]))
        #expect(try labels("s.other.").first == "shift")
        #expect(try labels("f(1, fa").first == "factor=")
        #expect(try labels("f(1, ") == ["x=", "factor="])
        #expect(try labels("Scale(").first == "n=")
        #expect(try labels("f(1)[0].g").first != "gain")
    }

    @Test func signaturesFollowTheArguments() throws {
        let editor = try Editor("f(a, b=2, c=3) = a\nf(1, (2, 3), \nf(1, c=\nlinspace(0, \nf(\"a, b\", \n(1, \n")
        func help(_ line: Int, _ character: Int) throws -> (label: String?, active: Int?) {
            let help = try editor.ask("signatureHelp", line, character)
            return (help["signatures"]?.asList?.first?["label"]?.asText, help["activeParameter"]?.asWhole)
        }
        let third = try help(1, 13)
        #expect(third.label == "f(a, b=2, c=3)" && third.active == 2)
        #expect(try help(1, 2).active == 0)
        #expect(try help(1, 8).label == nil)
        #expect(try help(2, 7).active == 2)
        #expect(try help(3, 12).label?.hasPrefix("linspace(start, stop") == true)
        #expect(try help(4, 10).active == 1)
        #expect(try help(5, 4).label == nil)
        let own = try Editor("# Twice as much,\n# or more.\ndouble(x, by=2) = by * x\ny = double(\n")
        #expect(try own.ask("signatureHelp", 3, 11)["signatures"]?.asList?.first?["documentation"]?.asText == "Twice as much,\nor more.")
    }

    @Test func placesFollowScopes() throws {
        let editor = try Editor("x = 1\nf(x) = x + 1\ng(y) = {\n    z = x + y\n    z\n}\nx += f(x)\n")
        func spans(_ answer: JSON) -> [[Int]] { (answer.asList ?? []).map { Array(place($0["range"])[0...1]) } }
        #expect(spans(try editor.ask("references", 0, 0, [("context", ["includeDeclaration": true])])) == [[0, 0], [3, 8], [6, 0], [6, 7]])
        #expect(spans(try editor.ask("references", 0, 0, [("context", ["includeDeclaration": false])])) == [[3, 8], [6, 0], [6, 7]])
        #expect(spans(try editor.ask("references", 1, 2, [("context", .object([]))])) == [[1, 2], [1, 7]])
        #expect(spans(try editor.ask("definition", 6, 5)) == [[1, 0]])
        #expect(spans(try editor.ask("definition", 4, 4)) == [[3, 4]])
        #expect(try editor.ask("documentHighlight", 3, 4).asList?.compactMap { $0["kind"]?.asWhole } == [3, 2])
        #expect(try editor.ask("definition", 2, 8).asList?.isEmpty ?? true)
    }

    @Test func renamingChangesNoMeaning() throws {
        let editor = try Editor("x = 1\nf(y) = x + y\nrelu(f(x))\n")
        func rename(_ line: Int, _ character: Int, _ name: String) throws -> [[Int]] {
            try editor.ask("rename", line, character, [("newName", .text(name))])["changes"]?[Editor.uri]?.asList?.map { Array(place($0["range"])[0...1]) }
                ?? []
        }
        #expect(try rename(0, 0, "offset") == [[0, 0], [1, 7], [2, 7]])
        #expect(try rename(1, 2, "σ") == [[1, 2], [1, 11]])
        // A name that means something else there; no name; nothing to rename.
        for (line, character, name) in [
            (0, 0, "y"), (0, 0, "relu"), (0, 0, "f"), (1, 2, "x"), (0, 0, "if"), (0, 0, "a b"), (0, 0, ""), (0, 0, "1"), (2, 0, "mine"), (0, 2, "z"),
        ] {
            #expect(throws: TestFailure.self, "\(name)") { try rename(line, character, name) }
        }
        #expect(place(try editor.ask("prepareRename", 1, 7)["range"]) == [1, 7, 1, 8])
        #expect(try editor.ask("prepareRename", 2, 1).isNull)
        editor.change([["text": "x = (1\n"]])
        #expect(throws: TestFailure.self) { try rename(0, 0, "z") }
    }

    // MARK: Texts

    @Test func symbolsAndFoldsFollowTheProgram() throws {
        let editor = try Editor(
            "# a\n# b\nx, y = (1, 2)\nlayer L(n) {\n    w = zeros(n)\n    z -> z * w\n}\nf(a) = {\n    g(b) = b\n    g(a)\n}\nxs = [\n    1,\n    2,\n]\n")
        let symbols = try editor.ask("documentSymbol").asList ?? []
        #expect(symbols.compactMap { $0["name"]?.asText } == ["x", "y", "L", "f", "xs"] && symbols.compactMap { $0["kind"]?.asWhole } == [13, 13, 5, 12, 13])
        #expect(symbols[3]["children"]?.asList?.first?["name"]?.asText == "g" && place(symbols[3]["range"]) == [7, 0, 10, 1])
        let folds = try editor.ask("foldingRange").asList ?? []
        let lines = folds.map { [$0["startLine"]?.asWhole ?? -1, $0["endLine"]?.asWhole ?? -1] }.sorted { $0[0] < $1[0] }
        #expect(lines == [[0, 1], [3, 5], [7, 9], [11, 13]] && folds.last?["kind"]?.asText == "comment")
    }

    @Test func coloursFollowWhatNamesMean() throws {
        let editor = try Editor("x = relu(1.5)  # one\nf(a) = {r: a}\ns = \"é{x:.2f}!\"\n")
        let data = try editor.ask("semanticTokens/full")["data"]?.asList?.compactMap(\.asWhole) ?? []
        var line = 0, column = 0, found: [String] = []
        let types = ["keyword", "function", "variable", "parameter", "property", "number", "string", "comment", "operator", "class"]
        for index in stride(from: 0, to: data.count, by: 5) {
            if data[index] > 0 { column = 0 }
            line += data[index]
            column += data[index + 1]
            found.append("\(line):\(column)+\(data[index + 2]) \(types[data[index + 3]]) \(data[index + 4])")
        }
        for token in [
            "0:0+1 variable 1", "0:2+1 operator 0", "0:4+4 function 2", "0:9+3 number 0", "0:15+5 comment 0", "1:0+1 function 1", "1:2+1 parameter 1",
            "1:8+1 property 0", "1:11+1 parameter 0", "2:7+1 variable 0",
        ] { #expect(found.contains(token), "\(token): \(found)") }
        #expect(found.contains { $0.hasPrefix("2:4+3 string") }, "\(found)")
    }

    @Test func formattingIsTheOneLayout() throws {
        let editor = try Editor("x=1\ny = 2\nz=3\n")
        let edits = try editor.ask("formatting", [("options", ["tabSize": 2, "insertSpaces": true])]).asList ?? []
        #expect(edits.count == 1 && place(edits[0]["range"]) == [0, 0, 3, 0] && edits[0]["newText"]?.asText == "x = 1\ny = 2\nz = 3\n")
        editor.change([["text": "x = 1\n"]])
        #expect(try editor.ask("formatting").asList?.isEmpty == true)
        editor.change([["text": "x = (\n"]], version: 3)
        #expect(try editor.ask("formatting").isNull)
    }

    // MARK: Places

    /// 𝜎 is one character, two units of UTF-16, four of UTF-8.
    @Test func columnsCountAsTheEditorDoes() throws {
        for (encodings, name, column) in [([], "utf-16", 12), (["utf-16", "utf-8"], "utf-8", 15), (["utf-32"], "utf-16", 12)] as [([String], String, Int)] {
            let editor = try Editor("s = \"𝜎é\" ; nothing_there\r\nx = nothing_there\r\n", encodings: encodings)
            #expect(editor.sent.first?["result"]?["capabilities"]?["positionEncoding"]?.asText == name)
            #expect(place(editor.diagnostics.first?["range"]) == [0, column, 0, column + 13], "\(name)")
            editor.change([
                ["range": ["start": ["line": 0, "character": .whole(column)], "end": ["line": 0, "character": .whole(column + 13)]], "text": "1"]
            ])
            #expect(editor.diagnostics.count == 1 && place(editor.diagnostics.first?["range"]) == [1, 4, 1, 17])
        }
    }

    /// After any edits, the same is told as of a file that is opened anew. `ACT_EDITS=10000` makes so many.
    @Test func editsLeaveWhatOpeningGives() throws {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "x = 1\n", "relu(", ")", "\"é{", "}", "𝜎", "\r\n", " ", "f(a) = {\n", "# c\n", "'", "nothing", "1.5", "", "\u{301}", "relu(x) = 1\n",
            "layer L(n) { w = n; x -> x * w }\n", "for i in range(3) { x[i] = i }\n",
        ]
        let edits = getenv("ACT_EDITS").flatMap { Int(String(cString: $0)) } ?? 600
        for encoding in ["utf-8", "utf-16"] {
            let editor = try Editor("", encodings: [encoding])
            var text = Array("".utf8)
            for step in 0..<edits / 2 {
                // Places of the text as the editor counts them.
                let string = String(decoding: text, as: UTF8.self), scalars = Array(string.unicodeScalars)
                var places: [(offset: Int, line: Int, column: Int)] = [], offset = 0, line = 0, column = 0
                for (index, scalar) in scalars.enumerated() {
                    places.append((offset, line, column))
                    offset += scalar.utf8.count
                    let endsLine = scalar == "\n" || scalar == "\r" && !(index + 1 < scalars.count && scalars[index + 1] == "\n")
                    column += encoding == "utf-8" ? scalar.utf8.count : scalar.utf16.count
                    if endsLine { (line, column) = (line + 1, 0) }
                    // Between CR and LF is no place.
                    if scalar == "\n", index > 0, scalars[index - 1] == "\r" { places.removeLast() }
                }
                places.append((offset, line, column))
                let first = Int.random(in: 0..<places.count, using: &random), last = min(places.count - 1, first + Int.random(in: 0...3, using: &random))
                let piece = pieces.randomElement(using: &random) ?? ""
                func position(_ index: Int) -> JSON { ["line": .whole(places[index].line), "character": .whole(places[index].column)] }
                editor.change([["range": ["start": position(first), "end": position(last)], "text": .text(piece)]], version: step + 2)
                text.replaceSubrange(places[first].offset..<places[last].offset, with: piece.utf8)
                let fresh = try Editor(String(decoding: text, as: UTF8.self), encodings: [encoding])
                func all(_ editor: Editor) throws -> String {
                    try JSON.list([.list(editor.diagnostics), editor.ask("semanticTokens/full"), editor.ask("documentSymbol"), editor.ask("foldingRange")])
                        .text()
                }
                let (one, other) = (try all(editor), try all(fresh))
                #expect(one == other, "\(String(decoding: text, as: UTF8.self).debugDescription)")
                editor.forget()
            }
        }
    }

    // MARK: The command

    @Test func linesTellWhatTheyGiveTheirVariables() throws {
        let program =
            "x = range(-5, 5, 0.1)\na, b = ([1, 2, 3] @ ones(3, 4), \"t\")\nprint(x)\nf(y) = y\nfor i in range(3) { n = i }\nx = f32(x)\nsave(x, \"/tmp/none.npy\")\nz = 1\n"
        let result = try BuiltCommand.run(["--sandbox", "--max-time", "5", "--no-warn", "lsp", "--shapes"], input: program)
        let lines = result.output.split(separator: "\n").map(String.init)
        let expected = [
            (1, "array f64 (100,)"), (23, "array f64 (4,)"), (26, "string"), (92, "number"), (107, "number"), (116, "array f32 (100,)"),
        ]
        #expect(lines.map { $0.contains("\"kind\"") } == expected.map { _ in true } && result.status == 1)
        for (line, (_, kind)) in zip(lines, expected) { #expect(line.contains("\"kind\":\"\(kind)\""), "\(line)") }
        #expect(lines.first == #"{"offset":1,"kind":"array f64 (100,)"}"#)
    }

    /// A whole conversation with the program, which runs the file in a process of its own and ends it.
    @Test func theCommandServesAnEditor() throws {
        func message(_ message: JSON) throws -> String {
            let text = try message.text()
            return "Content-Length: \(text.utf8.count)\r\n\r\n\(text)"
        }
        let text = "x = range(-5, 5, 0.1)\nwhile true { }\nz = 1\n"
        let range: JSON = ["start": ["line": 0, "character": 0], "end": ["line": 9, "character": 0]]
        let first = try
            ([
                ["id": 1, "method": "initialize", "params": ["capabilities": .object([])]],
                [
                    "method": "textDocument/didOpen",
                    "params": ["textDocument": ["uri": "file:///a.act", "version": 1, "languageId": "act", "text": .text(text)]],
                ],
                ["id": 2, "method": "textDocument/inlayHint", "params": ["textDocument": ["uri": "file:///a.act"], "range": range]],
            ] as [JSON]).map(message).joined()
        let last = try ([["id": 3, "method": "shutdown"], ["method": "exit"]] as [JSON]).map(message).joined()
        // The editor waits for the answer before it says goodbye.
        let result = try BuiltCommand.runShell("(printf '%s' '\(first)'; sleep 6; printf '%s' '\(last)') | \"$ACT\" lsp")
        #expect(result.status == 0 && result.error == "", "\(result.error)")
        #expect(result.output.contains(#""label":": array f64 (100,)""#) && result.output.contains(#""id":3,"result":null"#), "\(result.output)")
        // Who goes without a word.
        #expect(try BuiltCommand.run(["lsp"], input: first).status == 1)
        #expect(try BuiltCommand.run(["lsp"], input: "").status == 1)
        #expect(try BuiltCommand.run(["lsp", "x"]).status == 2)
    }
}
