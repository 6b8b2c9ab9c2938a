// Graphs of functions as statements of Python: one exhaustive `switch` over the primitives.
//
// What must stay true: what has no form is named with its place, never left out.

import ActArray
import ActGrad
import ActNetwork

/// Why something has no source in a framework, as data: the wording is ActLanguage's.
package enum SourceExportError: Error, Equatable {
    case noForm(operation: String, SourceFramework, at: Site)
}

/// The body of a function: statements, and what it returns.
struct PythonBody {
    var lines: [String] = []
    var result = Python("x")
}

extension PythonWriter {
    /// - Parameters:
    ///   - names: Of the arguments.
    ///   - constant: How the module refers to an array.
    func body(of graph: Graph, _ names: [String], constant: (NDArray) throws -> Python) throws -> PythonBody {
        var body = PythonBody(), values: [Python] = [], uses = [Int](repeating: 0, count: graph.nodes.count), usesOpen = false, temporaries = 0
        for node in graph.nodes { for operand in node.operands { uses[operand] += 1 } }
        func size(_ size: GraphSize) -> String {
            if size.open == 0 { return "\(size.fixed)" }
            usesOpen = true
            let multiple = size.open == 1 ? "n" : "\(size.open) * n"
            return size.fixed == 0 ? multiple : "\(multiple) \(size.fixed < 0 ? "-" : "+") \(size.fixed.magnitude)"
        }
        for (position, node) in graph.nodes.enumerated() {
            try Interrupt.check()
            var value: Python
            // The places of elements in order, of which nothing but the elements in order is needed.
            if case .operation(.custom(let order)) = node.source, order.name == "sort",
                graph.nodes.allSatisfy({ !$0.operands.contains(position) || graph.sortsRows($0) }), position != graph.outputs[0]
            {
                values.append(Python("None"))
                continue
            }
            switch node.source {
            case .input(let number): value = Python(names[number])
            case .constant(let array):
                if array.count == 1, array.type != .bool, array.rank == 0 || isNumberEnough(position, graph) {
                    value = .number(try array.item(), isSingle: array.type == .f32)
                } else if node.sizes.allSatisfy({ $0.open == 0 }) {
                    value = try self.constant(array, constant)
                } else {
                    let first = try array.first(along: node.sizes.indices.filter { node.sizes[$0].open != 0 }).contiguous()
                    value = framework.call("broadcast_to", try self.constant(first, constant), Python(shape(node.sizes, size)))
                }
            case .size(let open, let isReciprocal):
                let text = size(open), level: Python.Level = text == "n" ? .atom : open.fixed == 0 ? .product : .sum
                value = Python.size(isReciprocal ? "1 / \(Python(text, level).within(.power))" : text, isReciprocal ? .product : level)
            case .operation(let primitive): value = try write(primitive, node, node.operands.map { values[$0] }, graph, size)
            }
            // Short ones that are used once stand where they are used.
            if case .operation = node.source, uses[position] > 1 || value.text.count > 60, position != graph.outputs[0] {
                temporaries += 1
                body.lines.append("t\(temporaries) = \(value.text)")
                value = Python("t\(temporaries)")
            }
            values.append(value)
        }
        body.result = values[graph.outputs[0]]
        if usesOpen, let input = graph.nodes.prefix(names.count).firstIndex(where: { $0.sizes.contains { $0 == GraphSize(fixed: 0, open: 1) } }) {
            let axis = graph.nodes[input].sizes.firstIndex(of: GraphSize(fixed: 0, open: 1)) ?? 0
            body.lines.insert("n = \(framework == .keras ? "ops.shape(\(names[input]))" : "\(names[input]).shape")[\(axis)]", at: 0)
        }
        return body
    }

    /// Whether an array of one element is used in no other way than a number could be: stretched to the shape of what it meets.
    private func isNumberEnough(_ position: Int, _ graph: Graph) -> Bool {
        if graph.outputs.contains(position) { return false }
        return graph.nodes.allSatisfy { node in
            guard node.operands.contains(position), case .operation(let primitive) = node.source else { return true }
            switch primitive {
            case .binary, .compare, .logical, .select: return node.operands.contains { $0 != position && graph.nodes[$0].sizes == node.sizes }
            default: return false
            }
        }
    }

    /// Bools are numbers in the file of weights.
    private func constant(_ array: NDArray, _ reference: (NDArray) throws -> Python) throws -> Python {
        array.type == .bool ? .infix(try reference(array), "!=", Python("0")) : try reference(array)
    }

    private func shape(_ sizes: [GraphSize], _ size: (GraphSize) -> String) -> String {
        "(" + sizes.map(size).joined(separator: ", ") + (sizes.count == 1 ? ",)" : ")")
    }

