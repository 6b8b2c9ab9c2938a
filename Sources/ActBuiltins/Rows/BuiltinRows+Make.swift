// Making arrays, numbers and bools.

import ActArray
import ActMachine
import ActSyntax
import ActText

extension BuiltinRows {
    static let make: [Builtin] = [
        Builtin(
            .make, "range(start, stop=none, step=1)", "numbers from start up to, but without, stop",
            details: "`range(n)` counts from 0 to n - 1. Element i is start + i*step, the product rounded first; `stop` never appears, whatever the rounding.",
            example: "range(5)   # [0, 1, 2, 3, 4]\nrange(0, 1, 0.25)   # [0.00, 0.25, 0.50, 0.75]"
        ) { call in
            let isCount = !call.isGiven(1)
            return try Value(NDArray.range(
                from: isCount ? .number(0) : call.followedNumber(0), to: call.number(isCount ? 0 : 1), by: call.followedNumber(2, default: 1)))
        },
        Builtin(
            .make, "linspace(start, stop, num=50)", "num numbers at equal distances, both ends included",
            example: "linspace(0, 1, 3)   # [0.0, 0.5, 1.0]"
        ) { call in
            let count = try call.whole(2, default: 50)
            guard count >= 0 else { throw ArrayError.negativeSize(count) }
            return try Value(NDArray.linspace(from: call.followedNumber(0), to: call.followedNumber(1), count))
        },
        Builtin(
            .make, "zeros(shape…, dtype=\"f64\")", "an array of zeros",
            details: "The shape is written `zeros(2, 3)` or `zeros((2, 3))`.", example: "zeros(3)   # [0, 0, 0]"
        ) { call in try call.filled(0, shape: call.shapeFromRest(0), type: call.elementType(1)) },
        Builtin(
            .make, "ones(shape…, dtype=\"f64\")", "an array of ones",
            details: "The shape is written `ones(2, 3)` or `ones((2, 3))`.", example: "ones(2, 2)   # [[1, 1],\n# [1, 1]]"
        ) { call in try call.filled(1, shape: call.shapeFromRest(0), type: call.elementType(1)) },
        Builtin(
            .make, "full(shape, fill_value, dtype=none)", "an array of one value", example: "full((2, 2), 7)   # [[7, 7],\n# [7, 7]]"
        ) { call in
            if case .bool(let bool) = call.values[1] { return try call.filled(bool ? 1 : 0, shape: call.shape(0), type: call.elementType(2, default: .bool)) }
            let value = try call.array(1)
            let type = try call.elementType(2, default: value.type)
            if value.rank == 0 && !value.isTraced { return try call.filled(value.item(), shape: call.shape(0), type: type) }
            return try Value(value.converted(to: type).broadcast(to: call.shape(0)))
        },
        Builtin(
            .make, "eye(N, M=none, k=0, dtype=\"f64\")", "N rows and M columns of zeros with ones where column - row is k",
            example: "eye(2)   # [[1, 0],\n# [0, 1]]"
        ) { call in
            let rows = try call.whole(0)
            let columns = try call.whole(1, default: rows)
            for size in [rows, columns] where size < 0 { throw ArrayError.negativeSize(size) }
            return try Value(NDArray.eye(rows, columns, call.whole(2, default: 0), type: call.elementType(3)))
        },
        Builtin(
            .make, "array(object, dtype=none)", "an array of what a number, list or array holds; lists of equal lengths nest",
            example: "array((1, 2, 3))   # [1, 2, 3]\narray((1, 0), dtype=\"bool\")   # [true, false]"
        ) { call in
            let array = try call.nested(call.values[0])
            return .array(call.isGiven(1) ? try array.converted(to: call.elementType(1)) : array)
        },
        Builtin(
            .make, "meshgrid(vectors…)", "grids of coordinates: the first vector varies along columns, the second along rows",
            example: "x, y = meshgrid([1, 2], [3, 4]); x   # [[1, 2],\n# [1, 2]]"
        ) { call in
            let vectors = try call.rest.map { value in
                let array = try call.array(value, 0)
                return array.rank == 0 ? try array.reshaped(to: [1]) : array
            }
            return try .list(NDArray.meshgrid(vectors).map { .array($0) })
        },
        Builtin(
            .make, "one_hot(labels, classes=none, dtype=\"f64\")", "for each label a row with 1 at the label and 0 elsewhere",
            details: "Labels are whole numbers from 0 to classes - 1; without `classes` the largest label decides.",
            example: "one_hot([0, 2], 3)   # [[1, 0, 0],\n# [0, 0, 1]]"
        ) { call in try Value(NDArray.oneHot(call.array(0), classes: call.wholeIfGiven(1), type: call.elementType(2))) },

        // MARK: Random numbers
        Builtin(
            .make, "rand(shape…, dtype=\"f64\")", "random numbers, uniform from 0 up to 1", details: "Without a shape one number.",
            example: "seed(1); x = rand(1000); min(x) >= 0 and max(x) < 1   # true"
        ) { call in try Value(call.machine.random.uniform(shape: call.shapeFromRest(0), type: call.elementType(1))) },
        Builtin(
            .make, "randn(shape…, dtype=\"f64\")", "random numbers of the standard normal distribution", details: "Without a shape one number.",
            example: "seed(1); shape(randn(2, 3))   # (2, 3)"
        ) { call in try Value(call.machine.random.normal(shape: call.shapeFromRest(0), type: call.elementType(1))) },
        Builtin(
            .make, "randint(low, high=none, size=none)", "random whole numbers from low up to, but without, high",
            details: "`randint(n)` draws from 0 to n - 1. Without `size` one number.", example: "seed(1); all(randint(1, 7, size=100) <= 6)   # true"
        ) { call in
            let first = try call.whole(0)
            let (low, high) = call.isGiven(1) ? (first, try call.whole(1)) : (0, first)
            guard low < high else { throw call.fail(call.isGiven(1) ? 1 : 0, call.isGiven(1) ? "more than low" : "1 or more") }
            return try Value(call.machine.random.integers(low, high, shape: call.isGiven(2) ? call.shape(2) : []))
        },
        Builtin(
            .make, "permutation(x)", "the numbers from 0 to x - 1, or the rows of x, in random order",
            example: "seed(1); sort(permutation(4))   # [0, 1, 2, 3]"
        ) { call in
            let machine = call.machine
            switch call.values[0] {
            case .number:
                let count = try call.whole(0)
                guard count >= 0 else { throw ArrayError.negativeSize(count) }
                return try Value(machine.random.permutation(count))
            case .list(let list): return try .list(machine.random.permutation(list.elements.count).toDoubles().map { list.elements[Int($0)] })
            default:
                let array = try call.array(0)
                guard array.rank > 0 else { throw call.fail(0, "a whole number, an array or a list") }
                return try Value(array.indexed(by: [.array(machine.random.permutation(array.shape[0]))]))
            }
        },
        Builtin(
            .make, "seed(n)", "makes random numbers begin anew: the same n gives the same numbers, on every machine",
            example: "seed(7); a = rand(3); seed(7); a == rand(3)   # [true, true, true]"
        ) { call in
            let number = try call.whole(0)
            call.machine.random = RandomSource(seed: UInt64(bitPattern: Int64(number)))
            return .none
        },

        // MARK: Conversion
        Builtin(.make, "f64(x)", "x with 64-bit floating-point elements", example: "f64([true, false])   # [1, 0]") { call in try call.converted(to: .f64) },
        Builtin(.make, "f32(x)", "x with 32-bit floating-point elements", example: "f32([0.1, 0.2]).dtype   # \"f32\"") { call in try call.converted(to: .f32) },
        Builtin(
            .make, "bool(x)", "false where x is 0, true elsewhere", example: "bool([0, 1, 2])   # [false, true, true]"
        ) { call in try call.converted(to: .bool) },
        Builtin(
            .make, "int(x)", "x with its fraction cut off; of a string, the number it spells", example: "int(-2.7)   # -2\nint(\"42\")   # 42"
        ) { call in
            switch call.values[0] {
            case .number(let number): return .number(number.rounded(.towardZero))
            case .string: return .number(try call.parsedNumber(0).rounded(.towardZero))
            default: return try Value(NDArray.unary(.trunc, call.numbers(0)))
            }
        },
        Builtin(
            .make, "number(x)", "the number that a string spells, or that an array of one element holds",
            example: "number(\"2.5\") + 1   # 3.5"
        ) { call in
            if case .string = call.values[0] { return .number(try call.parsedNumber(0)) }
            switch try call.followedNumber(0) {
            case .number(let number): return .number(number)
            case .array(let array): return try Value(array.converted(to: .f64))
            }
        },
    ]
}

