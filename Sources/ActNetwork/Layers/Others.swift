// Layers that compute with what they get: functions, Dropout, Embedding.

import ActArray
import ActRandom
import ActRows

/// Any function of one argument.
package struct FunctionLayer: Layer {
    package let function: NamedFunction

    package init(_ function: NamedFunction) { self.function = function }

    package var text: String { function.name }
    package var form: LayerForm { .function(function) }
    private static let parameters = [Parameter(name: "function", kind: .function, fallback: nil, role: .steps)]
    package var settings: LayerSettings { LayerSettings(of: "function", FunctionLayer.parameters, [.function(function)]) }
    package var width: Width { function.keepsWidth ? .same : .unknown }

    package var isOpen: Bool { function.row == nil }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray { try function(x, pass) }

    package func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal {
        if !isOpen, case .other = x {
            guard let array = try x.array else { throw NetworkError.notAnArray(layer: text, position: nil, before: nil, found: x.kind) }
            return try function(.array(array), pass)
        }
        return try function(x, pass)
    }
}

/// In training, zeros in random places; the rest grows, so that the mean stays.
package struct Dropout: Layer {
    package let settings: LayerSettings
    fileprivate let rate: Double

    package var form: LayerForm { .dropout(rate: rate) }

    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard pass.isTraining, rate > 0 else { return x }
        let isKept = try NDArray.compare(.ge, .array(pass.random.uniform(shape: x.shape)), .number(rate))
        return try NDArray.select(isKept, .array(x / (1 - rate)), .number(0)).converted(to: x.type == .bool ? .f64 : x.type)
    }
}

/// A row of W for each number.
package struct Embedding: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    private let count, size: Int

    fileprivate init(_ settings: LayerSettings, count: Int, size: Int, type: ElementType, _ random: inout RandomSource) throws {
        self.settings = settings
        self.type = type
        self.count = count
        self.size = size
        parameters = [try random.normal(shape: [count, size], type: type)]
    }

    package var form: LayerForm { .embedding }
    package var parameterNames: [String] { ["W"] }
    package var width: Width { .of(size) }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let end = Double(count)
        let shape = x.shape + [size]
        if let array = try NDArray.shapeAlone(shape, parameters[0].type) { return array }
        // Of elements that stand for any nobody knows whether they are whole.
        if x.isTraced, NDArray.isSymbolic {
            return try parameters[0].gathered(at: x.reshaped(to: [x.count]) * Double(size), chunk: size, shape: shape)
        }
        let starts = try x.detached().toDoubles().map { number -> Int in
            // (Quicker than `Int(exactly:)`, which calls a function.)
            guard number >= 0, number < end else { throw unfit(.wholes(below: count, found: number)) }
            let row = Int(number)
            guard Double(row) == number else { throw unfit(.wholes(below: count, found: number)) }
            return row &* size
        }
        if x.isTraced, NDArray.followsPositions {
            return try parameters[0].gathered(at: x.reshaped(to: [x.count]) * Double(size), chunk: size, shape: shape)
        }
        return try parameters[0].gathered(GatherIndices(starts: starts, chunk: size), shape: shape)
    }
}

/// `(2, 3)`, `(4,)`
func shapeText(_ shape: [Int]) -> String {
    shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
}

extension LayerRows {
    static let otherRows: [LayerRow] = [
        LayerRow(
            "Dropout", "in training, sets a share of the elements to 0 at random and scales the others up; else does nothing",
            details: "`fit` trains; `net(x)` does not, `net(x, training=true)` does.", example: "Dropout(0.5)([1, 2])   # [1, 2]"
        ) { takes in
            let rate = takes.number("rate", default: 0.5, .within(0..<1), role: .opaque)
            return { settings, _ in Dropout(settings: settings, rate: try settings[rate]) }
        },
        LayerRow(
            "Embedding", "a learned row of `size` numbers for each of the whole numbers below `count`",
            example: "shape(Embedding(10, 4)([1, 7, 7]))   # (3, 4)"
        ) { takes in
            let count = takes.size("count"), size = takes.size("size"), type = takes.floatType()
            return { settings, random in try Embedding(settings, count: settings[count], size: settings[size], type: settings[type], &random) }
        },
    ]
}
