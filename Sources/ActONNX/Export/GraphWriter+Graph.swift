// Graphs of functions as nodes of ONNX: one exhaustive `switch` over the primitives.
//
// What must stay true: what has no form is named with its place, never left out; what hangs on the open axis in another way than by whole
// multiples of N is an error.

import ActArray
import ActGrad
import ActNetwork

extension GraphWriter {
    /// The graph of a function, as far as it is taken apart for ONNX.
    /// - Throws: what `function` throws; `ArrayError.noGraph`, `GraphError`.
    func take(_ arguments: [(name: String, sizes: [GraphSize])], _ function: ([NDArray]) throws -> NDArray) throws -> Graph {
        try Graph.symbolic(
            { [try function($0)] }, of: arguments.map { Graph.Argument($0.name, sizes: $0.sizes, type: numbers) }, lowered: true, keeping: GraphWriter.keeps)
    }

    /// Operations that ONNX has as a whole.
    static func keeps(_ function: CustomFunction) -> Bool {
        switch function.name {
        case "convolution": function.attributes.contains(Attribute("gives", "result"))
        case "max_pool", "det": true
        default: (function as? RowFunction)?.order == 0
        }
    }

    /// Writes a graph's nodes, its inputs being values that are there.
    func write(_ graph: Graph, _ inputs: [Tensor]) throws -> Tensor {
        var values: [Tensor] = []
        for node in graph.nodes {
            try Interrupt.check()
            switch node.source {
            case .input(let number): values.append(inputs[number])
            case .constant(let array): values.append(try constant(array, node))
            case .size(let size, let isReciprocal):
                let whole = try sizes([size])
                let number = map("Cast", [whole], [ONNXAttribute("to", .int(Int64(type(isBool: false).rawValue)))])
                values.append(try reshape(isReciprocal ? map("Reciprocal", [number]) : number, node.sizes))
            case .operation(let primitive):
                values.append(try mean(node, values, graph) ?? write(primitive, node, node.operands.map { values[$0] }, graph))
            }
        }
        return values[graph.outputs[0]]
    }

    private func constant(_ array: NDArray, _ node: Graph.Node) throws -> Tensor {
        if node.sizes.allSatisfy(\.isFixed) { return try constant(array) }
        // Along the open axis it repeats.
        let first = try array.first(along: node.sizes.indices.filter { !node.sizes[$0].isFixed }).contiguous()
        return add("Expand", [try constant(first), try sizes(node.sizes)], sizes: node.sizes, isBool: array.type == .bool)
    }

