// Infinities and NaNs that array operations made of ordinary numbers: what the program warns about.
//
// Processors raise sticky flags when that may have happened; kernels may raise them without reason. So flags only say where to look:
// the elements decide. Operations on single numbers do not come here.
//
// A built-in that is composed of several operations counts as one: what happens between its arguments and its result is told only
// if the result shows it. Its operations carry the number of the call (`Site.call`). Those that are computed together are
// judged here (`examine(group:)`), the others when the call has ended, by who made it (`take`).

import ActSystem
import CActKernels

/// One operation's unusual results within one evaluation.
package struct NumericEvent: Equatable, Sendable {
    package enum Kind: Int, Sendable, CaseIterable {
        /// Infinite, from finite numbers.
        case overflow
        /// Infinite at a pole: x / 0, log 0.
        case divideByZero
        /// NaN, made of numbers that were not NaN.
        case invalid
    }

    package let kind: Kind
    /// As programs call it.
    package let operation: String
    package let site: Site
    /// How many elements.
    package var count: Int
    /// The row-major position of the first one in the result.
    package internal(set) var first: Int
    /// The operands there.
    package internal(set) var example: [Double]

    package init(kind: Kind, operation: String, site: Site, count: Int, first: Int, example: [Double]) {
        self.kind = kind
        self.operation = operation
        self.site = site
        self.count = count
        self.first = first
        self.example = example
    }
}

