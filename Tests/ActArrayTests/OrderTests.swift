// Sorting, counting and quantiles. Expected numbers are NumPy's for the same arguments.

import ActArray
import ActOrder
import CActKernels
import Testing

@Suite struct OrderTests {
    private let sample = [3, 1, 2, .nan, 1, -0.0, 0.0, .infinity, -.infinity, 1]

    private func vector(_ elements: [Double], type: ElementType = .f64) throws -> NDArray { try NDArray(elements, shape: [elements.count], type: type) }

    private func noise(_ count: Int, _ kind: String) -> [Double] {
        var state: UInt64 = 7
        return (0..<count).map { i in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            switch kind {
            case "bits": return Double(Float(bitPattern: UInt32(truncatingIfNeeded: state >> 32)))
            case "few": return Double(state >> 61) - 3
            case "sorted": return Double(i)
            case "close": return 1 + Double(state >> 54) * 0x1p-52 + Double(i % 3)
            case "reversed": return -Double(i)
            case "organ": return Double(min(i, count - i))
            case "constant": return 2.5
            case "nothing": return .nan
            case "zeros": return state >> 63 == 0 ? 0 : -0.0
            case "ends": return [-.infinity, .infinity, .nan, 0, -0.0, Double(Float.greatestFiniteMagnitude), -1e-45, 1][Int(state >> 61)]
            default: return Double(Int64(bitPattern: state) >> 20)
            }
        }
    }

    @Test(arguments: [ElementType.f64, .f32])
    func sorts(type: ElementType) throws {
        let x = try vector(sample, type: type)
        let sorted = try x.sorted().toDoubles()
        #expect(sorted.dropLast().elementsEqual([-.infinity, 0, 0, 1, 1, 1, 2, 3, .infinity]))
        #expect(sorted[9].isNaN)
        #expect(try x.argsorted().toDoubles() == [8, 5, 6, 1, 4, 9, 2, 0, 7, 3])
        #expect(try x.sorted().type == type)
        let m = try NDArray([3, 1, 2, 0, 5, 4], shape: [2, 3], type: type)
        #expect(try m.sorted().toDoubles() == [1, 2, 3, 0, 4, 5])
        #expect(try m.sorted(axis: 0).toDoubles() == [0, 1, 2, 3, 5, 4])
        #expect(try m.sorted(axis: nil).toDoubles() == [0, 1, 2, 3, 4, 5])
        #expect(try m.argsorted(axis: 0).toDoubles() == [1, 0, 0, 0, 1, 1])
        #expect(try m.variable().sorted(axis: 0).toDoubles() == [0, 1, 2, 3, 5, 4])
        #expect(try m.toDoubles() == [3, 1, 2, 0, 5, 4])
    }

    /// Lengths around a register, the networks, the ways to choose pivots, and where several threads take part.
    private static let lengths = [0, 1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 4095, 4096, 8191, 8192, 70_001]

    @Test(arguments: lengths, ["bits", "few", "close", "sorted", "reversed", "wide", "organ", "constant", "nothing", "zeros", "ends"])
    func sortsAnything(count: Int, kind: String) throws {
        let elements = noise(count, kind)
        for type in [ElementType.f64, .f32] {
            let x = try vector(elements, type: type)
            let own = try x.toDoubles()
            // Equal numbers stay in order, −0 and 0 among them.
            let expected = stableOrder(own).map { own[$0] }.filter { !$0.isNaN }.map(\.bitPattern)
            let sorted = try x.sorted().toDoubles()
            #expect(sorted.prefix(expected.count).map(\.bitPattern) == expected)
            #expect(sorted.dropFirst(expected.count).allSatisfy { $0.isNaN })
            let order = try x.argsorted().toDoubles().map { Int($0) }
            #expect(order == stableOrder(own))
        }
    }

    private func stableOrder(_ own: [Double]) -> [Int] {
        own.indices.sorted { a, b in
            if own[a].isNaN || own[b].isNaN { return !own[a].isNaN || (own[b].isNaN && a < b) }
            return own[a] < own[b] || (own[a] == own[b] && a < b)
        }
    }