    private func write(_ primitive: Primitive, _ node: Graph.Node, _ x: [Tensor], _ graph: Graph) throws -> Tensor {
        let sizes = node.sizes
        func unfit() -> ONNXExportError {
            let operation = primitive.attributes.lazy.compactMap { if $0.name == "operation", case .text(let name) = $0.content { name } else { nil } }.first
            return .noForm(operation: operation ?? primitive.name, at: node.site)
        }
        /// The number that an operand is everywhere, if it is one.
        func number(_ operand: Int) throws -> Double? {
            guard case .constant(let array) = graph.nodes[node.operands[operand]].source, array.count == 1 else { return nil }
            return try array.converted(to: .f64).item()
        }
        switch primitive {
        case .data, .variable: throw unfit()
        case .unary(let operation): return try unary(operation, x[0])
        case .binary(let operation): return try binary(operation, x[0], x[1], number: number(1), sizes: sizes)
        case .compare(let operation):
            let result = add(operation.onnx, x, sizes: sizes, isBool: true)
            return operation == .ne ? add("Not", [result], sizes: sizes, isBool: true) : result
        case .test(let operation):
            if x[0].isBool { throw unfit() }
            return self.test(operation, x[0])
        case .logical(let operation): return add(operation.onnx, x, sizes: sizes, isBool: true)
        case .select: return add("Where", x, sizes: sizes, isBool: x[1].isBool)
        case .convert: return cast(x[0], isBool: node.type == .bool)
        case .reshape: return try reshape(x[0], sizes)
        case .transpose(let order): return transpose(x[0], order)
        case .broadcast:
            return x[0].sizes == sizes ? x[0] : add("Expand", [x[0], try self.sizes(sizes)], sizes: sizes, isBool: x[0].isBool)
        case .slice(let ranges): return try slice(x[0], try node.ranges(ranges), sizes)
        case .unslice(let ranges): return try unslice(x[0], try node.ranges(ranges), sizes)
        case .gather(let indices):
            if graph.sortsRows(node) { return try ordered(x[0], axis: x[0].rank - 1).values }
            return try gather(x, indices, node)
        case .scatterAdd(let indices): return try scatter(x, indices, node)
        case .concatenate(let axis): return add("Concat", x, [ONNXAttribute("axis", .int(Int64(axis)))], sizes: sizes, isBool: x[0].isBool)
        case .matmul: return add("MatMul", x, sizes: sizes)
        case .reduce(let operation, let axes): return try reduce(operation, x[0], axes)
        case .cumulative(let operation, let axis, let reversed):
            if operation == .prod { return try cumulativeProduct(x[0], axis, reversed, node) }
            return map("CumSum", [x[0], try wholes([axis], shape: [])], [ONNXAttribute("reverse", .int(reversed ? 1 : 0))])
        case .normalize(let operation, let axis):
            return map(operation == .softmax ? "Softmax" : "LogSoftmax", [x[0]], [ONNXAttribute("axis", .int(Int64(axis)))])
        case .custom(let row as RowFunction) where row.order == 0:
            var rest = x.dropFirst()
            return try self.row(row.row, x[0], row.numbers.map { $0.map { ($0, nil) } ?? (nil, rest.popFirst()) }, sizes: sizes)
        case .custom(let function):
            guard let value = try write(function, node, x, graph) else { throw unfit() }
            return value
        }
    }

    private func test(_ operation: TestOperation, _ x: Tensor) -> Tensor {
        func test(_ name: String) -> Tensor { add(name, [x], sizes: x.sizes, isBool: true) }
        switch operation {
        case .isnan: return test("IsNaN")
        case .isinf: return test("IsInf")
        case .isfinite: return add("Not", [add("Or", [test("IsNaN"), test("IsInf")], sizes: x.sizes, isBool: true)], sizes: x.sizes, isBool: true)
        }
    }

    /// - Returns: `nil` where ONNX has no such operation.
    private func write(_ function: CustomFunction, _ node: Graph.Node, _ x: [Tensor], _ graph: Graph) throws -> Tensor? {
        let sizes = node.sizes
        switch function.name {
        case "convolution":
            return windowed("Conv", x, function, window: node.operands.count > 1 ? Array(graph.nodes[node.operands[1]].shape.dropFirst(2)) : [], sizes)
        // (The positions of the largest go by the same name, and have no size.)
        case "max_pool" where !function.wholes("size").isEmpty: return windowed("MaxPool", x, function, window: function.wholes("size"), sizes)
        case "det": return add("Det", x, sizes: sizes)
        case "argmax", "argmin":
            let isLast = function.attributes.contains(Attribute("last", .flag(true))), (x, axis) = try along(function, x[0], node)
            let attributes = [ONNXAttribute("axis", .int(Int64(axis))), ONNXAttribute("select_last_index", .int(isLast ? 1 : 0))]
            return try reshape(numeric(map(function.name == "argmax" ? "ArgMax" : "ArgMin", [x], attributes)), sizes)
        case "argsort":
            let (x, axis) = try along(function, x[0], node)
            return numeric(try ordered(x, axis: axis).positions)
        case "top_k":
            let (x, axis) = try along(function, x[0], node)
            return numeric(try ordered(x, axis: axis, count: sizes[axis], isDescending: true).positions)
        case "sort": return try places(x[0])
        default: return nil
        }
    }

    // MARK: Order

    /// Whole numbers as numbers of the model.
    private func numeric(_ wholes: Tensor) -> Tensor { map("Cast", [wholes], [ONNXAttribute("to", .int(Int64(type(isBool: false).rawValue)))]) }

