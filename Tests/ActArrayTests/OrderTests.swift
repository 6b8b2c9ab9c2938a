// Sorting, counting and quantiles. Expected numbers are NumPy's for the same arguments.

import ActArray
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

    @Test(arguments: [0, 1, 2, 47, 48, 49, 255, 4095, 4096, 70_001], ["bits", "few", "close", "sorted", "reversed", "wide"])
    func sortsAnything(count: Int, kind: String) throws {
        let elements = noise(count, kind)
        for type in [ElementType.f64, .f32] {
            let x = try vector(elements, type: type)
            let own = try x.toDoubles()
            let expected = own.filter { !$0.isNaN }.sorted()
            let sorted = try x.sorted().toDoubles()
            #expect(Array(sorted.prefix(expected.count)) == expected)
            #expect(sorted.dropFirst(expected.count).allSatisfy { $0.isNaN })
            let order = try x.argsorted().toDoubles().map { Int($0) }
            let stable = own.indices.sorted { a, b in
                if own[a].isNaN || own[b].isNaN { return !own[a].isNaN || (own[b].isNaN && a < b) }
                return own[a] < own[b] || (own[a] == own[b] && a < b)
            }
            #expect(order == stable)
        }
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
        #expect(throws: ArrayError.emptyReduction(operation: "median", shape: [0])) { try vector([]).median() }
        #expect(throws: ArrayError.self) { try m.quantile(NDArray.scalar(1.5, type: .f64)) }
        #expect(throws: ArrayError.self) { try m.quantile(NDArray.scalar(.nan, type: .f64)) }
        #expect(try m.variable().median(axis: 1).isTraced)
    }
}