extension Call {
    fileprivate func filled(_ value: Double, shape: [Int], type: ElementType) throws -> Value {
        if let negative = shape.first(where: { $0 < 0 }) { throw ArrayError.negativeSize(negative) }
        return try Value(NDArray.full(value, shape: shape, type: type))
    }

    /// A number stays a number, to the precision of the type.
    fileprivate func converted(to type: ElementType) throws -> Value {
        switch (values[0], type) {
        case (.number(let number), .bool): return .bool(number != 0)
        case (.bool, .bool), (.number, .f64): return values[0]
        case (.number(let number), .f32):
            let single = Double(Float(number))
            if !single.isFinite { try machine.noteNumericEvent("f32", single, [number]) }
            return .number(single)
        case (.bool(let bool), _): return .number(bool ? 1 : 0)
        default: return try Value(array(0).converted(to: type))
        }
    }

    /// Lists in lists become axes.
    fileprivate func nested(_ value: Value) throws -> NDArray {
        guard case .list(let list) = value else { return try array(value, 0) }
        let elements = try list.elements.map { element -> Value in
            try Interrupt.check()
            if case .list = element { return .array(try nested(element)) }
            return element
        }
        guard case .array(let array) = try machine.makeArray(elements) else { throw fail(0, "numbers, bools, arrays or lists of them", value) }
        return array
    }

    fileprivate func parsedNumber(_ index: Int) throws -> Double {
        let text = try string(index)
        let spelled = try text.trimmingSpaces(Interrupt.check)
        guard let number = try DecimalText.number(Array(spelled.utf8), ignoring: UInt8(ascii: "_"), check: Interrupt.check) else {
            throw cannot("\(Format.quoted(String(text.prefix(40)))) spells no number", help: "a number is written like 2.5 or 1e-3")
        }
        return number
    }
}
