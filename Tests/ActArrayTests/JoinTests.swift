// Joining, splitting, repeating and padding. Expected numbers are NumPy's on np.arange(6.).reshape(2, 3).

import ActArray
import Testing

@Suite struct JoinTests {
    private func m(_ type: ElementType = .f64) throws -> NDArray { try NDArray([0, 1, 2, 3, 4, 5], shape: [2, 3], type: type) }

    private func expect(
        _ array: NDArray, _ shape: [Int], _ elements: [Double], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(array.shape == shape, sourceLocation: sourceLocation)
        #expect(try array.toDoubles() == elements, sourceLocation: sourceLocation)
    }

    /// Against copying element by element; single elements and long rows go other ways than short ones.
    @Test(arguments: [1, 2, 5, 4096, 70_001], [1, 2, 3, 17])
    func stacksAndRepeats(count: Int, times: Int) throws {
        for type in [ElementType.f64, .f32, .bool] {
            let x = try NDArray((0..<count).map { Double($0 % 251 % (type == .bool ? 2 : 251)) }, shape: [count], type: type)
            let numbers = try x.toDoubles(), expected = numbers.flatMap { [Double](repeating: $0, count: times) }
            #expect(try x.repeated(times).toDoubles() == expected)
            #expect(try NDArray.stacked([NDArray](repeating: x, count: times), axis: 1).toDoubles() == expected)
            #expect(try x.indexed(by: [.slice(start: nil, stop: nil, step: -1)]).repeated(times).toDoubles() == expected.reversed())
        }
    }

