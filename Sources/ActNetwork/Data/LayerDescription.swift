// Layers as JSON in the metadata of network files: what each was made with. A layer of the program's own goes by the name of its maker.

import ActArray
import ActFiles
import ActRandom

/// What the names in a file mean to the program that reads it.
package protocol ProgramNames {
    func function(named name: String) -> NamedFunction?
    /// A layer of a kind that stands in no row: of a loaded graph; `nil` where there is no such kind.
    func layer(ofKind kind: String, _ settings: [String: Setting], path: String) throws -> (any Layer)?
    /// A layer of the program's own; `nil` where the program has no such maker.
    func layer(named name: String, _ settings: [String: Setting]) throws -> (any Layer)?
}

extension ProgramNames {
    package func layer(ofKind kind: String, _ settings: [String: Setting], path: String) throws -> (any Layer)? { nil }
}

extension Layer {
    /// - Throws: `NetworkError.unsavable`, `unsavableSetting`.
    func describe(at position: Int) throws -> JSON {
        var fields: [(name: String, value: JSON)] = []
        for case (let name, let setting?) in settings.said {
            do { fields.append((name, try setting.describe(at: position))) } catch let unfit as Unfit {
                throw NetworkError.unsavableSetting(layer: text, position: position, name: name, found: unfit.kind)
            }
        }
        let kind = settings.kind
        var entry: [(name: String, value: JSON)] = [("kind", .text(isOfProgram ? ownKind : kind))]
        if isOfProgram { entry += [("maker", .text(kind)), ("settings", .object(fields))] } else { entry += fields }
        if self is FrozenLayer { entry.append(("frozen", .flag(true))) }
        // Its block may freeze parts of it, which `unfreeze` has thawed.
        if isOfProgram, trains.allSatisfy(\.self) { entry.append(("trained", .flag(true))) }
        return .object(entry)
    }
}

/// The kind of every layer that a `layer` of the program makes.
private let ownKind = "layer"

/// A setting that no file holds.
struct Unfit: Error { let kind: String }

extension Setting {
    func describe(at position: Int) throws -> JSON {
        switch self {
        case .none: .null
        case .number(let number): number.isFinite ? .number(number) : .object([("number", .text("\(number)"))])
        case .text(let text): .text(text)
        case .flag(let flag): .flag(flag)
        case .network(let network): .list(try network.layers.enumerated().map { try $1.describe(at: $0) })
        case .layer(let layer): .object([("layer", try layer.describe(at: position))])
        case .function(let function):
            if function.isNamed {
                .object([("function", .text(function.name))])
            } else {
                throw NetworkError.unsavable(layer: function.name, position: position)
            }
        case .array(let array, _):
            .object([
                ("array", .text(array.type.name)), ("shape", .list(array.shape.map { .number(Double($0)) })),
                ("values", .list(try array.toDoubles().map { $0.isFinite ? .number($0) : .text("\($0)") })),
            ])
        case .list(let elements): .object([("list", .list(try elements.map { try $0.describe(at: position) }))])
        case .record(let fields): .object([("record", .object(try fields.map { ($0.name, try $0.value.describe(at: position)) }))])
        case .other(let kind): throw Unfit(kind: kind)
        }
    }
}

extension JSON {
    /// What a network file says in JSON.
    /// - Parameter error: Thrown if it is not JSON.
    init(_ bytes: some Sequence<UInt8>, held: inout Reservation, orElse error: @autoclosure () -> NetworkError) throws {
        // A network inside another takes two levels, and programs nest networks less than 10,000 deep.
        do { self = try JSON(Array(bytes), deepest: 20_000, held: &held) } catch is JSONError { throw error() }
    }
}

/// Makes layers of their descriptions.
struct DescriptionReader {
    let path: String
    let program: ProgramNames
    private var random = RandomSource(seed: 0)

    init(path: String, program: ProgramNames) {
        self.path = path
        self.program = program
    }

