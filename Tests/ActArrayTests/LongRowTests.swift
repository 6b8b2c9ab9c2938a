// Rows along any axis, long rows in pieces, views with gaps, and what threads must not change. Expected values are plain loops here.

import ActArray
import ActOrder
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct LongRowTests {
    /// Numbers in −1 ..< 1 without pattern, the same on every run.
    private static func noise(_ count: Int, seed: UInt64 = 1) -> [Double] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(Int32(truncatingIfNeeded: state >> 32)) / 0x1p31
        }
    }

    private func close(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance || $0.isNaN && $1.isNaN }
    }

    /// The same with one thread and with three.
    private func sameOnThreads(_ body: () throws -> [Double]) throws -> [Double] {
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        ThreadPool.count = 1
        let one = try body()
        ThreadPool.count = 3
        let three = try body()
        #expect(one.map(\.bitPattern) == three.map(\.bitPattern))
        return three
    }

    @Test(arguments: [65_535, 65_536, 200_001])
    func longRowsAreRows(n: Int) throws {
        let numbers = Self.noise(n).map { $0 * 20 }, x = try NDArray(numbers, shape: [n])
        let largest = numbers.max() ?? 0, total = numbers.reduce(0) { $0 + exp($1 - largest) }
        #expect(try close(sameOnThreads { try x.softmax().toDoubles() }, numbers.map { exp($0 - largest) / total }, 1e-15))
        let logarithms = numbers.map { $0 - largest - log(total) }
        #expect(try close(sameOnThreads { try x.logSoftmax().toDoubles() }, logarithms, 1e-12))
        #expect(try close(x.converted(to: .f32).logSoftmax().toDoubles(), logarithms, 1e-5))
        var sum = 0.0
        #expect(
            try close(
                sameOnThreads { try x.cumulative(.sum).toDoubles() },
                numbers.map {
                    sum += $0; return sum
                }, 1e-9))
        sum = 0
        let backwards = Array(
            numbers.reversed().map { number -> Double in
                sum += number; return sum
            }.reversed())
        #expect(try close(sameOnThreads { try x.cumulative(.sum, reversed: true).toDoubles() }, backwards, 1e-9))
        #expect(try x.argReduced(.max).item() == Double(numbers.firstIndex(of: largest) ?? -1))
        #expect(try close(sameOnThreads { try x.sorted().toDoubles() }, numbers.sorted(), 0))
        #expect(try close(sameOnThreads { try x.argsorted().toDoubles() }, numbers.indices.sorted { numbers[$0] < numbers[$1] }.map(Double.init), 0))
    }

    @Test func limitsOfLongRows() throws {
        let n = 150_000
        func row(_ special: [Int: Double]) throws -> NDArray {
            var numbers = [Double](repeating: 0, count: n)
            for (i, value) in special { numbers[i] = value }
            return try NDArray(numbers, shape: [n])
        }
        let one = try row([100_000: .infinity])
        #expect(try one.softmax().element(at: 100_000) == 1)
        #expect(try one.softmax().element(at: 3) == 0)
        #expect(try one.logSoftmax().element(at: 100_000) == 0)
        for undefined in [try row([1: .infinity, 140_000: .infinity]), try row([7: .nan]), try NDArray.full(-.infinity, shape: [n], type: .f64)] {
            #expect(try undefined.softmax().toDoubles().allSatisfy(\.isNaN))
            #expect(try undefined.logSoftmax().toDoubles().allSatisfy(\.isNaN))
        }
        #expect(try row([70_000: .nan, 140_000: .nan, 5: 9]).argReduced(.max).item() == 70_000)
        #expect(try row([140_000: 9, 70_000: 9]).argReduced(.max).item() == 70_000)
    }

    @Test(arguments: [[37, 41, 13], [3, 70_000], [70_000, 3], [9, 2, 1]])
    func everyAxisIsTheLast(shape: [Int]) throws {
        for type in [ElementType.f64, .f32] {
            let x = try NDArray(Self.noise(shape.reduce(1, *)), shape: shape, type: type)
            for axis in shape.indices {
                // The axis brought to the end, computed there and brought back.
                let order = shape.indices.filter { $0 != axis } + [axis]
                let moved = try x.transposed(order).contiguous()
                var back = Array(0..<(shape.count - 1))
                back.insert(shape.count - 1, at: axis)
                func expect(_ a: NDArray, _ b: NDArray) throws {
                    #expect(try a.toDoubles() == b.transposed(back).toDoubles())
                }
                try expect(x.softmax(axis: axis), moved.softmax(axis: -1))
                try expect(x.logSoftmax(axis: axis), moved.logSoftmax(axis: -1))
                try expect(x.cumulative(.sum, axis: axis), moved.cumulative(.sum, axis: -1))
                try expect(x.cumulative(.prod, axis: axis, reversed: true), moved.cumulative(.prod, axis: -1, reversed: true))
                #expect(try x.argReduced(.min, axis: axis).toDoubles() == moved.argReduced(.min, axis: -1).toDoubles())
            }
        }
    }

    @Test func viewsWithGapsReduceInPlace() throws {
        let numbers = Self.noise(300 * 400)
        for type in [ElementType.f64, .f32, .bool] {
            let x = try NDArray(numbers.map { type == .bool ? ($0 > 0 ? 1 : 0) : $0 }, shape: [300, 400], type: type)
            let view = try x.indexed(by: [.slice(start: nil, stop: nil, step: -3), .slice(start: 1, stop: nil, step: 2)])
            let copy = try NDArray(view.toDoubles(), shape: view.shape, type: type)
            let operations: [ReduceOperation] = type == .bool ? [.any, .all, .min, .max, .sum] : [.sum, .min, .max, .prod]
            for operation in operations { #expect(try view.reduced(operation).item() == copy.reduced(operation).item()) }
        }
    }

    @Test func takesRowsByNumber() throws {
        let numbers = Self.noise(60)
        for type in [ElementType.f64, .f32, .bool] {
            for width in [1, 3, 4, 8] {
                let x = try NDArray(numbers.prefix(5 * width).map { type == .bool ? ($0 > 0 ? 1 : 0) : $0 }, shape: width == 1 ? [5] : [5, width], type: type)
                let rows = try x.toDoubles()
                let picked = try x.indexed(by: [.array(NDArray([4, -5, 2, 2, -1, 0], shape: [2, 3], type: .f32))])
                #expect(picked.shape == (width == 1 ? [2, 3] : [2, 3, width]))
                #expect(try picked.toDoubles() == [4, 0, 2, 2, 4, 0].flatMap { rows[($0 * width)..<(($0 + 1) * width)] })
                #expect(throws: ArrayError.indexOutOfRange(index: 5, axis: 0, size: 5)) { try x.indexed(by: [.array(NDArray([1, 5, -9], shape: [3]))]) }
                #expect(throws: ArrayError.indexNotWhole(0.5)) { try x.indexed(by: [.array(NDArray([1, 0.5], shape: [2]))]) }
                #expect(throws: ArrayError.self) { try x.indexed(by: [.array(NDArray([.nan], shape: [1]))]) }
            }
        }
    }

    @Test(arguments: [1, 8, 9, 48, 100, 400, 401, 4095, 4096, 70_000])
    func sortsEveryLength(n: Int) throws {
        for numbers in [Self.noise(n), Self.noise(n).map { ($0 * 5).rounded() }, Self.noise(n).map { 1 + $0 * 0x1p-40 }] {
            #expect(try NDArray(numbers, shape: [n]).sorted().toDoubles() == numbers.sorted())
            let order = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }.map(Double.init)
            #expect(try NDArray(numbers, shape: [n]).argsorted().toDoubles() == order)
            let (values, counts) = try NDArray(numbers, shape: [n]).unique()
            #expect(try values.toDoubles() == Set(numbers.map { $0 == 0 ? 0 : $0 }).sorted())
            #expect(try counts.toDoubles().reduce(0, +) == Double(n))
        }
    }
}