    @Test(arguments: [[7, 300], [300, 7], [2, 70_000], [5, 3, 40]])
    func sortsAlongAnyAxis(shape: [Int]) throws {
        let count = shape.reduce(1, *), base = try NDArray(noise(count, "few"), shape: shape)
        // As it lies, turned, and every other element backwards.
        let backwards = [NDArray.Index](repeating: .slice(start: nil, stop: nil, step: -2), count: shape.count)
        for x in [base, try base.transposed(), try base.indexed(by: backwards)] {
            let numbers = try x.contiguous().toDoubles()
            for axis in 0..<x.rank {
                let inner = x.shape[(axis + 1)...].reduce(1, *), length = x.shape[axis]
                var sorted = numbers, order = numbers
                for start in 0..<x.count where start / inner % length == 0 {
                    let lane = (0..<length).map { numbers[start + $0 * inner] }
                    for (rank, index) in stableOrder(lane).enumerated() {
                        sorted[start + rank * inner] = lane[index]
                        order[start + rank * inner] = Double(index)
                    }
                }
                #expect(try x.sorted(axis: axis).contiguous().toDoubles() == sorted)
                #expect(try x.argsorted(axis: axis).contiguous().toDoubles() == order)
            }
        }
    }

    @Test(arguments: ["baseline", "avx2", "avx512", "neon"], [0, 1, 7, 8, 40, 129, 300, 1000, 5000, 20_000])
    func everyInstructionSetSorts(isa: String, count: Int) throws {
        guard let table = act_kernels_named(isa)?.pointee else { return }
        for kind in ["wide", "few", "bits", "organ", "constant"] {
            var numbers = noise(count, kind), scratch = numbers
            let expected = numbers.filter { !$0.isNaN }.sorted { !$1.isTotallyOrdered(belowOrEqualTo: $0) }.map(\.bitPattern)
            table.keys_f64(&numbers, count)
            table.sort_f64(&numbers, &scratch, count)
            table.numbers_f64(&numbers, count)
            #expect(numbers.prefix(expected.count).map(\.bitPattern) == expected)
            var narrow = noise(count, kind).map { Float($0) }, space = narrow
            let narrowed = narrow.filter { !$0.isNaN }.sorted { !$1.isTotallyOrdered(belowOrEqualTo: $0) }.map(\.bitPattern)
            table.keys_f32(&narrow, count)
            table.sort_f32(&narrow, &space, count)
            table.numbers_f32(&narrow, count)
            #expect(narrow.prefix(narrowed.count).map(\.bitPattern) == narrowed)
        }
    }

