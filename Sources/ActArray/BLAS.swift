// Matrix products over raw memory: a BLAS found when first needed, cut into tiles that our own threads run.
//
// What must stay true:
// - The tiles, and whether the library or the plain kernel computes them, depend on shapes alone: results are the same with
//   any number of threads. So the library itself runs on one thread (measured: our tiles are also quicker than its threads).
// - A tile lasts at most about 50 ms, and the interrupt flag is read between tiles.
// - The library's integers are 32 bits wide; whatever does not fit goes to the plain kernel.

import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A matrix in memory: element (i, j) is at `i * rowStride + j * columnStride`.
package struct MatrixView<T> {
    package var pointer: UnsafePointer<T>
    package var rowStride: Int
    package var columnStride: Int

    package init(_ pointer: UnsafePointer<T>, rowStride: Int, columnStride: Int = 1) {
        self.pointer = pointer
        self.rowStride = rowStride
        self.columnStride = columnStride
    }

    package var transposed: MatrixView { MatrixView(pointer, rowStride: columnStride, columnStride: rowStride) }

    func advanced(row: Int, column: Int) -> MatrixView {
        MatrixView(pointer + row * rowStride + column * columnStride, rowStride: rowStride, columnStride: columnStride)
    }

    /// Row stride and transposition as a BLAS takes them, or `nil` when no stride is 1.
    func blasForm(rows: Int, columns: Int) -> (transposed: Bool, leading: Int32)? {
        if columnStride == 1 || columns == 1, rowStride >= columns || rows == 1 {
            return Int32(exactly: rows == 1 ? max(columns, 1) : rowStride).map { (false, $0) }
        }
        if rowStride == 1 || rows == 1, columnStride >= rows || columns == 1 {
            return Int32(exactly: columns == 1 ? max(rows, 1) : columnStride).map { (true, $0) }
        }
        return nil
    }
}

/// An element type that matrix products exist for.
package protocol MatrixElement: BinaryFloatingPoint, SIMDScalar, Codable {
    static func libraryProduct(_ library: BLAS.Library) -> BLAS.Gemm<Self>?
    static func libraryMatrixVector(_ library: BLAS.Library) -> BLAS.Gemv<Self>?
    /// Σ a[i] b[i], summed in f64.
    static func dotPiece(_ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ count: Int) -> Double
}

extension Float: MatrixElement {
    package static func libraryProduct(_ library: BLAS.Library) -> BLAS.Gemm<Float>? { library.sgemm }
    package static func libraryMatrixVector(_ library: BLAS.Library) -> BLAS.Gemv<Float>? { library.sgemv }
    package static func dotPiece(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f32(a, b, count)
    }
}

extension Double: MatrixElement {
    package static func libraryProduct(_ library: BLAS.Library) -> BLAS.Gemm<Double>? { library.dgemm }
    package static func libraryMatrixVector(_ library: BLAS.Library) -> BLAS.Gemv<Double>? { library.dgemv }
    package static func dotPiece(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f64(a, b, count)
    }
}