    @Test func concatenates() throws {
        let m = try m(), row = try NDArray([9, 8, 7], shape: [1, 3], type: .f32)
        try expect(NDArray.concatenated([m, row]), [3, 3], [0, 1, 2, 3, 4, 5, 9, 8, 7])
        try expect(NDArray.concatenated([m, m.flipped([1])], axis: -1), [2, 6], [0, 1, 2, 2, 1, 0, 3, 4, 5, 5, 4, 3])
        try expect(NDArray.concatenated([m.transposed(), NDArray([6, 7, 8], shape: [3, 1])], axis: 1), [3, 3], [0, 3, 6, 1, 4, 7, 2, 5, 8])
        try expect(NDArray.concatenated([NDArray([], shape: [0]), NDArray([1], shape: [1])]), [1], [1])
        #expect(try NDArray.concatenated([m, row]).type == .f64)
        #expect(try NDArray.concatenated([row, row]).type == .f32)
        let long = try NDArray.range(0, 1_000_000, 1)
        #expect(
            try NDArray.concatenated([long, long.flipped(), long]).indexed(by: [.slice(start: 999_999, stop: 1_000_001, step: nil)]).toDoubles() == [
                999_999, 999_999,
            ])
        let wide = try NDArray.concatenated([long.reshaped(to: [1000, 1000]), long.reshaped(to: [1000, 1000])], axis: 1)
        #expect(try wide.element(at: [999, 1999]) == 999_999)
        #expect(throws: ArrayError.shapesDiffer(operation: "concat", [2, 3], [1, 3], axis: 0)) { try NDArray.concatenated([m, row], axis: 1) }
        #expect(throws: ArrayError.shapesDiffer(operation: "concat", [2, 3], [3], axis: nil)) {
            try NDArray.concatenated([m, NDArray([1, 2, 3], shape: [3])])
        }
        #expect(throws: ArrayError.self) { try NDArray.concatenated([]) }
        #expect(try NDArray.concatenated([m.variable(), row]).isTraced)
    }

    @Test func stacksAndSplits() throws {
        let v = try NDArray([1, 2], shape: [2])
        try expect(NDArray.stacked([v, v + 2]), [2, 2], [1, 2, 3, 4])
        try expect(NDArray.stacked([v, v + 2], axis: -1), [2, 2], [1, 3, 2, 4])
        #expect(throws: ArrayError.self) { try NDArray.stacked([v, m()]) }
        let parts = try m().split(parts: 3, axis: 1)
        try expect(parts[1], [2, 1], [1, 4])
        #expect(throws: ArrayError.self) { try m().split(parts: 2, axis: 1) }
        #expect(throws: ArrayError.self) { try m().split(parts: 0, axis: 1) }
        let cut = try NDArray.range(0, 7, 1).split(at: [2, 5])
        #expect(try cut.map { try $0.toDoubles() } == [[0, 1], [2, 3, 4], [5, 6]])
        #expect(try NDArray.range(0, 3, 1).split(at: [2, 9, -1]).map(\.count) == [2, 1, 0, 1])
    }

    @Test func tilesAndRepeats() throws {
        let m = try m()
        try expect(m.tiled([2, 1]), [4, 3], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
        try expect(m.tiled([2]), [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
        try expect(NDArray([0, 1], shape: [2]).tiled([2, 1, 2]), [2, 1, 4], [0, 1, 0, 1, 0, 1, 0, 1])
        try expect(m.tiled([0, 2]), [0, 6], [])
        try expect(NDArray([7], shape: [Int](repeating: 1, count: 20)).tiled([3]), [Int](repeating: 1, count: 19) + [3], [7, 7, 7])
        try expect(m.repeated(2), [12], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
        try expect(m.repeated(2, axis: 0), [4, 3], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
        try expect(m.repeated(counts: [1, 0, 2], axis: 1), [2, 3], [0, 2, 2, 3, 5, 5])
        #expect(throws: ArrayError.self) { try m.tiled([Int.max, 2]) }
        #expect(throws: ArrayError.self) { try m.repeated(Int.max) }
        #expect(throws: ArrayError.self) { try m.repeated(counts: [1, Int.max, 2], axis: 1) }
        #expect(throws: ArrayError.negativeSize(-1)) { try m.repeated(-1) }
    }

    @Test func pads() throws {
        let m = try m()
        try expect(m.padded([(1, 0), (0, 2)]), [3, 5], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 5, 0, 0])
        try expect(m.variable().padded([(1, 0), (0, 2)]), [3, 5], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 5, 0, 0])
        try expect(m.variable().padded([(0, 0), (1, 0)], .constant(9)), [2, 4], [9, 0, 1, 2, 9, 3, 4, 5])
        try expect(m.padded([(1, 0), (1, 2)], .edge), [3, 6], [0, 0, 1, 2, 2, 2, 0, 0, 1, 2, 2, 2, 3, 3, 4, 5, 5, 5])
        try expect(
            m.padded([(1, 1), (1, 2)], .reflect), [4, 6],
            [4, 3, 4, 5, 4, 3, 1, 0, 1, 2, 1, 0, 4, 3, 4, 5, 4, 3, 1, 0, 1, 2, 1, 0])
        try expect(NDArray([0, 1, 2], shape: [3]).padded([(5, 7)], .reflect), [15], [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1])
        #expect(throws: ArrayError.self) { try m.padded([(1, 0)]) }
        #expect(throws: ArrayError.self) { try m.padded([(Int.max, 1), (0, 0)]) }
        #expect(throws: ArrayError.self) { try m.padded([(0, 0), (1 << 45, 0)], .edge) }
        #expect(throws: ArrayError.self) { try NDArray([], shape: [0]).padded([(1, 0)], .edge) }
    }

    @Test func rolls() throws {
        let m = try m()
        try expect(m.rolled(1), [2, 3], [5, 0, 1, 2, 3, 4])
        try expect(m.rolled(-1, axis: 1), [2, 3], [1, 2, 0, 4, 5, 3])
        try expect(m.rolled(5, axis: 0), [2, 3], [3, 4, 5, 0, 1, 2])
        #expect(try m.rolled(Int.min, axis: 1).shape == [2, 3])
        #expect(try NDArray([], shape: [0]).rolled(3).count == 0)
    }

    @Test func gridsAndOneHot() throws {
        let x = try NDArray([1, 2, 3], shape: [3]), y = try NDArray([4, 5], shape: [2])
        let grid = try NDArray.meshgrid([x, y])
        try expect(grid[0], [2, 3], [1, 2, 3, 1, 2, 3])
        try expect(grid[1], [2, 3], [4, 4, 4, 5, 5, 5])
        #expect(try NDArray.meshgrid([x, y, NDArray([5, 6], shape: [2])]).map(\.shape) == [[2, 3, 2], [2, 3, 2], [2, 3, 2]])
        try expect(NDArray.oneHot(NDArray([2, 0], shape: [2]), classes: 3), [2, 3], [0, 0, 1, 1, 0, 0])
        #expect(try NDArray.oneHot(NDArray([1, 4], shape: [1, 2])).shape == [1, 2, 5])
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([3], shape: [1]), classes: 3) }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([-1], shape: [1]), classes: 3) }
        #expect(throws: ArrayError.indexNotWhole(0.5)) { try NDArray.oneHot(NDArray([0.5], shape: [1]), classes: 3) }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([9e18], shape: [1])) }
    }
}
