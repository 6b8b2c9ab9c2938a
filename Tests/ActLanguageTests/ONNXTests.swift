// ONNX models as programs have them: they run, differentiate, train, are summed up, saved and loaded again; and what is said of those that do not load.

import ActArray
import ActLanguage
import ActTestSupport
import Foundation
import Testing

@Suite struct ONNXTests {
    private static let folder = BuiltCommand.packageFolder + "/Tests/ActONNXTests/Reference"

    private func makeSession(_ program: String = "") throws -> Session {
        let session = try Session()
        #expect(
            session.run(
                "data = load(\"\(Self.folder)/models.safetensors\")\nmodel(name) = load(\"\(Self.folder)/\" + name + \".onnx\")\n" + program, named: "test")
                == .done)
        return session
    }

    private func isTrue(_ text: String, _ session: Session) -> Bool {
        guard session.run("it = \(text)", named: "question") == .done, case .bool(let answer)? = session.value(named: "it") else { return false }
        return answer
    }

    /// A folder of this test alone.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "act-onnx-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// Outputs are those of onnxruntime, of `smooth` those of onnx's own evaluator.
    @Test(arguments: ["network", "functions", "outside", "smooth"]) func runs(_ name: String) throws {
        let session = try makeSession("net = model(\"\(name)\"); y = net(data[\"\(name).x\"])")
        #expect(isTrue("y.shape == data[\"\(name).y\"].shape and y.dtype == data[\"\(name).y\"].dtype and max(abs(y - data[\"\(name).y\"])) < 1e-6", session))
    }

    @Test func severalInputsAndOutputs() throws {
        let session = try makeSession("net = model(\"two\"); words = data[\"two.words\"]; mask = data[\"two.mask\"]")
        for call in ["net(words, mask)", "net((words, mask))", "net({mask: mask, words: words})", "net(words, mask=mask)"] {
            #expect(session.run("sum_, largest = \(call)", named: "test") == .done, "\(call)")
            #expect(isTrue("max(abs(sum_ - data[\"two.sum\"])) < 1e-6 and all(largest == data[\"two.largest\"])", session), "\(call)")
        }
    }

    @Test func differentiates() throws {
        let session = try makeSession(
            """
            net = model("smooth"); x = data["smooth.x"]; f(n) = sum(n(x) ^ 2); g = grad(f)(net)
            # In the direction of the gradient, by a difference: the derivative in the parameters.
            slope = (f(net + 1e-5 * g) - f(net - 1e-5 * g)) / 2e-5; square = 0
            for layer in parameters(g) { for name in layer { square += sum(layer[name] ^ 2) } }
            """)
        #expect(isTrue("check_grad(x -> sum(net(x) ^ 2), x) < 1e-8", session))
        #expect(isTrue("abs(slope / square - 1) < 1e-6", session))
    }

    @Test func isSummedUpByItsNodes() throws {
        let session = try makeSession("net = model(\"network\")")
        #expect(isTrue("len(net) == 9 and type(net) == \"network\" and type(net[0]) == \"layer\"", session))
        #expect(
            isTrue(
                "\"{net}\" == \"Conv >> BatchNormalization >> Relu >> Conv, Tanh, Add >> MaxPool >> Dropout >> Shape, … 3 more …, Reshape >> Gemm >> LogSoftmax\"",
                session))
        #expect(isTrue("shape(parameters(net)[0][\"conv.weight\"]) == (4, 1, 3, 3) and shape(parameters(net)[7][\"fc.bias\"]) == (3,)", session))
    }

    /// Whatever a layer makes of its parameters before it uses them, they go along under their names, and are learned there.
    @Test(arguments: [
        "x @ W'", "x @ reshape(W, 3, 3)", "x * reshape(gain, 1, 3) + sum(W)", "x @ (W / norm(W)) * exp(gain)", "(x @ W[::-1])[:, :3] * gain[[2, 0, 1]]",
        "x @ concat((W[:1], W[1:])) + stack((gain, gain))[1]",
    ])
    func parametersKeepTheirNames(_ body: String) throws {
        try withFolder { folder in
            let session = try Session()
            let program = """
                seed(1)
                layer Own(n) { W = weights(n, n); gain = 1.5 * ones(n); x -> \(body) + 0 * sum(gain) + 0 * sum(W) }
                net = Own(3) >> Dense(3, 2); x = f32(randn(4, 3)); save(net, "\(folder)/net.onnx", input=(3,))
                for f in ("torch", "jax", "keras") { save(net, "\(folder)/{f}.py", framework=f, input=(3,)) }
                again = load("\(folder)/net.onnx")
                """
            #expect(session.run(program, named: "test") == .done)
            #expect(isTrue("max(abs(again(x) - net(x))) < 1e-5", session))
            for framework in ["torch", "jax", "keras"] {
                let text = try String(contentsOfFile: "\(folder)/\(framework).py", encoding: .utf8)
                #expect(text.contains("weights[\"0.W\"]") && text.contains("weights[\"0.gain\"]") && !text.contains("weights[\"c"), "\(text)")
            }
            #expect(isTrue("contains(repr(parameters(again)), \"0.W\") and contains(repr(parameters(again)), \"0.gain\")", session))
        }
    }

    /// A layer that decides by the values of its parameters has a graph still: they are constants then.
    @Test func decidesByItsParameters() throws {
        try withFolder { folder in
            let session = try Session()
            let program = """
                layer Own(n) { gain = -1.5 * ones(n); x -> if gain[0] > 0 { x * gain } else { x - gain } }
                net = Own(3); x = f32(randn(4, 3)); save(net, "\(folder)/net.onnx", input=(3,)); again = load("\(folder)/net.onnx")
                """
            #expect(session.run(program, named: "test") == .done)
            #expect(isTrue("all(again(x) == net(x)) and all(net(x) == x + 1.5)", session))
        }
    }

    /// The positions of the largest pixels go by the name of their function, and are not what ONNX calls so.
    @Test func positionsOfALargestPixelHaveNoForm() throws {
        try withFolder { folder in
            let session = try Session()
            #expect(session.run("f(x) = max_pool(x, 2, indices=true)[1]; save(f, \"\(folder)/f.onnx\", input=(1, 4, 4))", named: "test") == .failed)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/f.onnx"))
        }
    }

    /// What goes out comes back as the same numbers, whatever the number of rows: order, means over the rows, matrices.
    @Test(arguments: [
        ("mean(x, axis=0)", "(3,)"), ("x - mean(x)", "(3,)"), ("var(x, axis=0)", "(3,)"), ("x / len(x) + x * (1 / (len(x) + 1))", "(3,)"),
        ("sort(x, axis=1)", "(3,)"),
        ("sort(x, axis=0)", "(3,)"), ("sort(x, axis=none)", "(3,)"), ("argsort(x, axis=1)", "(3,)"), ("argsort(x, axis=0)", "(3,)"),
        ("argmax(x, axis=1)", "(3,)"),
        ("argmin(x, axis=0, keepdims=true)", "(3,)"), ("argmax(x) + 0 * x", "(3,)"), ("argmax(round(x), axis=1, last=true)", "(3,)"),
        ("top_k(x, 2)[0]", "(5,)"),
        ("top_k(x, 2)[1]", "(5,)"), ("median(x, axis=1)", "(4,)"), ("quantile(x, 0.3, axis=1)", "(4,)"), ("one_hot(argmax(x, axis=1), 4)", "(4,)"),
        ("x[:, ::-1] + x[:, ::-2][:, :1]", "(4,)"), ("det(x)", "(3, 3)"), ("inv(x + 3 * eye(3))", "(3, 3)"), ("solve(x + 3 * eye(3), x)", "(3, 3)"),
        ("grad(y -> sum(sort(y, axis=1)[:, 1:] ^ 2))(x)", "(4,)"), ("slogdet(x)[0]", "(3, 3)"), ("slogdet(x)[1]", "(3, 3)"),
        ("cholesky(x @ transpose(x, (0, 2, 1)) + 4 * eye(3))", "(3, 3)"), ("qr(x)[0] @ qr(x)[1]", "(4, 3)"), ("qr(x)[1]", "(2, 3)"), ("cbrt(x)", "(3,)"),
    ])
    func functionsComeBack(_ body: String, _ shape: String) throws {
        try withFolder { folder in
            let session = try Session()
            let program = """
                seed(2)
                f(x) = \(body)
                save(f, "\(folder)/f.onnx", input=\(shape), dtype="f64"); again = load("\(folder)/f.onnx")
                close = true
                for rows in (1, 2, 5) { x = randn(concat(([rows], array(\(shape))))); close = close and max(abs(again(x) - f(x))) < 1e-9 }
                """
            #expect(session.run(program, named: "test") == .done)
            #expect(isTrue("close", session))
        }
    }

    @Test func trainsAndIsSaved() throws {
        try withFolder { folder in
            let session = try makeSession(
                """
                net = model("network"); x = data["network.x"]; labels = [0, 1, 2, 0, 1]
                seed(1); trained = fit(net, x, labels, loss=nll, optimizer=Adam(0.01), epochs=60, batch=5, progress=false)
                save(trained, "\(folder)/net.safetensors"); again = load("\(folder)/net.safetensors")
                held = load("\(folder)/net.safetensors", into=net)
                """)
            #expect(isTrue("nll(trained(x), labels) < 0.5 * nll(net(x), labels)", session))
            #expect(isTrue("all(again(x) == trained(x)) and all(held(x) == trained(x)) and \"{again}\" == \"{net}\"", session))
            // In training it drops, and says so by other outputs.
            #expect(isTrue("any(net(x, training=true) != net(x))", session))
        }
    }

    @Test func everyTestModelIsSavedAndLoaded() throws {
        try withFolder { folder in
            for (name, inputs) in [("functions", ["x"]), ("two", ["words", "mask"]), ("smooth", ["x"])] {
                let given = inputs.map { "data[\"\(name).\($0)\"]" }.joined(separator: ", ")
                let session = try makeSession(
                    "net = model(\"\(name)\"); save(net, \"\(folder)/\(name).safetensors\"); again = load(\"\(folder)/\(name).safetensors\")")
                #expect(isTrue("\"{again(\(given))}\" == \"{net(\(given))}\"", session), "\(name)")
            }
        }
    }

    /// What a function reads is called in the files as its variables are: of a network with the names of its layers, inside of records and lists by the way there.
    @Test func arraysKeepTheNamesOfTheProgram() throws {
        try withFolder { folder in
            let session = try makeSession(
                """
                seed(1); net = Dense(3, 2, tanhexp) >> Dense(2, 2); scale = randn(2); y = randn(2); parts = {first: Dense(2, 2), rest: (randn(2), 1)}
                make(rate) = x -> parts.first(net(x)) * rate + helper(x)
                helper(x) = scale * x[:, :2] + parts.rest[0] - y
                f = make(randn(2)); save(f, "\(folder)/f.onnx", input=(3,)); again = load("\(folder)/f.onnx"); x = f32(randn(4, 3))
                named = []; for layer in parameters(again) { for name in layer { named = append(named, name) } }
                save(f, "\(folder)/f.py", framework="jax", input=(3,)); held = []; for name in load("\(folder)/f.safetensors") { held = append(held, name) }
                save(Dense(3, 2) >> (x -> x * scale), "\(folder)/net.onnx"); layers = load("\(folder)/net.onnx")
                of_layers = []; for layer in parameters(layers) { for name in layer { of_layers = append(of_layers, name) } }
                expected = sort(["net.0.W", "net.0.b", "net.1.W", "net.1.b", "parts.first.W", "parts.first.b", "rate", "scale", "parts.rest.0", "y"])
                """)
            // The result of a model is `y`, whatever else is called so.
            #expect(isTrue("max(abs(again(x) - f(x))) < 1e-5", session))
            #expect(isTrue("sort([replace(name, \"y_1\", \"y\") for name in named]) == expected and sort(held) == expected", session))
            #expect(isTrue("sort(of_layers) == [\"0.W\", \"0.b\", \"scale\"]", session))
        }
    }

    // MARK: Faults

    /// The title of the error that a program ends with.
    private func fault(_ program: String, _ options: Session.Options = Session.Options()) throws -> String {
        let session = try Session(options: options), listener = Listener()
        session.output = listener
        _ = session.run(program, named: "test")
        return listener.titles.joined(separator: "\n")
    }

    private final class Listener: SessionOutput {
        private(set) var titles: [String] = []
        func write(_ text: String) {}
        func show(_ shown: Shown) {}
        func report(_ diagnostic: Diagnostic, _ session: Session) {
            if diagnostic.level == .error { titles.append(([diagnostic.title] + diagnostic.notes).joined(separator: "; ")) }
        }
    }

    @Test func filesThatAreNoModels() throws {
        try withFolder { folder in
            let path = "\(folder)/m.onnx"
            for (bytes, expected) in [
                ([UInt8](), "`\(path)`: it is not an ONNX model: there is no graph in it"),
                ([0x3A, 0xFF, 0x01], "`\(path)`: it ends too early: what byte 1 begins is not whole"),
                (Array("hello".utf8), "`\(path)`: it is not an ONNX model: byte 2 begins no field"),
            ] {
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                #expect(try fault("load(\"\(path)\")").hasPrefix(expected))
            }
        }
    }

    @Test func arraysOutsideTheFolderAreNotRead() throws {
        try withFolder { folder in
            let files = FileManager.default
            try files.copyItem(atPath: Self.folder + "/outside.onnx", toPath: folder + "/outside.onnx")
            #expect(try fault("load(\"\(folder)/outside.onnx\")").contains("outside.bin"))
            // A link that leads out.
            try files.createSymbolicLink(atPath: folder + "/outside.bin", withDestinationPath: Self.folder + "/outside.bin")
            #expect(try fault("load(\"\(folder)/outside.onnx\")").contains("is not in the model's folder"))
        }
    }

    @Test func whatDoesNotFitIsSaidWithItsNode() throws {
        let program = "net = load(\"\(Self.folder)/network.onnx\"); two = load(\"\(Self.folder)/two.onnx\")\n"
        #expect(try fault(program + "net(ones(2, 3, 6, 6))") == "in the node Conv \"conv\" of the ONNX model: input 1 of shape (4, 1, 3, 3) does not fit")
        #expect(try fault(program + "net(ones(2, 6))") == "the model's input `x` has 4 axes, not the shape (2, 6)")
        #expect(try fault(program + "net(ones(2, 1, 4, 4))").contains("in the node Gemm \"fc\" of the ONNX model"))
        #expect(try fault(program + "two(ones(2, 3))").hasPrefix("the model takes 2 inputs (`words`, `mask`), not 1"))
        #expect(try fault(program + "two([[0.5, 1]], ones(1, 2, 1))") == "the model's input `words` is of whole numbers, not 0.5")
        #expect(try fault(program + "two([[1e30, 1]], ones(1, 2, 1))").hasPrefix("the model's input `words` is of type int64, which does not hold"))
        #expect(try fault(program + "two([[9, 1]], ones(1, 2, 1))").contains("in the node Gather of the ONNX model"))
        #expect(try fault("load(\"x.onnx.gz\")") == "`load` does not know files that end in .onnx.gz")
        #expect(try fault("load(\"x.safetensors.gz\")") == "`load` does not know files that end in .safetensors.gz")
        #expect(try fault("load(\"x.onnx\", into=Dense(2, 2))").contains("`into` goes with .safetensors files"))
    }
}