package enum BLAS {
    // The C functions, order and transpositions as CBLAS numbers them.
    package typealias Gemm<T> = (
        _ transA: Bool, _ transB: Bool, _ m: Int32, _ n: Int32, _ k: Int32, _ alpha: T, UnsafePointer<T>, _ lda: Int32,
        UnsafePointer<T>, _ ldb: Int32, _ beta: T, UnsafeMutablePointer<T>, _ ldc: Int32
    ) -> Void
    package typealias Gemv<T> = (
        _ transA: Bool, _ rows: Int32, _ columns: Int32, UnsafePointer<T>, _ lda: Int32,
        UnsafePointer<T>, _ incx: Int32, UnsafeMutablePointer<T>
    ) -> Void

    package struct Library {
        var sgemm: Gemm<Float>?
        var dgemm: Gemm<Double>?
        var sgemv: Gemv<Float>?
        var dgemv: Gemv<Double>?
    }

    /// Products of fewer multiplications than this never touch the library.
    static let smallProduct = 4096

    /// Whether no library was found, so that large products are slower. Loads the library.
    package static var isFallback: Bool { library.sgemm == nil }

    /// `c = alpha * a @ b + beta * c` with `a` (m, k), `b` (k, n) and row-major `c` (m, n); `beta` is 0 or 1, and 0 ignores what `c` held.
    /// - Throws: `ArrayError.interrupted`.
    // Compiled for both types here: other modules would call the generic code, which is a hundred times slower.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    package static func multiply<T: MatrixElement>(
        m: Int, n: Int, k: Int, alpha: T = 1, _ a: MatrixView<T>, _ b: MatrixView<T>, beta: T = 0,
        into c: UnsafeMutablePointer<T>, rowStride: Int
    ) throws {
        guard m > 0, n > 0 else { return }
        let work = Double(m) * Double(n) * Double(k)
        if work < Double(smallProduct) {
            PlainProduct.multiply(m: m, n: n, k: k, alpha: alpha, a, b, beta: beta, into: c, rowStride: rowStride)
            return
        }
        _ = library     // loaded here, not by a worker
        let (tileRows, tileColumns) = tile(m: m, n: n, k: k)
        let across = (n + tileColumns - 1) / tileColumns, down = (m + tileRows - 1) / tileRows
        let run = { (index: Int) in
            if Interrupt.isSet { return }
            let row = index / across * tileRows, column = index % across * tileColumns
            multiplyTile(
                m: min(tileRows, m - row), n: min(tileColumns, n - column), k: k, alpha: alpha,
                a.advanced(row: row, column: 0), b.advanced(row: 0, column: column), beta: beta,
                into: c + row * rowStride + column, rowStride: rowStride)
        }
        if across * down == 1 { run(0) } else { ThreadPool.parallelFor(across * down, run) }
        try Interrupt.check()
    }

    /// How large the pieces of a product are: at least four pieces when there is something to share, none above 1024 by 1024
    /// or 2^31 multiplications.
    static func tile(m: Int, n: Int, k: Int) -> (rows: Int, columns: Int) {
        var rows = m, columns = n
        guard Double(m) * Double(n) * Double(k) >= 0x1p20 else { return (rows, columns) }
        var pieces = 1
        while pieces < 4 || max(rows, columns) > 1024 || Double(rows) * Double(columns) * Double(k) > 0x1p31, max(rows, columns) >= 64 {
            if rows >= columns { rows = (rows / 2 + 31) / 32 * 32 } else { columns = (columns / 2 + 31) / 32 * 32 }
            pieces = ((m + rows - 1) / rows) * ((n + columns - 1) / columns)
        }
        return (rows, columns)
    }

    private static func multiplyTile<T: MatrixElement>(
        m: Int, n: Int, k: Int, alpha: T, _ a: MatrixView<T>, _ b: MatrixView<T>, beta: T, into c: UnsafeMutablePointer<T>, rowStride: Int
    ) {
        guard
            let formA = a.blasForm(rows: m, columns: k), let formB = b.blasForm(rows: k, columns: n),
            let m32 = Int32(exactly: m), let n32 = Int32(exactly: n), let k32 = Int32(exactly: k), let ldc = Int32(exactly: m == 1 ? n : rowStride)
        else {
            PlainProduct.multiply(m: m, n: n, k: k, alpha: alpha, a, b, beta: beta, into: c, rowStride: rowStride)
            return
        }
        // A product with a vector: each element of `a` is used once, so nothing is gained by packing it.
        if alpha == 1, beta == 0, let gemv = T.libraryMatrixVector(library) {
            if n == 1, rowStride == 1 || m == 1, let step = Int32(exactly: k == 1 ? 1 : b.rowStride), step > 0 {
                gemv(formA.transposed, m32, k32, a.pointer, formA.leading, b.pointer, step, c)
                return
            }
            if m == 1, let step = Int32(exactly: k == 1 ? 1 : a.columnStride), step > 0 {
                gemv(!formB.transposed, n32, k32, b.pointer, formB.leading, a.pointer, step, c)
                return
            }
        }
        if let gemm = T.libraryProduct(library) {
            gemm(formA.transposed, formB.transposed, m32, n32, k32, alpha, a.pointer, formA.leading, b.pointer, formB.leading, beta, c, ldc)
        } else {
            PlainProduct.multiply(m: m, n: n, k: k, alpha: alpha, a, b, beta: beta, into: c, rowStride: rowStride)
        }
    }

    // MARK: Loading

    private static let library: Library = load()

    private static func load() -> Library {
        #if canImport(Darwin)
        let names = ["/System/Library/Frameworks/Accelerate.framework/Accelerate"]
        #else
        let names = ["libopenblas.so.0", "libopenblas.so", "libcblas.so.3", "libblas.so.3"]
        #endif
        // One thread: ours share the tiles out. OpenBLAS before 0.3.24 gives new AMD processors its AVX2 kernels; the ones it
        // calls SkylakeX run on every processor with AVX-512 and were up to twice as fast. OPENBLAS_CORETYPE is often set for a whole
        // machine, with other programs in mind; a choice made for act has a name of its own.
        setenv("OPENBLAS_NUM_THREADS", "1", 1)
        if let choice = getenv("ACT_OPENBLAS_CORETYPE") {
            setenv("OPENBLAS_CORETYPE", choice, 1)
        } else if String(cString: act_kernels_isa()) == "avx512" {
            setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
        }
        for name in names {
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            if let found = functions(in: handle) { return found }
        }
        return Library()
    }

    private static let rowMajor: Int32 = 101
    private static func code(_ transposed: Bool) -> Int32 { transposed ? 112 : 111 }

    private static func functions(in handle: UnsafeMutableRawPointer) -> Library? {
        guard
            let sgemmSymbol = dlsym(handle, "cblas_sgemm"), let dgemmSymbol = dlsym(handle, "cblas_dgemm"),
            let sgemvSymbol = dlsym(handle, "cblas_sgemv"), let dgemvSymbol = dlsym(handle, "cblas_dgemv")
        else { return nil }
        typealias SGemm = @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32, Float,
            UnsafeMutablePointer<Float>, Int32
        ) -> Void
        typealias DGemm = @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>, Int32, UnsafePointer<Double>, Int32, Double,
            UnsafeMutablePointer<Double>, Int32
        ) -> Void
        typealias SGemv = @convention(c) (
            Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
        ) -> Void
        typealias DGemv = @convention(c) (
            Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>, Int32, UnsafePointer<Double>, Int32, Double,
            UnsafeMutablePointer<Double>, Int32
        ) -> Void
        let sgemm = unsafeBitCast(sgemmSymbol, to: SGemm.self), dgemm = unsafeBitCast(dgemmSymbol, to: DGemm.self)
        let sgemv = unsafeBitCast(sgemvSymbol, to: SGemv.self), dgemv = unsafeBitCast(dgemvSymbol, to: DGemv.self)
        return Library(
            sgemm: { ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc in
                sgemm(rowMajor, code(ta), code(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
            },
            dgemm: { ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc in
                dgemm(rowMajor, code(ta), code(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
            },
            // `rows` counts the elements of the result; CBLAS wants the matrix as it lies. The result is cleared first because
            // some libraries multiply what it held by beta, NaN included.
            sgemv: { t, rows, columns, a, lda, x, incx, y in
                y.update(repeating: 0, count: Int(rows))
                sgemv(rowMajor, code(t), t ? columns : rows, t ? rows : columns, 1, a, lda, x, incx, 0, y, 1)
            },
            dgemv: { t, rows, columns, a, lda, x, incx, y in
                y.update(repeating: 0, count: Int(rows))
                dgemv(rowMajor, code(t), t ? columns : rows, t ? rows : columns, 1, a, lda, x, incx, 0, y, 1)
            })
    }
}
