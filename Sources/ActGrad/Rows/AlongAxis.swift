// Rows that look at more than one element: softmax and functions like it along an axis, gates of halves, maxout.

import ActArray

private let axis = ActivationRow.Parameter("axis", -1, "along which the elements belong together", isStep: true)

private let gateAxis = ActivationRow.Parameter("axis", -1, "whose halves belong together", isStep: true)

extension Activations {
    static let alongAxis: [ActivationRow] = [
        ActivationRow(
            "softmax", parameters: [axis], "e^(xᵢ - m)/Σ e^(xⱼ - m), m = max x", derivative: "Jacobian diag(p) - p pᵀ",
            note: "The maximum is subtracted first: no finite input overflows.",
            range: "(0, 1)", givesProbabilities: true, summary: "Probabilities from scores: positive, summing to 1.",
            example: .init("softmax([1, 2, 3])", shows: "[0.09003057, 0.24472847, 0.66524096]"),
            body: .whole(.alongAxis) { inputs in try array(inputs).softmax(axis: whole(inputs, 1, "softmax", "axis")) }),
        ActivationRow(
            "log_softmax", parameters: [axis], "x - log Σ e^xⱼ", derivative: "Jacobian I - 1 pᵀ",
            note: "Not log(softmax(x)), which is -inf where a probability underflows.",
            range: "(-∞, 0)", summary: "Logarithms of the softmax, for losses.",
            example: .init("log_softmax([1, 2, 3])", shows: "[-2.40760596, -1.40760596, -0.40760596]"),
            body: .whole(.alongAxis) { inputs in try array(inputs).logSoftmax(axis: whole(inputs, 1, "log_softmax", "axis")) }),
        ActivationRow(
            "softmin", parameters: [axis], "softmax(-x)", derivative: "Jacobian p pᵀ - diag(p)",
            range: "(0, 1)", summary: "Probabilities that prefer the smallest.",
            example: .init("softmin([1, 2, 3])", shows: "[0.66524096, 0.24472847, 0.09003057]"),
            body: .whole(.alongAxis) { inputs in try (-array(inputs)).softmax(axis: whole(inputs, 1, "softmin", "axis")) }),
        ActivationRow(
            "hardmax", parameters: [axis], "1 at the first largest, else 0", derivative: "0",
            range: "{0, 1}", summary: "One-hot of the largest: what softmax tends to as scores grow.",
            example: .init("hardmax([1, 3, 3])", shows: "[0, 1, 0]"),
            body: .whole(.alongAxis) { inputs in
                try LaneFunction.hardmax.apply(array(inputs), axis: whole(inputs, 1, "hardmax", "axis"))
            }),
        ActivationRow(
            "sparsemax", parameters: [axis], "the nearest point of the simplex: max(xᵢ - τ, 0) with Σ = 1",
            derivative: "on the support S: diag(1) - 1 1ᵀ/|S|, else 0",
            range: "[0, 1]", summary: "softmax that gives exact zeros.",
            example: .init("sparsemax([0, 1, 1.5])", shows: "[0.00, 0.25, 0.75]"),
            body: .whole(.alongAxis) { inputs in
                try LaneFunction.sparsemax.apply(array(inputs), axis: whole(inputs, 1, "sparsemax", "axis"))
            }),
        ActivationRow(
            "maxout",
            parameters: [
                .init("W", nil, "the pieces' weights: (pieces, in, out)", mayBeArray: true),
                .init("b", 0, "the pieces' biases: (pieces, out)", mayBeArray: true),
            ],
            "the largest of x @ W[k] + b[k]", derivative: "that of the winning piece, of ties the first",
            range: "(-∞, ∞)", summary: "The largest of several linear functions of its input.",
            example: .init("maxout([1, 2], [[[1], [0]], [[0], [1]]], [[0], [0]])", shows: "[2]"),
            body: .whole(.pieces) { inputs in try maxout(array(inputs), inputs[1], inputs[2]) }),
    ]

    static let halved: [ActivationRow] = [
        gate("glu", "a σ(b)", "the gate is a sigmoid", "glu([1, 2, 0, 0])", "[0.5, 1.0]") { try NDArray.unary(.sigmoid, $0) },
        gate("reglu", "a relu(b)", "the gate is relu", "reglu([1, 2, -1, 3])", "[0, 6]") { try NDArray.unary(.relu, $0) },
        gate("geglu", "a gelu(b)", "the gate is gelu", "geglu([1, 2, 0, 1])", "[0.00000000, 1.68268949]") { try NDArray.unary(.gelu, $0) },
        gate("swiglu", "a silu(b)", "the gate is silu", "swiglu([1, 2, 0, 1])", "[0.00000000, 1.46211716]") { try NDArray.unary(.silu, $0) },
        gate("bilinear", "a b", "the gate is linear", "bilinear([1, 2, 3, 4])", "[3, 8]") { $0 },
        ActivationRow(
            "crelu", parameters: [gateAxis], "[relu(x), relu(-x)] along the axis", derivative: "x > 0: 1, else 0, beside x < 0: -1, else 0",
            range: "[0, ∞)", summary: "The positive and the negative part side by side: twice as many channels.",
            example: .init("crelu([-1, 2])", shows: "[0, 2, 1, 0]"),
            body: .whole(.doubling) { inputs in
                let x = try array(inputs)
                return try NDArray.concatenated([.unary(.relu, x), .unary(.relu, -x)], axis: position(inputs, x, "crelu"))
            }),
    ]
}

