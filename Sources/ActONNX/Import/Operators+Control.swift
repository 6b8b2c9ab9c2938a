// Graphs inside nodes (branches, loops), lists of arrays, values that may be missing, random draws.

import ActArray
import ActGrad

extension ONNXOperators {
    static let control: [OperatorRow] = [
        OperatorRow("If", .unknown) { call in
            let branch = try call.number(0) != 0 ? "then_branch" : "else_branch"
            return try call.graph(branch).run([:], call.run.pass, inside: call.run)
        },
        OperatorRow("Loop", .unknown) { call in
            // Inputs: how many turns at most, whether to begin, what goes from turn to turn. The body gives the condition, that, and what is gathered.
            let body = try call.graph("body"), most = try call.has(0) ? call.whole(0) : Int.max
            var goesOn = try call.has(1) ? call.number(1) != 0 : true, turn = 0
            var carried = Array(call.inputs.dropFirst(2).map { $0 ?? .nothing })
            guard body.inputs.count == carried.count + 2, body.outputs.count > carried.count else { throw call.fail(.badAttribute("body")) }
            var gathered = [[NDArray]](repeating: [], count: body.outputs.count - 1 - carried.count)
            var types = [ONNXElementType](repeating: .float, count: gathered.count)
            while turn < most, goesOn {
                try Interrupt.check()
                var values: [String: GraphValue] = [:]
                values[body.inputs[0].name] = .array(try NDArray.scalar(Double(turn), type: .f64), .int64)
                values[body.inputs[1].name] = .array(try NDArray.scalar(1, type: .bool), .bool)
                for (port, value) in zip(body.inputs.dropFirst(2), carried) { values[port.name] = value }
                let results = try body.run(values, call.run.pass, inside: call.run)
                if case .array(let condition, _) = results[0] { goesOn = try condition.detached().reshaped(to: [1]).element(at: 0) != 0 }
                carried = Array(results[1..<1 + carried.count])
                for (index, value) in results.dropFirst(1 + carried.count).enumerated() {
                    guard case .array(let array, let type) = value else { throw call.fail(.badAttribute("body")) }
                    gathered[index].append(array)
                    types[index] = type
                }
                turn += 1
            }
            return try carried
                + zip(gathered, types).map { arrays, type in
                    .array(arrays.isEmpty ? try NDArray.full(0, shape: [0], type: type.storage ?? .f32) : try NDArray.stacked(arrays), type)
                }
        },
        OperatorRow("Scan", .unknown) { call in try scan(call) },
    ]

    private static func scan(_ call: NodeCall) throws -> [GraphValue] {
        let body = try call.graph("body"), count = try call.int("num_scan_inputs")
        // In opset 8 everything had a batch axis in front, and the first input was the lengths.
        if call.version < 9 {
            let batch = try call.x(1).shape.first ?? 1
            guard batch == 1, !call.has(0) else { throw call.lacks(.batchOfScans) }
        }
        let lead = call.version < 9 ? 1 : 0
        let inputs = try call.inputs.dropFirst(lead).indices.map { index -> (NDArray, ONNXElementType) in
            let x = try call.x(index)
            return (lead == 1 ? try x.squeezed([0]) : x, try call.type(index))
        }
        let states = inputs.count - count
        guard states >= 0, count > 0, body.inputs.count == inputs.count, body.outputs.count >= states else { throw call.fail(.badAttribute("body")) }
        let outputs = body.outputs.count - states
        let axes = try call.ints("scan_input_axes") ?? [Int](repeating: 0, count: count)
        let directions = try (lead == 1 ? call.ints("directions") : call.ints("scan_input_directions")) ?? [Int](repeating: 0, count: count)
        let outAxes = try call.ints("scan_output_axes") ?? [Int](repeating: 0, count: outputs),
            outDirections = try call.ints("scan_output_directions") ?? [Int](repeating: 0, count: outputs)
        guard axes.count == count, directions.count == count, outAxes.count == outputs, outDirections.count == outputs else {
            throw call.fail(.badAttribute("scan_input_axes"))
        }
        let scanned = try (0..<count).map { index -> NDArray in
            let x = inputs[states + index].0, axis = try call.axis(axes[index], rank: x.rank)
            return try x.transposed([axis] + (0..<x.rank).filter { $0 != axis })
        }
        let steps = scanned[0].shape[0]
        guard scanned.allSatisfy({ $0.shape[0] == steps }) else { throw call.fail(.shape(scanned[0].shape, input: states)) }
        var carried = inputs.prefix(states).map { GraphValue.array($0.0, $0.1) }
        var gathered = [[NDArray]](repeating: [], count: outputs), types = [ONNXElementType](repeating: .float, count: outputs)
        for step in 0..<steps {
            try Interrupt.check()
            var values: [String: GraphValue] = [:]
            for (port, value) in zip(body.inputs, carried) { values[port.name] = value }
            for index in 0..<count {
                let x = scanned[index], place = directions[index] == 0 ? step : steps - 1 - step
                values[body.inputs[states + index].name] = .array(try x.cut(0, place, 1).squeezed([0]), inputs[states + index].1)
            }
            let results = try body.run(values, call.run.pass, inside: call.run)
            carried = Array(results.prefix(states))
            for index in 0..<outputs {
                guard case .array(let array, let type) = results[states + index] else { throw call.fail(.badAttribute("body")) }
                if outDirections[index] == 0 { gathered[index].append(array) } else { gathered[index].insert(array, at: 0) }
                types[index] = type
            }
        }
        let stacked = try gathered.enumerated().map { index, arrays -> GraphValue in
            guard let first = arrays.first else { return .array(try NDArray.full(0, shape: [0], type: .f32), types[index]) }
            return .array(try NDArray.stacked(arrays, axis: call.axis(outAxes[index], rank: first.rank + 1)), types[index])
        }
        guard lead == 1 else { return carried + stacked }
        return try (carried + stacked).map { value in if case .array(let array, let type) = value { .array(try array.expandedDims(0), type) } else { value } }
    }

