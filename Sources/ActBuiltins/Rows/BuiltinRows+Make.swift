// Making arrays, numbers and bools.

import ActArray
import ActMachine
import ActRandom
import ActRows
import ActSyntax
import ActText

extension BuiltinRows {
    private static let zeros: DirectAnswer = { arguments, count, result in filled(0, arguments, count, result) }
    private static let ones: DirectAnswer = { arguments, count, result in filled(1, arguments, count, result) }

    /// An array of f64 by sizes one after the other.
    private static func filled(_ number: Double, _ arguments: UnsafeRawPointer, _ count: Int, _ result: UnsafeMutableRawPointer) -> Bool {
        guard count > 0, let sizes = sizes(arguments.assumingMemoryBound(to: Value.self), count),
            let array = try? NDArray.full(number, shape: sizes, type: .f64)
        else { return false }
        result.initializeMemory(as: Value.self, to: .array(array))
        return true
    }

    static let make: [Builtin] = [
        Builtin(
            .make, "range", "numbers from start up to, but without, stop",
            details: "`range(n)` counts from 0 to n - 1. Element i is start + i*step, the product rounded first; `stop` never appears, whatever the rounding.",
            example: "range(5)   # [0, 1, 2, 3, 4]\nrange(0, 1, 0.25)   # [0.00, 0.25, 0.50, 0.75]", treatment: .countsInLoops
        ) { takes in
            let start = takes.scalar("start"), stop = takes.valueOrNone("stop", role: .steps), step = takes.scalar("step", default: 1)
            return { call in
                let isCount = !call.isGiven(stop)
                return try Value(
                    NDArray.range(
                        from: isCount ? .number(0) : call[start], to: isCount ? call.number(start) : call.number(stop), by: call[step]))
            }
        },
        Builtin(
            .make, "linspace", "num numbers at equal distances, both ends included", details: "With `endpoint=false` without the last one.",
            example: "linspace(0, 1, 3)   # [0.0, 0.5, 1.0]"
        ) { takes in
            let start = takes.scalar("start"), stop = takes.scalar("stop"), num = takes.whole("num", default: 50),
                endpoint = takes.flag("endpoint", default: true)
            return { call in
                let count = try call[num]
                guard count >= 0 else { throw ArrayError.negativeSize(count) }
                if try call[endpoint] { return try Value(NDArray.linspace(from: call[start], to: call[stop], count)) }
                guard count < 1 << 48 else { throw ArrayError.tooLarge(shape: [count]) }
                return try Value(NDArray.linspace(from: call[start], to: call[stop], count + 1).sliced([SliceRange(start: 0, step: 1, count: count)]))
            }
        },
        Builtin(
            .make, "zeros", "an array of zeros",
            details: "The shape is written `zeros(2, 3)` or `zeros((2, 3))`.", example: "zeros(3)   # [0, 0, 0]", direct: zeros
        ) { takes in
            let shape = takes.sizes(), dtype = takes.elementType()
            return { call in try call.filled(0, shape: call[shape], type: call[dtype]) }
        },
        Builtin(
            .make, "ones", "an array of ones",
            details: "The shape is written `ones(2, 3)` or `ones((2, 3))`.", example: "ones(2, 2)   # [[1, 1],\n# [1, 1]]", direct: ones
        ) { takes in
            let shape = takes.sizes(), dtype = takes.elementType()
            return { call in try call.filled(1, shape: call[shape], type: call[dtype]) }
        },
        Builtin(
            .make, "full", "an array of one value", example: "full((2, 2), 7)   # [[7, 7],\n# [7, 7]]"
        ) { takes in
            let shape = takes.shape("shape"), fillValue = takes.value("fill_value"), dtype = takes.elementTypeOrNone()
            return { call in
                if case .bool(let bool) = call[fillValue] { return try call.filled(bool ? 1 : 0, shape: call[shape], type: call[dtype] ?? .bool) }
                let value = try call.array(fillValue)
                let type = try call[dtype] ?? value.type
                if value.rank == 0 && !value.isTraced { return try call.filled(value.item(), shape: call[shape], type: type) }
                return try Value(value.converted(to: type).broadcast(to: call[shape]))
            }
        },
        Builtin(
            .make, "eye", "N rows and M columns of zeros with ones where column - row is k",
            example: "eye(2)   # [[1, 0],\n# [0, 1]]"
        ) { takes in
            let n = takes.whole("N"), m = takes.wholeOrNone("M"), k = takes.whole("k", default: 0), dtype = takes.elementType()
            return { call in
                let rows = try call[n], columns = try call[m] ?? rows
                for size in [rows, columns] where size < 0 { throw ArrayError.negativeSize(size) }
                return try Value(NDArray.eye(rows, columns, call[k], type: call[dtype]))
            }
        },
        Builtin(
            .make, "array", "an array of what a number, list or array holds; lists of equal lengths nest",
            example: "array((1, 2, 3))   # [1, 2, 3]\narray((1, 0), dtype=\"bool\")   # [true, false]"
        ) { takes in
            let object = takes.value("object"), dtype = takes.elementTypeOrNone()
            return { call in
                let array = try call.nested(object)
                return .array(try call[dtype].map(array.converted) ?? array)
            }
        },
        Builtin(
            .make, "meshgrid", "grids of coordinates: the first vector varies along columns, the second along rows",
            example: "x, y = meshgrid([1, 2], [3, 4]); x   # [[1, 2],\n# [1, 2]]"
        ) { takes in
            let vectors = takes.rest("vectors")
            return { call in
                let arrays = try call[vectors].map { value in
                    let array = try call.array(value, vectors)
                    return array.rank == 0 ? try array.reshaped(to: [1]) : array
                }
                return try .list(NDArray.meshgrid(arrays).map { .array($0) })
            }
        },
        Builtin(
            .make, "one_hot", "for each label a row with 1 at the label and 0 elsewhere",
            details: "Labels are whole numbers from 0 to classes - 1; without `classes` the largest label decides.",
            example: "one_hot([0, 2], 3)   # [[1, 0, 0],\n# [0, 0, 1]]", role: .steps
        ) { takes in
            let labels = takes.array("labels"), classes = takes.wholeOrNone("classes"), dtype = takes.elementType()
            return { call in try Value(NDArray.oneHot(call[labels], classes: call[classes], type: call[dtype])) }
        },

        // MARK: Random numbers
        Builtin(
            .make, "rand", "random numbers, uniform from 0 up to 1", details: "Without a shape one number.",
            example: "seed(1); x = rand(1000); min(x) >= 0 and max(x) < 1   # true"
        ) { takes in
            let shape = takes.sizes(), dtype = takes.elementType()
            return { call in try Value(call.machine.random.uniform(shape: call[shape], type: call[dtype])) }
        },
        Builtin(
            .make, "randn", "random numbers of the standard normal distribution", details: "Without a shape one number.",
            example: "seed(1); shape(randn(2, 3))   # (2, 3)"
        ) { takes in
            let shape = takes.sizes(), dtype = takes.elementType()
            return { call in try Value(call.machine.random.normal(shape: call[shape], type: call[dtype])) }
        },
        Builtin(
            .make, "randint", "random whole numbers from low up to, but without, high",
            details: "`randint(n)` draws from 0 to n - 1. Without `size` one number.", example: "seed(1); all(randint(1, 7, size=100) <= 6)   # true"
        ) { takes in
            let low = takes.whole("low"), high = takes.wholeOrNone("high"), size = takes.shapeOrNone("size")
            return { call in
                let first = try call[low], last = try call[high]
                let (from, to) = last.map { (first, $0) } ?? (0, first)
                guard from < to else { throw last == nil ? call.fail(low, .within(.within(1...))) : call.fail(high, .moreThan("low")) }
                return try Value(call.machine.random.integers(from, to, shape: call[size] ?? []))
            }
        },
        Builtin(
            .make, "permutation", "the numbers from 0 to x - 1, or the rows of x, in random order",
            example: "seed(1); sort(permutation(4))   # [0, 1, 2, 3]"
        ) { takes in
            let x = takes.value("x")
            return { call in
                let machine = call.machine
                switch call[x] {
                case .number:
                    let count = try call.whole(x)
                    guard count >= 0 else { throw ArrayError.negativeSize(count) }
                    return try Value(machine.random.permutation(count))
                case .list(let list): return try .list(machine.random.permutation(list.elements.count).toDoubles().map { list.elements[Int($0)] })
                default:
                    let array = try call.array(x)
                    guard array.rank > 0 else { throw call.fail(x, .wholeOrSequence) }
                    return try Value(array.indexed(by: [.array(machine.random.permutation(array.shape[0]))]))
                }
            }
        },
        Builtin(
            .make, "seed", "makes random numbers begin anew: the same n gives the same numbers, on every machine",
            example: "seed(7); a = rand(3); seed(7); a == rand(3)   # [true, true, true]"
        ) { takes in
            let n = takes.whole("n")
            return { call in
                let number = try call[n]
                try NDArray.refuse(.draw)
                call.machine.random = RandomSource(seed: UInt64(bitPattern: Int64(number)))
                return .none
            }
        },

        // MARK: Conversion
        Builtin(.make, "f64", "x with 64-bit floating-point elements", example: "f64([true, false])   # [1, 0]") { takes in
            let x = takes.value("x")
            return { call in try call.converted(x, to: .f64) }
        },
        Builtin(.make, "f32", "x with 32-bit floating-point elements", example: "f32([0.1, 0.2]).dtype   # \"f32\"") { takes in
            let x = takes.value("x")
            return { call in try call.converted(x, to: .f32) }
        },
        Builtin(
            .make, "bool", "false where x is 0, true elsewhere", example: "bool([0, 1, 2])   # [false, true, true]", role: .steps
        ) { takes in
            let x = takes.value("x")
            return { call in try call.converted(x, to: .bool) }
        },
        Builtin(
            .make, "int", "x with its fraction cut off; of a string, the number it spells", example: "int(-2.7)   # -2\nint(\"42\")   # 42"
        ) { takes in
            let x = takes.value("x")
            return { call in
                switch call[x] {
                case .number(let number): return .number(number.rounded(.towardZero))
                case .string: return .number(try call.parsedNumber(x).rounded(.towardZero))
                default: return try Value(NDArray.unary(.trunc, call.numbers(x)))
                }
            }
        },
        Builtin(
            .make, "number", "the number that a string spells, or that an array of one element holds",
            example: "number(\"2.5\") + 1   # 3.5"
        ) { takes in
            let x = takes.value("x")
            return { call in
                if case .string = call[x] { return .number(try call.parsedNumber(x)) }
                switch try call.scalar(x) {
                case .number(let number): return .number(number)
                case .array(let array): return try Value(array.converted(to: .f64))
                }
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
    fileprivate func converted(_ x: Input<Value>, to type: ElementType) throws -> Value {
        switch (self[x], type) {
        case (.number(let number), .bool): return .bool(number != 0)
        case (.bool, .bool), (.number, .f64): return self[x]
        case (.number(let number), .f32):
            let single = Double(Float(number))
            if !single.isFinite { try machine.noteNumericEvent("f32", single, [number]) }
            return .number(single)
        case (.bool(let bool), _): return .number(bool ? 1 : 0)
        default: return try Value(array(x).converted(to: type))
        }
    }

    /// Lists in lists become axes.
    fileprivate func nested(_ object: Input<Value>) throws -> NDArray { try nested(self[object], object) }

    private func nested(_ value: Value, _ object: Input<Value>) throws -> NDArray {
        guard case .list(let list) = value else { return try array(value, object) }
        let elements = try list.elements.map { element -> Value in
            try Interrupt.check()
            if case .list = element { return .array(try nested(element, object)) }
            return element
        }
        guard case .array(let array) = try machine.makeArray(elements) else { throw fail(object, .arrayElements, value) }
        return array
    }

    fileprivate func parsedNumber(_ x: Input<Value>) throws -> Double {
        let text = try string(x)
        let spelled = try text.trimmingSpaces(Interrupt.check)
        guard let number = try DecimalText.number(Array(spelled.utf8), ignoring: UInt8(ascii: "_"), check: Interrupt.check) else {
            throw BuiltinRefusal.noNumber(text)
        }
        return number
    }
}
