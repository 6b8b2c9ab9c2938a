// Registers as the loop sees them: values in memory that are asked what they hold without being retained, and are moved, not copied, where they
// are used for the last time.
//
// What must stay true: what is looked at so is held by its register for as long as it is used.

extension Machine {
    @inline(__always)
    func operand(_ registers: Registers, _ index: Int, _ isLast: Bool) -> Value {
        isLast ? registers.take(index) : registers[index]
    }

    func takeAll(_ first: Registers, _ count: Int) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count { values.append(first.take(index)) }
        return values
    }
}

extension UnsafeMutablePointer where Pointee == Value {
    /// Holds nothing that must be released.
    @inline(__always)
    var isTrivial: Bool {
        switch pointee {
        case .number, .bool, .none, .undefined: true
        default: false
        }
    }

    /// The function that is here, not retained.
    @inline(__always)
    var functionReference: Unmanaged<Function>? {
        if case .function(let function) = pointee { return .passUnretained(function) }
        return nil
    }

    /// Assigns a number; cheaper than `pointee =` where a number was before.
    @inline(__always)
    func set(_ number: Double) {
        if isNumber { payload = number } else { replace(with: number) }
    }

    @inline(never)
    private func replace(with number: Double) { pointee = .number(number) }

    @inline(__always)
    var isNumber: Bool {
        if case .number = pointee { return true }
        return false
    }

    /// The number in a register that holds one. Payloads stand at the start of an enum's memory; a test makes sure that they do.
    @inline(__always)
    var payload: Double {
        get { UnsafeRawPointer(self).load(as: Double.self) }
        nonmutating set { UnsafeMutableRawPointer(self).storeBytes(of: newValue, as: Double.self) }
    }

    @inline(__always)
    func set(_ element: Double, isBool: Bool) {
        if isBool { pointee = .bool(element != 0) } else { set(element) }
    }

    /// Moves the value out; the register is none afterwards.
    @inline(__always)
    func take(_ index: Int) -> Value {
        let register = self + index
        let value = register.move()
        register.initialize(to: .none)
        return value
    }
}
