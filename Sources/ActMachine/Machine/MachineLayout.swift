// Where the part of the machine that is written in C expects what Swift has laid out.

import ActArray
import CActMachine

package enum MachineLayout {
    /// Where C and Swift differ, in words; nothing, or no program may run. A test looks.
    package static func differences() throws -> [String] {
        try offsets() + values() + holders() + nodesAndFunctions() + lists() + records() + texts()
    }

    /// Where the fields of structures are, and how large those are.
    private static func offsets() -> [String] {
        var found: [String] = []
        func compare<Here, There>(_ here: PartialKeyPath<Here>, _ there: PartialKeyPath<There>) {
            let (x, y) = (MemoryLayout<Here>.offset(of: here), MemoryLayout<There>.offset(of: there))
            if x == nil || x != y { found.append("\(here) is at \(x.map(String.init) ?? "no place"), \(there) at \(y.map(String.init) ?? "no place")") }
        }
        func size<Here, There>(_: Here.Type, _: There.Type) {
            let (x, y) = (MemoryLayout<Here>.stride, MemoryLayout<There>.stride)
            if x != y { found.append("\(Here.self) takes \(x) bytes, \(There.self) \(y)") }
        }
        size(Value.self, act_value.self)
        size(Machine.Frame.self, act_frame.self)
        size(KnownCall.self, act_known_call.self)
        size(KnownField.self, act_known_field.self)
        compare(\Machine.Frame.entry, \act_frame.entry)
        compare(\Machine.Frame.code, \act_frame.code)
        compare(\Machine.Frame.closure, \act_frame.closure)
        compare(\Machine.Frame.base, \act_frame.base)
        compare(\Machine.Frame.holdsObjects, \act_frame.holds_objects)
        compare(\Machine.Frame.returnAddress, \act_frame.return_address)
        compare(\Machine.Frame.callSite, \act_frame.call_site)
        compare(\Machine.State.frame, \act_state.frame)
        compare(\Machine.State.ready, \act_state.ready)
        compare(\Machine.State.instruction, \act_state.instruction)
        compare(\Machine.State.lastFrame, \act_state.last_frame)
        compare(\Machine.State.limit, \act_state.limit)
        compare(\Machine.State.interrupt, \act_state.interrupt)
        compare(\Machine.State.lossLimit, \act_state.loss_limit)
        compare(\Machine.State.concatenation, \act_state.concatenation)
        compare(\Machine.State.appending, \act_state.appending)
        compare(\Machine.State.letters, \act_state.letters)
        compare(\Machine.State.spares, \act_state.spares)
        compare(\Code.Entry.instructions, \act_entry.instructions)
        compare(\Code.Entry.constants, \act_entry.constants)
        compare(\Code.Entry.globals, \act_entry.globals)
        compare(\Code.Entry.calls, \act_entry.calls)
        compare(\Code.Entry.fields, \act_entry.fields)
        compare(\Code.Entry.registerCount, \act_entry.register_count)
        compare(\Code.Entry.parameterCount, \act_entry.parameter_count)
        compare(\Code.Entry.requiredCount, \act_entry.required_count)
        compare(\Code.Entry.plainCount, \act_entry.plain_count)
        compare(\Code.Entry.code, \act_entry.code)
        compare(\Code.Entry.id, \act_entry.id)
        compare(\KnownField.shape, \act_known_field.shape)
        compare(\KnownField.place, \act_known_field.place)
        compare(\KnownField.name, \act_known_field.name)
        compare(\KnownCall.callee, \act_known_call.callee)
        compare(\KnownCall.positional, \act_known_call.positional)
        compare(\KnownCall.places, \act_known_call.places)
        compare(\KnownCall.count, \act_known_call.count)
        compare(\KnownCall.global, \act_known_call.global)
        compare(\KnownCall.names, \act_known_call.names)
        return found
    }

    /// Which number each case of a value has, and that the payload stands first.
    private static func values() throws -> [String] {
        var found: [String] = []
        let array = try NDArray([1.5, 2.5], shape: [2]), function = Function(kernel: Scalar.kernel(.exp), binaryKernel: Scalar.kernel(.pow))
        let samples: [(Value, Int, UInt64?)] = [
            (.bool(true), act_tag_bool, 1), (.number(1.5), act_tag_number, 1.5.bitPattern), (.string(""), act_tag_text, nil),
            (.array(array), act_tag_array, address(array.node)), (.list(try List([])), act_tag_list, nil), (.record(try Record([:])), act_tag_record, nil),
            (.function(function), act_tag_function, address(function)), (.gathering(Gathering()), act_tag_gathering, nil),
            (.none, act_tag_plain, 0), (.undefined, act_tag_plain, 1),
        ]
        for (value, tag, word) in samples {
            withUnsafePointer(to: value) { place in
                let value = UnsafeRawPointer(place).loadUnaligned(as: act_value.self)
                let mask: UInt64 = tag == 0 ? 0xFF : .max
                if Int(value.tag) != tag || word.map({ $0 != value.bits & mask }) == true {
                    found.append("\(place.pointee.kind) has the number \(value.tag), not \(tag), or another payload")
                }
            }
        }
        return found
    }

    /// How an object counts who holds it.
    private static func holders() throws -> [String] {
        func count(_ text: Text) -> UInt64 { read(text, (UInt64, UInt64).self).1 }
        var text = Text("held")
        let isAlone = isKnownUniquelyReferenced(&text), alone = count(text)
        let list = try List([.string(text), .string(text)])
        let shared = count(text), isShared = !isKnownUniquelyReferenced(&text)
        let isRight = withExtendedLifetime(list) { isAlone && alone >> 32 == 0 && isShared && shared == alone &+ (2 << 33) }
        guard case .string(let letter) = Text.letters[65] else { return ["the letters"] }
        return (isRight ? [] : ["a count of holders"]) + (count(letter) >> 63 == 1 ? [] : ["a letter may be freed"])
    }

    private static func nodesAndFunctions() throws -> [String] {
        var found: [String] = []
        let array = try NDArray([1.5, 2.5], shape: [2])
        let function = Function(kernel: Scalar.kernel(.exp), binaryKernel: Scalar.kernel(.pow)) { _, _, _ in true }
        let node = read(array.node, act_node.self)
        if node.view.first != array.node.elements || node.view.count != 2 || node.view.length != 2 || node.type != array.type.rawValue
            || node.shape.pointee.count != 1 || sizes(node.shape)[0] != 2
        {
            found.append("a node")
        }
        if let view = node.view.storage {
            let storage = view.load(as: act_storage.self)
            if storage.first != array.node.elements || storage.byte_count < 16 { found.append("a storage") }
        }
        let plain = read(function, act_function.self)
        if unsafeBitCast(plain.kernel, to: Int.self) != unsafeBitCast(function.kernel, to: Int.self)
            || unsafeBitCast(plain.binary_kernel, to: Int.self) != unsafeBitCast(function.binaryKernel, to: Int.self)
            || unsafeBitCast(plain.direct, to: Int.self) != unsafeBitCast(function.direct, to: Int.self) || plain.entry != nil
        {
            found.append("a function")
        }
        let closure = Function(captures: [.number(7), .number(8)])
        if first(read(closure, act_function.self).captures)[1].number != 8 { found.append("a closure") }
        return found
    }

    private static func lists() throws -> [String] {
        var found: [String] = []
        let list = try List([.number(7), .number(8)])
        let elements = read(list, act_list.self).elements
        if elements.pointee.count != 2 || first(elements)[1].number != 8 || elements.pointee.capacity >> 1 != list.elements.capacity { found.append("a list") }
        try list.append(.number(9))
        if read(list, act_list.self).room != list.room || list.room <= 3 { found.append("the room of a list") }
        let gathering = Gathering()
        try gathering.append(7)
        let numbers = read(gathering, act_gathering.self)
        if numbers.count != 1 || numbers.capacity < 1 || numbers.numbers?.pointee != 7 { found.append("a gathering") }
        return found
    }

    private static func records() throws -> [String] {
        var found: [String] = []
        let record = try Record(["a": .number(7), "b": .number(8)])
        let parts = read(record, act_record.self)
        let names = UnsafeRawPointer(parts.shape.pointee.words) + MemoryLayout<act_strings>.size
        let foreign = try Record(["기울기": .none]), hasShortNames = read(foreign, act_record.self).shape.pointee.are_all_short
        if parts.shape.pointee.words.pointee.count != 2 || ShortName("b") != names.load(fromByteOffset: 16, as: ShortName.self)
            || !parts.shape.pointee.are_all_short || hasShortNames
        {
            found.append("a shape")
        }
        if parts.shape.pointee.id != record.fields.shape.id || parts.values.pointee.count != 2 || first(parts.values)[1].number != 8 {
            found.append("a record")
        }
        return found
    }

    private static func texts() -> [String] {
        let long = "sixteen letters!", grown = String(repeating: "ab", count: 20)
        let cases: [(string: String, isShort: Bool)] = [
            ("", true), ("softmax", true), ("fifteen letters", true), (long, false), (grown, false), ("é", false),
        ]
        return growing() + cases.filter { !isText($0.string, isShort: $0.isShort) }.map { "the text \"\($0.string)\"" }
    }

    private static func isText(_ string: String, isShort: Bool) -> Bool {
        let text = Text(string)
        let isBytes = text.isBytes, parts = read(text, act_text.self), (first, second) = parts.string.words
        let bytes: [UInt8]
        if second >> 60 == 0xE {
            let count = Int(second >> 56 & 0xF)
            bytes = (0..<count).map { (index: Int) -> UInt8 in
                let word: UInt64 = index < 8 ? first : second
                return UInt8(truncatingIfNeeded: word >> UInt64(8 * (index & 7)))
            }
        } else if isBytes, let start = UnsafePointer<UInt8>(bitPattern: UInt(second & 0xfff_ffff_ffff_ffff) + 32) {
            bytes = Array(UnsafeBufferPointer(start: start, count: Int(first & 0xffff_ffff_ffff)))
        } else {
            bytes = Array(string.utf8)
        }
        let isRight = withExtendedLifetime(text) { bytes == Array(string.utf8) }
        return parts.held == text.held.bytes && (second >> 60 == 0xE) == isShort && (parts.kind == 1) == isBytes && parts.details == nil && isRight
    }

    /// How a string has room to grow in.
    private static func growing() -> [String] {
        var string = "sixteen letters!"
        string.reserveCapacity(100)
        let text = Text(string)
        string = ""
        let parts = read(text, act_text.self), (first, second) = parts.string.words
        guard second >> 60 == 0, first >> 60 == 0xF, let place = UnsafeRawPointer(bitPattern: UInt(second)) else { return ["a string with room"] }
        let storage = place.load(as: act_string_storage.self)
        let isRight = storage.count == first && storage.room & 0xffff_ffff_ffff > 100 && MemoryLayout<act_string_storage>.size == 32
        return withExtendedLifetime(text) { isRight ? [] : ["the room of a string"] }
    }

    private static func read<Layout>(_ object: AnyObject, _ layout: Layout.Type) -> Layout {
        UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()).load(as: layout)
    }

    private static func first(_ elements: UnsafeMutablePointer<act_elements>) -> UnsafePointer<act_value> {
        (UnsafeRawPointer(elements) + MemoryLayout<act_elements>.size).assumingMemoryBound(to: act_value.self)
    }

    private static func sizes(_ shape: UnsafeMutablePointer<act_sizes>) -> UnsafePointer<Int> {
        (UnsafeRawPointer(shape) + MemoryLayout<act_sizes>.size).assumingMemoryBound(to: Int.self)
    }

    private static func address(_ object: AnyObject) -> UInt64 { UInt64(UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())) }
}
