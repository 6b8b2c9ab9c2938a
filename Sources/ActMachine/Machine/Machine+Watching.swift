// A built-in as one operation: it warns when its result has left the numbers, not when a step on the way has.
//
// What must stay true: a call that leaves nothing unusual costs a few instructions more, and deferred results stay deferred. Their steps
// are judged together when they are computed (`NumericEvents`). Derivatives are the exception: what their rules compute belongs to no
// place in the program, so nothing would warn later, and slopes of arrays are computed and looked at here.

import ActArray
import CActKernels

extension Machine {
    /// Runs the body of a function that is called `name`, and judges what happened in it by its result.
    /// - Throws: what the body throws, and the warning when warnings are errors.
    package func watched(_ name: @autoclosure () -> String, _ arguments: @autoclosure () -> [Value], _ body: () throws -> Value) throws -> Value {
        let context = act_context()
        guard context.pointee.watches_events != 0 else { return try body() }
        let watch = act_watch_begin(context)
        let value = try body()
        if act_watch_end(context, watch) != 0 || value.isUnusualNumber { try judge(value, name(), arguments(), watch) }
        return value
    }

    /// Warns of what happened in a call that is over: of operations on arrays, or of plain numbers, by which functions of whole arrays may compute.
    package func judge(_ value: Value, _ name: String, _ arguments: [Value], _ watch: act_watch) throws {
        let site = Site(id: watch.site, call: watch.number)
        let events = NumericEvents.take(of: site.call)
        if !events.isEmpty {
            NumericEvents.add(try judged(events, name, value, arguments, site))
        } else if case .number(let result) = value, !result.isFinite {
            try noteNumber(result, name, arguments)
        }
    }

    /// What is left of the events of a call when only its result counts.
    private func judged(_ events: [NumericEvent], _ name: String, _ value: Value, _ arguments: [Value], _ site: Site) throws -> [NumericEvent] {
        try value.settle()
        // What was deferred belongs to it.
        let events = events + NumericEvents.take(of: site.call)
        var leaves: [NDArray] = []
        for leaf in try [value].numericLeaves() where leaf.type != .bool { leaves.append(try leaf.detached()) }
        let results = try leaves.map { try $0.toDoubles() }
        let isNaN = results.contains { $0.contains(where: \.isNaN) }, isUnusual = isNaN || results.contains { $0.contains { !$0.isFinite } }
        let visible = events.filter { $0.kind == .invalid ? isNaN : isUnusual }
        // Operations of this very name know best which elements they touched.
        if visible.isEmpty || visible.allSatisfy({ $0.operation == name }) { return visible }
        let inputs = try arguments.numericLeaves().map { try $0.detached() }
        var judged: [NumericEvent] = []
        for (leaf, elements) in zip(leaves, results) {
            let pole = visible.contains { $0.kind == .divideByZero }
            // Where the arguments stretch to the result each element is compared with its own, else with all.
            let stretches = inputs.allSatisfy { (try? NDArray.broadcastShape($0.shape, leaf.shape)) == leaf.shape }
            let matching = stretches ? try inputs.map { try $0.broadcast(to: leaf.shape).toDoubles() } : nil
            let all = try matching == nil ? inputs.flatMap { try $0.toDoubles() } : []
            let (hasNaN, hasInfinite) = (all.contains(where: \.isNaN), all.contains(where: \.isInfinite))
            for (i, y) in elements.enumerated() where !y.isFinite {
                if i & 0xfff == 0 { try Interrupt.check() }
                let own = matching?.map { $0[i] } ?? []
                if hasNaN || own.contains(where: \.isNaN) || !y.isNaN && (hasInfinite || own.contains(where: \.isInfinite)) { continue }
                let kind: NumericEvent.Kind = y.isNaN ? .invalid : pole ? .divideByZero : .overflow
                if let known = judged.firstIndex(where: { $0.kind == kind }) {
                    judged[known].count += 1
                } else {
                    judged.append(NumericEvent(kind: kind, operation: name, site: site, count: 1, first: i, example: own))
                }
            }
        }
        return judged
    }

