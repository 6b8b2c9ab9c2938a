// What instructions (`Instructions.h`) say beside their operands. (What the machine reads in its loop is inlinable: it is another module.)

import ActSyntax
import CActMachine

package typealias Opcode = CActMachine.Opcode
package typealias Instruction = CActMachine.Instruction

extension Instruction {
    package init(_ opcode: Opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) {
        self.init(handler: opcode.rawValue, flags: 0, extra: 0, a_bytes: 0, b_bytes: 0, c_bytes: 0)
        (self.a, self.b, self.c) = (a, b, c)
    }

    @inlinable @inline(__always) package var opcode: CActMachine.Opcode { act_opcode(handler) }

    // What the machine reads as distances in bytes.
    @inlinable package var a: Int {
        @inline(__always) get { Int(a_bytes) >> 4 }
        set { a_bytes = Int32(truncatingIfNeeded: newValue << 4) }
    }
    @inlinable package var b: Int {
        @inline(__always) get { Int(b_bytes) >> 4 }
        set { b_bytes = Int32(truncatingIfNeeded: newValue << 4) }
    }
    @inlinable package var c: Int {
        @inline(__always) get { Int(c_bytes) >> 4 }
        set { c_bytes = Int32(truncatingIfNeeded: newValue << 4) }
    }

    /// Which operands are used here for the last time, so that their memory may be reused.
    @inlinable package var lastUse: LastUse {
        @inline(__always) get { LastUse(rawValue: flags & 3) }
        set { flags = flags & ~3 | newValue.rawValue }
    }

    /// Whether the part of the loop that is written in C does not try it: the last time the operands were not of its kinds.
    @inlinable package var isLeftToSwift: Bool {
        @inline(__always) get { flags & 0x80 != 0 }
        @inline(__always) set { flags = newValue ? flags | 0x80 : flags & 0x7f }
    }

    // MARK: Jumps that compare

    @inlinable @inline(__always) package var jumpsIf: Bool { extra & 1 != 0 }
    @inlinable @inline(__always) package var goesBack: Bool { extra > 1 }

    // MARK: Updates of one step

    /// What becomes of the part: the value takes its place, or the result of an operator.
    @usableFromInline package enum Change: UInt16, Sendable {
        case store, add, subtract, multiply, divide
        /// Left to the long way.
        case other

        package init(_ operation: BinaryOperator?) {
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
        @inlinable
        @inline(__always)
        package func result(_ old: Double, _ value: Double) -> Double? {
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
    @usableFromInline package static let updateLimit = 1 << 12

    /// - Parameter index: Below `updateLimit`.
    package mutating func setUpdate(_ index: Int, _ change: Change, isGlobal: Bool) {
        extra = UInt16(truncatingIfNeeded: index) | change.rawValue << 13 | (isGlobal ? 1 << 12 : 0)
    }

    @inlinable package var updateIndex: Int { Int(extra) & (Self.updateLimit - 1) }
    @inlinable @inline(__always) package var changesGlobal: Bool { extra & 1 << 12 != 0 }
    @inlinable @inline(__always) package var change: Change { Change(rawValue: extra >> 13) ?? .other }

    /// Two registers in one operand; `nil` where they are too many.
    package static func pack(_ first: Int, _ second: Int) -> Int? {
        first < 1 << 13 && second < 1 << 13 ? first | second << 13 : nil
    }

    @inlinable @inline(__always) package static func first(_ pair: Int) -> Int { pair & 0x1fff }
    @inlinable @inline(__always) package static func second(_ pair: Int) -> Int { pair >> 13 }

    @usableFromInline package struct LastUse: OptionSet, Sendable {
        @usableFromInline package let rawValue: UInt8
        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let b = LastUse(rawValue: 1)
        package static let c = LastUse(rawValue: 2)
        // In the machine's loop a call of `contains` would stay one.
        @inlinable @inline(__always) package var hasB: Bool { rawValue & 1 != 0 }
        @inlinable @inline(__always) package var hasC: Bool { rawValue & 2 != 0 }
    }
}