    // MARK: Lists and what may be missing

    static let sequences: [OperatorRow] = [
        OperatorRow("SequenceConstruct", .unknown) { call in [.list(try call.inputs.indices.map(call.value), try call.type(0))] },
        OperatorRow("SequenceEmpty", .unknown) { call in [.list([], try call.elementType("dtype") ?? .float)] },
        OperatorRow("SequenceLength", .whole) { call in try call.whole(NDArray.scalar(Double(call.list(0).0.count), type: .f64)) },
        OperatorRow("SequenceAt", .unknown) { call in
            let (elements, _) = try call.list(0), place = try position(call, 1, elements.count)
            guard place < elements.count else { throw ArrayError.indexOutOfRange(index: place, axis: 0, size: elements.count) }
            return [elements[place]]
        },
        OperatorRow("SequenceInsert", .unknown) { call in
            var (elements, type) = try call.list(0)
            if elements.isEmpty { type = try call.type(1) }
            elements.insert(try call.value(1), at: try call.has(2) ? position(call, 2, elements.count) : elements.count)
            return [.list(elements, type)]
        },
        OperatorRow("SequenceErase", .unknown) { call in
            var (elements, type) = try call.list(0)
            let place = try call.has(1) ? position(call, 1, elements.count) : elements.count - 1
            guard elements.indices.contains(place) else { throw ArrayError.indexOutOfRange(index: place, axis: 0, size: elements.count) }
            elements.remove(at: place)
            return [.list(elements, type)]
        },
        OperatorRow("ConcatFromSequence", .unknown) { call in
            let (elements, type) = try call.list(0)
            let arrays = try elements.map { element -> NDArray in
                guard case .array(let array, _) = element else { throw call.fail(.kind(0)) }
                return array
            }
            guard let first = arrays.first else { throw call.fail(.kind(0)) }
            let isNew = try call.flag("new_axis", false), axis = try call.axis(call.int("axis", 0), rank: first.rank + (isNew ? 1 : 0))
            return [.array(try isNew ? NDArray.stacked(arrays, axis: axis) : NDArray.concatenated(arrays, axis: axis), type)]
        },
        OperatorRow("SplitToSequence", .unknown, settings: [1]) { call in
            let x = try call.x(0), axis = try call.axis(call.int("axis", 0), rank: x.rank), type = try call.type(0), size = x.shape[axis]
            guard let split = try call.maybe(1) else {
                let parts = try parts(x, axis, [Int](repeating: 1, count: size), call)
                return [.list(try parts.map { .array(try call.flag("keepdims", true) ? $0 : $0.squeezed([axis]), type) }, type)]
            }
            var sizes = try call.wholes(1)
            if split.rank == 0 {
                guard sizes[0] > 0 else { throw call.fail(.badAttribute("split")) }
                sizes = stride(from: 0, to: size, by: sizes[0]).map { [sizes] in min(sizes[0], size - $0) }
            }
            return [.list(try parts(x, axis, sizes, call).map { .array($0, type) }, type)]
        },
        OperatorRow("SequenceMap", .unknown) { call in
            let body = try call.graph("body"), (first, _) = try call.list(0)
            guard body.inputs.count == call.inputs.count else { throw call.fail(.badAttribute("body")) }
            var results = [[GraphValue]](repeating: [], count: body.outputs.count)
            for index in first.indices {
                try Interrupt.check()
                var values: [String: GraphValue] = [:]
                for (place, port) in body.inputs.enumerated() {
                    let value = try call.value(place)
                    if case .list(let elements, _) = value {
                        guard index < elements.count else { throw call.fail(.kind(place)) }
                        values[port.name] = elements[index]
                    } else {
                        values[port.name] = value
                    }
                }
                for (place, value) in try body.run(values, call.run.pass, inside: call.run).enumerated() { results[place].append(value) }
            }
            return results.map { elements in
                if case .array(_, let type)? = elements.first { .list(elements, type) } else { .list(elements, .float) }
            }
        },
        OperatorRow("Optional", .unknown) { call in [call.has(0) ? try call.value(0) : .nothing] },
        OperatorRow("OptionalHasElement", .truth) { call in
            let isThere = if call.has(0), case .nothing = try call.value(0) { false } else { call.has(0) }
            return call.truth(try NDArray.scalar(isThere ? 1 : 0, type: .bool))
        },
        OperatorRow("OptionalGetElement", .like(0)) { call in
            let value = try call.value(0)
            if case .nothing = value { throw call.fail(.kind(0)) }
            return [value]
        },
    ]

