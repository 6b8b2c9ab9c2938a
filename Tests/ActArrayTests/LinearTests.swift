// Products, LU and what follows from it. Large products are compared with sums made here in order; small expected numbers are
// NumPy's (np.matmul, np.dot, np.linalg) on the same arrays.

import ActArray
import ActLinear
import CActKernels
import Testing

@Suite struct LinearTests {
    private func array(_ shape: [Int], type: ElementType = .f64, from start: Double = 0) throws -> NDArray {
        let count = shape.reduce(1, *)
        return try NDArray((0..<count).map { start + Double($0) }, shape: shape, type: type)
    }

    /// Numbers in −1 ..< 1 without pattern, the same on every run.
    private func noise(_ shape: [Int], seed: UInt64 = 1, type: ElementType = .f64) throws -> NDArray {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        return try NDArray(
            (0..<shape.reduce(1, *)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Double(Int32(truncatingIfNeeded: state >> 32)) / 0x1p31
            }, shape: shape, type: type)
    }

    private func naive(_ a: NDArray, _ b: NDArray) throws -> [Double] {
        let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
        let x = try a.toDoubles(), y = try b.toDoubles()
        return (0..<m * n).map { i in (0..<k).reduce(0) { $0 + x[i / n * k + $1] * y[$1 * n + i % n] } }
    }

    private func close(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
    }

    @Test func shapesFollowNumPy() throws {
        let v = try array([3]), m = try array([2, 3]), t = try array([4, 2, 3]), w = try array([4, 3, 5])
        #expect(try NDArray.matmul(v, v).shape == [])
        #expect(try NDArray.matmul(v, v).item() == 5)
        #expect(try NDArray.matmul(m, v).toDoubles() == [5, 14])
        #expect(try NDArray.matmul(v, m.transposed()).toDoubles() == [5, 14])
        #expect(try NDArray.matmul(t, w).shape == [4, 2, 5])
        #expect(try NDArray.matmul(t, v).shape == [4, 2])
        #expect(try NDArray.matmul(v, w).shape == [4, 5])
        #expect(try NDArray.matmul(array([3, 1, 2, 3]), w).shape == [3, 4, 2, 5])
        #expect(try NDArray.dot(t, w).shape == [4, 2, 4, 5])
        #expect(try NDArray.dot(m, w).shape == [2, 4, 5])
        // np.dot(np.arange(6.).reshape(2,3), np.arange(60.).reshape(4,3,5))[1, 2]
        #expect(try NDArray.dot(m, w).indexed(by: [.integer(1), .integer(2)]).toDoubles() == [430, 442, 454, 466, 478])
        #expect(try NDArray.outer(.array(v), .array(array([2], from: 1))).toDoubles() == [0, 0, 1, 2, 2, 4])
        #expect(try NDArray.matmul(array([0, 3]), w.indexed(by: [.integer(0)])).shape == [0, 5])
        #expect(try NDArray.matmul(array([2, 0]), array([0, 2])).toDoubles() == [0, 0, 0, 0])
    }

    @Test func misfitsAreErrors() throws {
        let m = try array([2, 3])
        #expect(throws: ArrayError.shapesDoNotMultiply([2, 3], [2, 3])) { try NDArray.matmul(m, m) }
        #expect(throws: ArrayError.shapesDoNotMultiply([3], [2, 4])) { try NDArray.matmul(array([3]), array([2, 4])) }
        #expect(throws: ArrayError.shapesDoNotMultiply([2, 1, 3], [3, 3, 1])) { try NDArray.matmul(array([2, 1, 3]), array([3, 3, 1])) }
        #expect(throws: ArrayError.scalarOperand(operation: "matmul")) { try NDArray.matmul(m, NDArray.scalar(2, type: .f64)) }
    }

