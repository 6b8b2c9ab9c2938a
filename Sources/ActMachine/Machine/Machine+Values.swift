// Making arrays, records, strings and functions; calls with names; showing.

import ActArray
import ActCompiler
import ActFiles
import ActGrad
import ActSyntax
import CActMachine

extension Machine {
    // MARK: Collections

    /// `[…]`: an array of numbers, bools or arrays of one shape; of other things a list.
    package func makeArray(_ elements: [Value]) throws -> Value {
        guard let first = elements.first else { return .array(try NDArray([], shape: [0])) }
        guard first.isNumeric, elements.allSatisfy(\.isNumeric) else { return try .list(elements) }
        if let array = try plainArray(elements) { return .array(array) }
        var arrays: [NDArray] = []
        arrays.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            if index & 0xfff == 0 { try Interrupt.check() }
            switch element {
            case .number(let number): arrays.append(try NDArray.scalar(number, type: .f64))
            case .bool(let bool): arrays.append(try NDArray(bools: [bool], shape: []))
            case .array(let array): arrays.append(array)
            default: break
            }
            if arrays[index].shape != arrays[0].shape {
                throw RuntimeError.raggedRows(arrays[0].shape, at: index, arrays[index].shape)
            }
        }
        Site.current = currentSite
        return try Value(NDArray.stacked(arrays, axis: 0))
    }

    /// The array of elements that are all plain numbers, or all plain bools.
    private func plainArray(_ elements: [Value]) throws -> NDArray? {
        if case .bool = elements[0] {
            var bools: [Bool] = []
            bools.reserveCapacity(elements.count)
            for element in elements {
                guard case .bool(let bool) = element else { return nil }
                bools.append(bool)
            }
            return try NDArray(bools: bools, shape: [bools.count])
        }
        var numbers: [Double] = []
        numbers.reserveCapacity(elements.count)
        for element in elements {
            guard case .number(let number) = element else { return nil }
            numbers.append(number)
        }
        return try NDArray(numbers, shape: [numbers.count])
    }

    func makeRecord(_ template: RecordTemplate, _ first: Registers) throws -> Value {
        if let shape = template.shape { return try .record(Fields(shape, takeAll(first, template.names.count))) }
        var fields = Fields(minimumCapacity: template.names.count)
        for (offset, name) in template.names.enumerated() { fields[name] = first.take(offset) }
        return try .record(fields)
    }

    /// `{...p}`: a record with the fields of another one, in the place of those of their names.
    func spread(_ more: Value, over value: Value) throws -> Value {
        guard case .record(let base) = value, case .record(let more) = more else { throw MachineRefusal.notSpreadable(more) }
        var fields = base.fields
        for (name, field) in more.fields { fields[name] = field }
        return try .record(fields)
    }

    func interpolate(_ interpolation: Interpolation, _ R: Registers) throws -> Value {
        if !interpolation.quick.isEmpty, !Derivative.isRunning, let text = interpolateQuickly(interpolation.quick, R) { return .string(text) }
        var result = TextBuilder(), origins: [NDArray] = []
        for part in interpolation.parts {
            if Derivative.isRunning, case .value(let register, _, _) = part { try R[register].gatherTraced(into: &origins) }
            switch part {
            case .text(let text): try result.append(text)
            case .value(let register, nil, _): try Format.write(R[register], into: &result)
            case .value(let register, let spec?, let expression):
                do {
                    try result.append(Format.formatted(R[register], spec))
                } catch {
                    guard error is RuntimeError || error is MachineRefusal, let tree = currentOrigin?.code.unit.tree else { throw error }
                    var diagnostic = host.diagnostic(for: error, operands: nil)
                    diagnostic.labels = [Diagnostic.Label(tree.span(of: expression), "", isPrimary: true)]
                    throw Fault(diagnostic: diagnostic, kind: .error)
                }
            }
        }
        return .string(Text(result, origins: origins))
    }

    /// A text of texts and whole numbers that is not long; `nil` where there is more to it.
    private func interpolateQuickly(_ parts: [act_part], _ R: Registers) -> Text? {
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 120) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            let count = parts.withUnsafeBufferPointer { parts in
                parts.baseAddress.map { act_interpolate($0, parts.count, R, start, buffer.count) } ?? -1
            }
            return count < 0 ? nil : String(bytes: UnsafeRawBufferPointer(start: start, count: count))
        }
        return text.map { Text($0) }
    }

    // MARK: Functions

    func makeFunction(_ template: FunctionTemplate, _ R: Registers, _ closure: Unmanaged<Function>?) throws -> Value {
        func value(_ source: NestedFunction.Capture) -> Value {
            switch source {
            case .register(let register): R[register]
            case .capture(let index): closure?._withUnsafeGuaranteedRef { $0.captures[index] } ?? .undefined
            case .itself: closure.map { .function($0.takeUnretainedValue()) } ?? .undefined
            }
        }
        let captures: [Value]
        switch template.captures.count {
        case 0: captures = []
        case 1: captures = [value(template.captures[0])]
        default: captures = template.captures.map(value)
        }
        let function = Closure(code: template.code, captures: captures)
        if template.code.makesLayers { return try layers.maker(of: function).asValue() }
        guard function.depth <= maximumNesting else { throw RuntimeError.tooDeep }
        return .function(function)
    }

    /// `v'`: the derivative of a function, the transpose of an array.
    func prime(_ value: Value, order: Int) throws -> Value {
        switch value {
        case .function(let function):
            guard order <= 64 else { throw MachineRefusal.derivativeOrder(order) }
            var result = function
            for _ in 0..<order { result = DerivedFunction(result) }
            return try result.asValue()
        case .array(let array):
            if array.rank == 1 { try warnVectorTranspose() }
            Site.current = currentSite
            return order % 2 == 0 ? value : try Value(array.transposed(nil))
        default: throw RuntimeError.notDifferentiable(value)
        }
    }

    // MARK: The outermost level

    func showResult(_ value: Value) throws {
        if case .none = value { return }
        try value.settle()
        try drainNumericEvents()
        if recording == nil { try host.show(value, isResult: true) }
    }
}

extension Value {
    package var isNumeric: Bool {
        switch self {
        case .number, .bool, .array: true
        default: false
        }
    }

    /// Computes what has been deferred.
    package func settle() throws {
        var settled: Set<ObjectIdentifier> = []
        try settle(&settled)
    }

    /// - Parameter settled: What has been met; asked of deep values alone, whose parts can be shared without end.
    private func settle(_ settled: inout Set<ObjectIdentifier>) throws {
        switch self {
        case .array(let array): try array.evaluate()
        case .list(let list):
            try Interrupt.check()
            if list.depth > 4, !settled.insert(ObjectIdentifier(list)).inserted { return }
            for element in list.elements { try element.settle(&settled) }
        case .record(let record):
            try Interrupt.check()
            if record.depth > 4, !settled.insert(ObjectIdentifier(record)).inserted { return }
            for value in record.fields.values { try value.settle(&settled) }
        default: break
        }
    }
}
