// Layers that compute with what they get: functions, Dropout, Embedding, Residual.

import ActArray

/// Any function of one argument.
package struct FunctionLayer: Layer {
    package let function: NamedFunction

    package init(_ function: NamedFunction) { self.function = function }

    package var kind: String { "function" }
    package var settings: [LayerSetting] { [LayerSetting("function", .function(function))] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray { try function(x, pass) }
}

/// In training, zeros in random places; the rest grows, so that the mean stays.
package struct Dropout: Layer {
    let rate: Double

    package var kind: String { "Dropout" }
    package var settings: [LayerSetting] { [LayerSetting("rate", .number(rate), isDefault: rate == 0.5)] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard pass.isTraining, rate > 0 else { return x }
        let isKept = try NDArray.compare(.ge, .array(pass.random.uniform(shape: x.shape)), .number(rate))
        return try NDArray.select(isKept, .array(x / (1 - rate)), .number(0)).converted(to: x.type == .bool ? .f64 : x.type)
    }
}

/// A row of W for each number.
package struct Embedding: Layer {
    let count, size: Int
    private let weightType: ElementType
    package var parameters: [NDArray]

    init(_ count: Int, _ size: Int, type: ElementType, _ random: inout RandomSource) throws {
        self.count = count
        self.size = size
        weightType = type
        parameters = [try random.normal(shape: [count, size], type: type)]
    }

    package var kind: String { "Embedding" }
    package var type: ElementType? { weightType }
    package var parameterNames: [String] { ["W"] }

    package var settings: [LayerSetting] {
        [
            LayerSetting("count", .whole(count)), LayerSetting("size", .whole(size)),
            LayerSetting("dtype", .text(weightType.name), isDefault: weightType == .f32),
        ]
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let starts = try x.detached().toDoubles().map { number -> Int in
            guard let row = Int(exactly: number), row >= 0, row < count else {
                throw NetworkError.input(layer: text, position: nil, needs: "whole numbers from 0 to \(count - 1), not \(Setting.number(number).text)", shape: nil)
            }
            return row * size
        }
        let shape = x.shape + [size]
        if x.isTraced, NDArray.followsPositions {
            return try parameters[0].gathered(at: x.reshaped(to: [x.count]) * Double(size), chunk: size, shape: shape)
        }
        return try parameters[0].gathered(GatherIndices(starts: starts, chunk: size), shape: shape)
    }
}

/// x + f(x)
package struct Residual: Layer {
    package var inner: Network? { didSet { measure() } }
    // Known once for all: residuals that stand inside one another would each ask the ones below again.
    package private(set) var type: ElementType?
    package private(set) var nesting: Int32 = 0
    package private(set) var layerCount = 1

    init(_ network: Network) {
        inner = network
        measure()
    }

    private mutating func measure() {
        type = nil
        for layer in inner?.layers ?? [] where type == nil { type = layer.type }
        nesting = inner?.nesting ?? 0
        layerCount = 1 + (inner?.layerCount ?? 0)
    }

    package var kind: String { "Residual" }
    package var settings: [LayerSetting] { inner.map { [LayerSetting("f", .network($0))] } ?? [] }
    package var inputShape: [Int]? { inner?.layers.first?.inputShape }
    package var parameterNames: [String] { inner?.parameterNames.map { "f.\($0)" } ?? [] }
    package var parameters: [NDArray] {
        get { inner?.parameters ?? [] }
        set { inner?.parameters = newValue }
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard let inner else { return x }
        let x = try type.map { try x.converted(to: $0) } ?? x
        let change = try inner.run(x, pass, isOutermost: false)
        guard change.shape == x.shape else {
            throw NetworkError.input(
                layer: text, position: nil, needs: "a function that keeps the shape: x has the shape \(shapeText(x.shape)), f(x) \(shapeText(change.shape))", shape: nil)
        }
        return try x + change
    }
}

/// `(2, 3)`, `(4,)`
func shapeText(_ shape: [Int]) -> String {
    shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
}

extension LayerRows {
    static let otherRows: [LayerRow] = [
        LayerRow(
            "Dropout(rate=0.5)", "in training, sets a share of the elements to 0 at random and scales the others up; else does nothing",
            details: "`fit` trains; `net(x)` does not, `net(x, training=true)` does.", example: "Dropout(0.5)([1, 2])   # [1, 2]"
        ) { settings, _ in
            let rate = try settings.number("rate", default: 0.5)
            guard rate >= 0, rate < 1 else { throw settings.fail("rate", "from 0 to below 1") }
            return Dropout(rate: rate)
        },
        LayerRow(
            "Embedding(count, size, dtype=\"f32\")", "a learned row of `size` numbers for each of the whole numbers below `count`",
            example: "shape(Embedding(10, 4)([1, 7, 7]))   # (3, 4)"
        ) { settings, random in try Embedding(settings.size("count"), settings.size("size"), type: settings.type(), &random) },
        LayerRow(
            "Residual(f)", "x + f(x): a way around a layer, a network or a function that keeps the shape",
            example: "Residual(x -> 2 * x)([1, 2])   # [3, 6]"
        ) { settings, _ in Residual(try settings.network("f")) },
    ]
}