/// A row of the glu family: the first half of the last axis times a function of the second.
private func gate(
    _ name: String, _ formula: String, _ how: String, _ source: String, _ output: String, _ gate: @escaping @Sendable (NDArray) throws -> NDArray
) -> ActivationRow {
    ActivationRow(
        name, parameters: [gateAxis], "\(formula), a and b the halves along the axis", derivative: "through both halves",
        range: "(-∞, ∞)", summary: "A gated linear unit: the second half along an axis gates the first; \(how).",
        example: .init(source, shows: output),
        body: .whole(.halves) { inputs in
            let x = try array(inputs)
            let position = try position(inputs, x, name), size = x.shape[position]
            guard size % 2 == 0 else {
                throw ArrayError.badValue(operation: name, .oddSize(size, axis: position == x.rank - 1 ? nil : position))
            }
            func half(_ start: Int) throws -> NDArray {
                var ranges = x.shape.map { SliceRange(start: 0, step: 1, count: $0) }
                ranges[position] = SliceRange(start: start, step: 1, count: size / 2)
                return try x.sliced(ranges)
            }
            return try half(0) * gate(half(size / 2))
        })
}

/// The largest of x @ W[k] + b[k]; of ties the first.
private func maxout(_ x: NDArray, _ weights: Operand, _ bias: Operand) throws -> NDArray {
    guard case .array(let weights) = weights, weights.rank == 3 else {
        throw DerivativeError.parameter(row: "maxout", name: "W", .axes(["pieces", "in", "out"]))
    }
    let (pieces, size, out) = (weights.shape[0], weights.shape[1], weights.shape[2])
    guard pieces > 0 else { throw ArrayError.emptyReduction(operation: "maxout", shape: weights.shape) }
    guard x.shape.last == size else { throw ArrayError.shapesDoNotMultiply(x.shape, weights.shape) }
    let rows = try x.reshaped(to: [x.shape.dropLast().reduce(1) { $0 * $1 }, size])
    var largest: NDArray?
    for k in 0..<pieces {
        let w = try weights.sliced([
            SliceRange(start: k, step: 1, count: 1), SliceRange(start: 0, step: 1, count: size), SliceRange(start: 0, step: 1, count: out),
        ]).reshaped(to: [size, out])
        var piece = try NDArray.matmul(rows, w)
        switch bias {
        case .number(let number): if number != 0 { piece = try piece + number }
        case .array(let bias):
            guard bias.shape == [pieces, out] else {
                throw DerivativeError.parameter(row: "maxout", name: "b", .axes(["pieces", "out"]))
            }
            let ranges = [SliceRange(start: k, step: 1, count: 1), SliceRange(start: 0, step: 1, count: out)]
            piece = try piece + bias.sliced(ranges)
        }
        guard let best = largest else { largest = piece; continue }
        // NaN wins, and stays.
        let wins = try NDArray.logical(.or, .compare(.gt, .array(piece), .array(best)), .test(.isnan, piece))
        largest = try NDArray.select(wins, .array(piece), .array(best))
    }
    guard let largest else { throw ArrayError.emptyReduction(operation: "maxout", shape: weights.shape) }
    return try largest.reshaped(to: Array(x.shape.dropLast()) + [out])
}

/// The axis of the inputs of a gate, counted from the front.
private func position(_ inputs: [Operand], _ x: NDArray, _ row: String) throws -> Int {
    let axis = try whole(inputs, 1, row, "axis"), position = axis < 0 ? axis &+ x.rank : axis
    guard position >= 0, position < x.rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: x.rank) }
    return position
}

/// The x of a row's inputs.
private func array(_ inputs: [Operand]) throws -> NDArray {
    switch inputs[0] {
    case .array(let x): x.type == .bool ? try x.converted(to: .f64) : x
    case .number(let number): try NDArray.scalar(number, type: .f64)
    }
}

/// A parameter that must be a whole number.
private func whole(_ inputs: [Operand], _ position: Int, _ row: String, _ name: String) throws -> Int {
    let number: Double
    switch inputs[position] {
    case .number(let value): number = value
    case .array(let array): number = array.count == 1 ? try array.item() : .nan
    }
    guard let value = Int(exactly: number) else { throw DerivativeError.parameter(row: row, name: name, .notWhole) }
    return value
}