    @Test(arguments: [(1, 1, 1), (2, 3, 2), (3, 17, 5), (8, 8, 8), (9, 300, 7), (33, 65, 31), (64, 784, 10), (1, 500, 300), (300, 500, 1), (130, 70, 260)])
    func productsAgreeWithSums(m: Int, k: Int, n: Int) throws {
        for type in [ElementType.f64, .f32] {
            let a = try noise([m, k], type: type), b = try noise([k, n], seed: 2, type: type)
            let expected = try naive(a, b), tolerance = (type == .f64 ? 1e-15 : 1e-6) * Double(k)
            #expect(try close(NDArray.matmul(a, b).toDoubles(), expected, tolerance))
            // Transposed views, rows with gaps, reversed rows and stretched rows.
            let at = try a.transposed().contiguous().transposed(), bt = try b.transposed().contiguous().transposed()
            #expect(try close(NDArray.matmul(at, b).toDoubles(), expected, tolerance))
            #expect(try close(NDArray.matmul(a, bt).toDoubles(), expected, tolerance))
            #expect(try close(NDArray.matmul(at, bt).toDoubles(), expected, tolerance))
            let wide = try NDArray.stacked([a, a * 0], axis: 1).reshaped(to: [m, 2 * k])
            let gap = try wide.indexed(by: [.ellipsis, .slice(start: nil, stop: k, step: nil)])
            #expect(try close(NDArray.matmul(gap, b).toDoubles(), expected, tolerance))
            let reversed = try NDArray.matmul(a.flipped([0]), b.flipped([1])).flipped()
            #expect(try close(reversed.toDoubles(), expected, tolerance))
            let row = try a.indexed(by: [.slice(start: 0, stop: 1, step: nil)])
            #expect(try NDArray.matmul(row.broadcast(to: [m, k]), b).shape == [m, n])
        }
    }

    /// Products that threads share by rows, by columns and in parts of both.
    @Test(arguments: [(300, 400, 500), (20, 300, 900), (900, 300, 20), (130, 70, 101), (600, 500, 610)], [ElementType.f32, .f64])
    func threadsDoNotChangeProducts(_ size: (m: Int, k: Int, n: Int), _ type: ElementType) throws {
        let a = try noise([size.m, size.k], type: type), b = try noise([size.k, size.n], seed: 3, type: type)
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        ThreadPool.count = 1
        let one = try NDArray.matmul(a, b).toDoubles(), symmetric = try NDArray.matmul(a.transposed(), a).toDoubles()
        for threads in [2, 3, 16] {
            ThreadPool.count = threads
            #expect(try NDArray.matmul(a, b).toDoubles() == one)
            #expect(try NDArray.matmul(a.transposed(), a).toDoubles() == symmetric)
        }
    }

    @Test func threadsDoNotChangeDots() throws {
        let a = try noise([120_000], type: .f32)
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        ThreadPool.count = 1
        let one = try NDArray.matmul(a, a).item()
        ThreadPool.count = 4
        #expect(try NDArray.matmul(a, a).item() == one)
    }