package enum NumericEvents {
    /// Whether operations of this thread are watched.
    package static var isEnabled: Bool {
        @inline(__always) get { act_context().pointee.watches_events != 0 }
        set { act_context().pointee.watches_events = newValue ? 1 : 0 }
    }

    /// A time in which this thread notes nothing: the processor's flags tell afterwards whether something should have warned. Those that were raised
    /// before are raised again.
    package struct Pause {
        private let flags = act_fp_flags(), watches = NumericEvents.isEnabled

        package init() {
            act_fp_clear()
            NumericEvents.isEnabled = false
        }

        /// Whether something that would have been watched may have overflowed or be undefined.
        package var missedAny: Bool { watches && act_fp_flags() != 0 }

        package func end() {
            NumericEvents.isEnabled = watches
            act_fp_clear()
            if flags != 0 { act_fp_raise(flags) }
        }
    }

    /// The events of this thread since the last call, in the order of evaluation.
    package static func drain() -> [NumericEvent] {
        guard let list else { return [] }
        defer { list.events = [] }
        return list.events
    }

    /// Whether this thread has noted any since they were last drained.
    package static var hasAny: Bool { list.map { !$0.events.isEmpty } ?? false }

    /// Takes the events of a call out of the list.
    package static func take(of call: UInt32) -> [NumericEvent] {
        guard let list, !list.events.isEmpty else { return [] }
        let taken = list.events.filter { $0.site.call == call }
        if !taken.isEmpty { list.events.removeAll { $0.site.call == call } }
        return taken
    }

    /// Adds events to this thread's list. A thread that nobody drains keeps the first thousand.
    package static func add(_ events: [NumericEvent]) {
        if events.isEmpty { return }
        let context = act_context()
        let list: List
        if let raw = context.pointee.events {
            list = Unmanaged<List>.fromOpaque(raw).takeUnretainedValue()
        } else {
            list = List()
            context.pointee.events = Unmanaged.passRetained(list).toOpaque()
        }
        if list.events.count < 1000 { list.events += events }
    }

    /// Notes that a number becomes infinite as an element of the given type, `count` times.
    package static func noteConversion(of number: Double, to type: ElementType, count: Int = 1) {
        if type != .f32 || number.fitsF32 || !isEnabled || count == 0 { return }
        add([NumericEvent(kind: .overflow, operation: type.name, site: .current, count: count, first: 0, example: [number])])
    }

    private final class List {
        var events: [NumericEvent] = []
    }

    /// What this thread has noted.
    private static var list: List? { act_context().pointee.events.map { Unmanaged<List>.fromOpaque($0).takeUnretainedValue() } }

    // MARK: Finding them

    /// Looks for events among `n` computed elements, the first of which is at position `start` of the result.
    static func examine(
        _ primitive: Primitive, _ site: Site, operands: [(Kernel.Operand, ElementType)], result: UnsafeRawPointer, type: ElementType,
        start: Int, _ n: Int
    ) -> [NumericEvent] {
        guard primitive.mayRaiseEvents, type != .bool else { return [] }
        var events: [NumericEvent] = []
        for i in 0..<n {
            let y = element(result, type, i)
            if y.isFinite { continue }
            let inputs = operands.map { element($0.0.pointer, $0.1, $0.0.stride &* i) }
            guard let kind = kind(primitive, inputs, y) else { continue }
            note(kind, &events) { NumericEvent(kind: kind, operation: primitive.name, site: site, count: 1, first: start &+ i, example: inputs) }
        }
        return events
    }

    private static func note(_ kind: NumericEvent.Kind, _ events: inout [NumericEvent], _ make: () -> NumericEvent) {
        if let known = events.firstIndex(where: { $0.kind == kind }) { events[known].count += 1 } else { events.append(make()) }
    }

    /// A value of a computation: where its elements are, and of a step which operation computed it from which other values.
    struct Computed {
        let place: Kernel.Operand
        let type: ElementType
        var step: (primitive: Primitive, operands: [Int])?
    }

    /// The same as `examine` for the steps of one call that are computed together, as if they were one operation.
    /// - Parameters:
    ///   - group: The positions of the steps among the values, in order.
    ///   - exits: Those whose results others use.
    static func examine(group: [Int], exits: [Int], of values: [Computed], _ site: Site, start: Int, _ n: Int) -> [NumericEvent] {
        let inner = Set(group)
        let sources = Set(group.flatMap { values[$0].step?.operands ?? [] }).subtracting(inner).sorted()
        // Numbers in formulas are the function's own, so they are not an example of what it was given.
        let shown = sources.filter { values[$0].place.stride != 0 }
        let name = group.count == 1 ? values[group[0]].step?.primitive.name ?? "" : ""
        var events: [NumericEvent] = []
        func number(_ value: Int, _ i: Int) -> Double { element(values[value].place.pointer, values[value].type, values[value].place.stride &* i) }
        for exit in exits where values[exit].type != .bool {
            for i in 0..<n {
                let y = number(exit, i)
                if y.isFinite { continue }
                let inputs = sources.map { number($0, i) }
                var kind = NumericEvent.Kind.invalid
                if y.isNaN {
                    if inputs.contains(where: \.isNaN) { continue }
                } else {
                    guard inputs.allSatisfy(\.isFinite) else { continue }
                    kind = .overflow
                    // What the first operation says that left the numbers.
                    for step in group {
                        guard let made = values[step].step, case let y = number(step, i), !y.isFinite,
                            let first = self.kind(made.primitive, made.operands.map { number($0, i) }, y)
                        else { continue }
                        kind = first == .divideByZero ? first : .overflow
                        break
                    }
                }
                let example = group.count == 1 ? values[group[0]].step?.operands ?? [] : shown.count == 1 ? shown : []
                note(kind, &events) {
                    NumericEvent(kind: kind, operation: name, site: site, count: 1, first: start &+ i, example: example.map { number($0, i) })
                }
            }
        }
        return events
    }

    /// Looks for events in a result that was made of many elements at once.
    /// - Parameter touched: For each element of the result (or stretched to it) whether among the elements that it was made of there is
    ///   one for which the test holds.
    package static func examine(_ operation: String, _ result: NDArray, from touched: (TestOperation) throws -> NDArray) throws {
        guard isEnabled, result.type != .bool else { return }
        guard try !result.isFinite() else { return }
        let values = try result.toDoubles()
        isEnabled = false
        defer { isEnabled = true }
        let nan = try touched(.isnan).broadcast(to: result.shape).toBools(), infinite = try touched(.isinf).broadcast(to: result.shape).toBools()
        var events: [NumericEvent] = []
        for (i, y) in values.enumerated() where !y.isFinite && !nan[i] && (y.isNaN || !infinite[i]) {
            let kind: NumericEvent.Kind = y.isNaN ? .invalid : .overflow
            note(kind, &events) { NumericEvent(kind: kind, operation: operation, site: .current, count: 1, first: i, example: []) }
        }
        add(events)
    }

    /// The same for an array that was computed at once.
    @inline(never)
    static func examineSmall(
        _ primitive: Primitive, _ a: Kernel.Operand, _ b: Kernel.Operand, _ operand: ElementType, result: UnsafeRawPointer,
        type: ElementType, _ count: Int
    ) {
        var operands = [(a, operand)]
        if case .binary = primitive { operands.append((b, operand)) }
        add(examine(primitive, .current, operands: operands, result: result, type: type, start: 0, count))
        act_fp_clear()
    }

    /// The same for lanes along an axis that become NaN where they have no value, such as the softmax of nothing but -inf. Infinite
    /// elements may stay so.
    package static func examineLanes(_ operation: String, _ result: NDArray, of x: NDArray, axis: Int) throws {
        guard isEnabled, result.count > 0 else { return }
        try examine(operation, result) { test in
            try test == .isnan ? NDArray.test(test, x).reduced(.any, axes: [axis], keepdims: true) : NDArray(bools: [true], shape: [])
        }
    }

    private static func kind(_ primitive: Primitive, _ inputs: [Double], _ y: Double) -> NumericEvent.Kind? {
        if y.isNaN { return inputs.contains(where: \.isNaN) ? nil : .invalid }
        guard inputs.allSatisfy(\.isFinite) else { return nil }
        return primitive.isPole(inputs) ? .divideByZero : .overflow
    }

    private static func element(_ base: UnsafeRawPointer, _ type: ElementType, _ i: Int) -> Double {
        switch type {
        case .bool: base.load(fromByteOffset: i, as: UInt8.self) != 0 ? 1 : 0
        case .f32: Double(base.load(fromByteOffset: i &* 4, as: Float.self))
        case .f64: base.load(fromByteOffset: i &* 8, as: Double.self)
        }
    }
}

