// The library as an outsider sees it: public symbols only.

import ActKit
import Testing

@Suite struct InterpreterTests {
    private func interpreter() throws -> Interpreter {
        var options = Interpreter.Options()
        options.seed = 0
        return try Interpreter(options)
    }

    private func numbers(_ value: Value) throws -> [Double] {
        guard case .array(let array) = value else { throw ActError("\(value) is no array") }
        return try array.elements()
    }

    @Test func arraysGoInAndOut() throws {
        let act = try interpreter()
        try act.set("x", to: .array(NumericArray([-1.0, 0, 2, 3], shape: [2, 2])))
        let output = try act.run("y = relu(x)\ny'")
        #expect(try numbers(output.value) == [0, 2, 0, 3])
        guard case .array(let y)? = act["y"] else { throw ActError("y is no array") }
        #expect(y.shape == [2, 2] && y.elementType == .f64)
        #expect(try y.elements() == [0, 0, 2, 3])
        #expect(output.text == "[[0, 2],\n [0, 3]]\n")
    }

    @Test func elementTypesStay() throws {
        let act = try interpreter()
        try act.set("f", to: .array(NumericArray([0.5 as Float, 1.5])))
        try act.set("b", to: .array(NumericArray([true, false])))
        guard case .array(let f) = try act.evaluate("f * 2"), case .array(let b) = try act.evaluate("not b") else { throw ActError("no arrays") }
        #expect(f.elementType == .f32 && b.elementType == .bool)
        #expect(try f.elements() == [1, 3])
        #expect(try b.elements() == [0, 1])
    }

    @Test func everyKindOfValueSurvivesTheWay() throws {
        let act = try interpreter()
        let record = Value.record([("b", .number(2)), ("a", .list([.string("σ"), .bool(true), .none]))])
        try act.set("r", to: record)
        #expect(try act.run("r").text == "{b: 2, a: (\"σ\", true, none)}\n")
        guard case .record(let fields)? = act["r"], case .list(let list) = fields[1].value, case .string(let text) = list[0] else {
            throw ActError("no record")
        }
        #expect(fields.map(\.name) == ["b", "a"] && text == "σ" && list.count == 3)
        try act.set("r", to: nil)
        #expect(act["r"] == nil)
    }

    @Test func whatIsSharedIsCopiedOnce() throws {
        let act = try interpreter()
        try act.run("s = {a: 1}; for i in range(60) { s = (s, {b: s}) }")
        var value = act["s"]
        for level in 0..<60 {
            guard case .list(let parts)? = value, case .record(let fields) = parts[1], fields.count == 1 else { throw ActError("no pair at level \(level)") }
            value = level % 2 == 0 ? parts[0] : fields[0].value
        }
        guard case .record(let last)? = value, case .number(1) = last[0].value else { throw ActError("not what was innermost") }
    }

    @Test func functionsAreCalledFromSwift() throws {
        let act = try interpreter()
        // The derivative of the exact gelu at 0.5 is Φ(0.5) + 0.5 φ(0.5).
        guard case .number(let slope) = try act.call("gelu'", with: .number(0.5)) else { throw ActError("no number") }
        #expect(abs(slope - 0.867495) < 1e-6)
        try act.run("f(x, y=1) = x + 10 * y")
        guard case .function(let f)? = act["f"] else { throw ActError("no function") }
        #expect("\(f)" == "f")
        guard case .number(let sum) = try f(.number(1), .number(2)) else { throw ActError("no number") }
        #expect(sum == 21)
        #expect(throws: ActError.self) { try f(.string("a"), .none, .none) }
        #expect(throws: ActError.self) { try act.call("3") }
    }

    @Test func swiftFunctionsBecomeBuiltIn() throws {
        let act = try interpreter()
        try act.run("g(x) = half(x)", name: "before.act")
        act.register("half", parameters: ["x", "times=1"], summary: "half of x, several times") { arguments in
            guard case .number(var x) = arguments[0] else { throw ActError("`half` takes a number") }
            let times: Double = if case .number(let times) = arguments[1] { times } else { 1 }
            for _ in 0..<Int(times) { x /= 2 }
            return .number(x)
        }
        #expect(try act.run("print(g(3), half(8, times=2))").text == "1.5 2\n")
        do {
            try act.run("1 + half(\"a\")", name: "wrong.act")
            Issue.record("the error is lost")
        } catch let error as ActError {
            #expect(error.message == "`half` takes a number")
            #expect(error.rendered.contains("wrong.act:1:5"))
        }
        #expect(throws: ActError.self) { try act.run("half(1, 2, 3)") }
        try act.run("half = 3")
        #expect(try act.run("half").text == "3\n")
    }

    @Test func errorsPointAtTheSource() throws {
        let act = try interpreter()
        do {
            try act.run("a = 1\n[1, 2, 3] @ ones(4, 2)", name: "net.act")
            Issue.record("the error is lost")
        } catch let error as ActError {
            #expect(error.kind == .program)
            #expect(error.message == "shapes (3,) and (4, 2) do not fit for @")
            #expect(error.rendered.contains("net.act:2:11"))
        }
        #expect(act["a"] != nil)
        #expect(throws: ActError.self) { try NumericArray([1.0, 2], shape: [3]) }
        var options = Interpreter.Options()
        options.allowedFolders = ["/no such folder"]
        #expect(throws: ActError.self) { try Interpreter(options) }
    }

    /// A limit of time is not tried here: the interrupt that ends a program is the process's, and other tests run beside this one.
    @Test func filesAreOutOfReachUnlessAllowed() throws {
        var options = Interpreter.Options()
        options.allowedFolders = []
        let act = try Interpreter(options)
        do {
            try act.run("load(\"/etc/hostname.txt\")")
            Issue.record("a file outside was read")
        } catch let error as ActError {
            #expect(error.kind == .program)
        }
    }

    @Test func figuresAreDrawn() throws {
        let act = try interpreter()
        let output = try act.run("plot(relu, title=\"a <b>\")")
        #expect(output.figures.count == 1)
        #expect(output.figures[0].svg.hasPrefix("<svg") && output.figures[0].svg.contains("a &lt;b&gt;"))
        #expect(output.figures[0].text(columns: 40, rows: 10, ascii: true).split(separator: "\n").count == 10)
        #expect(output.text.contains("a <b>"))
    }

    @Test func warningsAreCollected() throws {
        let act = try interpreter()
        let output = try act.run("exp([1000])", name: "w.act")
        #expect(output.warnings.count == 1 && output.warnings[0].contains("w.act:1:1"))
    }

    @Test func twoInterpretersDoNotMeet() throws {
        let first = try interpreter(), second = try interpreter()
        try first.run("x = 1")
        try second.run("x = 2")
        #expect(try first.run("x").text == "1\n" && second["x"] != nil)
        #expect(try first.run("rand(3)").text == second.run("rand(3)").text)
    }

    @Test func interpretersOnSeveralThreadsWaitForEachOther() async throws {
        let sums = try await withThrowingTaskGroup(of: String.self) { group in
            for seed in 0..<4 {
                group.addTask {
                    let act = try Interpreter()
                    var text = ""
                    for _ in 0..<20 { text = try act.run("x = range(2000) + \(seed)\nsum(x)").text }
                    return text
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(sums == ["1999000\n", "2001000\n", "2003000\n", "2005000\n"])
    }
}
