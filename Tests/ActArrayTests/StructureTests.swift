import ActArray
import Testing

/// Expected elements are worked out by hand or by index arithmetic on row-major order.
@Suite struct StructureTests {
    @Test func reshape() throws {
        let x = try array(4, 6)
        #expect(try x.reshaped(to: [2, -1, 3]).shape == [2, 4, 3])
        #expect(try x.reshaped(to: [24]).toDoubles() == numbers(24))
        #expect(throws: ArrayError.cannotReshape([4, 6], to: [5, -1])) { try x.reshaped(to: [5, -1]) }
        #expect(throws: ArrayError.cannotReshape([4, 6], to: [23])) { try x.reshaped(to: [23]) }
        #expect(throws: ArrayError.negativeSize(-1)) { try x.reshaped(to: [-1, -1]) }
        #expect(throws: ArrayError.cannotReshape([0], to: [0, -1])) { try NDArray([], shape: [0]).reshaped(to: [0, -1]) }
    }

    @Test func transposeThenReshapeCopiesInTheNewOrder() throws {
        let x = try NDArray([1, 2, 3, 4, 5, 6], shape: [2, 3]).transposed()
        #expect(x.shape == [3, 2])
        #expect(try x.toDoubles() == [1, 4, 2, 5, 3, 6])
        #expect(try x.reshaped(to: [6]).toDoubles() == [1, 4, 2, 5, 3, 6])
    }

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]], [ElementType.f64, .f32, .bool])
    func permutations(order: [Int], type: ElementType) throws {
        let sizes = [37, 45, 53]
        let x = try array(37, 45, 53, type: type), flat = try x.toDoubles()
        let y = try x.transposed(order)
        let shape = order.map { sizes[$0] }
        #expect(y.shape == shape)
        let steps = [45 * 53, 53, 1]
        var expected: [Double] = []
        for i in 0..<shape[0] {
            for j in 0..<shape[1] {
                for k in 0..<shape[2] { expected.append(flat[i * steps[order[0]] + j * steps[order[1]] + k * steps[order[2]]]) }
            }
        }
        #expect(try y.toDoubles() == expected)
    }

    @Test func badPermutations() throws {
        let x = try array(2, 3)
        #expect(throws: ArrayError.repeatedAxis(0)) { try x.transposed([0, 0]) }
        #expect(throws: ArrayError.axisOutOfRange(axis: 2, rank: 2)) { try x.transposed([0, 2]) }
        #expect(throws: ArrayError.self) { try x.transposed([0]) }
    }

    @Test func sliceAndBack() throws {
        let x = try NDArray((0..<12).map(Double.init), shape: [3, 4])
        let ranges = [SliceRange(start: 2, step: -2, count: 2), SliceRange(start: 1, step: 2, count: 2)]
        let part = try x.sliced(ranges)
        #expect(try part.toDoubles() == [9, 11, 1, 3])
        #expect(try part.unsliced(ranges, shape: [3, 4]).toDoubles() == [0, 1, 0, 3, 0, 0, 0, 0, 0, 9, 0, 11])
        #expect(try x.sliced([SliceRange(start: 3, step: 1, count: 0), SliceRange(start: 0, step: 1, count: 4)]).shape == [0, 4])
    }

    @Test func slicesStayInside() throws {
        let x = try array(3)
        #expect(throws: ArrayError.indexOutOfRange(index: 3, axis: 0, size: 3)) { try x.sliced([SliceRange(start: 1, step: 2, count: 2)]) }
        #expect(throws: ArrayError.indexOutOfRange(index: -1, axis: 0, size: 3)) { try x.sliced([SliceRange(start: 1, step: -2, count: 2)]) }
        #expect(throws: ArrayError.self) { try x.sliced([SliceRange(start: 1, step: Int.max, count: Int.max)]) }
        #expect(throws: ArrayError.stepIsZero) { try x.sliced([SliceRange(start: 1, step: 0, count: 2)]) }
        #expect(throws: ArrayError.tooManyIndices(given: 2, rank: 1)) {
            try x.sliced([SliceRange(start: 0, step: 1, count: 1), SliceRange(start: 0, step: 1, count: 1)])
        }
    }

    @Test func axesOfSizeOne() throws {
        let x = try array(2, 3)
        let y = try x.transposed().expandedDims(1)
        #expect(y.shape == [3, 1, 2])
        #expect(try y.squeezed().toDoubles() == x.transposed().toDoubles())
        #expect(try y.expandedDims(-1).shape == [3, 1, 2, 1])
        #expect(try y.squeezed([1]).shape == [3, 2])
        #expect(throws: ArrayError.self) { try y.squeezed([0]) }
        #expect(throws: ArrayError.axisOutOfRange(axis: 3, rank: 3)) { try x.expandedDims(3) }
    }

    @Test func flipsReverse() throws {
        let x = try NDArray([1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(try x.flipped().toDoubles() == [6, 5, 4, 3, 2, 1])
        #expect(try x.flipped([-1]).toDoubles() == [3, 2, 1, 6, 5, 4])
        #expect(try NDArray([], shape: [0]).flipped().count == 0)
    }

    @Test func broadcastStretches() throws {
        let x = try NDArray([1, 2], shape: [2, 1])
        #expect(try x.broadcast(to: [2, 2, 3]).toDoubles() == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
        #expect(throws: ArrayError.cannotBroadcast([2, 1], to: [3, 3])) { try x.broadcast(to: [3, 3]) }
        #expect(throws: ArrayError.cannotBroadcast([2, 1], to: [2])) { try x.broadcast(to: [2]) }
        // Nothing is stored: this would be a terabyte.
        #expect(
            try x.broadcast(to: [1 << 36, 2, 1]).sliced([
                SliceRange(start: 5, step: 1, count: 1), SliceRange(start: 0, step: 1, count: 2), SliceRange(start: 0, step: 1, count: 1),
            ]).toDoubles() == [1, 2])
    }

    @Test func writingNeedsSoleOwnership() throws {
        let x = try array(10)
        var y = x
        try y.makeUnique()
        y.withMutableBytes { $0.storeBytes(of: 42.0, as: Double.self) }
        #expect(try x.toDoubles() == numbers(10))
        #expect(try y.toDoubles()[0] == 42)
        // A view keeps the memory shared although the variable's node is its own.
        var z = try array(4, 4)
        let part = try z.transposed()
        try z.makeUnique()
        z.withMutableBytes { $0.storeBytes(of: 42.0, as: Double.self) }
        #expect(try part.toDoubles()[0] == numbers(1)[0])
    }
}
