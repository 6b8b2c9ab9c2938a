// How far every row and its derivative are from the exact result, against 60-digit values. Docs/accuracy.md shows what is measured here;
// ACT_WRITE_DOCS=1 writes it.

import ActArray
import ActGrad
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private let types: [ElementType] = [.f64, .f32]

/// The worst errors of one row in one type.
private struct Worst: Sendable {
    var value = 0.0, slope = 0.0
    var valueAt = Double.nan, slopeAt = Double.nan
    var complaints: [String] = []
}

/// The distance between neighbours of a number of the type.
private func ulp(_ x: Double, _ type: ElementType) -> Double {
    type == .f64 ? x.ulp : Double(Float(x).ulp)
}

private func isNormal(_ x: Double, _ type: ElementType) -> Bool {
    type == .f64 ? x.isNormal : Float(x).isNormal
}

/// The error in ulps; nil where limits do not speak in ulps (both the same infinity, zero, NaN or subnormal).
private func error(_ actual: Double, _ exact: ReferenceRow.Value, _ type: ElementType) -> Double {
    if actual.isNaN || exact.number.isNaN { return actual.isNaN == exact.number.isNaN ? 0 : .infinity }
    if actual.isInfinite || exact.number.isInfinite {
        if actual == exact.number { return 0 }
        // The last finite number and infinity are neighbours.
        let largest = type == .f64 ? Double.greatestFiniteMagnitude : Double(Float.greatestFiniteMagnitude)
        let other = actual.isInfinite ? exact.number : actual
        return (actual < 0) == (exact.number < 0) ? abs(largest - abs(other)) / ulp(largest, type) + 1 : .infinity
    }
    return abs((actual - exact.number) / ulp(exact.number, type) - exact.residue)
}

private func measure(_ reference: ReferenceRow, _ type: ElementType) throws -> Worst {
    let row = try #require(Activations.named(reference.name))
    let x = try NDArray(reference.points.map(\.x), shape: [reference.points.count], type: type)
    let parameters = reference.parameters.map(Operand.number)
    let values = try row.apply(x, parameters).toDoubles()
    let slopes = try row.derivative(x, parameters).toDoubles()
    var worst = Worst()
    let small = type == .f64 ? 1e-15 : 1e-7
    for (i, point) in reference.points.enumerated() {
        let valueError = error(values[i], point.value, type), slopeError = error(slopes[i], point.slope, type)
        if isNormal(point.value.number, type) || !valueError.isFinite {
            if valueError > worst.value { (worst.value, worst.valueAt) = (valueError, point.x) }
        } else if valueError > 4 {
            worst.complaints.append("f(\(point.x)) = \(values[i]), not \(point.value.number)")
        }
        if slopeError > 1, abs(slopes[i] - point.slope.number) <= small * point.slope.scale { continue }
        if isNormal(point.slope.number, type) || !slopeError.isFinite {
            if slopeError > worst.slope { (worst.slope, worst.slopeAt) = (slopeError, point.x) }
        } else if slopeError > 8 {
            worst.complaints.append("f'(\(point.x)) = \(slopes[i]), not \(point.slope.number)")
        }
    }
    return worst
}

/// softmax and functions like it: the worst error of a value over all lanes.
private func measureLanes(_ type: ElementType) throws -> [(name: String, worst: Double, at: Double)] {
    var worst = [0.0, 0.0], at = [0.0, 0.0]
    for lane in try ReferenceRow.readLanes(type.name) {
        let x = try NDArray(lane.x, shape: [lane.x.count], type: type)
        for (k, (name, exact)) in [("softmax", lane.softmax), ("log_softmax", lane.logSoftmax)].enumerated() {
            let values = try #require(Activations.named(name)).apply(x).toDoubles()
            for (i, (value, exact)) in zip(values, exact).enumerated() where isNormal(exact.number, type) {
                let error = error(value, exact, type)
                if error > worst[k] { (worst[k], at[k]) = (error, lane.x[i]) }
            }
        }
    }
    return [("softmax", worst[0], at[0]), ("log_softmax", worst[1], at[1])]
}

