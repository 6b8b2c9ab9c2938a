// Making arrays from numbers.

import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension NDArray {
    /// An array of the given elements in row-major order; numbers become bools by `≠ 0`.
    /// - Throws: `cannotReshape` when the shape holds another number of elements.
    package init(_ elements: [Double], shape: [Int], type: ElementType = .f64) throws {
        guard try Shapes.count(shape) == elements.count else { throw ArrayError.cannotReshape([elements.count], to: shape) }
        try self.init(shape: shape, type: type) { elements[$0] }
    }

    /// A bool array of the given elements in row-major order.
    package init(bools elements: [Bool], shape: [Int]) throws {
        guard try Shapes.count(shape) == elements.count else { throw ArrayError.cannotReshape([elements.count], to: shape) }
        try self.init(shape: shape, type: .bool) { elements[$0] ? 1 : 0 }
    }

    /// An array whose elements are all `value`.
    package static func full(_ value: Double, shape: [Int], type: ElementType) throws -> NDArray {
        if let array = try shapeAlone(shape, type) { return array }
        let array = try filled(value, shape: shape, type: type)
        NumericEvents.noteConversion(of: value, to: type, count: array.count)
        return array
    }

    /// The same for a value that is known to be too large for the type, if it is.
    private static func filled(_ value: Double, shape: [Int], type: ElementType) throws -> NDArray {
        let array = try uninitialized(shape: shape, type: type)
        try array.withMutableBytes { bytes in
            func fill(_ piece: Range<Int>) {
                if value == 0, value.sign == .plus {
                    memset(bytes + piece.lowerBound &* type.size, 0, piece.count &* type.size)
                    return
                }
                switch type {
                case .bool: (bytes.assumingMemoryBound(to: UInt8.self) + piece.lowerBound).update(repeating: value != 0 ? 1 : 0, count: piece.count)
                case .f32: (bytes.assumingMemoryBound(to: Float.self) + piece.lowerBound).update(repeating: Float(value), count: piece.count)
                case .f64: (bytes.assumingMemoryBound(to: Double.self) + piece.lowerBound).update(repeating: value, count: piece.count)
                }
            }
            if array.count < 1024 { fill(0..<array.count) } else { try ThreadPool.parallelPieces(array.count, fill) }
        }
        return array
    }

    /// An array of rank 0.
    package static func scalar(_ value: Double, type: ElementType) throws -> NDArray {
        try filled(value, shape: [], type: type)
    }

    /// `start + i * step` for i = 0, 1, … up to `stop`, which never appears, whatever the rounding.
    /// - Throws: `stepIsZero`; `badValue` when an argument is not finite; `tooLarge`.
    package static func range(_ start: Double, _ stop: Double, _ step: Double) throws -> NDArray {
        let count = try rangeCount(start: start, stop: stop, step: step)
        return try progression(start, step, count)
    }

    /// start + i · step for i = 0, 1 …
    private static func progression(_ start: Double, _ step: Double, _ count: Int) throws -> NDArray {
        let result = try FreshArray(shape: [count], type: .f64), y = result.elements(of: Double.self)
        try ThreadPool.parallelPieces(count) { piece in
            // Eight at a time; i as a double is exact.
            var i = piece.lowerBound, places = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7) + Double(i)
            while i &+ 8 <= piece.upperBound {
                UnsafeMutableRawPointer(y + i).storeBytes(of: start + places * step, as: SIMD8<Double>.self)
                places += 8
                i &+= 8
            }
            while i < piece.upperBound {
                y[i] = start + Double(i) * step
                i &+= 1
            }
        }
        return result.finished()
    }

    /// How many elements `range` has. Throws what it throws.
    package static func rangeCount(start: Double, stop: Double, step: Double) throws -> Int {
        guard start.isFinite, stop.isFinite, step.isFinite else {
            throw ArrayError.badValue(operation: "range", .infiniteRange)
        }
        guard step != 0 else { throw ArrayError.stepIsZero }
        let span = stop - start
        let steps = span.isFinite ? span / step : stop / step - start / step
        guard steps > 0 else { return 0 }
        guard steps < 0x1p48 else { throw ArrayError.tooLarge(shape: [Int.max]) }
        // A quotient that is whole up to the rounding of the arguments is whole.
        let doubt = min(1e-3, 4 * Double.ulpOfOne * (abs(start) + abs(stop)) / abs(step))
        let whole = steps.rounded()
        var count = Int(abs(steps - whole) <= doubt ? whole : steps.rounded(.up))
        while count > 0, step > 0 ? start + Double(count - 1) * step >= stop : start + Double(count - 1) * step <= stop { count -= 1 }
        return count
    }

    /// `n` numbers at equal distances, the first `a` and the last exactly `b`.
    package static func linspace(_ a: Double, _ b: Double, _ n: Int) throws -> NDArray {
        let last = n - 1, steps = Double(max(1, last))
        let step = (b - a) / steps
        let overflows = a.isFinite && b.isFinite && !step.isFinite
        // A step among the smallest numbers lacks digits that many steps would show.
        let isCoarse = step.magnitude < 0x1p-960
        let result: NDArray
        if isCoarse || overflows {
            result = try NDArray(shape: [n], type: .f64) { i in
                if isCoarse { return a + Double(i) * (b - a) / steps }
                let part = Double(i) / steps
                return a * (1 - part) + b * part
            }
        } else {
            result = try progression(a, step, n)
        }
        if last > 0 { result.withMutableBytes { $0.storeBytes(of: b, toByteOffset: last &* 8, as: Double.self) } }
        if !a.isFinite || !b.isFinite {
            try NumericEvents.examine("linspace", result) { try NDArray.test($0, NDArray([a, b], shape: [2])).reduced(.any) }
        }
        return result
    }

    /// The same between ends that a derivative may follow.
    package static func linspace(from a: Operand, to b: Operand, _ n: Int) throws -> NDArray {
        let value = try linspace(a.item(), b.item(), n)
        guard a.isTraced || b.isTraced else { return value }
        let parts = try linspace(0, 1, n)
        return try Line.through(a, 1 - parts, b, parts, value: value, "linspace")
    }

    /// `range` from a start in steps that a derivative may follow; where it stops only decides how many elements there are.
    package static func range(from start: Operand, to stop: Double, by step: Operand) throws -> NDArray {
        let value = try range(start.item(), stop, step.item())
        guard start.isTraced || step.isTraced else { return value }
        let places = try progression(0, 1, value.count)
        return try Line.through(start, NDArray.full(1, shape: value.shape, type: .f64), step, places, value: value, "range")
    }

    /// `n` rows and `m` columns of zeros, with ones where column − row is `k`.
    package static func eye(_ n: Int, _ m: Int? = nil, _ k: Int = 0, type: ElementType = .f64) throws -> NDArray {
        let columns = m ?? n
        let array = try full(0, shape: [n, columns], type: type)
        // The rows whose column is there: of a matrix without columns there may be more than anyone can count.
        let shift = min(max(k, -(1 << 62)), 1 << 62)
        let first = max(0, 0 - shift), count = max(0, min(n, columns - shift) - first)
        try array.withMutableBytes { bytes in
            try Interrupt.forEachPiece(count) { piece in
                for row in first + piece.lowerBound..<first + piece.upperBound {
                    let position = row &* columns &+ row &+ shift
                    switch type {
                    case .bool: bytes.assumingMemoryBound(to: UInt8.self)[position] = 1
                    case .f32: bytes.assumingMemoryBound(to: Float.self)[position] = 1
                    case .f64: bytes.assumingMemoryBound(to: Double.self)[position] = 1
                    }
                }
            }
        }
        return array
    }

    /// An array whose elements are whatever the memory held, to be filled through `withMutableBytes` before anyone else sees it.
    package static func uninitialized(shape: [Int], type: ElementType) throws -> NDArray {
        try uninitialized(shape: shape, count: Shapes.count(shape), type: type)
    }

    static func uninitialized(shape: [Int], count: Int, type: ElementType) throws -> NDArray {
        let layout = Layout(storage: try Storage(byteCount: count &* type.size), offset: 0, strides: nil)
        return NDArray(data: layout, shape: shape, count: count, type: type)
    }

    /// An array of given data that has forgotten how it was made.
    init(data layout: Layout, shape: [Int], count: Int, type: ElementType) {
        node = Node(.data, inputs: Inputs(), shape: shape, count: count, type: type, isTraced: false, site: .current, layout: layout)
    }

    private init(shape: [Int], type: ElementType, element: (Int) -> Double) throws {
        self = try NDArray.uninitialized(shape: shape, type: type)
        try withMutableBytes { bytes in
            try ThreadPool.parallelPieces(count) { piece in
                switch type {
                case .bool:
                    let target = bytes.assumingMemoryBound(to: UInt8.self)
                    for i in piece { target[i] = element(i) != 0 ? 1 : 0 }
                case .f32:
                    let target = bytes.assumingMemoryBound(to: Float.self)
                    for i in piece { target[i] = Float(element(i)) }
                case .f64:
                    let target = bytes.assumingMemoryBound(to: Double.self)
                    for i in piece { target[i] = element(i) }
                }
            }
        }
    }
}