    private static func position(_ call: NodeCall, _ input: Int, _ count: Int) throws -> Int {
        let place = try call.whole(input), known = place < 0 ? place + count : place
        guard known >= 0, known <= count else { throw ArrayError.indexOutOfRange(index: place, axis: 0, size: count) }
        return known
    }

    // MARK: Draws

    static let draws: [OperatorRow] = [
        random("RandomUniform", isLike: false), random("RandomUniformLike", isLike: true), random("RandomNormal", isLike: false),
        random("RandomNormalLike", isLike: true),
        OperatorRow("Bernoulli", .unknown, draws: true) { call in
            let x = try call.x(0), type = try call.elementType("dtype") ?? call.type(0)
            let hits = try NDArray.compare(.lt, .array(call.run.pass.random.uniform(shape: x.shape)), .array(x.converted(to: .f64)))
            return [.array(try hits.converted(to: type.storage ?? .f32), type)]
        },
        OperatorRow("Multinomial", .unknown, draws: true) { call in
            let x = try call.x(0), count = try call.int("sample_size", 1), type = try call.elementType("dtype") ?? .int32
            guard x.rank == 2, count >= 0 else { throw call.fail(.shape(x.shape, input: 0)) }
            let sums = try x.softmax(axis: 1).cumulative(.sum, axis: 1).reshaped(to: [x.shape[0], 1, x.shape[1]])
            let draws = try call.run.pass.random.uniform(shape: [x.shape[0], count, 1])
            // How many classes end below the draw.
            let below = try NDArray.compare(.le, .array(sums.converted(to: .f64)), .array(draws)).countNonzero(axes: [2])
            return [.array(try NDArray.binary(.min, .array(below.converted(to: .f64)), .number(Double(max(0, x.shape[1] - 1)))), type)]
        },
    ]

    private static func random(_ name: String, isLike: Bool) -> OperatorRow {
        OperatorRow(name, .said("dtype"), draws: true) { call in
            let shape = try isLike ? call.x(0).shape : call.sizes("shape") ?? []
            let type = try call.elementType("dtype") ?? (isLike ? call.type(0) : .float), storage = type.storage ?? .f32
            if name.hasPrefix("RandomUniform") {
                let low = try call.float("low", 0), high = try call.float("high", 1)
                return [.array(try (call.run.pass.random.uniform(shape: shape) * (high - low) + low).converted(to: storage), type)]
            }
            return [.array(try (call.run.pass.random.normal(shape: shape) * call.float("scale", 1) + call.float("mean", 0)).converted(to: storage), type)]
        }
    }
}

extension NodeCall {
    func graph(_ name: String) throws -> GraphProgram {
        guard let graph = node.graphs[name] else { throw fail(.missingAttribute(name)) }
        return graph
    }
}
