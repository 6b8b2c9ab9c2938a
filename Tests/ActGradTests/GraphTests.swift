// Graphs of functions: taken at some arguments, computed at others, as they are and taken apart into primitives.

import ActArray
import ActGrad
import ActLinear
import ActRandom
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private func random(_ shape: [Int], _ seed: UInt64, type: ElementType = .f64) throws -> NDArray {
    var source = RandomSource(seed: seed)
    return try source.normal(shape: shape).converted(to: type)
}

@Suite struct GraphTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let shapes: [[Int]]
        let function: @Sendable ([NDArray]) throws -> NDArray

        init(_ name: String, _ shapes: [[Int]], _ function: @escaping @Sendable ([NDArray]) throws -> NDArray) {
            testDescription = name
            self.shapes = shapes
            self.function = function
        }
    }

    /// Every kind of primitive, and what is more than one.
    static let cases = [
        Case("elementwise", [[3, 4], [4]]) { try NDArray.unary(.tanh, $0[0] * $0[1]) + NDArray.binary(.max, $0[0], 0.5) },
        Case("choices", [[5]]) { try NDArray.select(NDArray.compare(.gt, .array($0[0]), .number(0)), .array($0[0] * 2.0), .number(-1)) },
        Case("tests", [[5]]) {
            try NDArray.logical(.and, .test(.isfinite, $0[0]), .not(NDArray.compare(.lt, .array($0[0]), .number(0)))).converted(to: .f64) * $0[0]
        },
        Case("structure", [[2, 3, 4]]) {
            let x = try $0[0].transposed([2, 0, 1]).reshaped(to: [4, 6])
            return try NDArray.concatenated(
                [
                    x.sliced([SliceRange(start: 3, step: -2, count: 2), SliceRange(start: 1, step: 2, count: 3)]),
                    x.sliced([SliceRange(start: 0, step: 1, count: 1), SliceRange(start: 0, step: 1, count: 3)]),
                ], axis: 0)
        },
        Case("products", [[2, 3], [3, 4]]) { try NDArray.matmul($0[0], $0[1]).reduced(.sum, axes: [0]) },
        Case("reductions", [[3, 5]]) { try $0[0].reduced(.max, axes: [1]) + $0[0].reduced(.prod, axes: [1]) + $0[0].logsumexp(axes: [1]) },
        Case("lanes", [[3, 5]]) { try $0[0].softmax(axis: 0) + $0[0].logSoftmax() * $0[0].cumulative(.sum, axis: 1, reversed: true) },
        Case("numbers as positions", [[6], [3]]) { try $0[0].indexed(by: [.array(NDArray.unary(.floor, NDArray.unary(.abs, $0[1])))]) },
        Case("positions beside axes", [[4, 5, 3], [2, 2]]) {
            let index = try NDArray.unary(.floor, NDArray.unary(.sigmoid, $0[1]) * 4.0) - 2.0
            return try $0[0].indexed(by: [.slice(start: 1, stop: nil, step: 2), .array(index), .newAxis, .slice(start: nil, stop: nil, step: -1)])
        },
        Case("positions apart", [[4, 3, 5], [2]]) {
            let index = try NDArray.compare(.gt, .array($0[1]), .number(0)).converted(to: .f64)
            return try $0[0].indexed(by: [.array(index), .slice(start: nil, stop: nil, step: nil), .array(index * -1.0)])
        },
        Case("a table of constants", [[4]]) {
            try NDArray([10, 20, 30], shape: [3]).indexed(by: [.array(NDArray.compare(.gt, .array($0[0]), .number(0)).converted(to: .f64))]) + $0[0]
        },
        Case("solve", [[3, 3], [3, 2]]) { try NDArray.solve($0[0], $0[1]) },
        Case("solve, a batch", [[2, 4, 4], [4, 1]]) { try NDArray.solve($0[0], $0[1]) },
        Case("inv", [[4, 4]]) { try $0[0].inverse() },
        Case("det", [[2, 3, 3]]) { try $0[0].determinant() },
        Case("slogdet", [[5, 4, 4]]) {
            let (sign, log) = try $0[0].signAndLogDeterminant()
            return try sign * 3.0 + log
        },
        Case("cholesky", [[2, 4, 4]]) { try (NDArray.matmul($0[0], $0[0].matrixTransposed()) + NDArray.eye(4, type: $0[0].type) * 4.0).cholesky() },
        Case("qr, tall", [[2, 5, 3]]) {
            let (q, r) = try $0[0].qr()
            return try NDArray.concatenated([q, r], axis: 1)
        },
        Case("qr, wide", [[3, 5]]) {
            let (q, r) = try $0[0].qr()
            return try NDArray.concatenated([q, r], axis: 1)
        },
        Case("cube root", [[8]]) { try SpecialFunction.cbrt($0[0] * $0[0] * $0[0] * 1e3) },
        Case("its gradient", [[3, 3]]) { x in try Derivative.gradient(of: { try ($0.inverse() * $0).reduced(.sum) + $0.determinant() }, at: x[0]) },
        Case("a slope of a slope", [[7]]) { x in
            try Derivative.derivative(of: { try Derivative.derivative(of: { try NDArray.unary(.gelu, $0 * $0) }, at: $0) }, at: x[0])
        },
        Case("a line", [[], []]) { try NDArray.linspace(from: .array($0[0]), to: .array($0[1]), 5) },
    ]

    @Test(arguments: cases) func graphsComputeWhatFunctionsDo(function: Case) throws {
        for type in [ElementType.f64, .f32] {
            let first = try function.shapes.enumerated().map { try random($1, UInt64($0 + 1), type: type) }
            let second = try function.shapes.enumerated().map { try random($1, UInt64($0 + 100), type: type) }
            for lowered in [false, true] {
                let graph = try Graph.of({ [try function.function($0)] }, inputs: first.enumerated().map { ("x\($0)", $1) }, lowered: lowered)
                for arguments in [first, second] {
                    let expected = try function.function(arguments), result = try graph(arguments)[0]
                    #expect(result.shape == expected.shape && result.type == expected.type, "\(function.testDescription) \(graph)")
                    let tolerance = type == .f64 ? 1e-9 : 2e-3
                    let isClose = try zip(result.toDoubles(), expected.toDoubles()).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
                    #expect(isClose, "\(function.testDescription) lowered=\(lowered) \(type)\n\(graph)")
                }
                for (position, node) in graph.nodes.enumerated() {
                    #expect(node.operands.allSatisfy { $0 < position })
                    guard case .operation(let primitive) = node.source else { continue }
                    if lowered { #expect(primitive.kind != .custom, "\(graph)") }
                    let names = primitive.kind.attributes
                    if primitive.kind != .custom { #expect(primitive.attributes.map(\.name) == names, "\(primitive.kind)") }
                    let most = primitive.kind.operands
                    #expect(node.operands.count <= most.count || most.last?.hasSuffix("…") == true)
                }
            }
        }
    }

    /// Activation rows that are formulas, at every shape of their parameters.
    @Test(arguments: Activations.all.filter { $0.kind == .elementwise }) func rowsAreTheirFormulas(row: ActivationRow) throws {
        let x = try random([20], 5)
        let graph = try Graph.of({ [try row.apply($0[0])] }, inputs: [("x", x)], lowered: true)
        #expect(!graph.description.contains("custom"), "\(graph)")
        let other = try random([20], 6)
        #expect(try zip(graph([other])[0].toDoubles(), row.apply(other).toDoubles()).allSatisfy { abs($0 - $1) <= 1e-14 * max(1, abs($1)) })
    }

    /// What is decided by positions that were found, such as an order, is known by name only: an error, not a wrong number.
    @Test func whatIsKnownByNameIsNotComputed() throws {
        let x = try NDArray([3, 1, 2], shape: [3])
        let graph = try Graph.of({ [try $0[0].sorted()] }, inputs: [("x", x)])
        #expect(graph.description.contains("operation=sort"))
        #expect(throws: ArrayError.self) { try graph([x]) }
        #expect(throws: ArrayError.self) { try graph([NDArray([1, 2], shape: [2])]) }
        // Outside, nothing is followed.
        #expect(!NDArray.followsPositions)
    }

    /// What stands in for operands while a function is taken apart is memory too: near the limit there is a graph or the error, never another graph.
    @Test func nearTheMemoryLimitThereIsTheGraphOrTheError() async {
        await #expect(processExitsWith: .success) {
            let x = try NDArray.full(0.5, shape: [64, 64], type: .f64), y = try NDArray.full(2, shape: [64, 64], type: .f64)
            func taken() throws -> String {
                try Graph.of(
                    { inputs in
                        let row = try #require(Activations.named("mish"))
                        return [try row.apply(NDArray.matmul(inputs[0], inputs[1])) * inputs[0].logsumexp(axes: [1])]
                    }, inputs: [("x", x), ("y", y)], lowered: true
                ).description
            }
            let expected = try taken(), before = MemoryPool.limit
            var failures = 0
            for step in 0..<60 {
                MemoryPool.giveBack()
                MemoryPool.limit = MemoryPool.used + (1 << 20) * step / 59
                let result = Result { try taken() }
                MemoryPool.limit = before
                switch result {
                case .success(let graph): #expect(graph == expected)
                case .failure(ArrayError.outOfMemory): failures += 1
                case .failure(let error): Issue.record(error)
                }
            }
            #expect(failures > 0 && failures < 60)
        }
    }

    @Test func derivativesDoNotGoThroughPositions() throws {
        let x = try NDArray([0.5, 2.5, 1.5], shape: [3])
        let slope = try Derivative.gradient(of: { try $0.indexed(by: [.array(NDArray.unary(.floor, $0))]).reduced(.sum) }, at: x)
        #expect(try slope.toDoubles() == [1, 1, 1])
    }

    /// The page on how act is built lists them as they are.
    @Test func theDocumentationListsThePrimitives() throws {
        let path = BuiltCommand.packageFolder + "/Docs/architecture.md"
        let text = try readText(path)
        let begin = try #require(text.firstRange(of: "<!-- primitives -->\n")), end = try #require(text.firstRange(of: "<!-- end of primitives -->"))
        if getenv("ACT_WRITE_DOCS") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(text[..<begin.upperBound] + PrimitiveKind.table + text[end.lowerBound...], file)
            fclose(file)
        } else {
            #expect(text[begin.upperBound..<end.lowerBound] == PrimitiveKind.table, "`make reference` writes the table")
        }
    }
}
