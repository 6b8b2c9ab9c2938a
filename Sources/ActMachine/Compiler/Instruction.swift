// Register code: what the compiler writes and the machine runs. An operation is named here once; the compiler, the liveness
// pass and the machine switch over it.
//
// Registers are counted from the frame's base; parameters come first. In the comments R is a register, K a constant.

import ActSyntax

package enum Opcode: UInt8 {
    // Moving values
    case move               // R[a] = R[b]
    case constant           // R[a] = K[b]
    case loadGlobal         // R[a] = global b; it must have a value
    case loadGlobalOrNone   // R[a] = global b or undefined: the callee of a method call
    case storeGlobal        // global a = R[b]
    case checkGlobal        // global a must have a value
    case addGlobal          // global a = global a + R[b]
    case unsetGlobal        // global a goes back to the built-in of that name, or to nothing
    case loadCapture        // R[a] = capture b
    case loadSelf           // R[a] = the running function
    case checkLocal         // R[a] must have a value
    case clear              // R[a] = undefined
    case noteField          // the function of a layer has assigned R[a] to the field of the name K[b]

    // Operators: R[a] = R[b] op R[c], or K[c]
    case add, sub, mul, div, pow, floorDivide, modulo, matmul
    // (where `extra` is 1 the constant is the left operand; for add and mul only)
    case addK, subK, mulK, divK, powK, floorDivideK, moduloK
    case negate, plus, not  // R[a] = op R[b]
    case less, lessEqual, greater, greaterEqual, equal, notEqual
    case logicalAnd, logicalOr      // both sides are there
    case compose

    // Jumps go a instructions on from here
    case jump
    case checkInterrupt     // in every loop whose jump back does not look itself
    case jumpIfFalse        // if not R[b]
    case jumpIfTrue
    case andSkip            // if R[b] is false: skip the right side
    case orSkip             // if R[b] is true
    case jumpIfDefined      // if R[b] has a value: skip the default
    case jumpLess, jumpLessEqual, jumpGreater, jumpGreaterEqual, jumpEqual, jumpNotEqual        // if R[b] op R[c]; where `extra` is 0, unless; where it is 3, back in a loop
    case jumpLessK, jumpLessEqualK, jumpGreaterK, jumpGreaterEqualK, jumpEqualK, jumpNotEqualK  // the same with K[c]

    // Loops keep their state in R[a] …: the iterable (or start), the step, the position, the count
    case iterate            // prepares R[a] for iteration
    case iterateRange       // R[a] is the value of the name `range`, R[a+1]… its b arguments; prepares R[a] without making the array
    case next               // jumps after fetching R[b] = next of the iteration at R[c]; falls through at the end

    // Making values
    case makeArray          // R[a] = [R[b] … c of them]
    case makeList           // R[a] = (R[b] … c of them)
    case makeRecord         // R[a] = {the names of records[c]: R[b] …}
    case beginCollection    // R[a] = an empty collection: a list, or where b is 1 what becomes an array or a list
    case append             // appends R[b] to the collection R[a]
    case finishCollection   // R[a] = what the collection R[b] becomes
    case extend             // R[a] = concat((R[a], R[b])), or with (R[b],) or [R[b]] in the place of R[b], as c says; global `extra` is `concat`
    case extendGlobal       // the same with global a
    case interpolate        // R[a] = interpolation b of the code, from R[c] …
    case makeFunction       // R[a] = closure over function b of the code
    case prime              // R[a] = R[b]', c times

    // Parts of values
    case index              // R[a] = R[b][R[c]]
    case indexGlobal        // R[a] = global b[R[c]]
    case indexTwo           // R[a] = R[b][R[first], R[second]]: the registers that c packs
    case indexItems         // R[a] = R[b][items c of the code]
    case field              // R[a] = R[b].name, the name is K[c]; `extra` is where the field was found the last time
    case update             // path update a of the code
    // Updates of one step; those that cannot be done at once are path update `updateIndex` of the code
    case changeElement      // R[a][R[b]] = R[c], or += and its like; a is a global where `changesGlobal` says so
    case changeElementTwo   // R[a][R[first], R[second]] = R[c] …: the registers that b packs
    case changeField        // R[a].name = R[c] …; `fieldName` is the name and `fieldPlace` where it was found the last time
    case unpack             // R[a] … c of them = the elements of R[b]

    // Calls: the callee is R[b], its arguments follow; c of them by position
    case call               // R[a] = R[b](R[b+1] …)
    case callGlobal         // the same with global `extra` as the callee
    case callShaped         // the same with names or as a method, as call shape `extra` says. Of a method, R[b] is the function of
                            // that name, if there is one, and R[b+1] the value before the point
    case result             // returns R[b]

    // The outermost level
    case show               // shows R[b], unless it is none

    // Explanations
    case record             // notes R[a] as the value of the instruction's expression; in code that is compiled for a recording
    case checkForm          // R[a] is the value of a formula that can lose digits: check b of the code looks at it
}

package struct Instruction {
    package var opcode: Opcode
    /// Which operands are used here for the last time, so that their memory may be reused.
    package var lastUse: LastUse = []
    package var extra: UInt16 = 0
    package var a: Int32
    package var b: Int32
    package var c: Int32

    init(_ opcode: Opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) {
        self.opcode = opcode
        self.a = Int32(truncatingIfNeeded: a)
        self.b = Int32(truncatingIfNeeded: b)
        self.c = Int32(truncatingIfNeeded: c)
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
            self = switch operation {
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

    /// Of `changeField`, in b: the constant that is the name, and the place of the field in its record.
    static let nameLimit = 1 << 20
    @inline(__always) var fieldName: Int { Int(b) & (Self.nameLimit - 1) }
    @inline(__always) var fieldPlace: Int {
        get { Int(b) >> 20 }
        set { b = Int32(truncatingIfNeeded: fieldName | (newValue & 0x7ff) << 20) }
    }

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
