// Grids and pictures brought to the resolution of a drawing area, and the lines of equal value through a grid.

/// The index range of the cells under each of `count` equal parts of an axis; nil where there is no cell.
///
/// `edges` has one more element than there are cells and increases. With more cells than parts, a part gets all cells that it meets, to be
/// averaged; else the one under its middle.
func cellRanges(_ edges: [Double], under scale: Scale, count: Int) -> [Range<Int>?] {
    let places = edges.map { edge -> Double in
        let place = scale.position(edge)
        // What a logarithmic axis cannot show lies before its start.
        return place.isNaN ? (scale.isReversed ? 1e6 : -1e6) : place
    }
    let ascending = scale.isReversed ? Array(places.reversed()) : places
    let cells = edges.count - 1
    // A sliver of a cell, left by rounding, does not count.
    let slack = 1e-6 / Double(count)
    var first = 0
    return (0..<count).map { part in
        var (start, end) = (Double(part) / Double(count) + slack, Double(part + 1) / Double(count) - slack)
        if cells <= count {
            start = (start + end) / 2
            end = start
        }
        while first < cells && ascending[first + 1] <= start { first += 1 }
        guard first < cells, ascending[first] <= end else { return nil }
        var last = first
        while last + 1 < cells && ascending[last + 1] < end { last += 1 }
        return scale.isReversed ? cells - 1 - last..<cells - first : first..<last + 1
    }
}

extension Grid {
    /// The mean of the finite values under each of `across` × `down` parts of the axes, row by row from the top; NaN where there are none.
    func sampled(_ axes: Axes, across: Int, down: Int) -> [Double] {
        let columnRanges = cellRanges(cellEdges(x), under: axes.x, count: across)
        let rowRanges = cellRanges(cellEdges(y), under: axes.y, count: down).reversed()
        return rowRanges.flatMap { rowRange in
            columnRanges.map { columnRange in
                guard let rowRange, let columnRange else { return .nan }
                var (mean, count) = (0.0, 0.0)
                for row in rowRange {
                    for value in watched(values[row * columns + columnRange.lowerBound..<row * columns + columnRange.upperBound])
                    where value.isFinite {
                        count += 1
                        mean += value / count - mean / count  // never leaves the range of the values
                    }
                }
                return count == 0 ? .nan : mean
            }
        }
    }

    /// The grid reduced to at most `limit` rows and columns.
    func reduced(to limit: Int) -> Grid {
        guard rows > limit || columns > limit else { return self }
        func picked(_ count: Int) -> [Int] {
            count <= limit ? Array(0..<count) : (0..<limit).map { $0 * (count - 1) / (limit - 1) }
        }
        let (pickedRows, pickedColumns) = (picked(rows), picked(columns))
        return Grid(
            values: pickedRows.flatMap { row in pickedColumns.map { values[row * columns + $0] } },
            rows: pickedRows.count, columns: pickedColumns.count, x: pickedColumns.map { x[$0] }, y: pickedRows.map { y[$0] },
            rowsGrowDownwards: rowsGrowDownwards)
    }

    /// Whether a line of some level runs through the grid.
    func isCrossed(by levels: [Double]) -> Bool {
        for row in 0..<max(rows - 1, 0) {
            for column in watched(0..<max(columns - 1, 0)) {
                let index = row * columns + column
                let corners = [values[index], values[index + 1], values[index + columns], values[index + columns + 1]]
                guard corners.allSatisfy(\.isFinite), let low = corners.min(), let high = corners.max(), low < high else { continue }
                if levels.contains(where: { $0 >= low && $0 < high }) { return true }
            }
        }
        return false
    }

    /// The segments of the line on which the grid has a value, in the coordinates of `area`: marching squares with straight interpolation.
    /// Squares with a corner that is not finite have none.
    func segments(at level: Double, in area: Area) -> [(Point, Point)] {
        var result: [(Point, Point)] = []
        for row in 0..<max(rows - 1, 0) {
            for column in watched(0..<max(columns - 1, 0)) {
                let index = row * columns + column
                // Corners in turn round the square.
                let corners = [
                    (x[column], y[row], values[index]), (x[column + 1], y[row], values[index + 1]),
                    (x[column + 1], y[row + 1], values[index + columns + 1]), (x[column], y[row + 1], values[index + columns]),
                ]
                guard corners.allSatisfy({ $0.2.isFinite }) else { continue }
                var crossings: [Point] = []
                for (start, end) in zip(corners, corners.dropFirst() + corners.prefix(1)) where (start.2 > level) != (end.2 > level) {
                    let share = (level / 2 - start.2 / 2) / (end.2 / 2 - start.2 / 2)
                    let crossing = area.point(start.0 + share * (end.0 - start.0), start.1 + share * (end.1 - start.1))
                    if !crossing.isGap { crossings.append(crossing) }
                }
                if crossings.count == 2 {
                    result.append((crossings[0], crossings[1]))
                } else if crossings.count == 4 {
                    // A saddle: the mean says which corners belong together.
                    let mean = corners.reduce(0) { $0 + $1.2 / 4 }
                    let joined = (mean > level) == (corners[0].2 > level)
                    result.append(joined ? (crossings[0], crossings[1]) : (crossings[3], crossings[0]))
                    result.append(joined ? (crossings[2], crossings[3]) : (crossings[1], crossings[2]))
                }
            }
        }
        return result
    }
}

extension Picture {
    /// The colour of each of `across` × `down` parts of the axes, row by row from the top: the mean of the pixels in it, or `notFinite` if one is that.
    func sampled(_ axes: Axes, across: Int, down: Int) -> [Color?] {
        let columnRanges = cellRanges((0...columns).map { Double($0) - 0.5 }, under: axes.x, count: across)
        let rowRanges = cellRanges((0...rows).map { Double($0) - 0.5 }, under: axes.y, count: down).reversed()
        return rowRanges.flatMap { rowRange in
            columnRanges.map { columnRange in
                guard let rowRange, let columnRange else { return nil }
                var (red, green, blue) = (0, 0, 0)
                for row in rowRange {
                    // A mean would hide what has no colour.
                    if notFinite > 0, pixels[row * columns + columnRange.lowerBound..<row * columns + columnRange.upperBound].contains(.notFinite) {
                        return .notFinite
                    }
                    for pixel in watched(pixels[row * columns + columnRange.lowerBound..<row * columns + columnRange.upperBound]) {
                        red += Int(pixel.red)
                        green += Int(pixel.green)
                        blue += Int(pixel.blue)
                    }
                }
                let count = rowRange.count * columnRange.count
                func mean(_ sum: Int) -> UInt8 { UInt8(truncatingIfNeeded: (sum + count / 2) / count) }
                return Color(mean(red), mean(green), mean(blue))
            }
        }
    }
}