    /// What an operation goes along: an axis, or all elements one after the other.
    private func along(_ function: CustomFunction, _ x: Tensor, _ node: Graph.Node) throws -> (x: Tensor, axis: Int) {
        let x = cast(x, isBool: false)
        if let axis = function.wholes("axis").first { return (x, axis) }
        guard let count = GraphSize.product(x.sizes) else { throw GraphError.dependsOnSize(at: node.site) }
        return (try reshape(x, [count]), 0)
    }

    /// The smallest or largest along an axis in order, and where they were; of equal ones the first comes first, as in act.
    private func ordered(_ x: Tensor, axis: Int, count: GraphSize? = nil, isDescending: Bool = false) throws -> (values: Tensor, positions: Tensor) {
        var sizes = x.sizes
        sizes[axis] = count ?? sizes[axis]
        let names = list.add(
            "TopK", [x.name, try self.sizes([sizes[axis]]).name],
            [ONNXAttribute("axis", .int(Int64(axis))), ONNXAttribute("largest", .int(isDescending ? 1 : 0))],
            hints: ["ordered", "order"].map { list.prefix + $0 })
        return (Tensor(name: names[0], sizes: sizes, isBool: false), Tensor(name: names[1], sizes: sizes, isBool: false))
    }

    /// Where the elements of each row in order are among all elements.
    private func places(_ x: Tensor) throws -> Tensor {
        let unknown = GraphSize(fixed: -1), length = x.sizes[x.rank - 1]
        let rows = add("Reshape", [x, try sizes([unknown, length])], sizes: [unknown, length])
        let size = add("Size", [x], sizes: []), step = try reshape(sizes([length]), [])
        let starts = add("Range", [try wholes([0], shape: []), size, step], sizes: [unknown])
        let column = try reshape(starts, [unknown, GraphSize(fixed: 1)])
        return try reshape(map("Add", [ordered(rows, axis: 1).positions, column]), x.sizes)
    }

    // MARK: Reductions

    /// A sum over as many elements as it is divided by.
    /// - Returns: `nil` where it is something else.
    private func mean(_ node: Graph.Node, _ values: [Tensor], _ graph: Graph) throws -> Tensor? {
        guard case .operation(.binary(.div)) = node.source else { return nil }
        let sum = graph.nodes[node.operands[0]], divisor = graph.nodes[node.operands[1]]
        guard case .operation(.reduce(.sum, let axes)) = sum.source, let reduced = sum.operands.first, graph.nodes[reduced].type != .bool, divisor.shape.isEmpty
        else { return nil }
        let count = GraphSize.product(axes.map { graph.nodes[reduced].sizes[$0] })
        switch divisor.source {
        case .size(let size, isReciprocal: false): if size != count { return nil }
        case .constant(let array): if try count?.isFixed != true || array.converted(to: .f64).item() != count.map({ Double($0.fixed) }) { return nil }
        default: return nil
        }
        return try reduce("ReduceMean", values[reduced], axes: axes)
    }

    private func reduce(_ operation: ReduceOperation, _ x: Tensor, _ axes: [Int]) throws -> Tensor {
        switch operation {
        case .sum: try reduce("ReduceSum", x, axes: axes)
        case .prod: try reduce("ReduceProd", x, axes: axes)
        case .min: try reduce("ReduceMin", x, axes: axes)
        case .max: try reduce("ReduceMax", x, axes: axes)
        case .any: cast(try reduce("ReduceMax", cast(x, isBool: false), axes: axes), isBool: true)
        case .all: cast(try reduce("ReduceMin", cast(x, isBool: false), axes: axes), isBool: true)
        }
    }

    /// Products of 2, 4, 8 … neighbours, for ONNX has no running product.
    private func cumulativeProduct(_ x: Tensor, _ axis: Int, _ reversed: Bool, _ node: Graph.Node) throws -> Tensor {
        guard x.sizes[axis].isFixed else { throw GraphError.dependsOnSize(at: node.site) }
        let size = x.sizes[axis].fixed, one = try number(1)
        var result = x, step = 1
        while step < size {
            let ranges = x.sizes.enumerated().map { index, count in
                GraphRange(
                    start: GraphSize(fixed: index == axis && reversed ? step : 0), step: 1, count: index == axis ? GraphSize(fixed: size - step) : count)
            }
            var sizes = x.sizes
            sizes[axis] = GraphSize(fixed: size - step)
            var pads = [Int](repeating: 0, count: 2 * x.rank)
            pads[reversed ? x.rank + axis : axis] = step
            result = map("Mul", [result, add("Pad", [try slice(result, ranges, sizes), try wholes(pads), one], sizes: x.sizes)])
            step *= 2
        }
        return result
    }

