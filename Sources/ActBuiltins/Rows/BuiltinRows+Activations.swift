// Activation functions as built-ins: a loop over the rows.

import ActArray
import ActGrad
import ActMachine

extension BuiltinRows {
    static let activations: [Builtin] = Activations.all.map { Builtin($0) }
}

extension Call {
    /// The row of the called function, or its derivative of the given order, at the arguments.
    func activation(_ row: ActivationRow, order: Int) throws -> Value {
        var parameters: [Operand] = []
        for index in 1..<max(1, values.count) {
            guard isSet(at: index) else {
                guard row.parameters[index - 1].default == nil || index + 1 < values.count && (index + 1..<values.count).contains(where: isSet(at:)) else {
                    break
                }
                parameters.append(.number(row.parameters[index - 1].default ?? .nan))
                continue
            }
            parameters.append(try operand(value(at: index), at: index))
        }
        if case .number(let x) = value(at: 0) {
            let plain = parameters.compactMap { if case .number(let number) = $0 { return number } else { return nil } }
            let all = plain + row.parameters.dropFirst(plain.count).map { $0.default ?? .nan }
            if plain.count == parameters.count, let y = order == 0 ? row(x, all) : row.derivative(x, all, order: order) {
                if !y.isFinite { try machine.noteNumericEvent(row.name, y, [x]) }
                // A slope of 0 has no sign.
                return .number(order == 0 ? y : y + 0)
            }
        }
        // Formulas of parameters alone are numbers, which no array operation watches: then the result is looked at.
        if NumericEvents.isEnabled, parameters.contains(where: { if case .number(let number) = $0 { number.isInfinite } else { false } }) {
            NumericEvents.add([NumericEvent(kind: .invalid, operation: "", site: .current, count: 1, first: 0, example: [])])
        }
        var x = try array(value(at: 0), at: 0)
        if x.type == .bool { x = try x.converted(to: .f64) }
        if order == 0 { return try Value(row.apply(x, parameters)) }
        let slope = try row.derivative(x, parameters, order: order)
        return try Value(slope.node.primitive.isSlope ? slope : slope + 0)
    }
}