extension Operand {
    /// The number that it is at the moment: to compute with, not to decide by.
    /// - Throws: `badValue` unless there is one element.
    package func item() throws -> Double {
        switch self {
        case .number(let number): number
        case .array(let array): try array.detached().item()
        }
    }

    package func moved(by distance: Double) throws -> Operand {
        switch self {
        case .number(let number): .number(number + distance)
        case .array(let array): .array(try array + distance)
        }
    }
}

/// Elements a·p + b·q for two numbers a and b: the numbers get the sums of what reaches the elements, times p and q.
private final class Line: CustomFunction {
    let name: String
    let isElementwise = false
    private let weights: [NDArray]
    /// The numbers that are not inputs, with their weights.
    private let fixed: [(number: Operand, weight: NDArray)]

    private init(_ name: String, _ weights: [NDArray], fixed: [(number: Operand, weight: NDArray)]) {
        self.name = name
        self.weights = weights
        self.fixed = fixed
    }

    /// - Parameter value: The elements.
    static func through(_ a: Operand, _ p: NDArray, _ b: Operand, _ q: NDArray, value: NDArray, _ name: String) throws -> NDArray {
        var inputs: [NDArray] = [], weights: [NDArray] = [], fixed: [(number: Operand, weight: NDArray)] = []
        for (number, weight) in [(a, p), (b, q)] {
            guard case .array(let array) = number, array.isTraced else {
                fixed.append((number, weight))
                continue
            }
            inputs.append(array)
            weights.append(weight)
        }
        return try NDArray.custom(Line(name, weights, fixed: fixed), inputs: inputs, value: value)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        try zip(weights, inputs).map { try ($0 * cotangent).reduced(.sum).converted(to: $1.type).reshaped(to: $1.shape) }
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let terms = try zip(x, weights).map { try $0 * $1 } + fixed.map { try NDArray.binary(.mul, $0.number, .array($0.weight)) }
        guard let first = terms.first else { return nil }
        return try terms.dropFirst().reduce(first) { try $0 + $1 }
    }
}