    // MARK: Ranges

    private func slice(_ x: Tensor, _ ranges: [GraphRange], _ sizes: [GraphSize]) throws -> Tensor {
        let axes = ranges.indices.filter { !(ranges[$0].start == GraphSize(fixed: 0) && ranges[$0].step == 1 && ranges[$0].count == x.sizes[$0]) }
        if axes.isEmpty { return x }
        let ends = axes.map { axis in
            let end = ranges[axis].end
            // Before the first element: -1 would be the last.
            return ranges[axis].step < 0 && end.isFixed && end.fixed < 0 ? GraphSize(fixed: Int.min + 1) : end
        }
        return add(
            "Slice",
            [x, try self.sizes(axes.map { ranges[$0].start }), try self.sizes(ends), try wholes(axes), try wholes(axes.map { ranges[$0].step })],
            sizes: sizes, isBool: x.isBool)
    }

    /// Zeros but for x at the ranges: its elements parted by zeros, then zeros around.
    private func unslice(_ x: Tensor, _ ranges: [GraphRange], _ sizes: [GraphSize]) throws -> Tensor {
        var x = x, ranges = ranges
        for axis in ranges.indices {
            let range = ranges[axis]
            if range.step < 0 {
                let last = GraphSize(fixed: Int.min + 1)
                x = add(
                    "Slice", [x, try wholes([-1]), try self.sizes([last]), try wholes([axis]), try wholes([-1])], sizes: x.sizes)
                ranges[axis] = GraphRange(start: range.start + (range.count + -1) * range.step, step: -range.step, count: range.count)
            }
            let step = ranges[axis].step
            guard step > 1 else { continue }
            // Each element and step - 1 zeros; those behind the last are cut off below.
            var parted = x.sizes
            parted.insert(GraphSize(fixed: 1), at: axis + 1)
            let single = try reshape(x, parted)
            var pads = [Int](repeating: 0, count: 2 * parted.count)
            pads[parted.count + axis + 1] = step - 1
            parted[axis + 1] = GraphSize(fixed: step)
            let spread = add("Pad", [single, try wholes(pads)], sizes: parted)
            var joined = x.sizes
            joined[axis] = joined[axis] * step
            x = try reshape(spread, joined)
            ranges[axis] = GraphRange(start: ranges[axis].start, step: 1, count: joined[axis])
        }
        let before = ranges.map(\.start), after = ranges.indices.map { sizes[$0] - before[$0] - ranges[$0].count }
        if before.allSatisfy({ $0 == GraphSize(fixed: 0) }), after.allSatisfy({ $0 == GraphSize(fixed: 0) }) { return x }
        // Negative numbers of zeros take away.
        return add("Pad", [x, try self.sizes(before + after)], sizes: sizes)
    }

    // MARK: Positions

    private func gather(_ x: [Tensor], _ indices: GatherIndices, _ node: Graph.Node) throws -> Tensor {
        if x.count > 1 {
            let flat = try reshape(x[0], [GraphSize(fixed: -1)])
            let places = try elements(positions(x[1]), chunk: indices.chunk)
            return try reshape(add("Gather", [flat, places], sizes: places.sizes, isBool: x[0].isBool), node.sizes)
        }
        let (starts, rowLength) = try node.places(indices, in: x[0].sizes), chunk = indices.chunk
        let isEven = chunk > 1 && starts.allSatisfy { $0.isMultiple(of: chunk) } && rowLength.map { $0.isMultiple(of: chunk) } ?? true
        let places = isEven ? starts.map { $0 / chunk } : starts.flatMap { start in (0..<chunk).map { start + $0 } }
        let unknown = GraphSize(fixed: -1), tail = isEven ? [GraphSize(fixed: chunk)] : []
        let table = try reshape(x[0], (rowLength.map { [unknown, GraphSize(fixed: isEven ? $0 / chunk : $0)] } ?? [unknown]) + tail)
        let found = add(
            "Gather", [table, try wholes(places)], [ONNXAttribute("axis", .int(rowLength == nil ? 0 : 1))],
            sizes: [unknown], isBool: x[0].isBool)
        return try reshape(found, node.sizes)
    }

