// Eigenvalues and eigenvectors of one general matrix in double precision: reflections bring it to Hessenberg form, Francis's double shifts to
// real Schur form, whose blocks give the eigenvalues and, solved from below, the vectors. (G. Golub, C. Van Loan, "Matrix Computations", 7.)
//
// What must stay true: it ends for every input and can be interrupted. Complex eigenvalues come as pairs x ± iy, exactly conjugate.

import ActArray

struct GeneralEigen {
    let n: Int
    /// The matrix, then its Schur form; row-major.
    private var h: [Double]
    /// What has turned the one into the other.
    private var z: [Double]
    private var scale = 1.0
    /// The diagonal by which the matrix was balanced.
    private var balance: [Double]
    private(set) var real: [Double], imaginary: [Double]
    /// Columns of length 1 whose largest element is real and positive; of a pair that of x + iy has the sign of y.
    private(set) var vectors: (real: [Double], imaginary: [Double])

    /// - Throws: `interrupted`; `badValue` if it does not converge.
    init(_ matrix: UnsafePointer<Double>, _ n: Int) throws {
        self.n = n
        h = Array(UnsafeBufferPointer(start: matrix, count: n * n))
        z = [Double](repeating: 0, count: n * n)
        for i in 0..<n { z[i * n + i] = 1 }
        balance = [Double](repeating: 1, count: n)
        (real, imaginary) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
        vectors = ([], [])
        try balanceRows()
        let largest = h.reduce(0) { max($0, abs($1)) }
        if largest > 0 {
            scale = Double(sign: .plus, exponent: max(-1000, min(1000, largest.exponent)), significand: 1)
            for i in h.indices { h[i] /= scale }
        }
        try reduceToHessenberg()
        try reduceToSchur()
        vectors = try solveForVectors()
        for i in 0..<n { (real[i], imaginary[i]) = (real[i] * scale, imaginary[i] * scale) }
        sort()
    }

    /// Makes rows and columns alike in size, by powers of two, so that small eigenvalues keep their digits.
    private mutating func balanceRows() throws {
        for _ in 0..<20 {
            var hasChanged = false
            for i in 0..<n {
                try Interrupt.check()
                var column = 0.0, row = 0.0
                for j in 0..<n where j != i {
                    column += abs(h[j * n + i])
                    row += abs(h[i * n + j])
                }
                guard column > 0, row > 0 else { continue }
                let half = max(-500, min(500, ((row / column).exponent) / 2)), factor = Double(sign: .plus, exponent: half, significand: 1)
                guard column * factor + row / factor < 0.95 * (column + row) else { continue }
                hasChanged = true
                balance[i] *= factor
                for j in 0..<n { h[i * n + j] /= factor }
                for j in 0..<n { h[j * n + i] *= factor }
            }
            if !hasChanged { return }
        }
    }

    // MARK: Schur form

    /// (1 − 2 v vᵀ/vᵀv) from both sides, on some consecutive rows and columns; `z` follows.
    private mutating func reflect(_ v: [Double], at first: Int, columnsFrom start: Int, rowsTo end: Int) {
        let size = v.reduce(0) { $0 + $1 * $1 }
        guard size > 0 else { return }
        let count = v.count, factor = 2 / size, n = n
        h.withUnsafeMutableBufferPointer { h in
            // Along rows, which lie together in memory.
            withUnsafeTemporaryAllocation(of: Double.self, capacity: n) { sums in
                sums.initialize(repeating: 0)
                for k in 0..<count { for j in start..<n { sums[j] += v[k] * h[(first + k) * n + j] } }
                for k in 0..<count {
                    let share = v[k] * factor
                    for j in start..<n { h[(first + k) * n + j] -= share * sums[j] }
                }
            }
            for i in 0..<end {
                var dot = 0.0
                for k in 0..<count { dot += v[k] * h[i * n + first + k] }
                dot *= factor
                for k in 0..<count { h[i * n + first + k] -= dot * v[k] }
            }
        }
        z.withUnsafeMutableBufferPointer { z in
            for i in 0..<n {
                var dot = 0.0
                for k in 0..<count { dot += v[k] * z[i * n + first + k] }
                dot *= factor
                for k in 0..<count { z[i * n + first + k] -= dot * v[k] }
            }
        }
    }

    /// A vector whose reflection leaves of `x` the first element alone; empty if that is so already.
    private static func reflector(_ x: [Double]) -> [Double] {
        let largest = x.reduce(0) { max($0, abs($1)) }
        guard largest > 0, x.dropFirst().contains(where: { $0 != 0 }) else { return [] }
        var v = x.map { $0 / largest }
        let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
        v[0] += v[0] < 0 ? -length : length
        return v
    }

