// Register code: what the compiler writes and the machine runs. An operation is named here once; the compiler, the liveness
// pass and the machine switch over it.
//
// Registers are counted from the frame's base; parameters come first. In the comments R is a register, K a constant.

package enum Opcode: UInt8 {
    // Moving values
    case move               // R[a] = R[b]
    case constant           // R[a] = K[b]
    case loadGlobal         // R[a] = global b; it must have a value
    case loadGlobalOrNone   // R[a] = global b or undefined: the callee of a method call
    case storeGlobal        // global a = R[b]
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
    case checkInterrupt     // in every loop
    case jumpIfFalse        // if not R[b]
    case jumpIfTrue
    case andSkip            // if R[b] is false: skip the right side
    case orSkip             // if R[b] is true
    case jumpIfDefined      // if R[b] has a value: skip the default
    case jumpLess, jumpLessEqual, jumpGreater, jumpGreaterEqual, jumpEqual, jumpNotEqual        // if R[b] op R[c]; where `extra` is 0, unless
    case jumpLessK, jumpLessEqualK, jumpGreaterK, jumpGreaterEqualK, jumpEqualK, jumpNotEqualK  // the same with K[c]

    // Loops keep their state in R[a] …: the iterable (or start), the step, the position, the count
    case iterate            // prepares R[a] for iteration
    case iterateRange       // R[a] is the value of the name `range`, R[a+1]… its b arguments; prepares R[a] without making the array
    case next               // jumps after fetching R[b] = next of the iteration at R[c]; falls through at the end

    // Making values
    case makeArray          // R[a] = [R[b] … c of them]
    case makeList           // R[a] = (R[b] … c of them)
    case makeRecord         // R[a] = {the names of records[c]: R[b] …}
    case beginCollection    // R[a] = an empty collection for a comprehension
    case append             // appends R[b] to the collection R[a]
    case finishCollection   // R[a] = array or list of R[a]'s elements
    case interpolate        // R[a] = interpolation b of the code, from R[c] …
    case makeFunction       // R[a] = closure over function b of the code
    case prime              // R[a] = R[b]', c times

    // Parts of values
    case index              // R[a] = R[b][R[c]]
    case indexItems         // R[a] = R[b][items c of the code]
    case field              // R[a] = R[b].name, the name is K[c]
    case update             // path update a of the code
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

    package struct LastUse: OptionSet {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        static let b = LastUse(rawValue: 1)
        static let c = LastUse(rawValue: 2)
    }
}
