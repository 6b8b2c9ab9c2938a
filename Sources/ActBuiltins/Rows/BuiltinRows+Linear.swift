// Decompositions of matrices and what follows from them. Leading axes are a batch; all but ranks and signs differentiate.

import ActArray
import ActLinear
import ActMachine
import ActRows

extension BuiltinRows {
    static let decompositions: [Builtin] = [
        Builtin(
            .linear, "cholesky", "the lower triangular L for which L @ L' is a symmetric positive definite matrix",
            details: "The symmetric part of the matrix counts.",
            example: "cholesky([[4, 2], [2, 5]])   # [[2, 0],\n# [1, 2]]"
        ) { takes in
            let a = takes.numbers("a")
            return { call in try Value(call[a].cholesky()) }
        },
        Builtin(
            .linear, "qr", "the pair (Q, R): Q has orthonormal columns, R is upper triangular, Q @ R is the matrix",
            example: "q, r = qr([[3, 1], [4, 2]]); allclose(q @ r, [[3, 1], [4, 2]])   # true"
        ) { takes in
            let a = takes.numbers("a")
            return { call in
                let (q, r) = try call[a].qr()
                return try .list([Value(q), Value(r)])
            }
        },
        Builtin(
            .linear, "svd", "the list (U, s, Vt): U @ diag(s) @ Vt is the matrix, s descending",
            details: "As many columns of U and rows of Vt as there are singular values. The largest element of each column of U is positive.",
            example: "u, s, vt = svd([[3, 0], [0, 4]]); s   # [4, 3]"
        ) { takes in
            let a = takes.numbers("a")
            return { call in
                let (u, s, vt) = try call[a].singularValues()
                return try .list([Value(u), Value(s), Value(vt)])
            }
        },
        Builtin(
            .linear, "eigh", "the pair (w, V) of a symmetric matrix: eigenvalues, ascending, and eigenvectors in columns",
            details: "The symmetric part of the matrix counts. The largest element of each vector is positive.",
            example: "w, v = eigh([[5, 0], [0, 3]]); w   # [3, 5]"
        ) { takes in
            let a = takes.numbers("a")
            return { call in
                let (w, v) = try call[a].symmetricEigen()
                return try .list([Value(w), Value(v)])
            }
        },
        Builtin(
            .linear, "eig", "the pair (w, V) of any square matrix: eigenvalues, ascending, and eigenvectors in columns",
            details: """
                Where eigenvalues are complex, `complex=true` gives {real, imaginary, vectors_real, vectors_imaginary}, ascending by the real parts; \
                without it that is an error. Vectors have length 1, their largest element is \
                positive. Symmetric matrices have `eigh`, which differentiates too.
                """,
            example: "w, v = eig([[2, 1], [0, 3]]); w   # [2, 3]\neig([[0, -1], [1, 0]], complex=true).imaginary   # [-1, 1]", role: .opaque
        ) { takes in
            let a = takes.numbers("a"), complex = takes.flag("complex", default: false)
            return { call in
                let (values, vectors) = try call[a].generalEigen()
                if try call[complex] {
                    return try .record([
                        "real": Value(values.real), "imaginary": Value(values.imaginary), "vectors_real": Value(vectors.real),
                        "vectors_imaginary": Value(vectors.imaginary),
                    ])
                }
                let parts = try values.imaginary.toDoubles()
                if let index = parts.firstIndex(where: { $0 != 0 }) {
                    let (x, y) = (try values.real.toDoubles()[index], abs(parts[index]))
                    throw BuiltinRefusal.complexEigenvalues(real: x, imaginary: y)
                }
                return try .list([Value(values.real), Value(vectors.real)])
            }
        },
        Builtin(
            .linear, "slogdet", "the pair of the sign of the determinant and the logarithm of its magnitude",
            details: "Where the determinant itself would overflow, or be lost below the smallest number.",
            example: "slogdet([[1, 2], [3, 4]])   # (-1, 0.69314718)"
        ) { takes in
            let a = takes.numbers("a")
            return { call in
                let (sign, log) = try call[a].signAndLogDeterminant()
                return try .list([Value(sign), Value(log)])
            }
        },
        Builtin(
            .linear, "pinv", "the pseudo-inverse: for every b, pinv(a) @ b is the shortest x for which a @ x is nearest to b",
            details: "Singular values below `rcond` times the largest count as 0; by default rounding decides.",
            example: "pinv([[2, 0], [0, 4], [0, 0]])   # [[0.50, 0.00, 0.00],\n# [0.00, 0.25, 0.00]]"
        ) { takes in
            let a = takes.numbers("a"), rcond = takes.numberOrNone("rcond", .within(0...))
            return { call in try Value(call[a].pseudoinverse(cutoff: call[rcond])) }
        },
        Builtin(
            .linear, "lstsq", "the x for which a @ x is nearest to b; the shortest of several",
            details: "Singular values below `rcond` times the largest count as 0; by default rounding decides.",
            example: "round(lstsq([[1, 0], [1, 1], [1, 2]], [1, 3, 5]), 6)   # [1, 2]"
        ) { takes in
            let a = takes.numbers("a"), b = takes.numbers("b"), rcond = takes.numberOrNone("rcond", .within(0...))
            return { call in try Value(NDArray.matmul(call[a].pseudoinverse(cutoff: call[rcond]), call[b])) }
        },
        Builtin(
            .linear, "matrix_rank", "how many singular values are not 0 but for rounding, or above `tol`", example: "matrix_rank([[1, 2], [2, 4]])   # 1",
            role: .steps
        ) { takes in
            let a = takes.numbers("a"), tol = takes.numberOrNone("tol", .within(0...))
            return { call in try call.positions(of: call[a], call[a].matrixRank(tolerance: call[tol])) }
        },
        Builtin(
            .linear, "matrix_power", "the product of n matrices that are the same; of their inverses for negative n",
            example: "matrix_power([[1, 1], [0, 1]], 5)   # [[1, 5],\n# [0, 1]]"
        ) { takes in
            let a = takes.numbers("a"), n = takes.whole("n", nil, .within(-0x1p31...0x1p31))
            return { call in try Value(call[a].matrixPower(call[n])) }
        },
        Builtin(
            .linear, "kron", "the Kronecker product: every element of a times the whole of b", example: "kron([1, 10], [1, 2])   # [1, 2, 10, 20]"
        ) { takes in
            let a = takes.numbers("a"), b = takes.numbers("b")
            return { call in try Value(NDArray.kronecker(call[a], call[b])) }
        },
    ]
}

extension Signature {
    fileprivate mutating func whole(_ name: String, _ fallback: Int?, _ bounds: Bounds) -> Input<Int> { whole(name, default: fallback, bounds) }
}