    private mutating func reduceToHessenberg() throws {
        for j in 0..<max(0, n - 2) {
            try Interrupt.check()
            let v = Self.reflector((j + 1..<n).map { h[$0 * n + j] })
            if v.isEmpty { continue }
            reflect(v, at: j + 1, columnsFrom: j, rowsTo: n)
            for i in j + 2..<n { h[i * n + j] = 0 }
        }
    }

    private mutating func reduceToSchur() throws {
        let size = max(h.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)
        var last = n - 1, tries = 0
        while last >= 0 {
            try Interrupt.check()
            var first = last
            while first > 0 {
                let around = abs(h[(first - 1) * n + first - 1]) + abs(h[first * n + first])
                if abs(h[first * n + first - 1]) <= 0x1p-53 * (around > 0 ? around : size) {
                    h[first * n + first - 1] = 0
                    break
                }
                first -= 1
            }
            if first == last {
                (real[last], imaginary[last]) = (h[last * n + last], 0)
                (last, tries) = (last - 1, 0)
            } else if first == last - 1 {
                splitPair(at: first)
                (last, tries) = (last - 2, 0)
            } else {
                tries += 1
                guard tries <= 300 else { throw ArrayError.badValue(operation: "eig", .noConvergence) }
                sweep(first, last, isExceptional: tries % 10 == 0)
            }
        }
    }

    /// One step of Francis's: a bulge, made by two shifts at once, is chased down the diagonal.
    private mutating func sweep(_ first: Int, _ last: Int, isExceptional: Bool) {
        func at(_ i: Int, _ j: Int) -> Double { h[i * n + j] }
        var trace = at(last, last) + at(last - 1, last - 1)
        var determinant = at(last, last) * at(last - 1, last - 1) - at(last, last - 1) * at(last - 1, last)
        if isExceptional {
            let size = abs(at(last, last - 1)) + abs(at(last - 1, last - 2))
            (trace, determinant) = (1.5 * size, size * size)
        }
        var x = [
            at(first, first) * at(first, first) + at(first, first + 1) * at(first + 1, first) - trace * at(first, first) + determinant,
            at(first + 1, first) * (at(first, first) + at(first + 1, first + 1) - trace), at(first + 1, first) * at(first + 2, first + 1),
        ]
        for k in first..<last {
            let v = Self.reflector(x)
            if !v.isEmpty { reflect(v, at: k, columnsFrom: max(first, k - 1), rowsTo: min(last, k + 3) + 1) }
            if k > first { for i in k + 1...min(last, k + 2) { h[i * n + k - 1] = 0 } }
            x = (k + 1...min(last, k + 3)).map { at($0, k) }
        }
    }

    /// A block of two: turned to be triangular if its eigenvalues are real.
    private mutating func splitPair(at i: Int) {
        let (a, b, c, d) = (h[i * n + i], h[i * n + i + 1], h[(i + 1) * n + i], h[(i + 1) * n + i + 1])
        let p = (a - d) / 2, discriminant = p * p + b * c
        guard discriminant >= 0 else {
            let y = (-discriminant).squareRoot(), x = d + p
            (real[i], real[i + 1], imaginary[i], imaginary[i + 1]) = (x, x, y, -y)
            return
        }
        // The eigenvector (p ± √…, c) becomes the first direction.
        let x = p + (p < 0 ? -discriminant.squareRoot() : discriminant.squareRoot()), length = (x * x + c * c).squareRoot()
        if length > 0 {
            let (cosine, sine) = (x / length, c / length)
            for j in i..<n {
                let (upper, lower) = (h[i * n + j], h[(i + 1) * n + j])
                (h[i * n + j], h[(i + 1) * n + j]) = (cosine * upper + sine * lower, cosine * lower - sine * upper)
            }
            for r in 0..<i + 2 {
                let (left, right) = (h[r * n + i], h[r * n + i + 1])
                (h[r * n + i], h[r * n + i + 1]) = (cosine * left + sine * right, cosine * right - sine * left)
            }
            for r in 0..<n {
                let (left, right) = (z[r * n + i], z[r * n + i + 1])
                (z[r * n + i], z[r * n + i + 1]) = (cosine * left + sine * right, cosine * right - sine * left)
            }
        }
        h[(i + 1) * n + i] = 0
        (real[i], real[i + 1], imaginary[i], imaginary[i + 1]) = (h[i * n + i], h[(i + 1) * n + i + 1], 0, 0)
    }

    // MARK: Vectors

    private struct Complex {
        var x, y: Double
        static func + (a: Complex, b: Complex) -> Complex { Complex(x: a.x + b.x, y: a.y + b.y) }
        static func - (a: Complex, b: Complex) -> Complex { Complex(x: a.x - b.x, y: a.y - b.y) }
        static func * (a: Complex, b: Complex) -> Complex { Complex(x: a.x * b.x - a.y * b.y, y: a.x * b.y + a.y * b.x) }
        static func * (a: Double, b: Complex) -> Complex { Complex(x: a * b.x, y: a * b.y) }
        var size: Double { max(abs(x), abs(y)) }