    private func fail(_ fault: NetworkFileFault) -> NetworkError { .file(path: path, fault) }
    private var unreadable: NetworkError { fail(.unreadableLayers) }

    mutating func network(_ description: JSON) throws -> Network {
        guard case .list(let entries) = description else { throw unreadable }
        var layers: [any Layer] = []
        for entry in entries { layers.append(try layer(entry)) }
        return Network(layers)
    }

    private mutating func layer(_ entry: JSON) throws -> any Layer {
        let layer = try bareLayer(entry)
        if case .flag(true)? = entry["frozen"] { return FrozenLayer(layer) }
        if case .flag(true)? = entry["trained"], !layer.trains.allSatisfy(\.self) { return try layer.thawed() }
        return layer
    }

    private mutating func bareLayer(_ entry: JSON) throws -> any Layer {
        guard case .object(let fields) = entry, case .text(let kind)? = entry["kind"] else { throw unreadable }
        if kind == ownKind, case .text(let maker)? = entry["maker"], case .object(let given)? = entry["settings"] {
            guard let layer = try program.layer(named: maker, settings(given)) else {
                throw fail(.unknownMaker(maker))
            }
            return layer
        }
        let settings = try settings(fields.filter { $0.name != "kind" && $0.name != "frozen" })
        if kind == "function", case .function(let function)? = settings["function"] { return FunctionLayer(function) }
        guard let row = LayerRows.named(kind) else {
            guard let layer = try program.layer(ofKind: kind, settings, path: path) else { throw fail(.unknownKind(kind)) }
            return layer
        }
        return try row.make(settings, &random)
    }

    private mutating func settings(_ fields: [(name: String, value: JSON)]) throws -> [String: Setting] {
        var settings: [String: Setting] = [:]
        for (name, value) in fields { if let setting = try setting(value) { settings[name] = setting } }
        return settings
    }

    mutating func setting(_ value: JSON) throws -> Setting? {
        switch value {
        case .number(let number, _): return .number(number)
        case .text(let text): return .text(text)
        case .flag(let flag): return .flag(flag)
        case .list: return .network(try network(value))
        case .null: return nil
        case .object(let fields): return try compound(value, fields.first?.name ?? "")
        }
    }

    private mutating func compound(_ value: JSON, _ form: String) throws -> Setting {
        switch (form, value[form]) {
        case ("function", .text(let called)?):
            guard let found = called == "identity" ? .identity : program.function(named: called) else {
                throw fail(.unknownFunction(called))
            }
            return .function(found)
        case ("number", .text(let text)?):
            guard let number = Double(text) else { throw unreadable }
            return .number(number)
        case ("layer", let description?): return .layer(try layer(description))
        case ("list", .list(let elements)?):
            var settings: [Setting] = []
            for element in elements { settings.append(try setting(element) ?? .none) }
            return .list(settings)
        case ("record", .object(let fields)?):
            var settings: [(name: String, value: Setting)] = []
            for (name, value) in fields { settings.append((name, try setting(value) ?? .none)) }
            return .record(settings)
        case ("array", .text(let typeName)?):
            guard let type = ElementType.allCases.first(where: { $0.name == typeName }), case .list(let sizes)? = value["shape"],
                case .list(let elements)? = value["values"]
            else { throw unreadable }
            let shape = try sizes.map { size -> Int in
                guard case .number(let number, _) = size, let whole = Int(exactly: number), whole >= 0 else { throw unreadable }
                return whole
            }
            let numbers = try elements.map { element -> Double in
                switch element {
                case .number(let number, _): return number
                case .text(let text): if let number = Double(text) { return number }
                default: break
                }
                throw unreadable
            }
            let (count, overflow) = shape.reduce((1, false)) { product, size in
                let (next, overflow) = product.0.multipliedReportingOverflow(by: size)
                return (next, product.1 || overflow)
            }
            guard !overflow, count == numbers.count else { throw unreadable }
            return .array(try NDArray(numbers, shape: shape).converted(to: type), text: "array")
        default: throw unreadable
        }
    }
}
