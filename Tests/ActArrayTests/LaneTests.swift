// Running sums and products of many lanes at once, counts of bools, labels as rows, and copies of rows: each against one element after the other.

import ActArray
import ActOrder
import Testing

@Suite struct LaneTests {
    private static func numbers(_ shape: [Int], _ type: ElementType) throws -> NDArray {
        let count = shape.reduce(1, *)
        let elements = (0..<count).map { (i: Int) -> Double in
            let residue = Double(i * 7919 % 101)
            return 0.63 + residue * 0.0074
        }
        return try NDArray(elements, shape: shape, type: type)
    }

    @Test(arguments: [[5], [9, 17], [8, 64], [3, 10, 70], [20, 300], [19, 3, 2], [70, 1000]], [ElementType.f64, .f32])
    func lanesRunInOrder(shape: [Int], type: ElementType) throws {
        let x = try LaneTests.numbers(shape, type), elements = try x.toDoubles()
        for axis in shape.indices {
            let n = shape[axis], inner = shape[(axis + 1)...].reduce(1, *)
            for op in CumulativeOperation.allCases {
                for reversed in [false, true] {
                    var expected = elements
                    for lane in 0..<elements.count / n {
                        let first = lane / inner * n * inner + lane % inner
                        var total = op == .sum ? -0.0 : 1.0
                        for step in 0..<n {
                            let place = first + (reversed ? n - 1 - step : step) * inner
                            total = op == .sum ? total + elements[place] : total * elements[place]
                            expected[place] = type == .f32 ? Double(Float(total)) : total
                        }
                    }
                    #expect(try x.cumulative(op, axis: axis, reversed: reversed).toDoubles() == expected)
                }
            }
        }
    }

    @Test(arguments: [[7], [300], [5, 63], [4, 5000], [3, 4, 20_000]])
    func trueOnesAreCounted(shape: [Int]) throws {
        let x = try LaneTests.numbers(shape, .f64), elements = try x.toDoubles(), n = shape.last ?? 1
        let expected = (0..<elements.count / n).map { (row: Int) -> Double in
            let part = elements[row * n..<(row + 1) * n]
            return Double(part.filter { $0 > 1.1 }.count)
        }
        let isLarge = try NDArray.compare(.gt, .array(x), .number(1.1))
        #expect(try NDArray.compare(.gt, .array(x), .number(1.1)).reduced(.sum, axes: [shape.count - 1]).toDoubles() == expected)
        #expect(try isLarge.reduced(.sum).toDoubles() == [expected.reduce(0, +)])
        // Now that they are there.
        #expect(try isLarge.toDoubles().reduce(0, +) == expected.reduce(0, +))
        let counts = try isLarge.reduced(.sum, axes: [shape.count - 1])
        #expect(try counts.toDoubles() == expected && counts.type == .f64)
    }

    @Test(arguments: [ElementType.f64, .f32, .bool])
    func partsAreCopied(type: ElementType) throws {
        // Of rows of this length each is copied to another place in its page.
        let rows = 400, columns = 1003, x = try LaneTests.numbers([rows, columns], .f64) - 1, y = try x.converted(to: type)
        let elements = try y.toDoubles()
        for (start, step) in [(3, 1), (1, 1), (0, 2), (1, 2), (0, 3), (2, 2)] {
            let part = try y.indexed(by: [.ellipsis, .slice(start: start, stop: nil, step: step)])
            var expected: [Double] = []
            for row in 0..<rows { for column in stride(from: start, to: columns, by: step) { expected.append(elements[row * columns + column]) } }
            #expect(try part.contiguous().toDoubles() == expected)
        }
    }

    private static func orders(_ axes: [Int]) -> [[Int]] {
        axes.isEmpty ? [[]] : axes.flatMap { first in orders(axes.filter { $0 != first }).map { [first] + $0 } }
    }

    /// Axes in every order, some of them in steps or backwards.
    @Test(arguments: [[20, 30, 40], [3, 700, 5], [100, 2, 600], [7, 5, 11, 33], [2, 9, 300, 3]], [ElementType.f64, .f32, .bool])
    func turnedViewsAreCopied(shape: [Int], type: ElementType) throws {
        let x = try LaneTests.numbers(shape, .f64) - 1, y = try x.converted(to: type), elements = try y.toDoubles()
        let all = NDArray.Index.slice(start: nil, stop: nil, step: nil)
        let parts: [[NDArray.Index]] = [
            [all], [.ellipsis, .slice(start: 1, stop: nil, step: nil)], [.ellipsis, .slice(start: nil, stop: nil, step: 2)],
            [.slice(start: nil, stop: nil, step: -1), .slice(start: 1, stop: nil, step: nil)], [.ellipsis, .slice(start: nil, stop: nil, step: -1), all],
        ]
        let positions = try NDArray((0..<elements.count).map(Double.init), shape: shape)
        for part in parts {
            let view = try y.indexed(by: part), places = try positions.indexed(by: part).toDoubles().map { Int($0) }
            for order in LaneTests.orders(Array(shape.indices)) {
                let turned = try view.transposed(order), sizes = turned.shape
                var steps = Array(repeating: 1, count: sizes.count)
                for axis in shape.indices.dropLast().reversed() { steps[axis] = steps[axis + 1] * view.shape[axis + 1] }
                let moved = order.map { steps[$0] }
                let expected = (0..<turned.count).map { (flat: Int) -> Double in
                    var rest = flat, place = 0
                    for axis in sizes.indices.reversed() {
                        place += rest % sizes[axis] * moved[axis]
                        rest /= sizes[axis]
                    }
                    return elements[places[place]]
                }
                #expect(try turned.contiguous().toDoubles() == expected, "\(order) of \(part)")
            }
        }
    }

    @Test func labelsAreRows() throws {
        let labels = (0..<1000).map { (i: Int) -> Double in Double(i * 31 % 37) }
        let all = try NDArray(labels, shape: [1000])
        var expected = [Double](repeating: 0, count: 37_000)
        for (row, label) in labels.enumerated() { expected[row * 37 + Int(label)] = 1 }
        for type in [ElementType.f64, .f32, .bool] {
            let rows = try NDArray.oneHot(all, type: type)
            #expect(rows.shape == [1000, 37] && rows.type == type)
            #expect(try rows.toDoubles() == expected)
        }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([0, -1], shape: [2])) }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([0, 3], shape: [2]), classes: 3) }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([0, 0.5], shape: [2])) }
        #expect(throws: ArrayError.self) { try NDArray.oneHot(NDArray([0, .nan], shape: [2])) }
    }
}