    private func write(_ primitive: Primitive, _ node: Graph.Node, _ x: [Python], _ graph: Graph, _ size: (GraphSize) -> String) throws -> Python {
        func unfit() -> SourceExportError {
            let operation = primitive.attributes.lazy.compactMap { if $0.name == "operation", case .text(let name) = $0.content { name } else { nil } }.first
            return .noForm(operation: operation ?? primitive.name, framework, at: node.site)
        }
        func isNumber(_ operand: Int) -> Bool {
            switch graph.nodes[node.operands[operand]].source {
            case .constant(let array): array.rank == 0
            case .size: true
            case .input, .operation: false
            }
        }
        func sizes(of operand: Int) -> [GraphSize] { graph.nodes[node.operands[operand]].sizes }
        var shape: String { self.shape(node.sizes, size) }
        switch primitive {
        case .data, .variable: throw unfit()
        case .unary(let operation): return unary(operation, x[0])
        case .binary(let operation): return binary(operation, x[0], x[1], isNumber: (isNumber(0), isNumber(1)))
        case .compare(let operation): return framework.compare(operation, x[0], x[1])
        case .test(let operation): return framework.call(operation.name, x[0])
        case .logical(let operation): return .call(framework.prefix + "logical_\(operation.name)", x)
        case .select: return framework.select(x[0], x[1], x[2])
        case .convert: return converted(x[0], isBool: graph.nodes[node.operands[0]].type == .bool, toBool: node.type == .bool)
        case .reshape: return reshape(x[0], sizes(of: 0), node.sizes, size)
        case .transpose(let order): return framework.call(framework == .torch ? "permute" : "transpose", x[0], Python(tuple(order)))
        case .broadcast: return sizes(of: 0) == node.sizes ? x[0] : framework.call("broadcast_to", x[0], Python(shape))
        case .slice(let ranges): return slice(x[0], try node.ranges(ranges), sizes(of: 0), size)
        case .unslice(let ranges): return try unslice(x[0], try node.ranges(ranges), node, size)
        case .gather(let indices):
            if graph.sortsRows(node) {
                return framework == .torch ? Python("torch.sort(\(x[0].text), -1)[0]") : framework.call("sort", x[0], Python("-1"))
            }
            return try gather(x, indices, node, sizes(of: 0), size)
        case .scatterAdd(let indices): return try scatter(x, indices, node, size)
        case .concatenate(let axis):
            let list = Python("[\(x.map(\.text).joined(separator: ", "))]")
            return framework.call(framework == .torch ? "cat" : "concatenate", list, Python("\(axis)"))
        case .matmul: return Python("\(x[0].within(.product)) @ \(x[1].within(.power))", .product)
        case .reduce(let operation, let axes): return reduce(operation, x[0], axes)
        case .cumulative(let operation, let axis, let reversed):
            let whole = reversed ? flipped(x[0], [axis]) : x[0], result = framework.call(operation.name, whole, Python("\(axis)"))
            return reversed ? flipped(result, [axis]) : result
        case .normalize(let operation, let axis):
            let name = operation.name
            return .call((framework == .jax ? "jax.nn." : framework.prefix) + name, x[0], Python(framework == .torch ? "\(axis)" : "axis=\(axis)"))
        case .custom(let row as RowFunction) where row.order == 0:
            var rest = x.dropFirst()
            let parameters = row.numbers.map { number -> (text: Python, number: Double?) in
                number.map { (.number($0), $0) } ?? (rest.popFirst() ?? .number(.nan), nil)
            }
            guard let value = self.row(row.row, x[0], parameters) else { throw unfit() }
            return value
        case .custom(let function):
            guard let value = write(function, node, x, graph, size) else { throw unfit() }
            return value
        }
    }

    private func converted(_ x: Python, isBool: Bool, toBool: Bool) -> Python {
        if isBool == toBool { return x }
        return toBool ? .infix(x, "!=", Python("0")) : number(x)
    }

    private func flipped(_ x: Python, _ axes: [Int]) -> Python { framework.call("flip", x, Python(tuple(axes))) }
    private func reshaped(_ x: Python, _ shape: String) -> Python { framework.call("reshape", x, Python(shape)) }

    private func reshape(_ x: Python, _ before: [GraphSize], _ sizes: [GraphSize], _ size: (GraphSize) -> String) -> Python {
        if before == sizes { return x }
        let open = sizes.filter { $0.open != 0 }
        if open.count == 1, !sizes.contains(GraphSize(fixed: 0)) {
            return reshaped(x, self.shape(sizes) { $0.open == 0 ? "\($0.fixed)" : "-1" })
        }
        return reshaped(x, shape(sizes, size))
    }

