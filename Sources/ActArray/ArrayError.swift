/// What can go wrong with arrays, as data: the wording is ActLanguage's.
package enum ArrayError: Error, Equatable {
    /// Elementwise operands whose shapes do not broadcast; `axis` counts from the end (−1 is the last).
    case shapesDoNotBroadcast([Int], [Int], axis: Int)
    case shapesDoNotMultiply([Int], [Int])  // matmul and dot: inner sizes differ
    case scalarOperand(operation: String)  // matmul of a number
    case cannotReshape([Int], to: [Int])
    case cannotBroadcast([Int], to: [Int])
    case negativeSize(Int)
    case axisOutOfRange(axis: Int, rank: Int)
    case repeatedAxis(Int)
    case indexOutOfRange(index: Int, axis: Int, size: Int)
    case tooManyIndices(given: Int, rank: Int)
    case indexNotWhole(Double)
    case maskShape(mask: [Int], array: [Int])
    case cannotAssign(value: [Int], to: [Int])
    case stepIsZero
    case emptyReduction(operation: String, shape: [Int])
    case shapesDiffer(operation: String, [Int], [Int], axis: Int?)  // concat, stack …
    case notSquare(operation: String, [Int])
    case singular(operation: String)
    /// The operation takes arrays of these ranks; up to `Shapes.rankLimit` means any from the first on.
    case rankMismatch(operation: String, ranks: ClosedRange<Int>, shape: [Int])
    case badValue(operation: String, ArrayReason)
    case outOfMemory(bytes: Int, limit: Int)
    case textTooLong(bytes: Int)
    case tooLarge(shape: [Int])  // the element count overflows
    case interrupted
    /// It cannot be part of a graph, and one is being taken.
    case noGraph(NoGraph)
}

/// What a graph cannot hold.
package enum NoGraph: Error, Equatable, Sendable {
    /// What depends on the value of an element.
    case element
    /// A random draw.
    case draw
    /// Reading or writing a file.
    case file
    /// What other processes have.
    case ranks
    /// What is written or shown.
    case output
    /// What time it is, and how long something takes.
    case time
}