/// Events that several threads find in one evaluation, with the number of the operation each belongs to.
/// `@unchecked`: the list is added to with the lock alone, and read when no thread adds any more.
final class Found: @unchecked Sendable {
    private var list: [(step: Int, event: NumericEvent)] = []
    /// For all of them: there is seldom anything to add.
    private static let lock = Lock()

    func add(_ step: Int, _ events: [NumericEvent]) {
        if !events.isEmpty { Found.lock.locked { list += events.map { (step, $0) } } }
    }

    /// One event for each operation and kind, in the order of operations. For when no thread adds any more.
    var merged: [NumericEvent] {
        var result: [(step: Int, event: NumericEvent)] = []
        let sorted = list.sorted {
            ($0.step, $0.event.kind.rawValue, $0.event.first) < ($1.step, $1.event.kind.rawValue, $1.event.first)
        }
        for (step, event) in sorted {
            if let last = result.last, last.step == step, last.event.kind == event.kind {
                result[result.count - 1].event.count += event.count
            } else {
                result.append((step, event))
            }
        }
        return result.map(\.event)
    }
}

extension Primitive {
    fileprivate var mayRaiseEvents: Bool {
        switch self {
        case .unary, .binary, .convert: true
        case .data, .variable, .compare, .test, .logical, .select, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd,
            .concatenate, .matmul, .reduce, .cumulative, .normalize, .custom:
            false
        }
    }

    /// Whether it is infinite at some finite operands because it divides by 0 there.
    fileprivate func isPole(_ operands: [Double]) -> Bool {
        switch self {
        case .unary(.reciprocal): operands[0] == 0
        case .unary(let operation): operation.hasPole
        case .binary(let operation):
            switch operation {
            case .div, .floordiv: operands[1] == 0
            case .pow: operands[0] == 0
            case .add, .sub, .mul, .mod, .min, .max, .atan2, .hypot, .copysign, .leaky, .leakyD, .elu, .eluD, .celu, .celuD, .softplusBeta,
                .softplusBetaD, .siluBeta, .siluBetaD, .squareplus, .squareplusD, .isru, .isruD, .snake, .snakeD, .siren, .sirenD:
                false
            }
        case .data, .variable, .compare, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .gather,
            .scatterAdd, .concatenate, .matmul, .reduce, .cumulative, .normalize, .custom:
            false
        }
    }
}
