// The derivative of every primitive, graph to graph: what reaches a node (its cotangent) → what reaches its inputs, written with array
// operations, so that the derivative of a derivative needs nothing more.
//
// What must stay true:
// - A cotangent has the shape and element type of the array it belongs to.
// - Rules are linear in the cotangent and never look at its values.
// - A factor of 0 ends a chain: what was not selected contributes 0 even where the rest is infinite or NaN. `Hazards` tells where that
//   can happen at all, so that smooth functions pay nothing for it. Products that are numbers are left as they are: whether hazards
//   are minded changes no bit of them, not even the sign of a zero.

import ActArray

/// What a cotangent may hold because of the operations it came through.
struct Hazards: OptionSet {
    let rawValue: UInt8
    /// Zeros that mean "this element does not matter".
    static let zeros = Hazards(rawValue: 1)
    /// Infinities where a slope has a pole or overflows.
    static let infinities = Hazards(rawValue: 2)
    static let all: Hazards = [.zeros, .infinities]

    /// The product of a cotangent and a slope: 0 instead of NaN where a factor of 0 ends the chain.
    func product(_ cotangent: Double, _ slope: Double) -> Double {
        let product = cotangent * slope
        let isEnded = product.isNaN && (contains(.zeros) && cotangent == 0 || contains(.infinities) && slope == 0)
        return isEnded ? 0 : product
    }
}