    /// Warns that a derivative at finite points is infinite, or NaN, where the function's own value gave no reason to warn.
    /// - Parameter isElementwise: Whether each slope belongs to the element of the points that it stands at.
    func noteSlopes(_ slopes: Value, at points: [Value], _ name: @autoclosure () -> String, isElementwise: Bool) throws {
        let context = act_context()
        guard NumericEvents.isEnabled, context.pointee.derivatives == 0, !NumericEvents.hasAny else { return }
        if try isFinite(slopes) { return }
        let leaves = try arrays(in: [slopes])
        let inputs = try arrays(in: points)
        guard !inputs.isEmpty, try inputs.allSatisfy({ try $0.isFinite() }) else { return }
        var events: [NumericEvent] = []
        for leaf in leaves {
            let own = isElementwise && inputs.count == 1 && leaves.count == 1 ? inputs.first { $0.shape == leaf.shape } : nil
            for (i, y) in try leaf.toDoubles().enumerated() where !y.isFinite {
                if i & 0xfff == 0 { try Interrupt.check() }
                let kind: NumericEvent.Kind = y.isNaN ? .invalid : .divideByZero
                if let known = events.firstIndex(where: { $0.kind == kind }) {
                    events[known].count += 1
                } else {
                    let example = try own.map { [try $0.toDoubles()[i]] } ?? []
                    events.append(NumericEvent(kind: kind, operation: name(), site: currentSite, count: 1, first: i, example: example))
                }
            }
        }
        NumericEvents.add(events)
    }

    /// Whether the numbers and arrays of a value are finite, parameters of networks among them.
    private func isFinite(_ value: Value) throws -> Bool {
        switch value {
        case .number(let number): return number.isFinite
        case .array(let array): return try array.type == .bool || array.detached().isFinite()
        case .list(let list):
            try Interrupt.check()
            return try list.elements.allSatisfy(isFinite)
        case .record(let record):
            try Interrupt.check()
            return try record.fields.values.allSatisfy(isFinite)
        case .function(let function):
            if let arrays = function.parameterArrays { return try arrays.allSatisfy { try $0.detached().isFinite() } }
            return try function.parameterValues().map(isFinite) ?? true
        default: return true
        }
    }

    /// The numbers and arrays of values, parameters of networks among them.
    private func arrays(in values: [Value]) throws -> [NDArray] {
        var leaves: [NDArray] = []
        for value in values { _ = try Structure(value, leaves: &leaves) }
        return try leaves.map { try $0.detached() }
    }

    /// Warns that a function of finite numbers has an infinite result, or NaN although its numbers were not NaN.
    private func noteNumber(_ result: Double, _ name: String, _ arguments: [Value]) throws {
        guard try arguments.allSatisfy({ try $0.isNumberlike }) else { return }
        let leaves = try arguments.numericLeaves()
        // An infinity of nothing is what its definition says, such as log 0 for the sum of no exponentials.
        if !result.isNaN, !leaves.isEmpty, leaves.allSatisfy({ $0.count == 0 }) { return }
        for leaf in leaves where leaf.type != .bool {
            for x in try leaf.detached().toDoubles() where x.isNaN || !result.isNaN && x.isInfinite { return }
        }
        let numbers = arguments.compactMap(\.number)
        try noteNumericEvent(name, result, numbers.count == arguments.count ? numbers : [])
    }
}

extension Value {
    /// A number that is infinite or NaN.
    package var isUnusualNumber: Bool {
        if case .number(let number) = self { !number.isFinite } else { false }
    }

    /// Nothing but numbers, or left out.
    fileprivate var isNumberlike: Bool {
        get throws {
            switch self {
            case .number, .bool, .array, .undefined, .none: return true
            case .list(let list):
                try Interrupt.check()
                return try list.depth <= 4 && list.elements.allSatisfy { try $0.isNumberlike }
            default: return false
            }
        }
    }

    fileprivate func gatherNumericLeaves(into leaves: inout Leaves) throws {
        switch self {
        case .number, .bool: try leaves.append(point())
        case .array(let array): try leaves.append(array)
        case .list(let list) where list.depth <= 4:
            try Interrupt.check()
            for element in list.elements { try element.gatherNumericLeaves(into: &leaves) }
        default: break
        }
    }
}

extension [Value] {
    /// The numbers, bools and arrays in values and in their lists.
    fileprivate func numericLeaves() throws -> [NDArray] {
        var leaves = Leaves()
        for value in self { try value.gatherNumericLeaves(into: &leaves) }
        return leaves.arrays
    }
}
