// Global variables, and what names mean before a program gives them another meaning.

import ActArray
import ActCompiler

/// The built-in functions and constants by their names.
package final class NameTable {
    private var values: [String: Value] = [:]

    package init() {}

    package func set(_ name: String, to value: Value) { values[name] = value }
    package func value(named name: String) -> Value? { values[name] }
    package var names: [String] { Array(values.keys) }

    /// Whether `value` is what the name means of its own accord.
    func isBuiltin(_ name: String, _ value: Value) -> Bool {
        switch (values[name], value) {
        case (.number(let x)?, .number(let y)): x == y || x.isNaN && y.isNaN
        case (.function(let f)?, .function(let g)): f === g
        default: false
        }
    }
}

/// The global variables of one file, or of a session. Names become slots when code is compiled.
package final class Module: CompilerScope {
    package let name: String
    /// Holds the address of the slots, which move when there are more. Codes of the module read it, and hold the module.
    let slotsAddress: UnsafeMutablePointer<UnsafeMutablePointer<Value>>
    private var capacity: Int
    package private(set) var names: [String] = []
    private var indices: [String: Int] = [:]
    package let builtins: NameTable
    /// What names and slots take.
    private var held = Reservation()

    package init(name: String, builtins: NameTable) {
        self.name = name
        self.builtins = builtins
        capacity = 64
        slotsAddress = .allocate(capacity: 1)
        slotsAddress.initialize(to: .allocate(capacity: capacity))
    }

    package private(set) var slots: UnsafeMutablePointer<Value> {
        get { slotsAddress.pointee }
        set { slotsAddress.pointee = newValue }
    }

    deinit {
        slots.deinitialize(count: names.count)
        slots.deallocate()
        slotsAddress.deallocate()
    }

    /// The slot of `name`, made when it is new. Only called while nothing runs: slots may move.
    package func slot(_ name: String) -> Int {
        if let index = indices[name] { return index }
        if names.count == capacity {
            let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: slots, count: names.count)
            slots.deallocate()
            slots = larger
            capacity *= 2
        }
        let index = names.count
        (slots + index).initialize(to: builtins.value(named: name) ?? .undefined)
        names.append(name)
        indices[name] = index
        // The name, its place in the table, and its slot, each in what may be half empty.
        held = Reservation(noting: held.bytes &+ 160 &+ (name.utf8.count > 15 ? name.utf8.count &+ 48 : 0))
        return index
    }

    /// Forgets every variable. Functions of the module hold it, and it holds them: who is done with a module says so.
    package func clear() {
        for index in names.indices { slots[index] = .undefined }
    }

    package func existingSlot(_ name: String) -> Int? { indices[name] }

    /// What a name means now.
    package func meaning(of name: String) -> Value? { indices[name].map { slots[$0] } ?? builtins.value(named: name) }

    package func function(named name: String) -> (any CompilerFunction)? { if case .function(let function)? = meaning(of: name) { function } else { nil } }
    package func builtin(named name: String) -> (any CompilerFunction)? {
        if case .function(let function)? = builtins.value(named: name) { function } else { nil }
    }

    /// The first name of the built-in function that a name means now, if it means one.
    package func builtinName(_ name: String) -> String? {
        if case .function(let function)? = meaning(of: name) { function.builtinName } else { nil }
    }

    /// Gives the name back to the built-in, if there is one.
    package func reset(_ slot: Int) { slots[slot] = builtins.value(named: names[slot]) ?? .undefined }

    package subscript(name: String) -> Value? {
        get {
            guard let index = indices[name] else { return nil }
            if case .undefined = slots[index] { return nil }
            return slots[index]
        }
        set { slots[slot(name)] = newValue ?? .undefined }
    }

    /// The variables that the program itself set, in the order of their first mention.
    package var variables: [(name: String, value: Value)] {
        names.indices.compactMap { index in
            switch slots[index] {
            case .undefined: nil
            case let value where builtins.isBuiltin(names[index], value): nil
            default: (names[index], slots[index])
            }
        }
    }
}
