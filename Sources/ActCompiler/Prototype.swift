// What the compiler makes of a function: instructions, and the tables that they refer to.

import ActArray
import ActRows
import ActSyntax

/// One function, or one statement of the outermost level, ready to be loaded into a machine. The compiler completes it before anyone else sees it.
package final class Prototype {
    package let name: String
    package let parameters: [Parameter]
    /// How many parameters must be given.
    package let requiredCount: Int
    package let unit: SourceUnit
    package let isClosure: Bool
    /// Made by `x -> …`, so that its name is its text.
    package internal(set) var isLiteral = false
    /// Of `layer`: a call runs the block, whose value is what a layer is made of.
    package internal(set) var makesLayers = false
    /// The value of such a block.
    package internal(set) var isLayerParts = false
    /// How many of the captures it needs itself; what comes after is kept for others.
    package internal(set) var neededCaptures = 0
    /// The slots of the global variables that it reads itself.
    package internal(set) var globalSlots: [Int] = []
    /// Made of an argument that a built-in takes as an expression.
    package internal(set) var isArgument = false
    /// The text of a function literal or definition, for printing.
    package internal(set) var text = ""
    /// What a function was compiled from, to compile it once more for a recording.
    package internal(set) var definition: Definition?

    var instructions: [Instruction] = []
    /// The expression that each instruction belongs to.
    package internal(set) var origins: [ExpressionID] = []
    var constants: [Constant] = []
    package internal(set) var registerCount = 0
    package internal(set) var functions: [NestedFunction] = []
    package internal(set) var interpolations: [[InterpolationPart]] = []
    /// The names of the fields of each record literal.
    package internal(set) var records: [[String]] = []
    package internal(set) var indexItems: [[IndexOperand]] = []
    package internal(set) var updates: [PathUpdate] = []
    package internal(set) var callShapes: [CallShape] = []
    /// Of each instruction that reads or changes a field, the constant that is its name.
    package internal(set) var fieldNames: [Int] = []
    package internal(set) var formChecks: [FormCheck] = []

    package struct Definition {
        package let node: FunctionNode
        /// The parameters, then what else it assigns.
        package let locals: [SymbolID]
        /// The variable by which it calls itself.
        let ownName: SymbolID?
        package let captures: [SymbolID]
    }

    init(name: String, parameters: [Parameter], requiredCount: Int, unit: SourceUnit, isClosure: Bool) {
        self.name = name
        self.parameters = parameters
        self.requiredCount = requiredCount
        self.unit = unit
        self.isClosure = isClosure
    }

    /// What an instruction takes, with its origin, here and where it is loaded, and with the room behind both.
    static let bytesOfInstruction = 48
    /// What it takes beside that, loaded.
    var leastFootprint: Int {
        let lists = callShapes.count &* 96 &+ formChecks.count &* 64 &+ updates.count &* 96 &+ indexItems.count &* 64 &+ interpolations.count &* 64
        return 800 &+ constants.count &* 64 &+ fieldNames.count &* 48 &+ captureBytes &+ lists
    }
    private var captureBytes: Int { functions.reduce(0) { $0 &+ 64 &+ $1.captures.count &* 16 } &+ globalSlots.count &* 8 &+ parameters.count &* 64 }

    /// Gives away its instructions and constants: whoever loads it keeps them where the machine reads them.
    package func unload() -> (instructions: [Instruction], constants: [Constant], hasLoop: Bool) {
        defer { (instructions, constants) = ([], []) }
        return (instructions, constants, instructions.contains { $0.opcode.isJump && $0.a <= 0 })
    }

    /// The same function, noting the value of every expression while it runs; itself where it is not a function of the program. Only while no
    /// other thread compiles.
    package func recording(in scope: any CompilerScope) -> Prototype {
        guard let definition else { return self }
        let copy = Prototype(name: name, parameters: parameters, requiredCount: requiredCount, unit: unit, isClosure: true)
        let builder = FunctionBuilder(Compiler(unit: unit, scope: scope, records: true), prototype: copy, parent: nil, captures: definition.captures)
        builder.ownName = definition.ownName
        builder.compileBody(definition.node, definition.locals)
        copy.definition = definition
        copy.isLiteral = isLiteral
        copy.isArgument = isArgument
        copy.text = text
        return builder.finish()
    }

    /// The comment on the lines right above a definition, without its signs.
    package var comment: [String] {
        guard let node = definition?.node, node.name != nil else { return [] }
        let lines = unit.source.text(Span(source: node.span.source, start: 0, end: node.span.start)).split(separator: "\n", omittingEmptySubsequences: false)
        var found: [String] = []
        for line in lines.dropLast().reversed() {
            let text = line.drop { $0 == " " || $0 == "\t" }
            guard text.first == "#", !text.hasPrefix("#!") else { break }
            found.append(String(text.drop { $0 == "#" }.drop { $0 == " " }))
        }
        return found.reversed()
    }
}

/// A value that is known before a program runs.
package enum Constant {
    case none
    case bool(Bool)
    case number(Double)
    case text(String)
    case array(NDArray)
}

/// A function inside another, before it is made: where its captured values come from.
package struct NestedFunction {
    package enum Capture {
        case register(Int)
        case capture(Int)
        case itself
    }
    package let prototype: Prototype
    package let captures: [Capture]
}

package enum InterpolationPart {
    case text(String)
    case value(register: Int, spec: FormatSpec?, expression: ExpressionID)
}

/// What a call has beyond arguments by position.
package struct CallShape: Hashable {
    /// The names of the last arguments.
    package var names: [String] = []
    /// Of `value.method(…)`.
    package var method: String?
    /// The slot of the global variable that is called, where the callee is not in a register.
    package var global: Int?
}

/// One index between brackets; numbers are registers.
package enum IndexOperand {
    case value(Int)
    case slice(start: Int?, stop: Int?, step: Int?)
    case ellipsis
}

/// `root path = value`, `root path += value`.
package struct PathUpdate {
    package enum Root {
        case register(Int)
        case global(Int)
    }
    package enum Step {
        case field(String)
        case index([IndexOperand])
    }
    package let root: Root
    package let path: [Step]
    /// The operator of `+=` and its like.
    package let operation: BinaryOperator?
    package let value: Int
    /// Whether the value may be taken away from its register.
    package let takesValue: Bool
}

/// What `.checkForm` looks at: a form, and where the value of its variable is, if it still is somewhere.
package struct FormCheck {
    package enum Variable {
        case register(Int)
        case global(Int)
        case number(Double)
        case gone
    }
    package let form: StableForm
    package let replacement: String
    package let variable: Variable
}