    private func slice(_ x: Python, _ ranges: [GraphRange], _ before: [GraphSize], _ size: (GraphSize) -> String) -> Python {
        var parts: [String] = [], reversed: [Int] = []
        for (axis, range) in ranges.enumerated() {
            var (start, step) = (range.start, range.step)
            if step < 0 {
                start = GraphSize(fixed: start.fixed + (range.count.fixed - 1) * step, open: start.open + range.count.open * step)
                step = -step
                reversed.append(axis)
            }
            if start == GraphSize(fixed: 0), step == 1, range.count == before[axis] {
                parts.append(":")
                continue
            }
            let end = GraphSize(
                fixed: start.fixed + (range.count.fixed - 1) * step + 1, open: start.open + range.count.open * step)
            parts.append("\(start == GraphSize(fixed: 0) ? "" : size(start)):\(end == before[axis] ? "" : size(end))\(step == 1 ? "" : ":\(step)")")
        }
        while parts.count > 1, parts.last == ":" { parts.removeLast() }
        let part = parts == [":"] ? x : Python("\(x.within(.atom))[\(parts.joined(separator: ", "))]")
        return reversed.isEmpty ? part : flipped(part, reversed)
    }

    /// - Returns: `nil` where the framework has no such operation.
    private func write(_ function: CustomFunction, _ node: Graph.Node, _ x: [Python], _ graph: Graph, _ size: (GraphSize) -> String) -> Python? {
        func sizes(of operand: Int) -> [GraphSize] { graph.nodes[node.operands[operand]].sizes }
        var shape: String { self.shape(node.sizes, size) }
        switch function.name {
        case "convolution": return convolution(x, function, graph.nodes[node.operands[1]].shape, sizes(of: 0), node.sizes)
        case "det", "inv", "solve":
            let prefix = framework == .keras ? "" : "linalg."
            return .call(framework.prefix + prefix + function.name, x)
        case "argmax" where !function.attributes.contains(Attribute("last", .flag(true))),
            "argmin" where !function.attributes.contains(Attribute("last", .flag(true))):
            let (x, axis) = along(function, x[0]), found = number(framework.call(function.name, x, Python("\(axis)")))
            return sizes(of: 0).count == node.sizes.count || node.sizes.contains(GraphSize(fixed: 1)) ? reshaped(found, shape) : found
        case "argsort":
            let (x, axis) = along(function, x[0])
            return number(order(x, axis))
        case "top_k":
            let (x, axis) = along(function, x[0]), ranges = node.sizes.indices.map { $0 == axis ? ":\(size(node.sizes[$0]))" : ":" }
            return number(Python("\(order(-x, axis).text)[\(ranges.joined(separator: ", "))]"))
        case "sort":
            // Where the elements of each row in order are among all elements.
            let length = size(sizes(of: 0)[sizes(of: 0).count - 1]), rows = reshaped(x[0], "(-1, \(length))")
            let all = framework == .torch ? "\(x[0].within(.atom)).numel()" : framework == .jax ? "\(x[0].within(.atom)).size" : "ops.size(\(x[0].text))"
            let starts = reshaped(framework.call("arange", Python("0"), Python(all), Python(length)), "(-1, 1)")
            return reshaped(order(rows, 1) + starts, shape)
        default: return nil
        }
    }

    // MARK: Order

    /// Whole numbers as numbers of the module.
    private func number(_ wholes: Python) -> Python {
        switch framework {
        case .torch: Python("\(wholes.within(.atom)).float()")
        case .jax: Python("\(wholes.within(.atom)).astype(jnp.float32)")
        case .keras: .call("ops.cast", wholes, Python("\"float32\""))
        }
    }

    /// What an operation goes along: an axis, or all elements one after the other.
    private func along(_ function: CustomFunction, _ x: Python) -> (x: Python, axis: Int) {
        if let axis = function.wholes("axis").first { return (x, axis) }
        return (framework.call("reshape", x, Python("(-1,)")), 0)
    }

    /// Where the elements were that stand in order; of equal ones the first comes first.
    private func order(_ x: Python, _ axis: Int) -> Python {
        framework == .torch ? Python("torch.argsort(\(x.text), dim=\(axis), stable=True)") : framework.call("argsort", x, Python("\(axis)"))
    }

    // MARK: Reductions

