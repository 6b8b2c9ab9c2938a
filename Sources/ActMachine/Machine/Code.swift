// A compiled function as the machine runs it, and how an error finds its place in it.

import ActArray
import ActCompiler
import ActRows
import ActSyntax
import CActMachine
import Synchronization

/// A prototype in a module: its instructions where the machine reads them.
package final class Code {
    package let prototype: Prototype
    package let module: Module

    /// What the machine reads; the compiler made every index in it.
    let entry: UnsafeMutablePointer<Entry>
    // (What instructions refer to is kept here besides: one step less on the way.)
    package let functions: [FunctionTemplate]
    // (What values are made of, again and again, is not held for that: it is held here.)
    let closures: [Unmanaged<FunctionTemplate>]
    let records: [Unmanaged<RecordTemplate>]
    let interpolations: [Unmanaged<Interpolation>]
    private let held: [AnyObject]
    let indexItems: [[IndexOperand]]
    let updates: [PathUpdate]
    package let callShapes: [CallShape]
    let formChecks: [FormCheck]
    let makesLayers: Bool
    private var recorded: Code?

    /// Where its sites are known.
    private let sites = Engine.current.sites
    /// Sites `siteBase ..< siteBase + instructions.count` belong to this code.
    @exclusivity(unchecked) private(set) var siteBase: UInt32 = 0

    /// - Parameter prototype: One that nobody has loaded before.
    package init(_ prototype: Prototype, in module: Module) {
        self.prototype = prototype
        self.module = module
        functions = prototype.functions.map { FunctionTemplate(code: Code($0.prototype, in: module), captures: $0.captures) }
        closures = functions.map(Unmanaged.passUnretained)
        let records = prototype.records.map(RecordTemplate.init), interpolations = prototype.interpolations.map(Interpolation.init)
        (self.records, self.interpolations) = (records.map(Unmanaged.passUnretained), interpolations.map(Unmanaged.passUnretained))
        held = records + interpolations
        (indexItems, updates) = (prototype.indexItems, prototype.updates)
        (callShapes, formChecks, makesLayers) = (prototype.callShapes, prototype.formChecks, prototype.makesLayers)
        let (instructions, constants, hasLoop) = prototype.unload()
        entry = .allocate(capacity: 1)
        // (`self` is complete only after all stored properties are set.)
        entry.initialize(
            to: Entry(
                instructions: .allocate(capacity: instructions.count), constants: .allocate(capacity: constants.count),
                globals: module.slotsAddress, calls: .allocate(capacity: prototype.callShapes.count),
                fields: .allocate(capacity: prototype.fieldNames.count), instructionCount: instructions.count,
                constantCount: constants.count, callCount: prototype.callShapes.count,
                registerCount: Int32(truncatingIfNeeded: prototype.registerCount), parameterCount: Int32(truncatingIfNeeded: prototype.parameters.count),
                requiredCount: Int32(truncatingIfNeeded: prototype.requiredCount), plainCount: Int32(truncatingIfNeeded: prototype.parameters.count),
                code: nil))
        entry.pointee.code = .passUnretained(self)
        entry.pointee.instructions.initialize(from: instructions, count: instructions.count)
        act_pair(entry.pointee.instructions, instructions.count)
        for (index, constant) in constants.enumerated() { (entry.pointee.constants + index).initialize(to: Value(constant)) }
        for (index, shape) in prototype.callShapes.enumerated() { (entry.pointee.calls + index).initialize(to: KnownCall(shape)) }
        for (index, name) in prototype.fieldNames.enumerated() { (entry.pointee.fields + index).initialize(to: KnownField(name: name)) }
        isWatched = prototype.isClosure && !prototype.makesLayers && !prototype.parameters.isEmpty && hasLoop
        siteBase = sites.register(self, count: instructions.count)
    }

    // What others ask of the prototype.
    package var name: String { prototype.name }
    package var parameters: [Parameter] { prototype.parameters }
    package var requiredCount: Int { prototype.requiredCount }
    package var unit: SourceUnit { prototype.unit }
    package var origins: [ExpressionID] { prototype.origins }
    package var definition: Prototype.Definition? { prototype.definition }
    package var isClosure: Bool { prototype.isClosure }
    package var isLiteral: Bool { prototype.isLiteral }

    /// The same function, noting the value of every expression while it runs. Only while no other thread compiles.
    func recording() -> Code {
        if let recorded { return recorded }
        let copy = prototype.recording(in: module)
        if copy === prototype { return self }
        let code = Code(copy, in: module)
        recorded = code
        return code
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
        let instructions: UnsafeMutablePointer<Instruction>
        let constants: UnsafeMutablePointer<Value>
        /// Where the module keeps the address of its slots.
        let globals: UnsafeMutablePointer<UnsafeMutablePointer<Value>>
        /// The calls with names, by shape.
        let calls: UnsafeMutablePointer<KnownCall>
        /// The fields that are read or changed.
        let fields: UnsafeMutablePointer<KnownField>
        let instructionCount: Int
        let constantCount: Int
        let callCount: Int
        let registerCount: Int32
        let parameterCount: Int32
        /// With fewer arguments the other half does not call it; `Int32.max` while Swift watches all its calls.
        fileprivate(set) var requiredCount: Int32
        /// With how many arguments the other half calls it without further ado: one for each parameter; -1 while Swift watches.
        fileprivate(set) var plainCount: Int32
        /// The code that has this entry, and ends it.
        fileprivate(set) var code: Unmanaged<Code>!
        /// No other code has or had it.
        let id = Code.nextID.add(1, ordering: .relaxed).newValue
    }

    private static let nextID = Atomic<Int>(0)

    /// Whether calls by position are looked at: a later one may be replayed.
    var isWatched: Bool {
        get { entry.pointee.requiredCount == .max }
        set {
            entry.pointee.requiredCount = newValue ? .max : Int32(truncatingIfNeeded: requiredCount)
            entry.pointee.plainCount = newValue ? -1 : entry.pointee.parameterCount
        }
    }
}

