// Files: what is read and written, by suffix. Reading and writing bytes is the session's, through its door; formats of arrays are the array library's.

import ActArray
import ActFiles
import ActGrad
import ActLayers
import ActMachine
import ActPlot
import ActRows
import ActSyntax

extension BuiltinRows {
    static let files: [Builtin] = [
        Builtin(
            .files, "load", "what a file holds",
            details:
                "By suffix: .csv .tsv (a matrix, or a record of columns when there is a header), .npy, .npz (a record), .json, .txt (a string), IDX (-ubyte), any of these with .gz; .safetensors: what act saved (a network, a layer, a record, a list), else a record of arrays; .onnx: the network that the model is, which runs, differentiates and trains. With `into=net` that network is filled; PyTorch's names (`0.weight`, `bn.running_mean`, `lstm.weight_ih_l0`) find their layers by what they hold and by the numbers in them, turned where they lie the other way round. 16-bit floats (float16, bfloat16) become f32. Tables say what they are, or it is guessed: `separator` (\",\", or \";\" or a tab where that parts the first rows equally), `decimal` (\".\", or \",\" in files parted by \";\" whose numbers have commas and no points), `header` (true when the first row holds texts above numbers, or texts alone), `comment` (\"#\" before the first row; given, it ends any line; \"\" for none), `missing` (what is nan in columns of numbers, besides nothing: \(Csv.usualMissing.sorted().joined(separator: " ")); marks that are given take the place of these), `text` (names or positions of columns that stay texts), `encoding` (of .txt too: UTF-8, or UTF-16 by its mark; \"latin-1\", \"cp949\" and whatever iconv knows).",
            example: "save([1, 2], \"/tmp/act-example.npy\"); load(\"/tmp/act-example.npy\")   # [1, 2]"
        ) { takes in
            let path = takes.text("path", role: .opaque), into = takes.networkOrNone("into"), form = TableForm(&takes)
            return { call in
                let value = try FileFormats.load(call[path], into: into, form, call)
                // Any file may be the one that was saved.
                let saved = call.machine.savedInDerivative
                return try saved.isEmpty || !Derivative.isRunning ? value : value.opaque("load", saved)
            }
        },
        Builtin(
            .files, "save", "writes a value to a file, whole or not at all",
            details:
                "By suffix: .csv .tsv .npy .npz .json .txt; networks and records of arrays .safetensors; figures .svg .png .pdf. The folder must exist. Networks and functions .onnx, for other programs: `input` is the shape of one input without the rows, whose number is left open; of a function of several arguments a list of shapes. A network that knows what it takes needs none. Numbers there are f32, or f64 with `dtype=\"f64\"`, which few runtimes compute in. With `framework` \"torch\", \"jax\" or \"keras\" .py: a module of Python with the function `model`, the weights beside it in .safetensors, and in .check.safetensors what it must give.",
            example: "save({a: 1}, \"/tmp/act-example.json\"); load(\"/tmp/act-example.json\")   # {a: 1}", role: .steps
        ) { takes in
            let value = takes.value("value"), path = takes.text("path"), form = ModelForm(&takes)
            return { call in
                try FileFormats.save(value, call[path], form, call)
                if !Derivative.isRunning { call.machine.savedInDerivative = [] }
                try call[value].gatherTraced(into: &call.machine.savedInDerivative)
                return .none
            }
        },
        Builtin(
            .files, "import", "the record of what another file defines at its outermost level",
            details: "The file runs once in a session, however often it is imported. Relative paths count from the importing file.", treatment: .importsFile
        ) { takes in
            let path = takes.text("path")
            return { call in
                let machine = call.machine
                let file = try machine.importedFile(call[path], from: machine.currentSourceName)
                return try machine.host.importModule(file.name, bytes: file.bytes)
            }
        },
        Builtin(
            .files, "to_json", "the value as JSON text",
            details:
                "Numbers keep every digit. NaN and the infinities, which JSON lacks, become the strings \"NaN\", \"Infinity\", \"-Infinity\"; a text of these letters is written with its first one escaped, so that `from_json` gives either back.",
            example: #"to_json({a: [1, 2.5], b: none})   # "\{\"a\": [1, 2.5], \"b\": null}""#, role: .opaque
        ) { takes in
            let value = takes.value("value")
            return { call in .string(try JSONValues.text(call[value])) }
        },
        Builtin(
            .files, "from_json", "the value that JSON text describes",
            details:
                "Arrays of numbers, bools or arrays of one shape become arrays, others lists; objects become records. The strings \"NaN\", \"Infinity\", \"-Infinity\", written without escapes, are numbers.",
            example: "from_json(\"[[1, 2], [3, 4]]\")   # [[1, 2],\n# [3, 4]]", role: .opaque
        ) { takes in
            let text = takes.text("text")
            return { call in
                let bytes = try Array(call[text].utf8), held = try Reservation(bytes.count / 2)
                defer { _ = held.bytes }
                return try JSONValues.value(bytes, call.machine)
            }
        },
    ]
}

