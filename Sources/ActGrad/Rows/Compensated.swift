// Numbers computed as if with twice the digits, for points where a formula nearly cancels. They are worked out from parameters alone, so
// once for a whole array. The exact error of a product of two doubles is a double; T. J. Dekker, "A floating-point technique for
// extending the available precision", 1971, gives it.

import ActArray

/// a·b − product, exactly, for product = a·b rounded.
private func error(of product: Formula, _ a: Formula, _ b: Formula) -> Formula {
    let (a1, a2) = halves(a)
    let (b1, b2) = halves(b)
    return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
}

/// The upper 26 bits of a double and the rest.
private func halves(_ a: Formula) -> (Formula, Formula) {
    let scaled = 134_217_729 * a  // 2^27 + 1
    let upper = scaled - (scaled - a)
    return (upper, a - upper)
}

/// a/b as a double and what it lacks.
func compensatedQuotient(_ a: Formula, _ b: Formula) -> (Formula, Formula) {
    let quotient = a / b
    let product = b * quotient
    return (quotient, ((a - product) - error(of: product, b, quotient)) / b)
}

/// √(a/b) as a double and what it lacks.
func compensatedRoot(_ a: Formula, over b: Formula) -> (Formula, Formula) {
    let (quotient, rest) = compensatedQuotient(a, b)
    let root = f(.sqrt, quotient)
    let square = root * root
    return (root, (((quotient - square) - error(of: square, root, root)) + rest) / (2 * root))
}
