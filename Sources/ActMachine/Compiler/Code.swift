// A compiled function, and how an error finds its place in it.

import ActArray
import ActRows
import ActSyntax
import Synchronization

/// The text that code came from, with its tree, kept so that an error can point at operands and name them.
package final class SourceUnit {
    package let source: SourceText
    package let tree: SyntaxTree
    /// What its names mean.
    package let resolution: Resolution
    private lazy var index = FormulaIndex(tree, resolution)

    /// Reads formulas as names are understood in a module.
    package func formulas(in module: Module) -> FormulaReader { FormulaReader(tree: tree, index: index, builtin: module.builtinName) }

    /// - Parameter isStopped: Whether to leave its names unresolved; the unit is of no use then.
    package init(source: SourceText, tree: SyntaxTree, isStopped: (() -> Bool)? = nil) {
        self.source = source
        self.tree = tree
        resolution = Resolution(tree, isStopped: isStopped)
    }
}

/// The instructions of one function, or of one statement at the outermost level.
package final class Code {
    package let name: String
    package let parameters: [Parameter]
    /// How many parameters must be given.
    package let requiredCount: Int
    package let unit: SourceUnit
    package let module: Module
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

    /// What the machine reads; the compiler made every index in it.
    let entry: UnsafeMutablePointer<Entry>
    /// The expression that each instruction belongs to.
    package private(set) var origins: [ExpressionID] = []
    // No access checks: they are complete before the code runs.
    @exclusivity(unchecked) package internal(set) var functions: [FunctionTemplate] = []
    @exclusivity(unchecked) package internal(set) var interpolations: [[InterpolationPart]] = []
    /// The fields of each record literal.
    @exclusivity(unchecked) var records: [RecordTemplate] = []
    @exclusivity(unchecked) package internal(set) var indexItems: [[IndexOperand]] = []
    @exclusivity(unchecked) package internal(set) var updates: [PathUpdate] = []
    @exclusivity(unchecked) package internal(set) var callShapes: [CallShape] = []
    /// Of each instruction that reads or changes a field, the constant that is its name.
    var fieldNames: [Int] = []
    @exclusivity(unchecked) var formChecks: [FormCheck] = []
    /// The text of a function literal or definition, for printing.
    package internal(set) var text = ""
    /// What a function was compiled from, to compile it once more for a recording.
    package var definition: Definition?
    private var recorded: Code?

    package struct Definition {
        package let node: FunctionNode
        /// The parameters, then what else it assigns.
        package let locals: [SymbolID]
        /// The variable by which it calls itself.
        let ownName: SymbolID?
        package let captures: [SymbolID]
    }

    /// The same function, noting the value of every expression while it runs. Only while no other thread compiles.
    func recording() -> Code {
        if let recorded { return recorded }
        guard let definition else { return self }
        let code = Code(name: name, parameters: parameters, requiredCount: requiredCount, unit: unit, module: module, isClosure: true)
        let builder = FunctionBuilder(Compiler(unit: unit, module: module, records: true), code: code, parent: nil, captures: definition.captures)
        builder.ownName = definition.ownName
        builder.compileBody(definition.node, definition.locals)
        code.definition = definition
        code.isLiteral = isLiteral
        code.isArgument = isArgument
        code.text = text
        recorded = builder.finish()
        return code
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

    /// Where its sites are known.
    private let sites = Engine.current.sites
    /// Sites `siteBase ..< siteBase + instructions.count` belong to this code.
    fileprivate(set) var siteBase: UInt32 = 0

    init(name: String, parameters: [Parameter], requiredCount: Int, unit: SourceUnit, module: Module, isClosure: Bool) {
        self.name = name
        self.parameters = parameters
        self.requiredCount = requiredCount
        self.unit = unit
        self.module = module
        self.isClosure = isClosure
        entry = .allocate(capacity: 1)
        // (`self` is complete only after all stored properties are set.)
        entry.initialize(
            to: Entry(
                instructions: .allocate(capacity: 0), constants: .allocate(capacity: 0), globals: module.slotsAddress,
                calls: .allocate(capacity: 0), fields: .allocate(capacity: 0), instructionCount: 0, constantCount: 0, callCount: 0, registerCount: 0,
                parameterCount: Int32(truncatingIfNeeded: parameters.count), requiredCount: Int32(truncatingIfNeeded: requiredCount), code: nil))
        entry.pointee.code = .passUnretained(self)
    }

    func finish(instructions: [Instruction], constants: [Value], origins: [ExpressionID], registerCount: Int) {
        entry.pointee.instructions.deallocate()
        entry.pointee.constants.deallocate()
        entry.pointee.instructions = .allocate(capacity: instructions.count)
        entry.pointee.instructions.initialize(from: instructions, count: instructions.count)
        entry.pointee.instructionCount = instructions.count
        entry.pointee.constants = .allocate(capacity: constants.count)
        entry.pointee.constants.initialize(from: constants, count: constants.count)
        entry.pointee.constantCount = constants.count
        entry.pointee.calls.deallocate()
        entry.pointee.calls = .allocate(capacity: callShapes.count)
        entry.pointee.calls.initialize(repeating: KnownCall(), count: callShapes.count)
        entry.pointee.callCount = callShapes.count
        entry.pointee.fields.deallocate()
        entry.pointee.fields = .allocate(capacity: fieldNames.count)
        for (index, name) in fieldNames.enumerated() { (entry.pointee.fields + index).initialize(to: KnownField(name: name)) }
        entry.pointee.registerCount = Int32(truncatingIfNeeded: registerCount)
        self.origins = origins
        siteBase = sites.register(self, count: instructions.count)
    }

    deinit {
        sites.forget(self, siteBase, count: origins.count)
        entry.pointee.instructions.deallocate()
        entry.pointee.constants.deinitialize(count: entry.pointee.constantCount)
        entry.pointee.constants.deallocate()
        for index in 0..<entry.pointee.callCount { entry.pointee.calls[index].forget() }
        entry.pointee.calls.deallocate()
        entry.pointee.fields.deallocate()
        entry.deallocate()
    }

    func site(of instruction: UnsafeMutablePointer<Instruction>) -> Site {
        Site(id: siteBase &+ UInt32(truncatingIfNeeded: instruction - entry.pointee.instructions), call: 0)
    }

    /// The expression that an instruction belongs to.
    package func origin(of instruction: UnsafeMutablePointer<Instruction>) -> ExpressionID? {
        let index = instruction - entry.pointee.instructions
        return origins.indices.contains(index) ? origins[index] : nil
    }

    /// Plain memory, so that calls need neither reference counts nor access checks; `act_entry` in C.
    package struct Entry {
        var instructions: UnsafeMutablePointer<Instruction>
        var constants: UnsafeMutablePointer<Value>
        /// Where the module keeps the address of its slots.
        let globals: UnsafeMutablePointer<UnsafeMutablePointer<Value>>
        /// The calls with names, by shape.
        var calls: UnsafeMutablePointer<KnownCall>
        /// The fields that are read or changed.
        var fields: UnsafeMutablePointer<KnownField>
        var instructionCount: Int
        var constantCount: Int
        var callCount: Int
        var registerCount: Int32
        let parameterCount: Int32
        /// With fewer arguments the other half does not call it; `Int32.max` while Swift watches all its calls.
        fileprivate(set) var requiredCount: Int32
        fileprivate(set) var code: Unmanaged<Code>!
        /// No other code has or had it.
        let id = Code.nextID.add(1, ordering: .relaxed).newValue
    }

    private static let nextID = Atomic<Int>(0)

    /// Whether calls by position are looked at: a later one may be replayed.
    var isWatched: Bool {
        get { entry.pointee.requiredCount == .max }
        set { entry.pointee.requiredCount = newValue ? .max : Int32(truncatingIfNeeded: requiredCount) }
    }
}

/// A call with names, and where its arguments went the last time.
struct KnownCall {
    /// The callee's id and the number of arguments by position of that time; 0 before.
    private(set) var callee = 0, positional = 0
    /// Which parameter each name means.
    fileprivate(set) var places: UnsafeMutablePointer<Int32>?
    private(set) var count = 0

    /// So many names at most are known; calls with more take the long way.
    static let longest = 8

    mutating func learn(callee: Int, positional: Int, places: [Int]) {
        forget()
        self.places = .allocate(capacity: places.count)
        for (index, place) in places.enumerated() { self.places?[index] = Int32(truncatingIfNeeded: place) }
        (self.callee, self.positional, count) = (callee, positional, places.count)
    }

    mutating func forget() {
        places?.deallocate()
        self = KnownCall()
    }
}

/// The name of a field, as a constant, and where it was the last time.
struct KnownField {
    /// The id of the record's shape that time; 0 before.
    var shape = 0, place = 0
    let name: Int

    init(name: Int) { self.name = name }
}

/// A nested function before it is made: where its captured values come from.
package struct FunctionTemplate {
    enum Capture {
        case register(Int)
        case capture(Int)
        case itself
    }
    package let code: Code
    let captures: [Capture]
}

/// The fields of a record literal: the names, and where none occurs twice the shape that all records made of it share.
struct RecordTemplate {
    let names: [String]
    let shape: RecordShape?

    init(_ names: [String]) {
        self.names = names
        shape = Set(names).count == names.count ? RecordShape(names) : nil
    }
}

package enum InterpolationPart {
    case text(String)
    case value(register: Int, spec: FormatSpec?, expression: ExpressionID)
}

/// What a call has beyond arguments by position.
package struct CallShape: Hashable {
    /// The names of the last arguments.
    var names: [String] = []
    /// Of `value.method(…)`.
    var method: String?
}

/// One index between brackets; numbers are registers.
package enum IndexOperand {
    case value(Int)
    case slice(start: Int?, stop: Int?, step: Int?)
    case ellipsis
}

/// `root path = value`, `root path += value`.
package struct PathUpdate {
    enum Root {
        case register(Int)
        case global(Int)
    }
    enum Step {
        case field(String)
        case index([IndexOperand])
    }
    let root: Root
    let path: [Step]
    /// The operator of `+=` and its like.
    let operation: BinaryOperator?
    let value: Int
    /// Whether the value may be taken away from its register.
    let takesValue: Bool
}

extension SiteTable {
    /// The code and the instruction behind a site that the array library reports.
    package func find(_ site: Site) -> (code: Code, instruction: Int)? {
        guard let code = owner(of: site) as? Code else { return nil }
        let instruction = Int(site.id) - Int(code.siteBase)
        return code.origins.indices.contains(instruction) ? (code, instruction) : nil
    }
}