/// A call with names, and where its arguments went the last time.
struct KnownCall {
    /// The callee's id and the number of arguments by position of that time; 0 before.
    private(set) var callee = 0, positional = 0
    /// Which parameter each name means.
    fileprivate(set) var places: UnsafeMutablePointer<Int32>?
    private(set) var count = 0
    /// The global variable that is called; -1 where the callee is in a register.
    let global: Int
    /// How many names are written.
    let names: Int

    init(_ shape: CallShape) { (global, names) = (shape.global ?? -1, shape.names.count) }

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
        (callee, positional, places, count) = (0, 0, nil, 0)
    }
}

/// The name of a field, as a constant, and where it was the last time.
struct KnownField {
    /// The id of the record's shape that time; 0 before.
    var shape = 0, place = 0
    let name: Int

    init(name: Int) { self.name = name }
}

/// A nested function before it is made.
package final class FunctionTemplate {
    package let code: Code
    let captures: [NestedFunction.Capture]

    init(code: Code, captures: [NestedFunction.Capture]) { (self.code, self.captures) = (code, captures) }
}

/// An interpolation, and how the part of the machine in C reads it, where nothing says how values are written.
final class Interpolation {
    let parts: [InterpolationPart]
    let quick: [act_part]

    init(_ parts: [InterpolationPart]) {
        self.parts = parts
        let read = parts.map { part -> act_part? in
            switch part {
            case .text(let text): act_part(text: unsafeBitCast(text, to: act_string.self), place: -1)
            case .value(let register, nil, _): act_part(text: act_string(), place: register)
            case .value: nil
            }
        }
        quick = read.contains { $0 == nil } ? [] : read.compactMap(\.self)
    }
}

/// The fields of a record literal: the names, and where none occurs twice the shape that all records made of it share.
final class RecordTemplate {
    let names: [String]
    let shape: RecordShape?

    init(_ names: [String]) {
        self.names = names
        shape = Set(names).count == names.count ? RecordShape(names) : nil
    }
}

extension SiteTable {
    /// The code and the instruction behind a site that the array library reports.
    package func find(_ site: Site) -> (code: Code, instruction: Int)? {
        guard let code = owner(of: site) as? Code else { return nil }
        let instruction = Int(site.id) - Int(code.siteBase)
        return code.origins.indices.contains(instruction) ? (code, instruction) : nil
    }
}

extension Value {
    init(_ constant: Constant) {
        switch constant {
        case .none: self = .none
        case .bool(let bool): self = .bool(bool)
        case .number(let number): self = .number(number)
        case .array(let array): self = .array(array)
        case .text(let string):
            // The letters of texts are these very values: they are found equal at a glance.
            let letter = string.utf8.count == 1 ? string.utf8.first.flatMap { $0 < 0x80 ? Text.letters[Int($0)] : nil } : nil
            self = letter ?? .string(string)
        }
    }
}