    private func reduce(_ operation: ReduceOperation, _ x: Python, _ axes: [Int]) -> Python {
        if axes.isEmpty { return x }
        switch (framework, operation) {
        // Its products go along one axis at a time.
        case (.torch, .prod): return axes.sorted(by: >).reduce(x) { framework.call("prod", $0, Python("\($1)")) }
        case (.torch, .max): return framework.call("amax", x, Python(tuple(axes)))
        case (.torch, .min): return framework.call("amin", x, Python(tuple(axes)))
        default: return framework.call(operation.name, x, Python(axes.count == 1 ? "\(axes[0])" : tuple(axes)))
        }
    }

    // MARK: Ranges and positions

    /// Zeros but for x at the ranges: its elements parted by zeros, then zeros around.
    private func unslice(_ x: Python, _ ranges: [GraphRange], _ node: Graph.Node, _ size: (GraphSize) -> String) throws -> Python {
        var x = x, ranges = ranges, sizes = ranges.map(\.count)
        for axis in ranges.indices {
            var range = ranges[axis]
            if range.step < 0 {
                x = framework.call("flip", x, Python("(\(axis),)"))
                range = GraphRange(start: range.start + (range.count + -1) * range.step, step: -range.step, count: range.count)
            }
            if range.step > 1 {
                let alone = Array(sizes[...axis]) + [GraphSize(fixed: 1)] + sizes[(axis + 1)...]
                let parted = framework.call("reshape", x, Python(shape(alone, size)))
                let spread = padded(parted, alone.indices.map { $0 == axis + 1 ? ("0", "\(range.step - 1)") : ("0", "0") })
                sizes[axis] = range.count * range.step
                x = framework.call("reshape", spread, Python(shape(sizes, size)))
                // Those behind the last are too many.
                sizes[axis] = (range.count + -1) * range.step + 1
                x = Python("\(x.within(.atom))[\(String(repeating: ":, ", count: axis)):\(size(sizes[axis]))]")
            }
            ranges[axis] = GraphRange(start: range.start, step: 1, count: sizes[axis])
        }
        return padded(x, ranges.enumerated().map { (size($1.start), size(node.sizes[$0] - $1.start - $1.count)) })
    }

    /// Zeros before and behind along each axis.
    private func padded(_ x: Python, _ pairs: [(String, String)]) -> Python {
        if framework == .torch { return .call("F.pad", x, Python("(\(pairs.reversed().map { "\($0.0), \($0.1)" }.joined(separator: ", ")))")) }
        return framework.call("pad", x, Python("(\(pairs.map { "(\($0.0), \($0.1))" }.joined(separator: ", ")),)"))
    }

    /// Positions as the module writes them: a few in place, many from the file of weights.
    private func positions(_ numbers: [Int]) throws -> Python {
        let text = numbers.count <= 24 ? "[\(numbers.map(String.init).joined(separator: ", "))]" : nil
        let held = try text ?? PythonWriter.weight(store(NDArray(numbers.map(Double.init), shape: [numbers.count])))
        switch framework {
        case .torch: return Python(text == nil ? "\(held).long()" : "torch.tensor(\(held))")
        case .jax: return Python(text == nil ? "\(held).astype(int)" : "jnp.array(\(held))")
        case .keras: return Python(text == nil ? "ops.cast(\(held), \"int32\")" : "ops.array(\(held))")
        }
    }

    private func whole(_ x: Python) -> Python {
        switch framework {
        case .torch: Python("\(x.within(.atom)).long()")
        case .jax: Python("\(x.within(.atom)).astype(int)")
        case .keras: .call("ops.cast", x, Python("\"int32\""))
        }
    }

    /// The positions of all elements of chunks that begin at positions.
    private func elements(_ starts: Python, chunk: Int) -> Python {
        if chunk == 1 { return framework.call("reshape", whole(starts), Python("(-1,)")) }
        let column = framework.call("reshape", whole(starts), Python("(-1, 1)"))
        return framework.call("reshape", column + framework.call("arange", Python("\(chunk)")), Python("(-1,)"))
    }

    private func gather(_ x: [Python], _ indices: GatherIndices, _ node: Graph.Node, _ sizes: [GraphSize], _ size: (GraphSize) -> String) throws -> Python {
        func reshape(_ x: Python, _ shape: String) -> Python { framework.call("reshape", x, Python(shape)) }
        func take(_ table: Python, _ positions: Python, _ axis: Int) -> Python {
            framework == .torch
                ? Python("\(table.within(.atom))[\(axis == 0 ? "" : ":, ")\(positions.text)]") : framework.call("take", table, positions, Python("\(axis)"))
        }
        let chunk = indices.chunk
        let target = node.sizes.count { $0.open != 0 } == 1 ? self.shape(node.sizes) { $0.open == 0 ? "\($0.fixed)" : "-1" } : self.shape(node.sizes, size)
        if x.count > 1 { return reshape(take(reshape(x[0], "(-1,)"), elements(x[1], chunk: chunk), 0), target) }
        let (starts, rowLength) = try node.places(indices, in: sizes)
        let places = try positions(starts.flatMap { start in (0..<chunk).map { start + $0 } })
        guard let rowLength else { return reshape(take(reshape(x[0], "(-1,)"), places, 0), target) }
        return reshape(take(reshape(x[0], "(-1, \(rowLength))"), places, 1), target)
    }