/// What each suffix means.
enum FileFormats {
    /// The suffixes that `save` knows, and `load` but for pictures; it reads IDX files besides.
    static let suffixes = [".csv", ".tsv", ".npy", ".npz", ".json", ".txt", ".svg", ".png", ".pdf", ".safetensors", ".onnx", ".py"]
    private static let figureSuffixes = [".svg", ".png", ".pdf"]

    static func load(_ path: String, into: Input<NetworkFunction?>, _ form: TableForm, _ call: Call) throws -> Value {
        let (suffix, isPacked) = suffix(of: path)
        if suffix != ".csv", suffix != ".tsv" {
            if let name = form.given(call) { throw FileRefusal.optionOfTables(name, path) }
            if suffix != ".txt", call.isGiven(form.encoding) { throw FileRefusal.encodingOfOther(path) }
        }
        if call.isGiven(into) && suffix != ".safetensors" { throw FileRefusal.intoOfOther(path) }
        if figureSuffixes.contains(suffix) { throw FileRefusal.loadedPicture(path) }
        guard suffix == "idx" || suffixes.contains(suffix), suffix != ".py", !isPacked || ![".onnx", ".safetensors"].contains(suffix) else {
            throw unknown(path, isPacked ? suffix + ".gz" : suffix, isLoading: true, call)
        }
        if suffix == ".onnx" { return try loadModel(path, call) }
        if suffix == ".safetensors" { return try loadNetwork(path, into: into, call) }
        return try call.machine.readFile(path) { bytes in
            if !isPacked { return try value(of: bytes, suffix, path, form, call) }
            let unpacked = try Gzip.unpacked(bytes, path: path), held = try Reservation(unpacked.count / 2)
            defer { _ = held.bytes }
            return try value(of: unpacked, suffix, path, form, call)
        }
    }

    private static func value(of bytes: [UInt8], _ suffix: String, _ path: String, _ form: TableForm, _ call: Call) throws -> Value {
        switch suffix {
        case ".npy": return try Value(Npy.array(bytes, path: path))
        case ".npz":
            var fields = Fields()
            for (name, array) in try Npz.arrays(bytes, path: path) { fields[name] = try Value(array) }
            return try .record(fields)
        case "idx": return try Value(Idx.array(bytes, path: path))
        case ".csv", ".tsv":
            return try TableFile.value(bytes, path: path, isTabbed: suffix == ".tsv", form, call)
        case ".json": return try JSONValues.value(bytes, call.machine, path: path)
        default:
            guard let text = String(validating: try TextEncoding.utf8(bytes, from: call[form.encoding], path: path), as: UTF8.self) else {
                throw FileRefusal.notUTF8(path)
            }
            return .string(text)
        }
    }