package enum Rule {
    /// What reaches the inputs of `node`, given what reaches it; `nil` where an input gets nothing.
    /// - Parameters:
    ///   - inputs, result: The node's own, or untraced stand-ins for them.
    ///   - dependsOn: Which inputs depend on the variables; the others get `nil`.
    ///   - hazards: What `cotangent` may hold.
    /// - Throws: `DerivativeError.notDifferentiable`, or `ArrayError` when memory is short.
    static func pullback(
        of node: Node, inputs: [NDArray], result: NDArray, cotangent c: NDArray, dependsOn: [Bool], hazards: Hazards
    ) throws -> [NDArray?] {
        let contributions: [NDArray?]
        switch node.primitive {
        case .data, .compare, .test, .logical: return inputs.map { _ in nil }
        case .variable: return inputs.map { _ in c }

        case .unary(let operation):
            contributions = [try product(c, Slopes.unary[Int(operation.rawValue)], [.array(inputs[0])], result, hazards)]
        case .binary(let operation): contributions = try binary(operation, inputs, result, c, dependsOn, hazards)
        case .select:
            let (then, otherwise) = (dependsOn[1], dependsOn[2])
            contributions = [
                nil, then ? try NDArray.select(inputs[0], .array(c), .number(0)) : nil,
                otherwise ? try NDArray.select(inputs[0], .number(0), .array(c)) : nil,
            ]
        case .convert: contributions = [inputs[0].type == .bool ? nil : c]

        case .reshape: contributions = [try c.reshaped(to: inputs[0].shape)]
        case .transpose(let permutation):
            var inverse = permutation
            for (axis, source) in permutation.enumerated() { inverse[source] = axis }
            contributions = [try c.transposed(inverse)]
        case .broadcast: contributions = [c]
        case .slice(let ranges): contributions = [try c.unsliced(ranges, shape: inputs[0].shape)]
        case .unslice(let ranges): contributions = [try c.sliced(ranges)]
        case .gather(let indices):
            let isFollowed = inputs.count > 1 && inputs[1].isTraced
            contributions = [
                try isFollowed
                    ? c.scatteredAdd(at: inputs[1], chunk: indices.chunk, shape: inputs[0].shape) : c.scatteredAdd(indices, shape: inputs[0].shape)
            ]
        case .scatterAdd(let indices):
            let isFollowed = inputs.count > 1 && inputs[1].isTraced
            contributions = [
                try isFollowed ? c.gathered(at: inputs[1], chunk: indices.chunk, shape: inputs[0].shape) : c.gathered(indices, shape: inputs[0].shape)
            ]
        case .concatenate(let axis): contributions = try parts(of: c, like: inputs, axis: axis, wanted: dependsOn)

        case .matmul:
            contributions = [
                dependsOn[0] ? try NDArray.matmul(c, transposedMatrix(inputs[1])) : nil,
                dependsOn[1] ? try NDArray.matmul(transposedMatrix(inputs[0]), c) : nil,
            ]
        case .reduce(let operation, let axes): contributions = [try reduce(operation, axes, inputs[0], result, c, hazards)]
        case .cumulative(let operation, let axis, let reversed):
            contributions = [try cumulative(operation, axis, reversed, inputs[0], result, c)]
        case .normalize(let operation, let axis): contributions = [try normalize(operation, axis, result, c)]
        case .custom(let row as RowFunction):
            contributions = try row.pullback(cotangent: c, inputs: inputs, result: result, hazards: hazards)
        case .custom(let function): contributions = try function.pullback(cotangent: c, inputs: inputs, result: result, wanted: dependsOn)
        }
        return try zip(contributions, inputs).enumerated().map { i, pair in
            guard dependsOn[i], let contribution = pair.0 else { return nil }
            return try summed(contribution, to: pair.1.shape).converted(to: pair.1.type)
        }
    }

    // MARK: Elementwise

    private static func binary(
        _ operation: BinaryOperation, _ inputs: [NDArray], _ result: NDArray, _ c: NDArray, _ dependsOn: [Bool], _ hazards: Hazards
    ) throws -> [NDArray?] {
        let operands = zip(inputs, dependsOn).map { $1 ? .array($0) : operand($0) }
        let exponent: Double? = if case .number(let value) = operands[1] { value } else { nil }
        let slopes = BinarySlopes(operation, varies: (dependsOn[0], dependsOn[1]), exponent: exponent)
        let second = slopes.isSecondExchanged ? [operands[1], operands[0]] : operands
        return [
            dependsOn[0] ? try product(c, slopes.first, operands, result, hazards) : nil,
            dependsOn[1] ? try product(c, slopes.second, second, result, hazards) : nil,
        ]
    }

    /// `cotangent * slope` for a slope that is a formula; `nil` if the formula is 0.
    private static func product(
        _ c: NDArray, _ slope: FormulaProgram, _ operands: [Operand], _ result: NDArray, _ hazards: Hazards
    ) throws -> NDArray? {
        slope.constant == 0 ? nil : try product(c, slope(operands, result: result), hazards)
    }

    /// A constant that is the same everywhere takes part as a number.
    private static func operand(_ array: NDArray) -> Operand {
        if array.rank == 0, let value = array.uniformValue { .number(value) } else { .array(array) }
    }

    /// `cotangent * slope`, where a factor of 0 gives 0 whatever the other is.
    static func product(_ c: NDArray, _ slope: Operand, _ hazards: Hazards) throws -> NDArray {
        switch slope {
        case .number(1): return c
        case .number(let slope) where slope.isFinite && slope != 0:
            // As an array of f32 meets a number: that is rounded first.
            if let value = c.uniformValue { return try c.filled(value * (c.type == .f32 && slope.fitsF32 ? Double(Float(slope)) : slope)) }
            return try c * slope
        case .number(let slope): return try product(c, .array(NDArray.scalar(slope, type: c.type)), hazards)
        case .array(let slope):
            if !c.isTraced, !slope.isTraced { return try absorbing(c, slope, hazards) }
            if hazards.isEmpty { return try (c * slope).converted(to: c.type) }
            return try NDArray.custom(Product.shared, inputs: [c, slope], value: absorbing(c.detached(), slope.detached(), hazards))
        }
    }

    /// The product of untraced arrays in which 0 times anything is 0. The result has the shape and type of `c`.
    private static func absorbing(_ c: NDArray, _ slope: NDArray, _ hazards: Hazards) throws -> NDArray {
        if let value = slope.uniformValue {
            if let other = c.uniformValue { return try c.filled(hazards.product(other, value)) }
            if value == 1 { return c }
            if value.isFinite, value != 0 { return try c * value }
        } else if let value = c.uniformValue, value.isFinite, value != 0, slope.shape == c.shape {
            let slope = try slope.converted(to: c.type)
            return value == 1 ? slope : try slope * value
        }
        let product = try (c * slope).converted(to: c.type)
        let isZero: NDArray
        switch hazards {
        case []: return product
        case .zeros: isZero = try .compare(.eq, .array(c), .number(0))
        case .infinities: isZero = try .compare(.eq, .array(slope), .number(0))
        default: isZero = try .logical(.or, .compare(.eq, .array(c), .number(0)), .compare(.eq, .array(slope), .number(0)))
        }
        return try NDArray.select(.logical(.and, isZero, .test(.isnan, product)), .number(0), .array(product))
    }

    /// The product of a cotangent and a slope as one traced operation: linear in both, also where one of them is 0 at the moment.
    package final class Product: CustomFunction, Sendable {
        static let shared = Product()
        package var name: String { "*" }
        package var isElementwise: Bool { true }

        package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
            [try Rule.product(cotangent, .array(inputs[1]), .all), try Rule.product(cotangent, .array(inputs[0]), .all)]
        }

        package func lowered(_ x: [NDArray]) throws -> NDArray? { try Rule.absorbing(x[0], x[1], .all) }
    }

    /// What an operation adds to the cotangents that pass through it.
    static func hazards(of primitive: Primitive) -> Hazards {
        switch primitive {
        case .unary(let operation): operation.course.hazards
        case .binary(let operation): operation.course.hazards
        case .select, .slice, .gather, .reduce(.min, _), .reduce(.max, _): .zeros
        case .custom(let row as RowFunction): row.kinkPoints.isEmpty ? [] : .zeros
        case .custom(let function): function is VariableMark || function is WrittenArray ? [] : function is RangeWrite ? .zeros : .all
        case .data, .variable, .compare, .test, .logical, .convert, .reshape, .transpose, .broadcast, .unslice, .scatterAdd, .concatenate,
            .matmul, .reduce, .cumulative, .normalize:
            []
        }
    }

    /// Whether the rule of an operation multiplies by slopes, so that hazards matter to it.
    static func minds(_ primitive: Primitive) -> Bool {
        switch primitive {
        case .custom(let function): !(function is WrittenArray || function is RangeWrite)
        case .unary, .binary, .reduce(.prod, _): true
        case .data, .variable, .compare, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .gather,
            .scatterAdd, .concatenate, .matmul, .reduce, .cumulative, .normalize:
            false
        }
    }

    // MARK: Shapes

    /// Broadcasting undone: the sum over the axes along which `shape` was stretched.
    static func summed(_ c: NDArray, to shape: [Int]) throws -> NDArray {
        if c.shape == shape { return c }
        let lead = c.rank - shape.count
        guard lead >= 0 else { return try c.broadcast(to: shape) }
        let axes = (0..<c.rank).filter { $0 < lead || shape[$0 - lead] == 1 && c.shape[$0] != 1 }
        return try c.reduced(.sum, axes: axes, keepdims: false).reshaped(to: shape)
    }

    /// With the reduced `axes` back, as axes of size 1.
    static func restoring(_ axes: [Int], _ array: NDArray) throws -> NDArray {
        try axes.sorted().reduce(array) { try $0.expandedDims($1) }
    }

    private static func transposedMatrix(_ array: NDArray) throws -> NDArray {
        var permutation = Array(0..<array.rank)
        permutation.swapAt(array.rank - 1, array.rank - 2)
        return try array.transposed(permutation)
    }

    private static func parts(of c: NDArray, like inputs: [NDArray], axis: Int, wanted: [Bool]) throws -> [NDArray?] {
        var start = 0
        return try inputs.enumerated().map { i, input in
            defer { start += input.shape[axis] }
            guard wanted[i] else { return nil }
            var ranges = c.shape.map { SliceRange(start: 0, step: 1, count: $0) }
            ranges[axis] = SliceRange(start: start, step: 1, count: input.shape[axis])
            return try c.sliced(ranges)
        }
    }
}

extension NDArray {
    /// The value of all elements when it can be seen without computing anything: one stored element, shown everywhere, untraced.
    var uniformValue: Double? {
        guard !isTraced, count > 0, type != .bool, let layout = node.layout else { return nil }
        if count > 1 {
            guard let strides = layout.strides else { return nil }
            for (size, stride) in zip(shape, strides) where size > 1 && stride != 0 { return nil }
        }
        let element = layout.storage.pointer + layout.offset &* type.size
        return type == .f32 ? Double(element.load(as: Float.self)) : element.load(as: Double.self)
    }

    /// An array of this shape and type whose elements are all `value`, stored once.
    func filled(_ value: Double) throws -> NDArray {
        try NDArray.scalar(value, type: type).broadcast(to: shape)
    }
}
