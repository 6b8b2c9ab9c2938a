// What NumPy, SciPy, PyTorch and MATLAB have a function for, and act writes in a line, or does not have.
//
// What must stay true: what stands between backticks is a program, of arrays a, b, x and y, a matrix A and the like. `HabitTests` runs
// each of them.

private let noComplexNumbers = "act has no complex numbers: keep the real and the imaginary part as two arrays"

private let noFourierTransform =
    "there is no fast Fourier transform, and no complex numbers: with `w = 2 * pi * outer(range(len(x)), range(len(x))) / len(x)` "

private let anglesOfWaves = noFourierTransform + "the real part of the transform is `x @ cos(w)`, the imaginary one `-x @ sin(w)`"

private let wavesOfParts = noFourierTransform + "the inverse of the parts a and b has the real part `(a @ cos(w) - b @ sin(w)) / len(a)`"

private let rowsOnEachOther = "write `stack((a, b))` for vectors, `concat((A, B))` for matrices"

private let rowsBesideEachOther = "write `concat((a, b))` for vectors, `concat((A, B), axis=1)` for matrices"

private let columnsBesideEachOther = "write `stack((a, b), axis=1)` for vectors, `concat((A, B), axis=1)` for matrices"

private let areaBelow = "write `sum((y[1:] + y[:-1]) * (x[1:] - x[:-1])) / 2`"

private let membership = "write `[contains(b, v) for v in a]`; of numbers `any(a[:, none] == b, axis=1)` is faster"

private let noTriangles = "there is no LU decomposition: `solve(A, b)` solves a system, `qr(A)` decomposes, `det(A)` is the determinant"

private let minimum =
    "write a loop of steps: `p, opt = [5, 5], LBFGS()`, then `for i in range(20) { p, opt = update(opt, p, grad(f)(p)) }`; a network is trained by `fit`"

private let isNumberText = "write `all([contains(\"0123456789\", c) for c in s])`; `number(s)` reads a number"

/// A name of another library → what to write, which holds a space, so that nobody takes it for a name.
package let foreignRecipes: [String: String] = [
    // Draws.
    "multinomial": "write `choice(len(p), n, p=p)` for n draws, which `bincount` counts; `categorical` takes logits",
    "gumbel": "write `-log(-log(rand(n)))`",
    "poisson": "write `sum(cumprod(rand(n, 60), axis=1) > exp(-rate), axis=1)` for n draws of a rate up to 20",
    "binomial": "write `sum(rand(n, trials) < chance, axis=1)` for n draws",
    // Arrays joined, turned and gone along.
    "vstack": rowsOnEachOther, "row_stack": rowsOnEachOther, "rbind": rowsOnEachOther, "hstack": rowsBesideEachOther,
    "dstack": "write `stack((A, B), axis=2)` for matrices", "column_stack": columnsBesideEachOther, "cbind": columnsBesideEachOther,
    "hcat": columnsBesideEachOther, "fliplr": "write `flip(A, axis=1)`", "flipud": "write `flip(A, axis=0)`",
    "gradient":
        "write `concat(([y[1] - y[0]], (y[2:] - y[:-2]) / 2, [y[-1] - y[-2]]))` for the slopes of sampled values; those of a function are `grad(f)`",
    "trapz": areaBelow, "trapezoid": areaBelow,
    "cummax": "write `scan((m, v) -> (max(m, v), max(m, v)), x[0], x)[1]`", "cummin": "write `scan((m, v) -> (min(m, v), min(m, v)), x[0], x)[1]`",
    "isin": membership, "in1d": membership, "ismember": membership,
    "argwhere": "write `stack(nonzero(x), axis=1)`", "find": "write `nonzero(x > 2)[0]` for places in an array, `len(split(s, part)[0])` for one in a text",
    "nan_to_num": "write `where(isnan(x), 0, x)`", "logspace": "write `10^linspace(0, 2, n)`", "ptp": "write `max(x) - min(x)`",
    "nanmedian": "write `nanquantile(x, 0.5)`", "nanpercentile": "write `nanquantile(x, percent / 100)`",
    "percentile": "write `quantile(x, percent / 100)`, or `quantile(x, 0.9)`", "logaddexp": "write `logsumexp(stack((a, b)), axis=0)`",
    // Matrices.
    "cond": "the condition number of a matrix is `max(svd(A)[1]) / min(svd(A)[1])`; of two values `where(x > 0, x, 0)` takes one",
    "solve_triangular": "write `solve(triu(A), b)`, or `solve(tril(A), b)`", "lu": noTriangles, "lu_factor": noTriangles, "lu_solve": "write `solve(A, b)`",
    "expm": "there is no exponential of a matrix; of a symmetric one it is `v @ diag(exp(w)) @ v.T` with `w, v = eigh(A)`",
    "cross": "write `roll(a, -1, axis=-1) * roll(b, -2, axis=-1) - roll(a, -2, axis=-1) * roll(b, -1, axis=-1)`",
    "vander": "write `x[:, none]^range(n)`",
    // Complex numbers.
    "complex": noComplexNumbers, "conj": noComplexNumbers, "conjugate": noComplexNumbers, "imag": noComplexNumbers,
    "fft": anglesOfWaves, "rfft": anglesOfWaves, "dft": anglesOfWaves, "ifft": wavesOfParts, "irfft": wavesOfParts,
    // Descent, figures and texts.
    "minimize": minimum, "fminsearch": minimum,
    "errorbar": "write `scatter(x, y) + plot(x, y - b, y + b, style=\"--\")` for errors b",
    "fill_between": "areas are not filled: `plot(x, y - b, y + b)` draws both edges",
    "isdigit": isNumberText, "isnumeric": isNumberText, "isdecimal": isNumberText,
]
