// A = Q R by reflections whose products are kept as 1 − Y T Yᵀ, so that nearly all of the work is in matrix products. Recursive: the left
// half of the columns, then the right half brought up to date. (E. Elmroth, F. Gustavson 2000.)
//
// What must stay true: columns of Y have length 1 or are 0, and are 0 above their own row.

import ActArray

struct Reflections {
    let m: Int
    /// How many reflections there are: min(m, n).
    let count: Int
    /// m × count.
    private var y: [Double]
    /// Upper triangular, count × count.
    private var t: [Double]

    private static let leaf = 8

    /// Brings the m × n matrix at `a` to its R, in place.
    /// - Throws: `interrupted`.
    init(reducing a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int) throws {
        self.m = m
        count = min(m, n)
        try MemoryPool.allow((m &* count &+ 3 &* count &* max(count, n)) &* MemoryLayout<Double>.stride)
        y = [Double](repeating: 0, count: m * count)
        t = [Double](repeating: 0, count: count * count)
        let count = count
        try y.withUnsafeMutableBufferPointer { y in
            try t.withUnsafeMutableBufferPointer { t in
                guard let y = y.baseAddress, let t = t.baseAddress else { return }
                try Self.factor(a, n, m, 0, count, y, t, count)
                // Columns beyond the square.
                try Self.apply(a + count, n, m, n - count, y, t, 0, count, count)
            }
        }
        for j in 0..<count { for i in j + 1..<max(m, j + 1) { a[i * n + j] = 0 } }
    }

    /// Q, m × count.
    func write(to q: UnsafeMutablePointer<Double>) throws {
        guard count > 0 else { return }
        let (m, count) = (m, count)
        try y.withUnsafeBufferPointer { y in
            try t.withUnsafeBufferPointer { t in
                guard let y = y.baseAddress, let t = t.baseAddress else { return }
                // (1 − Y T Yᵀ) times the first columns of the unit matrix.
                let product = UnsafeMutablePointer<Double>.allocate(capacity: count * count)
                defer { product.deallocate() }
                try MatrixProduct.multiply(
                    m: count, n: count, k: count, MatrixView(t, rowStride: count), MatrixView(y, rowStride: count).transposed, into: product, rowStride: count)
                try MatrixProduct.multiply(
                    m: m, n: count, k: count, alpha: -1, MatrixView(y, rowStride: count), MatrixView(UnsafePointer(product), rowStride: count), into: q,
                    rowStride: count)
                for j in 0..<count { q[j * count + j] += 1 }
            }
        }
    }

    /// Reflections `first` ..< `last`, each in the column of its number.
    private static func factor(
        _ a: UnsafeMutablePointer<Double>, _ stride: Int, _ m: Int, _ first: Int, _ last: Int, _ y: UnsafeMutablePointer<Double>,
        _ t: UnsafeMutablePointer<Double>, _ count: Int
    ) throws {
        try Interrupt.check()
        if last - first <= leaf {
            for j in first..<last { reflect(a, stride, m, j, last, y, t, first, count) }
            return
        }
        let middle = (first + last) / 2, (left, right) = (middle - first, last - middle)
        try factor(a, stride, m, first, middle, y, t, count)
        try apply(a + middle, stride, m, right, y, t, first, middle, count)
        try factor(a, stride, m, middle, last, y, t, count)
        // What joins the two: −T₁ (Y₁ᵀ Y₂) T₂, of the rows where Y₂ is not 0.
        let work = UnsafeMutablePointer<Double>.allocate(capacity: 2 * left * right)
        defer { work.deallocate() }
        let below = y + middle * count, inner = work, outer = work + left * right
        try MatrixProduct.multiply(
            m: left, n: right, k: m - middle, MatrixView(UnsafePointer(below + first), rowStride: count).transposed,
            MatrixView(UnsafePointer(below + middle), rowStride: count), into: inner,
            rowStride: right)
        try MatrixProduct.multiply(
            m: left, n: right, k: right, MatrixView(UnsafePointer(inner), rowStride: right),
            MatrixView(UnsafePointer(t + middle * count + middle), rowStride: count), into: outer, rowStride: right)
        try MatrixProduct.multiply(
            m: left, n: right, k: left, alpha: -1, MatrixView(UnsafePointer(t + first * count + first), rowStride: count),
            MatrixView(UnsafePointer(outer), rowStride: right),
            into: t + first * count + middle, rowStride: count)
    }

    /// (1 − Y Tᵀ Yᵀ) of reflections `first` ..< `last` times some columns at `a`.
    private static func apply(
        _ a: UnsafeMutablePointer<Double>, _ stride: Int, _ m: Int, _ columns: Int, _ y: UnsafeMutablePointer<Double>, _ t: UnsafeMutablePointer<Double>,
        _ first: Int, _ last: Int,
        _ count: Int
    ) throws {
        let width = last - first
        guard columns > 0, width > 0 else { return }
        let work = UnsafeMutablePointer<Double>.allocate(capacity: 2 * width * columns)
        defer { work.deallocate() }
        let inner = work, turned = work + width * columns
        let reflectors = MatrixView(UnsafePointer(y + first * count + first), rowStride: count), rows = a + first * stride
        try MatrixProduct.multiply(
            m: width, n: columns, k: m - first, reflectors.transposed, MatrixView(UnsafePointer(rows), rowStride: stride), into: inner, rowStride: columns)
        try MatrixProduct.multiply(
            m: width, n: columns, k: width, MatrixView(UnsafePointer(t + first * count + first), rowStride: count).transposed,
            MatrixView(UnsafePointer(inner), rowStride: columns), into: turned,
            rowStride: columns)
        try MatrixProduct.multiply(
            m: m - first, n: columns, k: width, alpha: -1, reflectors, MatrixView(UnsafePointer(turned), rowStride: columns), beta: 1, into: rows,
            rowStride: stride)
    }

    /// The reflection of column j, applied to the columns up to `end`; its column of T, beside those from `first` on.
    private static func reflect(
        _ a: UnsafeMutablePointer<Double>, _ stride: Int, _ m: Int, _ j: Int, _ end: Int, _ y: UnsafeMutablePointer<Double>, _ t: UnsafeMutablePointer<Double>,
        _ first: Int, _ count: Int
    ) {
        guard j + 1 < m else { return }
        var largest = 0.0
        for i in j..<m { largest = max(largest, abs(a[i * stride + j])) }
        guard largest > 0 else { return }
        var sum = 0.0
        for i in j..<m { sum += (a[i * stride + j] / largest) * (a[i * stride + j] / largest) }
        let alpha = a[j * stride + j] / largest, length = sum.squareRoot()
        // Away from 0, so that nothing cancels.
        let lead = alpha + (alpha > 0 ? length : -length), size = (sum - alpha * alpha + lead * lead).squareRoot()
        for i in j..<m { y[i * count + j] = (i == j ? lead : a[i * stride + j] / largest) / size }
        for c in j..<end {
            var dot = 0.0
            for i in j..<m { dot += y[i * count + j] * a[i * stride + c] }
            for i in j..<m { a[i * stride + c] -= 2 * dot * y[i * count + j] }
        }
        t[j * count + j] = 2
        // −2 T (Yᵀ y)
        var products = [Double](repeating: 0, count: j - first)
        for k in first..<j { for i in j..<m { products[k - first] += y[i * count + k] * y[i * count + j] } }
        for k in first..<j {
            var sum = 0.0
            for l in k..<j { sum += t[k * count + l] * products[l - first] }
            t[k * count + j] = -2 * sum
        }
    }
}