    /// The positions of all elements of chunks that begin at positions.
    private func elements(_ starts: Tensor, chunk: Int) throws -> Tensor {
        let row = try reshape(starts, [GraphSize(fixed: -1)])
        if chunk == 1 { return row }
        let column = try reshape(row, [GraphSize(fixed: -1), GraphSize(fixed: 1)])
        let all = add("Add", [column, try wholes(Array(0..<chunk))], sizes: [GraphSize(fixed: -1), GraphSize(fixed: chunk)])
        return try reshape(all, [GraphSize(fixed: -1)])
    }

    /// Zeros to which chunks are added at positions.
    private func scatter(_ x: [Tensor], _ indices: GatherIndices, _ node: Graph.Node) throws -> Tensor {
        let unknown = GraphSize(fixed: -1), sum = ONNXAttribute("reduction", .string(Array("add".utf8)))
        let zeros = add("Expand", [try number(0), try sizes(node.sizes)], sizes: node.sizes)
        if x.count > 1 {
            let places = try elements(positions(x[1]), chunk: indices.chunk), flat = try reshape(zeros, [unknown])
            return try reshape(add("ScatterElements", [flat, places, try reshape(x[0], [unknown])], [sum], sizes: [unknown]), node.sizes)
        }
        let (starts, rowLength) = try node.places(indices, in: node.sizes)
        let places = try wholes(starts.flatMap { start in (0..<indices.chunk).map { start + $0 } })
        guard let rowLength else {
            return try reshape(
                add("ScatterElements", [try reshape(zeros, [unknown]), places, try reshape(x[0], [unknown])], [sum], sizes: [unknown]), node.sizes)
        }
        let rows = [GraphSize.rows, GraphSize(fixed: starts.count * indices.chunk)]
        let spread = add("Expand", [places, try sizes(rows)], sizes: rows)
        let table = try reshape(zeros, [unknown, GraphSize(fixed: rowLength)])
        return try reshape(
            add("ScatterElements", [table, spread, try reshape(x[0], rows)], [sum, ONNXAttribute("axis", .int(1))], sizes: [unknown, unknown]),
            node.sizes)
    }

    // MARK: Windows

    /// A convolution or a pool of images, with as much padding at the ends as its result's places need.
    private func windowed(_ operation: String, _ x: [Tensor], _ function: CustomFunction, window: [Int], _ sizes: [GraphSize]) -> Tensor {
        let strides = function.wholes("stride"), dilations = function.wholes("dilation"), padding = function.wholes("padding"), rank = window.count
        let ends = (0..<rank).map { axis in
            (sizes[axis + 2].fixed - 1) * strides[axis] + (window[axis] - 1) * dilations[axis] + 1 - x[0].sizes[axis + 2].fixed - padding[2 * axis]
        }
        var attributes = windowAttributes(
            window, strides, dilations, before: (0..<rank).map { padding[2 * $0] }, after: (0..<rank).map { max(padding[2 * $0 + 1], ends[$0]) })
        if operation == "Conv" { attributes.append(ONNXAttribute("group", .int(Int64(function.wholes("groups").first ?? 1)))) }
        return add(operation, x, attributes, sizes: sizes)
    }

    func windowAttributes(_ window: [Int], _ strides: [Int], _ dilations: [Int], before: [Int], after: [Int]) -> [ONNXAttribute] {
        func ints(_ name: String, _ values: [Int]) -> ONNXAttribute { ONNXAttribute(name, .ints(values.map { Int64($0) })) }
        return [ints("kernel_shape", window), ints("strides", strides), ints("pads", before + after), ints("dilations", dilations)]
    }
}
