// Random draws: the words are NumPy's (np.random.Philox(key=42).random_raw), normal deviates are mpmath's quantiles of them, and the
// distributions have the moments they should.

import ActArray
import Testing
import ActRandom

@Suite struct RandomTests {
    @Test func wordsAreNumPys() throws {
        // np.random.Generator(np.random.Philox(key=42, counter=[2**64 - 1] * 4)).random(6): NumPy counts up before it draws.
        var source = RandomSource(seed: 42)
        #expect(
            try source.uniform(shape: [6]).toDoubles() == [
                0.653938184773127, 0.2982192438997011, 0.9142282759283867, 0.8852731545474829, 0.8201981478608876, 0.18924562408645496,
            ])
        // √2 erfinv(2q) of the same words, by mpmath with 40 digits.
        var again = RandomSource(seed: 42)
        let normal = try again.normal(shape: [6]).toDoubles()
        for (got, expected) in zip(
            normal, [-1.0196881793418206, 0.83527744771187498, -0.21668151860557801, -0.29166037447139614, -0.46714478307818827, 0.49371318552201998])
        { #expect(abs(got - expected) <= 4 * expected.ulp) }
    }

    @Test func drawsDependOnTheirPlaceAlone() throws {
        var a = RandomSource(seed: 7), b = RandomSource(seed: 7)
        let whole = try a.uniform(shape: [100_003]).toDoubles()
        var parts = [try b.uniform(), try b.uniform(), try b.uniform()]
        parts += try b.uniform(shape: [2, 25_000]).toDoubles()
        parts += try b.uniform(shape: [50_000]).toDoubles()
        #expect(parts == whole)
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        ThreadPool.count = 1
        var one = RandomSource(seed: 9), single = RandomSource(seed: 9)
        let normals = try one.normal(shape: [70_000]).toDoubles()
        ThreadPool.count = 3
        var three = RandomSource(seed: 9)
        #expect(try three.normal(shape: [70_000]).toDoubles() == normals)
        #expect(try single.normal() == normals[0])
        #expect(try single.normal() == normals[1])
        var other = RandomSource(seed: 8)
        #expect(try other.uniform(shape: [4]).toDoubles() != Array(whole.prefix(4)))
    }

    @Test func momentsAreRight() throws {
        var source = RandomSource(seed: 1)
        let n = 400_000.0
        let u = try source.uniform(shape: [400_000], type: .f32).toDoubles()
        #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(u.reduce(0, +) / n - 0.5) < 5 * 0.2887 / n.squareRoot())
        let z = try source.normal(shape: [400_000]).toDoubles()
        // Means of z, z², z³, z⁴ within five standard errors of 0, 1, 0, 3.
        #expect(abs(z.reduce(0, +) / n) < 5 / n.squareRoot())
        #expect(abs(z.reduce(0) { $0 + $1 * $1 } / n - 1) < 5 * 2.0.squareRoot() / n.squareRoot())
        #expect(abs(z.reduce(0) { $0 + $1 * $1 * $1 } / n) < 5 * 15.0.squareRoot() / n.squareRoot())
        #expect(abs(z.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n - 3) < 5 * 96.0.squareRoot() / n.squareRoot())
    }

    @Test func integersFillTheirRange() throws {
        var source = RandomSource(seed: 3)
        let counts = try source.integers(-2, 5, shape: [70_000]).toDoubles().reduce(into: [Double: Int]()) { $0[$1, default: 0] += 1 }
        #expect(counts.keys.sorted() == [-2, -1, 0, 1, 2, 3, 4])
        #expect(counts.values.allSatisfy { abs(Double($0) - 10_000) < 5 * 100 })
        #expect(try source.integers(4, 5, shape: [3]).toDoubles() == [4, 4, 4])
        let (first, second) = (try source.integer(-(1 << 53), 1 << 53), try source.integer(-(1 << 53), 1 << 53))
        #expect(first != second)
        #expect(throws: ArrayError.self) { try source.integers(1, 1, shape: [2]) }
        #expect(throws: ArrayError.self) { try source.integers(Int.min, Int.max, shape: [2]) }
    }

    @Test func permutationsHoldEverything() throws {
        var source = RandomSource(seed: 5)
        let p = try source.permutation(1000).toDoubles()
        #expect(p != (0..<1000).map(Double.init))
        #expect(p.sorted() == (0..<1000).map(Double.init))
        #expect(try source.permutation(0).count == 0)
        #expect(throws: ArrayError.negativeSize(-1)) { try source.permutation(-1) }
        // All six orders of three, about equally often.
        var seen: [[Double]: Int] = [:]
        for _ in 0..<6000 { seen[try source.permutation(3).toDoubles(), default: 0] += 1 }
        #expect(seen.count == 6 && seen.values.allSatisfy { abs($0 - 1000) < 150 })
        let m = try NDArray([1, 1, 2, 2, 3, 3], shape: [3, 2])
        let rows = try source.shuffled(m)
        #expect(rows.shape == [3, 2])
        #expect(try rows.sorted(axis: 0).toDoubles() == m.toDoubles())
        #expect(try rows.element(at: [0, 0]) == rows.element(at: [0, 1]))
    }
}