        /// Scaled, so that no square overflows or vanishes.
        static func / (a: Complex, b: Complex) -> Complex {
            let size = b.size, (u, v) = (b.x / size, b.y / size), length = (u * u + v * v) * size
            return Complex(x: (a.x * u + a.y * v) / length, y: (a.y * u - a.x * v) / length)
        }
    }

    private func solveForVectors() throws -> ([Double], [Double]) {
        var result = ([Double](repeating: 0, count: n * n), [Double](repeating: 0, count: n * n))
        let size = max(h.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude), least = Complex(x: 0x1p-53 * size, y: 0)
        for k in 0..<n where imaginary[k] >= 0 {
            try Interrupt.check()
            let value = Complex(x: real[k], y: imaginary[k]), isPair = imaginary[k] > 0, top = isPair ? k + 1 : k
            func shifted(_ i: Int) -> Complex { Complex(x: h[i * n + i], y: 0) - value }
            var x = [Complex](repeating: Complex(x: 0, y: 0), count: n)
            if isPair {
                x[k] = Complex(x: h[k * n + k + 1], y: 0)
                x[k + 1] = value - Complex(x: h[k * n + k], y: 0)
            } else {
                x[k] = Complex(x: 1, y: 0)
            }
            var i = k - 1
            while i >= 0 {
                func rest(_ i: Int) -> Complex {
                    var sum = Complex(x: 0, y: 0)
                    for j in i + 1...top { sum = sum - h[i * n + j] * x[j] }
                    return sum
                }
                if i > 0, h[i * n + i - 1] != 0 {
                    // Two unknowns at once, by Cramer's rule.
                    x[i] = Complex(x: 0, y: 0)
                    let (upper, lower) = (rest(i - 1), rest(i)), (b, c) = (h[(i - 1) * n + i], h[i * n + i - 1])
                    var determinant = shifted(i - 1) * shifted(i) - Complex(x: b * c, y: 0)
                    if determinant.size <= least.x * 0x1p-53 * size { determinant = Complex(x: least.x * size, y: 0) }
                    x[i - 1] = (upper * shifted(i) - b * lower) / determinant
                    x[i] = (lower * shifted(i - 1) - c * upper) / determinant
                    i -= 2
                } else {
                    let divisor = shifted(i)
                    x[i] = rest(i) / (divisor.size < least.x ? least : divisor)
                    i -= 1
                }
                // Before it grows beyond what a double holds.
                let largest = x[max(0, i + 1)...top].reduce(0) { max($0, $1.size) }
                if largest > 0x1p200 { for j in 0...top { x[j] = 1 / largest * x[j] } }
            }
            var vector = [Complex](repeating: Complex(x: 0, y: 0), count: n)
            for row in 0..<n {
                var sum = Complex(x: 0, y: 0)
                for j in 0...top { sum = sum + z[row * n + j] * x[j] }
                vector[row] = balance[row] * sum
            }
            normalize(&vector)
            for row in 0..<n {
                result.0[row * n + k] = vector[row].x
                result.1[row * n + k] = isPair ? vector[row].y : 0
                if isPair { (result.0[row * n + k + 1], result.1[row * n + k + 1]) = (vector[row].x, -vector[row].y) }
            }
        }
        return result
    }

    /// To length 1, the first of the largest elements real and positive.
    private func normalize(_ vector: inout [Complex]) {
        let size = vector.reduce(0) { max($0, $1.size) }
        guard size > 0, size < .infinity else { return }
        for i in vector.indices { vector[i] = 1 / size * vector[i] }
        let squares = vector.map { $0.x * $0.x + $0.y * $0.y }
        var best = 0
        for i in vector.indices where squares[i] > squares[best] * (1 + 0x1p-40) { best = i }
        // Times the conjugate of its direction.
        let length = squares[best].squareRoot(), turn = Complex(x: vector[best].x / length, y: -vector[best].y / length)
        let whole = 1 / squares.reduce(0, +).squareRoot()
        for i in vector.indices { vector[i] = whole * (turn * vector[i]) }
        vector[best].y = 0
    }

    /// Ascending by their real parts; of a pair the one below the real line first.
    private mutating func sort() {
        let (x, y) = (real, imaginary), order = (0..<n).sorted { (x[$0], y[$0], $0) < (x[$1], y[$1], $1) }
        (real, imaginary) = (order.map { x[$0] }, order.map { y[$0] })
        let n = n
        func columns(_ matrix: [Double]) -> [Double] { (0..<n * n).map { matrix[$0 / n * n + order[$0 % n]] } }
        vectors = (columns(vectors.real), columns(vectors.imaginary))
    }
}
