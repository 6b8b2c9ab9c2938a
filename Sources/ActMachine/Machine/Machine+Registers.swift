// Registers as the loop sees them: values in memory that are asked what they hold without being retained, and are moved, not copied, where they
// are used for the last time.
//
// What must stay true: what is looked at so is held by its register for as long as it is used.

import ActArray
import CActMachine

extension Machine {
    @inline(__always)
    func operand(_ registers: Registers, _ index: Int, _ isLast: Bool) -> Value {
        isLast ? registers.take(index) : registers[index]
    }

    func takeAll(_ first: Registers, _ count: Int) -> [Value] {
        switch count {
        case 0: return []
        case 1: return [first.take(0)]
        case 2: return [first.take(0), first.take(1)]
        case 3: return [first.take(0), first.take(1), first.take(2)]
        default:
            var values: [Value] = []
            values.reserveCapacity(count)
            for index in 0..<count { values.append(first.take(index)) }
            return values
        }
    }
}

extension UnsafeMutablePointer where Pointee == Value {
    /// Which case is here, read from memory as the other half does: a pattern would have to hold what it looks at.
    @inline(__always)
    private var tag: Int { Int(UnsafeRawPointer(self).load(fromByteOffset: 8, as: UInt8.self)) }

    @inline(__always)
    private func reference<Object: AnyObject>(_ tag: Int, _: Object.Type) -> Unmanaged<Object>? {
        self.tag == tag ? .fromOpaque(UnsafeRawPointer(self).load(as: UnsafeRawPointer.self)) : nil
    }

    /// Holds nothing that must be released.
    @inline(__always)
    var isTrivial: Bool { tag <= act_tag_number || tag == act_tag_plain }

    // MARK: What is here, not retained

    @inline(__always) var functionReference: Unmanaged<Function>? { reference(act_tag_function, Function.self) }
    @inline(__always) var arrayReference: Unmanaged<Node>? { reference(act_tag_array, Node.self) }
    @inline(__always) var listReference: Unmanaged<List>? { reference(act_tag_list, List.self) }
    @inline(__always) var recordReference: Unmanaged<Record>? { reference(act_tag_record, Record.self) }
    @inline(__always) var textReference: Unmanaged<Text>? { reference(act_tag_text, Text.self) }
    @inline(__always) var gatheringReference: Unmanaged<Gathering>? { reference(act_tag_gathering, Gathering.self) }

    // MARK: Numbers

    /// Assigns a number; cheaper than `pointee =` where a number was before.
    @inline(__always)
    func set(_ number: Double) {
        if isNumber { payload = number } else { replace(with: number) }
    }

    @inline(never)
    private func replace(with number: Double) { pointee = .number(number) }

    @inline(__always)
    var isNumber: Bool { tag == act_tag_number }

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
