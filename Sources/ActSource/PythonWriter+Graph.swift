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
            switch node.source {
            case .input(let number): value = Python(names[number])
            case .constant(let array):
                if array.count == 1, array.rank == 0 || node.sizes.allSatisfy({ $0.open == 0 && $0.fixed == 1 }), array.type != .bool {
                    value = .number(try array.item(), isSingle: array.type == .f32)
                } else if node.sizes.allSatisfy({ $0.open == 0 }) {
                    value = try self.constant(array, constant)
                } else {
                    let first = try array.first(along: node.sizes.indices.filter { node.sizes[$0].open != 0 }).contiguous()
                    value = framework.call("broadcast_to", try self.constant(first, constant), Python(shape(node.sizes, size)))
                }
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
            if case .constant(let array) = graph.nodes[node.operands[operand]].source { array.rank == 0 } else { false }
        }
        func sizes(of operand: Int) -> [GraphSize] { graph.nodes[node.operands[operand]].sizes }
        func reshaped(_ x: Python, _ shape: String) -> Python { framework.call("reshape", x, Python(shape)) }
        func flipped(_ x: Python, _ axes: [Int]) -> Python { framework.call("flip", x, Python(tuple(axes))) }
        var shape: String { self.shape(node.sizes, size) }
        switch primitive {
        case .data, .variable: throw unfit()
        case .unary(let operation): return unary(operation, x[0])
        case .binary(let operation): return binary(operation, x[0], x[1], isNumber: (isNumber(0), isNumber(1)))
        case .compare(let operation): return framework.compare(operation, x[0], x[1])
        case .test(let operation): return framework.call(operation.name, x[0])
        case .logical(let operation): return .call(framework.prefix + "logical_\(operation.name)", x)
        case .select: return framework.select(x[0], x[1], x[2])
        case .convert:
            let wasBool = graph.nodes[node.operands[0]].type == .bool
            if wasBool == (node.type == .bool) { return x[0] }
            if !wasBool { return .infix(x[0], "!=", Python("0")) }
            let type = node.type == .f64 ? "float64" : "float32"
            switch framework {
            case .torch: return Python("\(x[0].within(.atom)).to(torch.\(type))")
            case .jax: return Python("\(x[0].within(.atom)).astype(jnp.\(type))")
            case .keras: return .call("ops.cast", x[0], Python("\"\(type)\""))
            }
        case .reshape:
            if sizes(of: 0) == node.sizes { return x[0] }
            let open = node.sizes.filter { $0.open != 0 }
            if open.count == 1, !node.sizes.contains(GraphSize(fixed: 0)) {
                return reshaped(x[0], self.shape(node.sizes) { $0.open == 0 ? "\($0.fixed)" : "-1" })
            }
            return reshaped(x[0], shape)
        case .transpose(let order): return framework.call(framework == .torch ? "permute" : "transpose", x[0], Python(tuple(order)))
        case .broadcast: return sizes(of: 0) == node.sizes ? x[0] : framework.call("broadcast_to", x[0], Python(shape))
        case .slice(let ranges):
            let ranges = try node.ranges(ranges), before = sizes(of: 0)
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
            let part = parts == [":"] ? x[0] : Python("\(x[0].within(.atom))[\(parts.joined(separator: ", "))]")
            return reversed.isEmpty ? part : flipped(part, reversed)
        case .unslice(let ranges): return try unslice(x[0], try node.ranges(ranges), node, size)
        case .gather(let indices): return try gather(x, indices, node, sizes(of: 0), size)
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
            guard function.name == "convolution" else { throw unfit() }
            return convolution(x, function, graph.nodes[node.operands[1]].shape, sizes(of: 0), node.sizes)
        }
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

    private func unslice(
        _ x: Python, _ ranges: [GraphRange], _ node: Graph.Node, _ size: (GraphSize) -> String
    ) throws -> Python {
        guard ranges.allSatisfy({ $0.step == 1 }) else { throw SourceExportError.noForm(operation: "index", framework, at: node.site) }
        let pairs = ranges.enumerated().map { axis, range in
            (
                size(range.start),
                size(
                    GraphSize(
                        fixed: node.sizes[axis].fixed - range.start.fixed - range.count.fixed,
                        open: node.sizes[axis].open - range.start.open - range.count.open))
            )
        }
        if framework == .torch { return .call("F.pad", x, Python("(\(pairs.reversed().map { "\($0.0), \($0.1)" }.joined(separator: ", ")))")) }
        return framework.call("pad", x, Python("(\(pairs.map { "(\($0.0), \($0.1))" }.joined(separator: ", ")),)"))
    }

    /// Positions as the module writes them: a few in place, many from the file of weights.
    private func positions(_ numbers: [Int]) throws -> Python {
        let text = numbers.count <= 24 ? "[\(numbers.map(String.init).joined(separator: ", "))]" : nil
        let held = try text ?? "weights[\"\(store(NDArray(numbers.map(Double.init), shape: [numbers.count])))\"]"
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

    private func gather(_ x: [Python], _ indices: GatherIndices, _ node: Graph.Node, _ sizes: [GraphSize], _ size: (GraphSize) -> String) throws -> Python {
        func reshape(_ x: Python, _ shape: String) -> Python { framework.call("reshape", x, Python(shape)) }
        func take(_ table: Python, _ positions: Python, _ axis: Int) -> Python {
            framework == .torch
                ? Python("\(table.within(.atom))[\(axis == 0 ? "" : ":, ")\(positions.text)]") : framework.call("take", table, positions, Python("\(axis)"))
        }
        let chunk = indices.chunk
        let target = node.sizes.count { $0.open != 0 } == 1 ? self.shape(node.sizes) { $0.open == 0 ? "\($0.fixed)" : "-1" } : self.shape(node.sizes, size)
        if x.count > 1 {
            var places = reshape(whole(x[1]), "(-1,)")
            if chunk > 1 {
                let range = framework.call("arange", Python("\(chunk)"))
                places = reshape(reshape(whole(x[1]), "(-1, 1)") + range, "(-1,)")
            }
            return reshape(take(reshape(x[0], "(-1,)"), places, 0), target)
        }
        let (starts, rowLength) = try node.places(indices, in: sizes)
        let places = try positions(starts.flatMap { start in (0..<chunk).map { start + $0 } })
        guard let rowLength else { return reshape(take(reshape(x[0], "(-1,)"), places, 0), target) }
        return reshape(take(reshape(x[0], "(-1, \(rowLength))"), places, 1), target)
    }

    private func scatter(_ x: [Python], _ indices: GatherIndices, _ node: Graph.Node, _ size: (GraphSize) -> String) throws -> Python {
        let isFixed = node.sizes.allSatisfy { $0.open == 0 }, chunk = indices.chunk
        var shape: String { self.shape(node.sizes, size) }
        func added(_ values: Python, _ places: Python, _ count: String) -> Python {
            switch framework {
            case .torch: Python("torch.zeros(\(count)).index_add(0, \(places.text), \(values.text))")
            case .jax: Python("jnp.zeros(\(count)).at[\(places.text)].add(\(values.text))")
            case .keras: .call("ops.segment_sum", values, places, Python("\(count)"))
            }
        }
        func flat(_ x: Python) -> Python { framework.call("reshape", x, Python("(-1,)")) }
        let count = node.sizes.reduce(1) { $0 * $1.fixed }
        if x.count > 1 {
            guard isFixed, chunk == 1 else { throw SourceExportError.noForm(operation: "index", framework, at: node.site) }
            return framework.call("reshape", added(flat(x[0]), flat(whole(x[1])), "\(count)"), Python(shape))
        }
        let (starts, rowLength) = try node.places(indices, in: node.sizes)
        let places = try positions(starts.flatMap { start in (0..<chunk).map { start + $0 } })
        guard let rowLength else { return framework.call("reshape", added(flat(x[0]), places, "\(count)"), Python(shape)) }
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