    static func save(_ argument: Input<Value>, _ path: String, _ form: ModelForm, _ call: Call) throws {
        let value = call[argument]
        let (suffix, isPacked) = suffix(of: path)
        guard suffixes.contains(suffix), !isPacked else { throw unknown(path, isPacked ? ".gz" : suffix, isLoading: false, call) }
        if suffix == ".onnx" { return try saveModel(argument, path, form, call) }
        if suffix == ".py" { return try saveSource(argument, path, form, call) }
        if let name = try form.given(call) { throw FileRefusal.optionOfModels(name, path) }
        if suffix == ".safetensors" { return try saveNetwork(argument, path, call) }
        let machine = call.machine
        switch (suffix, value) {
        case (".svg", .figure(let value)), (".png", .figure(let value)), (".pdf", .figure(let value)):
            try machine.writeFile(path) { sink in try picture(value.figure, suffix, call).withUnsafeBytes(sink) }
        case (".svg", _), (".png", _), (".pdf", _): throw FileRefusal.pictureOf(value, suffix: suffix, path)
        case (_, .figure): throw FileRefusal.figureAs(suffix)
        case (".npy", _):
            let array = try call.array(argument)
            try machine.writeFile(path) { try Npy.write(array, into: $0) }
        case (".npz", .record(let record)):
            let arrays = try record.fields.map { (name: $0.key, array: try call.array($0.value, argument)) }
            try machine.writeFile(path) { try Npz.write(arrays, into: $0) }
        case (".npz", _): throw FileRefusal.archiveOf(value, path)
        case (".csv", _), (".tsv", _):
            try machine.writeText(path) { try TableFile.write(argument, separator: suffix == ".csv" ? "," : "\t", call, into: &$0) }
        case (".json", _):
            try machine.writeText(path) {
                try JSONValues.write(value, into: &$0)
                try $0.append("\n")
            }
        case (_, .string(let text)):
            try machine.writeText(path) { try $0.append(text.string) }
        default:
            let text = try Format.text(value)
            try machine.writeText(path) {
                try $0.append(text)
                try $0.append("\n")
            }
        }
    }

    /// The suffix in small letters, without `.gz`; "idx" for IDX files.
    private static func suffix(of path: String) -> (suffix: String, isPacked: Bool) {
        // No file has a longer name than this.
        let end = path.utf8.suffix(1 << 12), start = end.lastIndex(of: UInt8(ascii: "/")).map { end.index(after: $0) } ?? end.startIndex
        var name = String(decoding: end[start...], as: UTF8.self).lowercased()
        let isPacked = name.hasSuffix(".gz")
        if isPacked { name.removeLast(3) }
        if name.hasSuffix("-ubyte") || name.hasSuffix(".idx") || name.hasSuffix(".ubyte") { return ("idx", isPacked) }
        guard let point = name.lastIndex(of: ".") else { return ("", isPacked) }
        return (String(name[point...]), isPacked)
    }

    static func unknown(_ path: String, _ suffix: String, isLoading: Bool, _ call: Call) -> FileRefusal {
        let own = isLoading ? suffixes.filter { !figureSuffixes.contains($0) && $0 != ".py" } : suffixes
        return .unknownSuffix(suffix, path, call.row.name, known: own, isLoading: isLoading)
    }

    private static func picture(_ figure: Figure, _ suffix: String, _ call: Call) throws -> [UInt8] {
        let text = svg(figure)
        try Interrupt.check()
        if suffix == ".svg" { return Array(text.utf8) }
        let (width, height) = figure.pixelSize
        let held = try Reservation(Rasterizer.footprint(text, pixels: suffix == ".png" ? width &* height : 0))
        defer { _ = held.bytes }
        do {
            let rasterizer = try Rasterizer()
            for (index, gap) in Fonts.gaps(in: text).enumerated() { try call.machine.warn(.missingGlyphs(gap), subject: index) }
            return suffix == ".png" ? try rasterizer.png(text, width: width, height: height) : try rasterizer.pdf(text, width: width, height: height)
        } catch let failure as Rasterizer.Failure {
            try Interrupt.check()
            throw FigureRefusal.picture(failure)
        }
    }
}