    private func scatter(_ x: [Python], _ indices: GatherIndices, _ node: Graph.Node, _ size: (GraphSize) -> String) throws -> Python {
        let chunk = indices.chunk
        var shape: String { self.shape(node.sizes, size) }
        func added(_ values: Python, _ places: Python, _ count: String) -> Python {
            switch framework {
            case .torch: Python("torch.zeros(\(count)).index_add(0, \(places.text), \(values.text))")
            case .jax: Python("jnp.zeros(\(count)).at[\(places.text)].add(\(values.text))")
            case .keras: .call("ops.segment_sum", values, places, Python("\(count)"))
            }
        }
        func flat(_ x: Python) -> Python { framework.call("reshape", x, Python("(-1,)")) }
        guard let all = GraphSize.product(node.sizes) else { throw GraphError.dependsOnSize(at: node.site) }
        let count = size(all)
        if x.count > 1 { return framework.call("reshape", added(flat(x[0]), elements(x[1], chunk: chunk), count), Python(shape)) }
        let (starts, rowLength) = try node.places(indices, in: node.sizes)
        let places = try positions(starts.flatMap { start in (0..<chunk).map { start + $0 } })
        guard let rowLength else { return framework.call("reshape", added(flat(x[0]), places, count), Python(shape)) }
        // Rows become columns: what is added to is the first axis.
        let columns =
            framework == .torch
            ? Python("torch.reshape(\(x[0].text), (-1, \(starts.count * chunk))).T")
            : framework.call("transpose", framework.call("reshape", x[0], Python("(-1, \(starts.count * chunk))")))
        let sums = added(columns, places, framework == .keras ? "\(rowLength)" : "(\(rowLength), \(size(GraphSize(fixed: 0, open: 1))))")
        return framework.call("reshape", framework == .torch ? Python("\(sums.text).T") : framework.call("transpose", sums), Python(shape))
    }

    // MARK: Windows

    /// Padding, then a convolution without.
    private func convolution(_ x: [Python], _ function: CustomFunction, _ weights: [Int], _ before: [GraphSize], _ sizes: [GraphSize]) -> Python {
        let strides = function.wholes("stride"), dilations = function.wholes("dilation"), padding = function.wholes("padding"), rank = strides.count
        let pads = (0..<rank).map { axis -> (Int, Int) in
            let reach = (sizes[axis + 2].fixed - 1) * strides[axis] + (weights[axis + 2] - 1) * dilations[axis] + 1
            return (padding[2 * axis], max(padding[2 * axis + 1], reach - before[axis + 2].fixed - padding[2 * axis]))
        }
        let groups = function.wholes("groups").first ?? 1, isPadded = pads.contains { $0.0 > 0 || $0.1 > 0 }
        switch framework {
        case .torch:
            let around = isPadded ? Python.call("F.pad", x[0], Python(tuple(pads.reversed().flatMap { [$0.0, $0.1] }))) : x[0]
            return .call(
                "F.conv\(rank)d", around, x[1], Python("stride=\(tuple(strides))"), Python("dilation=\(tuple(dilations))"), Python("groups=\(groups)"))
        case .jax:
            return .call(
                "jax.lax.conv_general_dilated", x[0], x[1], Python(tuple(strides)), Python("[\(pads.map { "(\($0.0), \($0.1))" }.joined(separator: ", "))]"),
                Python("rhs_dilation=\(tuple(dilations))"), Python("feature_group_count=\(groups)"))
        case .keras:
            let all = "((0, 0), (0, 0), \(pads.map { "(\($0.0), \($0.1))" }.joined(separator: ", ")))"
            let around = isPadded ? Python.call("ops.pad", x[0], Python(all)) : x[0]
            let kernel = Python.call("ops.transpose", x[1], Python(tuple(Array(2..<rank + 2) + [1, 0])))
            return .call(
                "ops.conv", around, kernel, Python("strides=\(tuple(strides))"), Python("padding=\"valid\""), Python("data_format=\"channels_first\""),
                Python("dilation_rate=\(tuple(dilations))"))
        }
    }
}