    /// Made so that every sample of pivots holds the smallest elements there are: what is left hardly shrinks, until samples are given up.
    @Test(arguments: [("avx512", 8), ("avx2", 4), ("baseline", 2)])
    func badSamplesDoNotMatter(isa: String, lanes: Int) throws {
        guard let table = act_kernels_named(isa)?.pointee else { return }
        let count = 3000
        var numbers = [Int64](repeating: .max, count: count), rest = Array(0..<count), next: Int64 = 0
        for _ in 0..<100 {
            var state = UInt64(rest.count), sample: [Int] = []
            for _ in 0..<(rest.count < 4096 ? lanes : 4 * lanes) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                sample.append(rest[Int((state >> 32) * UInt64(rest.count) >> 32)])
            }
            for place in sample where numbers[place] == .max {
                numbers[place] = next
                next += 1
            }
            let pivot = sample.map { numbers[$0] }.sorted()[sample.count / 2]
            rest.removeAll { numbers[$0] < pivot }
        }
        for place in numbers.indices where numbers[place] == .max { numbers[place] = next + Int64(place * 7919 % count) }
        let expected = numbers.sorted()
        var scratch = numbers
        table.sort_f64(&numbers, &scratch, count)
        #expect(numbers == expected)
    }

    @Test func threadsDoNotShow() throws {
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        let x = try vector(noise(200_003, "few"))
        var orders: [[Double]] = []
        for threads in [1, 2, 3, 5] {
            ThreadPool.count = threads
            orders.append(try x.argsorted().toDoubles())
        }
        #expect(orders.allSatisfy { $0 == orders[0] })
    }

    @Test func finds() throws {
        let u = try vector([3, 1, 2, 1, 3, 3.5, .nan, .nan]).unique()
        #expect(try u.values.toDoubles().prefix(4) == [1, 2, 3, 3.5])
        #expect(try u.counts.toDoubles() == [2, 1, 2, 1, 2])
        for count in [1, 2, 1000] {
            let same = try vector(noise(count, "constant")).unique(), nothing = try vector(noise(count, "nothing")).unique()
            #expect(try same.values.toDoubles() == [2.5] && same.counts.toDoubles() == [Double(count)])
            #expect(try nothing.values.count == 1 && nothing.counts.toDoubles() == [Double(count)])
        }
        #expect(try vector([]).unique().values.shape == [0] && vector([]).unique().counts.shape == [0])
        #expect(try vector([0, -0.0, 1]).unique().counts.toDoubles() == [2, 1])
        let m = try NDArray([0, 1, 2, 3, 4, 5], shape: [2, 3])
        #expect(try m.nonzero().map { try $0.toDoubles() } == [[0, 0, 1, 1, 1], [1, 2, 0, 1, 2]])
        #expect(try NDArray([], shape: [0, 3]).nonzero().map(\.count) == [0, 0])
        #expect(try vector([0, 1, 1, 3]).bincount().toDoubles() == [1, 2, 0, 1])
        #expect(try vector([0, 1, 1, 3]).bincount(weights: vector([0.5, 1, 2, 3]), minLength: 6).toDoubles() == [0.5, 3, 0, 3, 0, 0])
        #expect(throws: ArrayError.self) { try vector([-1]).bincount() }
        #expect(throws: ArrayError.self) { try vector([1e15]).bincount() }
        let edges = try vector([1, 2, 2, 3]), values = try vector([0, 2, 2.5, 3, 9, .nan])
        #expect(try edges.searchsorted(values).toDoubles() == [0, 1, 3, 3, 4, 4])
        #expect(try edges.searchsorted(values, isRight: true).toDoubles() == [0, 3, 3, 4, 4, 4])
        let last = try vector([-.infinity, -1, -0.0, 0, 1, .infinity, .nan, .nan])
        let probes = try vector([-.infinity, -0.0, 0, .infinity, .nan, 0.5])
        #expect(try last.searchsorted(probes).toDoubles() == [0, 2, 2, 5, 6, 4])
        #expect(try last.searchsorted(probes, isRight: true).toDoubles() == [1, 4, 4, 6, 8, 4])
        #expect(try vector([]).searchsorted(probes).toDoubles() == [0, 0, 0, 0, 0, 0])
        for count in [1, 2, 3, 7, 100] {
            let ascending = (0..<count).map { Double($0 / 2) }, wanted = [-1, 0, 0.5, Double(count / 4), 1000]
            #expect(try vector(ascending).searchsorted(vector(wanted)).toDoubles() == wanted.map { x in Double(ascending.count { $0 < x }) })
        }
    }

    @Test func histograms() throws {
        let x = try vector([1, 2, 1, 4, 4, 0.5])
        let h = try x.histogram(bins: 3)
        #expect(try h.counts.toDoubles() == [3, 1, 2])
        #expect(try zip(h.edges.toDoubles(), [0.5, 1.6666666666666667, 2.8333333333333335, 4]).allSatisfy { abs($0 - $1) < 1e-15 })
        #expect(try x.histogram(edges: vector([0, 1, 2, 4])).counts.toDoubles() == [1, 2, 3])
        #expect(try vector([1, 2, 1]).histogram(bins: 2, range: (0, 4)).counts.toDoubles() == [2, 1])
        let same = try vector([2, 2, 2]).histogram(bins: 2)
        #expect(try same.counts.toDoubles() == [0, 3])
        #expect(try same.edges.toDoubles() == [1.5, 2, 2.5])
        #expect(try vector([]).histogram(bins: 2).edges.toDoubles() == [0, 0.5, 1])
        #expect(try vector([.nan, 1]).histogram(bins: 2, range: (0, 2)).counts.toDoubles() == [0, 1])
        #expect(throws: ArrayError.self) { try vector([.nan, 1]).histogram(bins: 2) }
        #expect(throws: ArrayError.self) { try vector([1, .infinity]).histogram(bins: 2) }
        // Many elements, counted in parts, against counting one by one.
        for count in [16_383, 16_384, 32_768, 100_001] {
            let numbers = noise(count, "few"), edges = [-3.0, -1, 0, 0.5, 2, 4]
            let expected = zip(edges, edges.dropFirst()).map { low, high in Double(numbers.count { $0 >= low && ($0 < high || high == 4 && $0 == 4) }) }
            #expect(try vector(numbers).histogram(edges: vector(edges)).counts.toDoubles() == expected)
            #expect(
                try vector(numbers).histogram(bins: 7).counts.toDoubles()
                    == (0..<7).map { bin in
                        Double(numbers.count { bin == 6 ? $0 >= 3 : $0 == Double(bin - 3) })
                    })
        }
        #expect(throws: ArrayError.self) { try x.histogram(bins: 0) }
        #expect(throws: ArrayError.self) { try x.histogram(bins: Int.max) }
        #expect(throws: ArrayError.self) { try x.histogram(bins: 2, range: (1, -1)) }
        #expect(throws: ArrayError.self) { try x.histogram(edges: vector([1, 0])) }
        // Tenths: NumPy counts each in the bin whose edge it equals.
        #expect(try NDArray.range(0, 1, 0.1).histogram(bins: 10, range: (0, 1)).counts.toDoubles() == [Double](repeating: 1, count: 10))
    }

    @Test func quantiles() throws {
        let m = try NDArray([0, 1, 2, 3, 4, 5], shape: [2, 3])
        #expect(try m.median().item() == 2.5)
        #expect(try m.median(axis: 0).toDoubles() == [1.5, 2.5, 3.5])
        #expect(try m.median(axis: 0, keepdims: true).shape == [1, 3])
        #expect(try m.median(keepdims: true).shape == [1, 1])
        let holes = try NDArray([1, 5, 2, 8, .nan, 1, 2, 3], shape: [2, 4]).median(axis: 1).toDoubles()
        #expect(holes[0] == 3.5 && holes[1].isNaN)
        #expect(try abs(vector([1, 5, 2, 8, 9]).quantile(NDArray.scalar(0.3, type: .f64)).item() - 2.6) < 1e-15)
        let q = try m.quantile(vector([0.1, 0.5]), axis: 1)
        #expect(q.shape == [2, 2])
        #expect(try zip(q.toDoubles(), [0.2, 3.2, 1, 4]).allSatisfy { abs($0 - $1) < 1e-15 })
        #expect(try m.quantile(vector([0.1, 0.5]), axis: 1, keepdims: true).shape == [2, 2, 1])
        #expect(try vector([1, .infinity]).quantile(vector([0, 0.5, 1])).toDoubles() == [1, .infinity, .infinity])
        #expect(try vector([1, 2], type: .f32).median().type == .f32)
        #expect(try vector([]).median().item().isNaN)
        #expect(throws: ArrayError.emptyReduction(operation: "quantile", shape: [0])) { try vector([]).quantile(vector([0.5])) }
        #expect(throws: ArrayError.self) { try m.quantile(NDArray.scalar(1.5, type: .f64)) }
        #expect(throws: ArrayError.self) { try m.quantile(NDArray.scalar(.nan, type: .f64)) }
        #expect(try m.variable().median(axis: 1).isTraced)
    }

    /// The largest few are the first of all, which are sorted: ties, NaNs, infinities, long ascents, along either axis.
    @Test(arguments: ["bits", "few", "sorted", "close", "constant", "nothing", "zeros", "ends"]) func largestFew(_ kind: String) throws {
        func bits(_ array: NDArray) throws -> [UInt64] { try array.toDoubles().map(\.bitPattern) }
        for (rows, length) in [(1, 8), (3, 100), (40, 1000), (2, 20_000), (1, 70_000)] {
            for type in [ElementType.f32, .f64, .bool] {
                let matrix = try NDArray(noise(rows * length, kind), shape: [rows, length]).converted(to: type), all = try matrix.largest(length, axis: 1)
                let turned = try matrix.transposed(nil)
                for k in [0, 1, 2, 7, 100, 128, 129] where k <= length {
                    let few = try matrix.largest(k, axis: 1), down = try turned.largest(k, axis: 0)
                    let ranges = [SliceRange(start: 0, step: 1, count: rows), SliceRange(start: 0, step: 1, count: k)]
                    #expect(try bits(few.indices) == bits(all.indices.sliced(ranges)), "\(kind) \(rows) × \(length) \(type) \(k)")
                    #expect(try bits(few.values) == bits(all.values.sliced(ranges)) && few.values.type == matrix.type)
                    #expect(try bits(down.indices.transposed(nil)) == bits(few.indices))
                }
            }
        }
    }
}