    /// All instruction sets, odd sizes, strides and pieces of k, against sums in order.
    @Test(arguments: ["baseline", "avx2", "avx512", "neon"])
    func kernelsAgree(isa: String) throws {
        guard let table = act_kernels_named(isa) else { return }
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (8, 24, 384), (9, 25, 385), (17, 100, 769), (40, 49, 30)] {
            let x = try noise([m * k]).toDoubles(), y = try noise([k * n], seed: 2).toDoubles()
            for (rowsOfA, rowsOfB, adds) in [(true, true, false), (false, true, true), (true, false, true), (false, false, false)] {
                let (ar, ak) = rowsOfA ? (k, 1) : (1, m), (bk, bj) = rowsOfB ? (n, 1) : (1, k)
                var c = [Double](repeating: 3, count: m * n), narrow = [Float](repeating: 3, count: m * n)
                table.pointee.product_f64(m, n, k, -2, x, ar, ak, y, bk, bj, adds ? 1 : 0, &c, n)
                table.pointee.product_f32(m, n, k, -2, x.map(Float.init), ar, ak, y.map(Float.init), bk, bj, adds ? 1 : 0, &narrow, n)
                for i in 0..<m {
                    for j in 0..<n {
                        let sum = (0..<k).reduce(0.0) { $0 + x[i * ar + $1 * ak] * y[$1 * bk + j * bj] }
                        let expected = (adds ? 3 : 0) - 2 * sum
                        #expect(abs(c[i * n + j] - expected) < 1e-14 * Double(k + 1))
                        #expect(abs(Double(narrow[i * n + j]) - expected) < 4e-7 * Double(k + 8))
                    }
                }
            }
        }
    }

    /// Laid out in strips before, or by the call: the same bits.
    @Test(arguments: ["baseline", "avx2", "avx512", "neon"])
    func packedProductsAreProducts(isa: String) throws {
        guard let table = act_kernels_named(isa) else { return }
        let tile = table.pointee.tile_columns_f64
        for (m, n, k) in [(1, 1, 1), (9, tile, 7), (17, tile + 1, 384), (8, 3 * tile - 1, 100)] {
            let x = try noise([m * k]).toDoubles(), y = try noise([k * n], seed: 2).toDoubles()
            var whole = [Double](repeating: 3, count: m * n), parts = whole
            var packed = [Double](repeating: .nan, count: k * (n + tile))
            table.pointee.product_f64(m, n, k, -2, x, k, 1, y, 1, k, 1, &whole, n)
            table.pointee.product_pack_f64(n, k, y, 1, k, &packed)
            table.pointee.product_packed_f64(m, n, k, -2, x, k, 1, packed, 1, &parts, n)
            #expect(parts == whole)
        }
    }

    /// More columns than are laid out at once, more rows than a part has, more terms than a piece: ones, so that sums are exact.
    @Test func largeProductsLoseNothing() throws {
        let (m, k, n) = (131, 800, 2800)
        let a = try NDArray.full(1, shape: [m, k], type: .f64)
        let b = try NDArray((0..<k * n).map { Double($0 % 7 + $0 / n % 5) }, shape: [k, n])
        let sums = try NDArray.matmul(a, b), expected = try b.reduced(.sum, axes: [0]).toDoubles()
        for row in [0, 127, 128, 130] { #expect(try sums.indexed(by: [.integer(row)]).toDoubles() == expected) }
        let transposed = try NDArray.matmul(b.transposed(), a.transposed())
        #expect(try transposed.transposed().contiguous().toDoubles() == sums.toDoubles())
    }

    @Test func batchesAreTheirMatrices() throws {
        let a = try noise([3, 4, 20, 30]), b = try noise([4, 30, 10], seed: 5)
        let all = try NDArray.matmul(a, b)
        for (i, j) in [(0, 0), (2, 3), (1, 2)] {
            let expected = try naive(a.indexed(by: [.integer(i), .integer(j)]), b.indexed(by: [.integer(j)]))
            #expect(try close(all.indexed(by: [.integer(i), .integer(j)]).toDoubles(), expected, 1e-13))
        }
        let folded = try NDArray.matmul(a, b.indexed(by: [.integer(1)]))
        let expected = try naive(a.indexed(by: [.integer(2), .integer(1)]), b.indexed(by: [.integer(1)]))
        #expect(try close(folded.indexed(by: [.integer(2), .integer(1)]).toDoubles(), expected, 1e-13))
    }

    @Test func singlePrecisionDotsKeepTheirDigits() throws {
        // 1 + 1e6 · 1e-8 is 1.01; summed in f32 in order it would stay 1.
        let n = 1_000_001
        var x = try NDArray.full(1e-4, shape: [n], type: .f32)
        try x.setElement(1, at: 0)
        #expect(try abs(NDArray.matmul(x, x).item() - 1.01) < 1e-6)
    }

    @Test func boolsCount() throws {
        let flags = try NDArray(bools: [true, false, true, true], shape: [2, 2])
        let product = try NDArray.matmul(flags, flags)
        #expect(product.type == .f64)
        #expect(try product.toDoubles() == [1, 0, 2, 1])
        #expect(try NDArray.matmul(array([2, 2], type: .f32), flags).type == .f32)
    }

    @Test func solvesAndInverts() throws {
        let a = try NDArray([0, 2, 3, 1, 5, 6, 7, 8, 10], shape: [3, 3])
        #expect(try abs(a.determinant().item() + 17) < 1e-14)
        // np.linalg.solve(a, [1, 2, 3])
        let x = try NDArray.solve(a, NDArray([1, 2, 3], shape: [3]))
        #expect(x.shape == [3])
        #expect(try close(x.toDoubles(), [-0.05882352941176476, 0.058823529411764726, 0.29411764705882354], 1e-15))
        #expect(try close(NDArray.matmul(a, a.inverse()).toDoubles(), NDArray.eye(3).toDoubles(), 1e-14))
        for n in [1, 2, 7, 8, 9, 40, 131] {
            let m = try noise([n, n], seed: UInt64(n)), right = try noise([n, 3], seed: 99)
            #expect(try close(NDArray.matmul(m, NDArray.solve(m, right)).toDoubles(), right.toDoubles(), 1e-11))
            #expect(try close(NDArray.matmul(m.inverse(), m).toDoubles(), NDArray.eye(n).toDoubles(), 1e-10))
        }
        let batch = try NDArray([1, 2, 3, 4, 2, 0, 0, 4], shape: [2, 2, 2])
        #expect(try close(batch.determinant().toDoubles(), [-2, 8], 1e-15))
        #expect(try close(batch.inverse().toDoubles(), [-2, 1, 1.5, -0.5, 0.5, 0, 0, 0.25], 1e-15))
        #expect(try a.converted(to: .f32).inverse().type == .f32)
    }

    /// Large enough that several threads take part: the same bits for any number of them.
    @Test func decompositionsDoNotDependOnThreads() throws {
        let a = try noise([270, 270]), symmetric = try a + a.transposed()
        func run() throws -> [[Double]] {
            let (q, r) = try a.qr(), (w, v) = try symmetric.symmetricEigen()
            return try [q, r, w, v].map { try $0.toDoubles() }
        }
        let before = ThreadPool.count
        defer { ThreadPool.count = before }
        ThreadPool.count = 1
        let alone = try run()
        ThreadPool.count = 4
        #expect(try run() == alone)
    }

    @Test func determinantsNeitherOverflowNorHide() throws {
        #expect(try NDArray([1, 2, 2, 4], shape: [2, 2]).determinant().item() == 0)
        #expect(try NDArray([1e200, 0, 0, 0, 1e200, 0, 0, 0, 1e-300], shape: [3, 3]).determinant().item() > 0.9e100)
        #expect(try NDArray.full(0, shape: [0, 0], type: .f64).determinant().item() == 1)
        #expect(try NDArray([.nan, 1, 2, 3], shape: [2, 2]).determinant().item().isNaN)
        #expect(throws: ArrayError.singular(operation: "inv")) { try NDArray([1, 2, 2, 4], shape: [2, 2]).inverse() }
        #expect(throws: ArrayError.singular(operation: "solve")) { try NDArray.solve(NDArray([0], shape: [1, 1]), NDArray([1], shape: [1])) }
        #expect(throws: ArrayError.notSquare(operation: "det", [2, 3])) { try array([2, 3]).determinant() }
        #expect(throws: ArrayError.rankMismatch(operation: "inv", ranks: 2...Shapes.rankLimit, shape: [3])) { try array([3]).inverse() }
    }

    @Test func tracesAndNorms() throws {
        let m = try array([3, 4])
        #expect(try m.trace().item() == 15)
        #expect(try m.trace(offset: 2).item() == 9)
        #expect(try m.trace(offset: -2).item() == 8)
        #expect(try m.trace(offset: 9).item() == 0)
        #expect(try m.trace(offset: Int.min).item() == 0)
        #expect(try array([2, 2, 3]).trace().toDoubles() == [9, 11, 13])
        #expect(try m.norm(order: 1).item() == 21)
        #expect(try m.norm(order: -1).item() == 12)
        #expect(try m.norm(order: .number(.infinity)).item() == 38)
        #expect(try m.norm(order: 1, axes: [1]).toDoubles() == [6, 22, 38])
        #expect(try array([4]).norm(order: 0).item() == 3)
        #expect(try abs(array([4]).norm(order: 3).item() - 3.3019272488946263) < 1e-15)  // np.linalg.norm(np.arange(4.), 3)
        #expect(throws: ArrayError.self) { try m.norm(order: 2.5) }
    }

    @Test func derivativesAreRemembered() throws {
        let a = try array([2, 2], from: 1).variable()
        let inverse = try a.inverse()
        guard case .custom(let rule) = inverse.node.primitive else { Issue.record("no rule"); return }
        // −Yᵀ G Yᵀ for G = 1: Y = [[-2, 1], [1.5, -0.5]].
        let back = try rule.pullback(
            cotangent: NDArray.full(1, shape: [2, 2], type: .f64), inputs: Array(inverse.node.inputs), result: inverse, wanted: [true])
        #expect(try close(back[0]?.toDoubles() ?? [], [-0.5, 0.5, 0.5, -0.5], 1e-14))
        #expect(try NDArray.matmul(a, array([2])).isTraced)
        #expect(try a.determinant().isTraced)
    }
}