@Suite struct Accuracy {
    @Test(arguments: types) func withinLimits(type: ElementType) throws {
        for reference in try ReferenceRow.read(type.name) {
            let worst = try measure(reference, type)
            #expect(worst.value <= 4, "\(type.name) \(reference.title) at \(worst.valueAt): \(worst.value) ulp")
            #expect(worst.slope <= 8, "\(type.name) \(reference.title)' at \(worst.slopeAt): \(worst.slope) ulp")
            #expect(worst.complaints.isEmpty, "\(type.name) \(reference.title): \(worst.complaints.prefix(3))")
        }
        for lane in try measureLanes(type) {
            #expect(lane.worst <= 4, "\(type.name) \(lane.name): \(lane.worst) ulp")
        }
    }

    /// Every elementwise row has reference values with its default parameters.
    @Test func everyRowIsMeasured() throws {
        for type in types {
            let known = Set(try ReferenceRow.read(type.name).map(\.name))
            for row in Activations.all where row.kind == .elementwise { #expect(known.contains(row.name), "\(row.name)") }
        }
    }

    // MARK: Docs/accuracy.md

    private static let path = ReferenceRow.folder + "/../../Docs/accuracy.md"

    /// The worst of each row over its parameters: (f64 f, f64 f', f32 f, f32 f').
    private func table() throws -> [(name: String, errors: [Worst?])] {
        var errors: [String: [Worst?]] = [:], order: [String] = []
        for (k, type) in types.enumerated() {
            for reference in try ReferenceRow.read(type.name) {
                let worst = try measure(reference, type)
                if errors[reference.name] == nil { order.append(reference.name) }
                var known = errors[reference.name] ?? [nil, nil, nil, nil]
                if worst.value >= known[2 * k]?.error ?? 0 { known[2 * k] = Worst(error: worst.value, at: worst.valueAt) }
                if worst.slope >= known[2 * k + 1]?.error ?? 0 { known[2 * k + 1] = Worst(error: worst.slope, at: worst.slopeAt) }
                errors[reference.name] = known
            }
            for lane in try measureLanes(type) {
                if errors[lane.name] == nil { order.append(lane.name) }
                errors[lane.name, default: [nil, nil, nil, nil]][2 * k] = Worst(error: lane.worst, at: lane.at)
            }
        }
        return order.map { ($0, errors[$0] ?? []) }
    }

    /// An error and the input that shows it.
    private struct Worst {
        let error: Double
        let at: Double
    }

    private func page(_ table: [(name: String, errors: [Worst?])]) -> String {
        func cell(_ worst: Worst?) -> String {
            guard let worst else { return "" }
            guard worst.error < 1e6 else { return "∞" }
            let tenths = Int((worst.error * 10).rounded(.up))
            guard tenths > 0 else { return "0.0" }
            let short = Float(worst.at)
            return "\(tenths / 10).\(tenths % 10) at \(short.isNormal ? "\(short)" : "\(worst.at)")"
        }
        let lines = table.map { "| \($0.name) | \($0.errors.map(cell).joined(separator: " | ")) |" }
        return """
            # Accuracy of the activation functions

            The largest error found, in ulps (the distance between neighbouring numbers of the type), and the input that shows it, against values \
            computed with 60 digits
            at about 200 points a row: over the whole range of the type, in the tails, and closely around kinks and zeros. The limits are 4
            for a function and 8 for its derivative, wherever the exact result is a normal number; a derivative around its own zeros is
            within 1e-15 (f32: 1e-7) of its size. Rows with parameters are measured with several; the worst counts.

            Written by `ACT_WRITE_DOCS=1 swift test -c release --filter Accuracy`; a test compares it. Processors without AVX-512 may differ by
            an ulp, those without fused multiplication and addition by two.

            | function | f64 f | f64 f′ | f32 f | f32 f′ |
            | --- | --- | --- | --- | --- |
            \(lines.joined(separator: "\n"))

            """
    }

    @Test func pageIsCurrent() throws {
        let table = try table()
        if getenv("ACT_WRITE_DOCS") != nil {
            let file = try #require(fopen(Accuracy.path, "w"))
            fputs(page(table), file)
            fclose(file)
        }
        let rows = try readText(Accuracy.path).split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst(2)
        #expect(rows.count == table.count)
        // Kernels without fused operations may differ by so much, and other tests choose them meanwhile.
        let leeway = 2.0
        for (line, (name, errors)) in zip(rows, table) {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
            #expect(cells[1] == name)
            for (cell, error) in zip(cells.dropFirst(2), errors) {
                guard let error else { continue }
                let said = cell.prefix { $0 != "a" }
                #expect(error.error <= (Double(said) ?? 0) + leeway, "\(name) has grown worse: \(error.error) ulp, the page says \(cell)")
            }
        }
    }
}
