// What instructions (`Instructions.h`) say beside their operands.

import ActSyntax
import CActMachine

package typealias Opcode = CActMachine.Opcode
package typealias Instruction = CActMachine.Instruction

extension Instruction {
    init(_ opcode: Opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) {
        self.init(opcode: opcode, flags: 0, extra: 0, a: Int32(truncatingIfNeeded: a), b: Int32(truncatingIfNeeded: b), c: Int32(truncatingIfNeeded: c))
    }

    /// Which operands are used here for the last time, so that their memory may be reused.
    var lastUse: LastUse {
        @inline(__always) get { LastUse(rawValue: flags & 3) }
        set { flags = flags & ~3 | newValue.rawValue }
    }

    /// Whether the part of the loop that is written in C does not try it: the last time the operands were not of its kinds.
    var isLeftToSwift: Bool {
        @inline(__always) get { flags & 0x80 != 0 }
        @inline(__always) set { flags = newValue ? flags | 0x80 : flags & 0x7f }
    }

    // MARK: Jumps that compare

    @inline(__always) var jumpsIf: Bool { extra & 1 != 0 }
    @inline(__always) var goesBack: Bool { extra > 1 }

    // MARK: Updates of one step

    /// What becomes of the part: the value takes its place, or the result of an operator.
    enum Change: UInt16 {
        case store, add, subtract, multiply, divide
        /// Left to the long way.
        case other

        init(_ operation: BinaryOperator?) {
            self =
                switch operation {
                case nil: .store
                case .add: .add
                case .subtract: .subtract
                case .multiply: .multiply
                case .divide: .divide
                default: .other
                }
        }

        /// The new number; `nil` where something is to be said about it.
        @inline(__always)
        func result(_ old: Double, _ value: Double) -> Double? {
            let result: Double
            switch self {
            case .store: return value
            case .add: result = old + value
            case .subtract: result = old - value
            case .multiply: result = old * value
            case .divide: result = old / value
            case .other: return nil
            }
            return result.magnitude < .infinity ? result : nil
        }
    }

    /// How many updates of a code can be told apart in `extra`.
    static let updateLimit = 1 << 12

    /// - Parameter index: Below `updateLimit`.
    mutating func setUpdate(_ index: Int, _ change: Change, isGlobal: Bool) {
        extra = UInt16(truncatingIfNeeded: index) | change.rawValue << 13 | (isGlobal ? 1 << 12 : 0)
    }

    var updateIndex: Int { Int(extra) & (Self.updateLimit - 1) }
    @inline(__always) var changesGlobal: Bool { extra & 1 << 12 != 0 }
    @inline(__always) var change: Change { Change(rawValue: extra >> 13) ?? .other }

    /// Two registers in one operand; `nil` where they are too many.
    static func pack(_ first: Int, _ second: Int) -> Int? {
        first < 1 << 15 && second < 1 << 15 ? first | second << 16 : nil
    }

    @inline(__always) static func first(_ pair: Int) -> Int { pair & 0xffff }
    @inline(__always) static func second(_ pair: Int) -> Int { pair >> 16 }

    package struct LastUse: OptionSet {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        static let b = LastUse(rawValue: 1)
        static let c = LastUse(rawValue: 2)
        // In the machine's loop a call of `contains` would stay one.
        @inline(__always) var hasB: Bool { rawValue & 1 != 0 }
        @inline(__always) var hasC: Bool { rawValue & 2 != 0 }
    }
}
